"""`soinbox restore` beside whatever runs: refused while anything uses the instance, possible right after."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soinbox_web.services import upkeep
from soinbox_web.settings import child_environment
from tests.servers.soinbox import Soinbox
from tests.waiting import until


@pytest.fixture(params=["serve", "web", "mailroom"])
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Soinbox]:
    product = Soinbox(tmp_path / "instance", {"ISPDB_URL": ""}, command=request.param)
    product.runtime.close()
    yield product
    product.close()


def restore(product: Soinbox, file: Path) -> tuple[int, dict[str, object]]:
    ended = subprocess.run(
        [sys.executable, "-m", "soinbox_web.cli", "restore", str(file), "--json"],
        env=child_environment(product.settings), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return ended.returncode, json.loads(ended.stdout or "{}")


def test_nothing_is_replaced_under_a_running_part(product: Soinbox, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    upkeep.backup(product.runtime, copy)
    product.runtime.close()
    product.start()
    log = tmp_path / "instance" / "log"
    code, told = until(
        lambda: found if (found := restore(product, copy))[0] else None, seconds=30, told=log.read_text
    )
    assert code == 1 and told["code"] == "instance_running"
    assert "soinbox " in str(told["evidence"])
    before = product.settings.database_path.stat().st_ino
    assert restore(product, copy)[0] == 1
    assert product.settings.database_path.stat().st_ino == before
    product.kill()
    until(lambda: restore(product, copy)[0] == 0, seconds=30, told=log.read_text)
    assert product.settings.database_path.stat().st_ino != before
