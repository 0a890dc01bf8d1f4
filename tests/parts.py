"""Debian's programs that some tests need; a test without its program is left out loudly, and fails in CI."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_REASON = "left out: "
UNPACKED = Path(__file__).parent.parent / ".venv" / "debian"  # by tests/debian-parts
_UNPACKED_PROGRAMS = {
    "courier": UNPACKED / "usr" / "bin" / "imapd",
    "cyrus": UNPACKED / "usr" / "lib" / "cyrus" / "bin" / "imapd",
}


def libraries(unpacked: Path) -> str:
    """LD_LIBRARY_PATH of programs that lie below `unpacked`."""
    own = unpacked / "usr" / "lib"
    folders = [own, own / "cyrus", *own.glob("*-linux-gnu"), *unpacked.glob("lib/*-linux-gnu")]
    return os.pathsep.join(map(str, folders))


def program(name: str) -> str | None:
    """The path of a Debian program, administrators' folders included."""
    unpacked = _UNPACKED_PROGRAMS.get(name)
    if unpacked is not None:
        return str(unpacked) if unpacked.exists() else None
    return shutil.which(name, path=_PATH)


def missing(item: pytest.Item) -> list[str]:
    """The programs that this test needs and that are not there."""
    wanted: list[str] = []
    for marker in item.iter_markers("real"):
        wanted += marker.args or ("dovecot",)
    if item.get_closest_marker("browser"):
        wanted.append("chromium")
    gone = [name for name in dict.fromkeys(wanted) if not program(name)]
    if item.get_closest_marker("browser") and not importlib.util.find_spec("playwright"):
        gone.append("playwright")
    return gone


def leave_out(item: pytest.Item) -> None:
    """Skip the test when a program is missing, or fail it when CI=true."""
    gone = missing(item)
    if gone and os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{', '.join(gone)} is not installed, and CI leaves nothing out", pytrace=False)
    if gone:
        pytest.skip(f"{_REASON}{', '.join(gone)} is not installed")


def summarise(reporter: pytest.TerminalReporter) -> None:
    """Say at the end, where nobody overlooks it, what was left out."""
    counts: dict[str, int] = {}
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if _REASON in reason:
            counts[reason.partition(_REASON)[2]] = counts.get(reason.partition(_REASON)[2], 0) + 1
    if counts:
        reporter.section("LEFT OUT", sep="!", red=True, bold=True)
        for reason, count in counts.items():
            reporter.line(f"{count} tests were not run: {reason}", red=True, bold=True)
        reporter.line("See `make help`: `make test` installs Debian's programs where it may.", red=True)
