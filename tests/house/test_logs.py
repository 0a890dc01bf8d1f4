"""Logs: lines that a machine reads, and nothing that a person wrote."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from soinbox_web import logs

SECRET = "Geheime aanbesteding"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_is_json_with_its_values_apart(stream: io.StringIO) -> None:
    logging.getLogger("soinbox.mailroom").warning("account %d: %s", 7, "timeout")
    line = json.loads(stream.getvalue())
    assert (line["level"], line["event"], line["values"]) == ("warning", "account %d: %s", [7, "timeout"])
    assert line["at"].endswith("+00:00")


def test_an_error_tells_its_kind_and_place_and_not_its_words(stream: io.StringIO) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        logging.getLogger("soinbox").error("unexpected %s", type(error).__name__, exc_info=error)
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError" and "test_logs.py" in line["frames"][0]
    assert SECRET not in stream.getvalue()


def test_a_person_at_a_terminal_reads_plain_lines_without_them_too() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        import sys

        shown = logs.Plain("%(message)s").formatException(sys.exc_info())
    assert shown.startswith("ValueError\ntest_logs.py:") and SECRET not in shown
