"""Logs: one line of JSON an event, for whoever gathers them; what a person wrote or received never gets in.

Of an error stand its kind and the places in the code, not its words: those may quote a message or a password.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

_PLAIN = "%(asctime)s %(name)s %(levelname)s %(message)s"


class Lines(logging.Formatter):
    """at (RFC 3339), level, logger, event (the words without values), values; of an error kind and frames."""

    def format(self, record: logging.LogRecord) -> str:
        values = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg),
            "values": [each if isinstance(each, int | float) else str(each) for each in values],
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["frames"] = _frames(error)
        return json.dumps(line, ensure_ascii=False)


class Plain(logging.Formatter):
    """The same for a person at a terminal."""

    def formatException(self, error: object) -> str:
        found = error[1] if isinstance(error, tuple) else None
        return "\n".join([type(found).__name__, *_frames(found)]) if isinstance(found, BaseException) else ""


def configure(stream: TextIO | None = None) -> None:
    """Lines of JSON to `stream` (standard error when not given), plain ones where a person looks on."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Plain(_PLAIN) if stream.isatty() else Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _frames(error: BaseException) -> list[str]:
    found = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in found[-12:]]
