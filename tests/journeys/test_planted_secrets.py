"""T8: secrets typed, stored and echoed are planted in the running product and then looked for everywhere."""

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from soinbox_web.model.server import Login
from soinbox_web.model.setup_attempt import AdvancedForm
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.services import members, upkeep
from tests.journeys.plain_browser import PlainBrowser
from tests.journeys.test_first_light import visitor
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox
from tests.set_up import running, submit

__all__ = ["visitor"]
pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
ADDRESS, OTHER = "anna@noordlicht.example", "winkel@noordlicht.example"
FIRST, SECOND = "Waterlelie-5519-kastanje", 'Zeewind+7/30 & "anker"-plank'
GUESSED, WRONG, ECHOED = "Geraden-Lisdodde-204", "Vergist%Korenbloem=881", "Nagezegd-Vlierbes-4127"
MOST_PAGES = 120


def _spellings(secret: str) -> set[bytes]:
    """The ways in which a program could have written it down."""
    raw = secret.encode()
    plain = [base64.b64encode(f"\0{user}\0{secret}".encode()) for user in (ADDRESS, OTHER)]
    ways = {
        secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret), html.escape(secret),
        json.dumps(secret)[1:-1], repr(secret)[1:-1], raw.hex(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        *(coded.decode().rstrip("=") for coded in (base64.b64encode(raw), *plain)),
    }  # fmt: skip
    return {way.encode() for way in ways} | {secret.encode("utf-16-le")}


def _begin(visitor: PlainBrowser, world: Soinbox) -> None:
    code = re.search(r"enter the code (\S+)", world.log())
    assert code, world.log()
    visitor.open("/")
    visitor.press("Start", code=code[1], name="Anna de Vries", address=ADDRESS, password=FIRST, repeat=FIRST)
    visitor.open("/personal-settings")
    visitor.press("Change password", current=FIRST, password=SECOND, repeat=SECOND)
    assert visitor.status == 200


def _guess(world: Soinbox) -> None:
    thief = PlainBrowser(world.url)
    thief.open("/sign-in")
    thief.press("Sign in", address=ADDRESS, password=GUESSED)
    thief.close()


def _connect(visitor: PlainBrowser, mailbox: RealMailbox) -> None:
    visitor.open("/setup")
    visitor.press("Next", action="/setup", address=mailbox.address)
    visitor.settle()
    visitor.press("Log in", password=WRONG)
    visitor.settle()
    visitor.press("Save", imap_password=mailbox.password)
    visitor.settle()
    assert re.search(r"/inbox/\d+$", visitor.url), visitor.page.text


def _echo(world: Soinbox, ca: Authority) -> str:
    """Servers that say the secret again, in words and as it came over the line; the place to look at it."""
    coded = base64.b64encode(f"\0{OTHER}\0{ECHOED}".encode())
    said = b"wrong password " + ECHOED.encode() + b" (" + coded + b")"
    identity = ca.issue("localhost", "127.0.0.1")
    imap = ScriptedImap(
        ImapBehaviour(
            tls="implicit", certificate=identity, passwords={}, refusal=b"NO [AUTHENTICATIONFAILED] " + said
        )
    )
    smtp = ScriptedSmtp(
        SmtpBehaviour(tls="implicit", certificate=identity, passwords={}, refusal=b"535 5.7.8 " + said)
    )
    with running(imap, smtp):
        member = members.by_address(world.runtime, ADDRESS)
        sides = [Login("localhost", server.port, "ssl", OTHER) for server in (imap, smtp)]
        form = AdvancedForm(OTHER, sides[0], ECHOED, sides[1], None)
        token, view = submit(world.runtime, member, form)
        assert view.attempt.step != "done"
    return f"/setup/{token}"


def _places(world: Soinbox, visitor: PlainBrowser, first: str, copy: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of all that a stranger could come to see: files, processes, pages."""
    for file in sorted(world.settings.instance.rglob("*")):
        if file.is_file() and file != world.settings.key_ring_path:
            yield f"{'log' if file.name == 'log' else 'database'} {file.name}", file.read_bytes()
    yield "backup", copy.read_bytes()
    parent = psutil.Process(world.pid)
    for each in (parent, *parent.children(recursive=True)):
        yield f"arguments of {each.pid}", "\0".join(each.cmdline()).encode()
        yield f"environment of {each.pid}", "\0".join(each.environ().values()).encode()
    waiting, seen = [first, "/inbox", "/persons", "/personal-settings", "/operator"], set[str]()
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = visitor.download(path)
        yield f"page {path}", answer.content
        links = re.findall(r'(?:href|src)="(/[^"#]*)"', answer.text)
        waiting += [html.unescape(link) for link in links if not link.startswith("/static/")]


def test_no_planted_secret_is_found_anywhere(
    connected_world: Soinbox, visitor: PlainBrowser, own_mailbox: RealMailbox, ca: Authority, tmp_path: Path
) -> None:
    world = connected_world
    own_mailbox.deliver_text("Welkom")
    _begin(visitor, world)
    _guess(world)
    _connect(visitor, own_mailbox)
    visitor.wait_for("Welkom", "/inbox")
    echoed = _echo(world, ca)
    upkeep.backup(world.runtime, tmp_path / "copy.sqlite")
    cookie = str(visitor._client.cookies[str(world.app.config["SESSION_COOKIE_NAME"])])
    token = world.app.session_interface.get_signing_serializer(world.app).loads(cookie)["_user_id"]  # type: ignore[attr-defined]
    ring = dict(line.split(":", 1) for line in world.settings.key_ring_path.read_text().split())
    planted = {
        "first password": FIRST, "second password": SECOND, "guessed password": GUESSED,
        "mailbox password": own_mailbox.password, "wrong mailbox password": WRONG, "echoed password": ECHOED,
        "session token": token, "session cookie": cookie, **{f"key {kid}": key for kid, key in ring.items()},
    }  # fmt: skip
    looked = {name: _spellings(secret) for name, secret in planted.items()}
    hits, controls = [], set[str]()
    for place, content in _places(world, visitor, echoed, tmp_path / "copy.sqlite"):
        kind = place.partition(" ")[0]
        if any(word in content for word in (ADDRESS.encode(), b"soinbox_web", b"enter the code")):
            controls.add(kind)
        hits += [f"{name} in {place}" for name, ways in looked.items() if any(w in content for w in ways)]
    assert controls >= {"database", "log", "backup", "arguments", "page"}, "the search finds nothing at all"
    assert hits == []
