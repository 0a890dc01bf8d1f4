"""The product from its wheel in an empty environment, as `pip install .` and `pipx install .` make it."""

import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from soinbox_web.rehearsal import child
from tests.waiting import until

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "soinbox_web")
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as it is in a fresh clone: nothing compiled."""
    folder = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it but pip."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


def pip(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_wheel_built_without_babel_fails_loudly(source: Path, environment: Path) -> None:
    assert pip(environment, "install", "setuptools>=70", "wheel").returncode == 0
    wheels = source.parent / "wheels"
    built = pip(environment, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source))
    assert built.returncode != 0
    assert "cannot be built without Babel" in built.stdout + built.stderr
    assert not list(wheels.glob("*.whl"))


def test_installed_from_the_wheel_it_speaks_dutch(source: Path, environment: Path, tmp_path: Path) -> None:
    installed = pip(environment, "install", "--constraint", str(ROOT / "constraints.txt"), str(source))
    assert installed.returncode == 0, installed.stderr
    port = child.free_port()
    command = [environment / "bin/soinbox", "web", "--instance", tmp_path / "instance", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output)
    try:
        page = until(lambda: dutch_page(port), seconds=60, told=log.read_text)
    finally:
        process.terminate()
        process.wait(20)
    assert '<html lang="nl"' in page
    assert "Welkom bij soinbox" in page or "Welkom terug" in page


def dutch_page(port: int) -> str:
    """The first page as a Dutch browser gets it; "" while nobody listens."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept-Language": "nl"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.read().decode()
    except OSError:
        return ""
