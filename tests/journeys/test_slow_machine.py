"""A machine with much else to do: whoever is slow there is waited for, not killed."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from soinbox_web.rehearsal import child
from tests.servers.soinbox import Soinbox, trusting

ASKED_IN_VAIN = 11.0  # seconds; the library's own patience is five


def workers(product: Soinbox) -> set[int]:
    found = psutil.Process(product.pid).children(recursive=True)
    return {each.pid for each in found if "spawn_main" in " ".join(each.cmdline())}


@pytest.mark.timeout(120)
def test_a_web_worker_that_gets_no_time_is_not_killed(tmp_path: Path, ca_file: Path) -> None:
    product = Soinbox(tmp_path / "instance", trusting(ca_file), command="web")
    try:
        product.start()
        before = workers(product)
        assert len(before) == 2
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(ASKED_IN_VAIN)
        for pid in before & workers(product):
            os.kill(pid, signal.SIGCONT)
        product.wait()
        assert workers(product) == before
    finally:
        product.close()
    assert child.is_free("127.0.0.1", product.port)


@pytest.mark.timeout(120)
def test_a_worker_that_hangs_does_not_outlive_the_product(tmp_path: Path, ca_file: Path) -> None:
    product = Soinbox(tmp_path / "instance", trusting(ca_file))
    try:
        product.start()
        hung = psutil.Process(product.pid).children(recursive=True)
        one = next(each for each in hung if "spawn_main" in " ".join(each.cmdline()))
        one.send_signal(signal.SIGSTOP)
        os.kill(product.pid, signal.SIGTERM)
        one.wait(60)
    finally:
        product.close()
    assert child.is_free("127.0.0.1", product.port)
