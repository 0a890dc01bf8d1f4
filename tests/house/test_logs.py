"""Logs: lines that a machine reads, and nothing that a person wrote."""

import ast
import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from soinbox_web import logs
from tests.house.test_rules import ROOT, tracked

SECRET = "Geheime aanbesteding"
OF_FLASK = "soinbox_web.app"  # the name under which Flask speaks


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, factory = logging.getLogger(), logging.getLogRecordFactory()
    before, level = root.handlers[:], root.level
    hooks = warnings.showwarning, sys.excepthook, sys.unraisablehook, threading.excepthook
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    warnings.showwarning, sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.setLogRecordFactory(factory)
    root.handlers[:] = before
    root.setLevel(level)


def say(name: str, text: str, *values: object, exc_info: BaseException | None = None) -> None:
    """As our own code would: its place is what makes a line ours."""
    code = compile(
        "log.warning(text, *values, exc_info=error)", str(Path(logs.__file__).parent / "x.py"), "exec"
    )
    exec(code, {"log": logging.getLogger(name), "text": text, "values": values, "error": exc_info})


def failed() -> BaseException:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise ValueError(SECRET) from cause
    except ValueError as error:
        return error


def test_a_line_is_json_with_its_values_apart(stream: io.StringIO) -> None:
    say("soinbox.mailroom", "account %d: %s", 7, "timeout")
    line = json.loads(stream.getvalue())
    assert (line["level"], line["event"], line["values"]) == ("warning", "account %d: %s", [7, "timeout"])
    assert line["at"].endswith("+00:00")


def test_an_error_tells_its_kind_and_place_and_not_its_words(stream: io.StringIO) -> None:
    say("soinbox", "unexpected %s", ValueError(SECRET), exc_info=failed())
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError from KeyError" and "test_logs.py" in line["frames"][0]
    assert line["values"] == ["ValueError"]
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize(
    "name", ["vobject.base", "uvicorn.error", "py.warnings", "soinbox", "soinbox_web.app"]
)
def test_of_what_others_say_only_kind_and_place_stand(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("line %s", SECRET, exc_info=failed(), stack_info=True)
    logging.getLogger(name).error(SECRET)
    logging.getLogger(name).error(ValueError(SECRET))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 3 and SECRET not in stream.getvalue()
    assert all(line["logger"] == name and line["place"].startswith("test_logs.py:") for line in lines)
    assert "event" not in lines[0] and lines[0]["error"] == "ValueError from KeyError"


def test_a_handler_that_a_library_brings_later_has_no_words_either(stream: io.StringIO) -> None:
    own = io.StringIO()
    handler = logging.StreamHandler(own)
    logger = logging.getLogger("library.with.handler")
    logger.addHandler(handler)
    logger.error("line %s", SECRET, exc_info=failed())
    logger.removeHandler(handler)
    assert own.getvalue().startswith("test_logs.py:") and SECRET not in own.getvalue() + stream.getvalue()


def test_what_reaches_no_logger_is_told_in_the_same_way(stream: io.StringIO) -> None:
    class Unwilling:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    async def forgotten() -> None:
        context = {"message": SECRET, "exception": failed()}
        asyncio.get_running_loop().call_exception_handler(context)

    def fail() -> None:
        raise ValueError(SECRET)

    warnings.showwarning(UserWarning(SECRET), UserWarning, f"/folder/{__name__}.py", 7)
    sys.excepthook(ValueError, failed(), None)  # type: ignore[arg-type]
    logs.threading.excepthook(threading.ExceptHookArgs((ValueError, failed(), None, None)))
    del (unwilling := [Unwilling()])[0]
    asyncio.run(forgotten())
    thread = threading.Thread(target=fail, name=SECRET)
    thread.start()
    thread.join()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 6 and not unwilling and SECRET not in stream.getvalue()
    assert all("ValueError" in line["error"] for line in lines[1:])


def test_a_person_at_a_terminal_reads_plain_lines_without_them_too(stream: io.StringIO) -> None:
    for handler in logging.getLogger().handlers:
        handler.setFormatter(logs.Plain())
    say("soinbox", "account %d: %s", 7, "timeout", exc_info=failed())
    say("soinbox", "%d badly said", "seven")
    logging.getLogger("library").error("%d", SECRET)
    told = stream.getvalue()
    assert "soinbox WARNING account 7: timeout\nValueError from KeyError\ntest_logs.py:" in told
    assert "%d badly said" in told and "library ERROR test_logs.py:" in told and SECRET not in told


def test_a_stream_that_is_gone_is_no_reason_to_say_more(capfd: pytest.CaptureFixture[str]) -> None:
    program = (
        "import logging, sys\nfrom soinbox_web import logs\n"
        "closed = open('/dev/null', 'w'); logs.configure(closed); closed.close()\n"
        f"logging.getLogger('library').error('%s', {SECRET!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


def test_a_command_that_breaks_tells_no_words() -> None:
    program = (
        "import sys, warnings\nfrom soinbox_web import cli\nfrom soinbox_web.services import members\n"
        f"def broken(*_):\n warnings.warn({SECRET!r})\n raise ValueError({SECRET!r})\n"
        "members.all_members = broken\nsys.argv = ['soinbox', 'user', 'list']\ncli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and SECRET not in done.stdout + done.stderr
    assert [json.loads(line)["logger"] for line in done.stderr.splitlines()] == ["soinbox.process"] * 2


_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_VALUES = {  # what a log call may pass: numbers, codes, the names of parts of ours
    "id", "account_id", "outbox_id", "code", "__name__", "name", "lineno", "part", "deaths", "seconds",
}  # fmt: skip


def test_our_own_lines_are_constant_words_with_numbers_and_codes() -> None:
    loose: list[str] = []
    for path in tracked("soinbox_web/**.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            of = ast.unparse(call.func.value)
            if call.func.attr in _METHODS and of in ("log", "logger", "logging", "current_app.logger"):
                constant = of == "log" and isinstance(call.args[0], ast.Constant)
                if not constant or not all(map(_may_be_told, call.args[1:])):
                    loose.append(f"{path.relative_to(ROOT)}:{call.lineno}")
            if of == "traceback" and call.func.attr.startswith(("print", "format")):
                loose.append(f"{path.relative_to(ROOT)}:{call.lineno}")
            if (of, call.func.attr) in (("sys.stderr", "write"), ("warnings", "warn")):
                loose.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert not loose


def _may_be_told(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):  # the name of a file of code, from the hooks
        return ast.unparse(value) == "Path(filename)"
    name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    of = ast.unparse(value.value) if isinstance(value, ast.Attribute) else ""
    if name == "__name__":
        return of in ("type(error)", "category")
    if name == "name":
        return of == "Path(filename)"
    if name == "code":
        return of.endswith("problem") or of == "problem"
    return name in _VALUES
