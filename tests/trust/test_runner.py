"""The runner of `make trust`, with tiny figures: whatever one does, the rest goes on and all is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports import trust
from tests.reports.trust_closing import closing

TINY = "tests.trust.tiny"


def test_a_figure_is_run_and_told() -> None:
    (told,) = trust.run("sound", 3, TINY)
    assert (told["figure"], told["runs"], told["met"]) == ("T0 sound", 3, True)
    assert told["module_seconds"] >= 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raising", "a fault of its own"),
        ("dying", "terminated abruptly"),
        ("hanging", "not ended after 5 s"),
        ("silent", "it told nothing"),
        ("nowhere", "missing"),
    ],
)
def test_what_goes_wrong_with_one_is_told_and_not_met(name: str, said: str) -> None:
    (told,) = trust.run(name, 1, TINY, longest=5 if name == "hanging" else 60)
    assert not told["met"]
    assert said in told["error"]
    assert said in closing([told])


def test_the_closing_sections_hold_what_was_measured() -> None:
    (sound,), (raising,) = trust.run("sound", 1, TINY), trust.run("raising", 1, TINY)
    text = closing([sound, raising])
    for line in (
        "2.50 s  T0 sound: a slow input",
        "31.00 s  T0 sound: a full disk",
        "20 /     35 ms  (1.8x)  T0 sound: slow clients",
        "most   120 MB  T0 sound: mailroom: 80 120 90",
        "TOTP",
        "ASVS",
        "1 of 2 figures met; missed: raising",
    ):
        assert line in text


def test_what_stands_under_a_key_in_another_form_is_told_and_ends_nothing() -> None:
    (sound,) = trust.run("sound", 1, TINY)
    text = closing([{**sound, "slowest": 2.5, "p95_ms": [20, 35], "memory_mb": {"mailroom": []}}])
    assert "T0 sound: 2.5 is not of the form that is listed here" in text
    assert "T0 sound: [20, 35] is not of the form that is listed here" in text
    assert "1 of 1 figures met" in text


def test_the_command_ends_with_1_when_one_is_missed(tmp_path: Path) -> None:
    """All of the real one that ends at once: a module that is there, and a name that is not."""
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.reports.trust", "--every", "30", "--json", str(file), "--only"]
    done = subprocess.run([*command, "t4"], capture_output=True, text=True, timeout=200, check=False)
    figures = json.loads(file.read_text())
    assert done.returncode == (0 if all(each["met"] for each in figures) else 1), done.stdout
    assert figures
    assert "figures met" in done.stdout
    none = subprocess.run([*command, "t99"], capture_output=True, text=True, timeout=60, check=False)
    assert none.returncode == 2
    assert "no such figure" in none.stderr
