"""Logs: one line of JSON an event, for whoever gathers them; what a person wrote or received never gets in.

Only what our own code says carries values. Of every other library's records, warnings and errors stand the
kind and the place, not the words: those may quote a message or a password.
"""

import json
import logging
import sys
import threading
import traceback
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

_OURS = ("soinbox", "soinbox_web")
_CODE = str(Path(__file__).parent) + "/"
_FRAMES = 12
_CHAIN = 5  # errors that an error came from

log = logging.getLogger("soinbox.process")


class Record(logging.LogRecord):
    """A record that is reduced when it is made: whatever writes it, a library's own handler too, has no more.

    `ours` tells that our own code says it, under our own name (Flask says things under our application's);
    only then it keeps words and values. Of an error it keeps `kinds` and `frames`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        error = self.exc_info[1] if self.exc_info else None
        self.kinds, self.frames = (_kinds(error), _frames(error)) if error is not None else ("", [])
        self.exc_info = self.exc_text = self.stack_info = None
        self.ours = self.name.partition(".")[0] in _OURS and self.pathname.startswith(_CODE)
        if not self.ours or not isinstance(self.msg, str):
            self.ours, self.args = False, ()
            self.msg = f"{Path(self.pathname).name}:{self.lineno} {self.funcName}"


class Lines(logging.Formatter):
    """at (RFC 3339), level, logger; event (the words without values) and values, or the place; an error."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_told(record), ensure_ascii=False)


class Plain(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        told = _told(record)
        words = told["place"] if "place" in told else _filled(told["event"], told["values"])
        lines = [f"{told['at']} {told['logger']} {told['level'].upper()} {words}"]
        if "error" in told:
            lines += [told["error"], *told["frames"]]
        return "\n".join(lines)


class _Handler(logging.Handler):
    """Writes to `stream`, or to what standard error is at that moment; says nothing where it cannot."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        stream = self._stream or sys.stderr
        try:
            stream.write(self.format(record) + "\n")
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, full, or there is none
            return


def configure(stream: TextIO | None = None) -> None:
    """Lines of JSON to `stream` (standard error when not given), plain ones where a person looks on.

    Also for what never reaches a logger by itself: warnings, and errors that nobody caught.
    """
    handler = _Handler(stream)
    shown = stream or sys.stderr
    handler.setFormatter(Plain() if shown is not None and shown.isatty() else Lines())
    logging.setLogRecordFactory(Record)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):  # a library's own way to standard error
        logging.getLogger(name).handlers.clear()
    warnings.showwarning = _warned
    sys.excepthook = _ended
    sys.unraisablehook = _could_not_be_raised
    threading.excepthook = _thread_ended


def _told(record: logging.LogRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
    }
    if not isinstance(record, Record):  # made elsewhere, sent here by a library
        return told | {"place": f"{Path(record.pathname).name}:{record.lineno} {record.funcName}"}
    if record.ours:
        values = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
        told |= {"event": record.msg, "values": [_value(each) for each in values]}
    else:
        told["place"] = record.msg
    return told | ({"error": record.kinds, "frames": record.frames} if record.kinds else {})


def _value(value: object) -> str | int | float:
    if isinstance(value, BaseException):
        return type(value).__name__
    return value if isinstance(value, int | float) else str(value)


def _filled(event: str, values: list[object]) -> str:
    try:
        return " ".join((event % tuple(values)).split())
    except (TypeError, ValueError):
        return event


def _kinds(error: BaseException) -> str:
    """The kind of an error, and of those it came from."""
    kinds: list[str] = []
    found: BaseException | None = error
    while found is not None and len(kinds) < _CHAIN:
        kinds.append(type(found).__name__)
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return " from ".join(kinds)


def _frames(error: BaseException) -> list[str]:
    found = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in found[-_FRAMES:]]


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    log.warning("%s at %s:%d", category.__name__, Path(filename).name, lineno)


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("the process ended by an error", exc_info=(kind, error, trace))


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        log.error("a thread ended by an error", exc_info=args.exc_value)


def _could_not_be_raised(args: "sys.UnraisableHookArgs") -> None:
    log.error("an error could not be raised", exc_info=args.exc_value)
