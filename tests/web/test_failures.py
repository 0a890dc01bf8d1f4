"""The page of a problem is drawn even where everything that pages are made of is broken."""

from collections.abc import Callable

import pytest
from flask import Flask
from jinja2 import DictLoader

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from tests import seed
from tests.client import SoinboxClient


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def broken(*_args: object, **_values: object) -> None:
    raise RuntimeError("broken on purpose")


def templates(app: Flask, runtime: Runtime) -> None:
    app.jinja_env.loader = DictLoader({})
    app.jinja_env.cache = {}


def texts(app: Flask, runtime: Runtime) -> None:
    app.jinja_env.language = broken  # type: ignore[attr-defined]


def functions(app: Flask, runtime: Runtime) -> None:
    app.template_context_processors[None].append(broken)  # type: ignore[arg-type]


def database(app: Flask, runtime: Runtime) -> None:
    """The precious file is junk to whoever opens it now."""
    runtime.db.close()
    for suffix in ("", "-wal", "-shm"):
        path = runtime.db.path.with_name(runtime.db.path.name + suffix)
        if path.exists():
            path.write_bytes(b"\xff" * 8192)


def schema(app: Flask, runtime: Runtime) -> None:
    """As above, by a text in the schema that cannot be decoded."""
    runtime.db.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    runtime.db.close()
    raw = runtime.db.path.read_bytes()
    at = raw.index(b"CREATE TABLE")
    runtime.db.path.write_bytes(raw[: at + 8] + b"\xff\xfe" + raw[at + 10 :])


@pytest.mark.parametrize("breaks", [templates, texts, functions, database, schema])
@pytest.mark.parametrize("path", ["/inbox/1", "/nowhere", "/sign-in", "/messages/x", "/persons"])
@pytest.mark.parametrize("language", ["nl", "\N{SNOWMAN}".encode().decode("latin-1")])
def test_a_page_comes_whatever_is_broken(
    app: Flask,
    runtime: Runtime,
    account: Account,
    signed_in: SoinboxClient,
    breaks: Callable[[Flask, Runtime], None],
    path: str,
    language: str,
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    breaks(app, runtime)
    answer = signed_in.get(path, headers={"Accept-Language": language})
    assert answer.status_code in (200, 302, 404, 500, 503)
    html = answer.get_data(as_text=True)
    assert "<h1>" in html or "<h1 " in html or answer.status_code == 302
    assert "broken on purpose" not in html
