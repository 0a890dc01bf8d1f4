"""T10: every route asked by everybody for the things of one person; the headers of every answer; the policy.

The product runs with all its processes. Anna, no administrator, owns one of everything, each with a word
that only she may read; what she owns is read from the database before and after each request of another.
"""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from soinbox_web.app import create_app
from soinbox_web.model.member import Member
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.services import composing, members, sending, setup
from soinbox_web.services.composing import Typed
from tests import parts, seed
from tests.browser.page import ARGUMENTS, Watched, new_context
from tests.browser.world import World, one_of_everything
from tests.servers.soinbox import Soinbox, on_loopback
from tests.trust.asking import Answer, Asking

WORD = "zeehondenbaai"  # stands in everything that is Anna's alone
MANAGED = {  # an administrator's work: users, and the cards of users
    "member.administrator", "member.remove", "member.withdraw", "person.edit", "person.add_address",
    "person.move_first", "person.move_up", "person.move_down", "person.remove_address",
}  # fmt: skip
LISTED = {"operator.show", "member.team", *MANAGED}  # there an administrator sees who has which account
PAGES = (
    "content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy",
    "cross-origin-resource-policy", "permissions-policy",
)  # fmt: skip
STREAM = (
    "content-security-policy",
    "x-content-type-options",
    "cross-origin-resource-policy",
    "cache-control",
)
_OWNED = {  # each table with rows of a person, and how they are found
    **dict.fromkeys(
        (
            "accounts",
            "drafts",
            "outbox",
            "actions",
            "options",
            "sessions",
            "setup_attempts",
            "trusted_senders",
        ),
        "user_id = :user",
    ),
    **dict.fromkeys(
        ("account_secrets", "account_status", "account_attempts", "requests"),
        "account_id IN (SELECT id FROM accounts WHERE user_id = :user)",
    ),
    "draft_attachments": "draft_id IN (SELECT id FROM drafts WHERE user_id = :user)",
    "oauth_consents": "session_id IN (SELECT id FROM sessions WHERE user_id = :user)",
    "users": "id = :user",
    "persons": "id = (SELECT person_id FROM users WHERE id = :user)",
    "person_addresses": "person_id = (SELECT person_id FROM users WHERE id = :user)",
}
_ODD: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/static/css/soinbox.css", {}),
    ("GET", "/static/nothing.css", {}),
    ("GET", "/static/../app.py", {}),
    ("HEAD", "/persons", {}),
    ("OPTIONS", "/persons", {}),
    ("PUT", "/persons", {}),
    ("DELETE", "/sign-out", {}),
    ("GET", "/nothing", {}),
    ("GET", "/%00", {}),
    ("GET", "/%ff%fe", {}),
    ("GET", f"/persons?q={'x' * 5000}", {}),
    ("POST", "/sign-in", {}),
    ("POST", "/navigator", {"Sec-Fetch-Site": "cross-site"}),
    ("GET", "/persons", {"Host": "elders.example"}),
    ("GET", "/persons", {"HX-Request": "true", "HX-Target": "person-list"}),
    ("GET", "/persons", {"Range": "bytes=0-3"}),
    ("GET", "/image/x", {}),
    ("GET", "/metrics", {}),
    ("GET", "/oauth/callback?code=x&state=y", {}),
)


@dataclass
class Found:
    """What was wrong, in words, and how much was asked."""

    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    signed_in_again: int = 0


def figures(every: int) -> list[dict[str, Any]]:
    """Every route (or each N-th) in each role, every kind of answer, every page in Chromium."""
    with tempfile.TemporaryDirectory(prefix="trust-t10-") as name:
        folder = Path(name)
        product = Soinbox(folder / "instance", on_loopback(Authority(), folder), command="web").start()
        try:
            stage = _Stage(product)
            access, headers = Found(), Found()
            for role, member in stage.roles.items():
                _ask_everything(stage, role, member, every, access, headers)
            herself = Found()
            _ask_everything(stage, "herself", stage.anna, every, herself, Found())
            _ask_oddly(stage, headers)
            policy = _walk(stage, every)
        finally:
            product.close()
    return [
        _tell("T10 access", "requests for another's things", access),
        _tell_control(herself),
        _tell("T10 headers", "answers", headers),
        _tell("T10 policy", "pages in Chromium", policy),
    ]


class _Stage:
    """Anna's things, and who asks for them."""

    def __init__(self, product: Soinbox) -> None:
        self.product, runtime = product, product.runtime
        self.world: World = one_of_everything(product, f"anna.{WORD}@noordlicht.example", admin=False)
        self.anna = self.world.member
        self.key = seed.deliver(runtime, self.world.account, [_secret_letter()])[0]
        self.draft = composing.start(runtime, self.anna.id, self.world.account.id, "new")
        typed = Typed(self.world.account.id, "eva@klant.example", subject=f"{WORD} 1", body=f"{WORD} 2")
        composing.save(runtime, self.anna.id, self.draft, typed)
        composing.attach(runtime, self.anna.id, self.draft, [(f"{WORD}.txt", "text/plain", WORD.encode())])
        going = composing.start(runtime, self.anna.id, self.world.account.id, "new")
        composing.save(runtime, self.anna.id, going, typed)
        self.outbox = sending.queue(runtime, self.anna.id, going)
        self.attempt = setup.start_advanced(runtime, self.anna.id, f"{WORD}@klant.example")
        product.cookie(self.anna)  # a session of hers
        admin = product.add_member("daan@noordlicht.example", "Daan", admin=True)
        other = product.add_member("bram@noordlicht.example", "Bram")
        for member in (admin, other):
            seed.account(runtime, member)
        members.invite(runtime, admin, "gast@noordlicht.example", "Gast")
        self.roles: dict[str, Member | None] = {"anonymous": None, "other": other, "administrator": admin}
        self.ids = self._ids()

    def _ids(self) -> dict[str, object]:
        """What each variable of a URL is filled with: the number of something of Anna's."""
        with self.product.runtime.db.read() as connection:
            card = connection.execute("SELECT person_id FROM users WHERE id = ?", (self.anna.id,)).fetchone()[
                0
            ]
            address = connection.execute(
                "SELECT id FROM person_addresses WHERE person_id = ?", (card,)
            ).fetchone()[0]
            session = connection.execute(
                "SELECT id FROM sessions WHERE user_id = ?", (self.anna.id,)
            ).fetchone()[0]
            invitation = connection.execute("SELECT id FROM invitations").fetchone()[0]
        return {
            "key": str(self.key), "draft_id": self.draft, "outbox_id": self.outbox, "token": self.attempt,
            "account_id": self.world.account.id, "person_id": card, "address_id": address,
            "session_id": session, "invitation_id": invitation, "user_id": self.anna.id, "part": 2,
            "section": "reading", "filename": "css/soinbox.css",
        }  # fmt: skip

    def owned(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of Anna's, her mailbox file included."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        with self.product.runtime.db.read() as connection:
            for table, where in _OWNED.items():
                found[table] = _rows(
                    connection, f"SELECT * FROM {table} WHERE {where}", {"user": self.anna.id}
                )
        account = self.world.account
        with self.product.runtime.mailbox(account.id, account.generation).read() as connection:
            for table in ("folders", "messages", "bodies"):
                found[table] = _rows(connection, f"SELECT * FROM {table}", {})
        return found


def _rows(connection: sqlite3.Connection, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(query, values)]


def _secret_letter() -> bytes:
    letter = seed.letter(f"{WORD} 3", sender=f"{WORD} 4 <eva@klant.example>", text=f"{WORD} 5\r\n")
    head, _, text = letter.decode().partition("\r\n\r\n")
    head = head.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=b")
    return (
        f"{head}\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{text}</p>\r\n--b\r\n"
        f'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="{WORD}.txt"\r\n\r\n'
        f"{WORD} 6\r\n--b--\r\n"
    ).encode()


def _requests(stage: _Stage) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path) of every route, filled with what is Anna's, and of arguments that name it."""
    app, ids, key = stage.product.app, stage.ids, quote(str(stage.key))
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            values = {name: ids[name] for name in rule.arguments}
            yield rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)
    account = stage.world.account.id
    for kind in composing.KINDS:
        yield "draft.new", "GET", f"/drafts/new?account={account}&kind={kind}&of={key}"
        yield "draft.new", "GET", f"/drafts/new?kind={kind}&of={key}"
    yield "inbox.folder", "GET", f"/inbox/{account}?q={WORD}&everywhere=1&message={key}"
    yield "inbox.show", "GET", f"/inbox?q={WORD}&everywhere=1&message={key}"
    yield "message.ask_delete", "GET", f"/messages/delete?key={key}"
    for place in stage.world.places.values():
        yield "page", "GET", place
    for path in (f"/messages/{key}/parts/{n}" for n in range(4)):
        yield "message.part", "GET", path


def _form(stage: _Stage, do: str) -> dict[str, str | list[str]]:
    """One form that fits every act: whatever it asks for, about Anna's things."""
    actions = [str(number) for number in range(1, 20)]
    return {
        "do": do, "key": [str(stage.key)], "confirmed": "1", "id": actions, "days": "30", "next": "/persons",
        "account": str(stage.world.account.id), "to": "eva@klant.example", "subject": "weg", "body": "weg",
        "address": "nieuw@klant.example", "first_name": "weg", "last_name": "weg", "admin": "1",
        "is_admin": "1", "name": "weg", "password": "Een heel nieuw woord", "current": "x", "language": "nl",
        "new": "Een heel nieuw woord", "timezone": "Europe/Amsterdam", "signature": "weg",
        "imap_host": "weg.example", "imap_port": "993", "smtp_host": "weg.example", "smtp_port": "465",
    }  # fmt: skip


def _ask_everything(
    stage: _Stage, role: str, member: Member | None, every: int, access: Found, headers: Found
) -> None:
    asking, before = Asking(stage.product, member), stage.owned()
    for endpoint, method, path in list(_requests(stage))[::every]:
        if endpoint in ("session.sign_out", "member.end_all_sessions"):
            continue  # would end the session that asks
        if role == "administrator" and endpoint in MANAGED:
            continue
        acts = ("delete", "read", "move:Trash", "send", "save") if endpoint == "message.act" else ("delete",)
        for act in acts if method == "POST" else ("",):
            answer = asking.submit(path, _form(stage, act)) if act else asking.ask("GET", path)
            access.asked += 1
            access.statuses[answer.status] += 1
            _judge_headers(headers, f"{method} {path}", answer, PAGES)
            seen = _leaked(answer, path)
            if seen and not (role == "administrator" and endpoint in LISTED):
                access.wrong.append(f"{role} reads {seen!r} by {method} {path} ({answer.status})")
            after = stage.owned()
            if after != before:
                tables = [table for table in after if after[table] != before[table]]
                access.wrong.append(
                    f"{role} changes {', '.join(tables)} by {method} {path} ({answer.status})"
                )
                before = after


def _leaked(answer: Answer, path: str) -> str:
    """The words of Anna's in an answer; the asker's own and her address on the team's cards are none."""
    text = answer.text.replace(path, "").replace(path.replace("&", "&amp;"), "")
    text = text.replace(quote(path, safe=""), "").replace(f"anna.{WORD}@noordlicht.example", "")
    at = text.find(f"{WORD} ")
    at = at if at >= 0 else text.find(f"{WORD}.txt")
    return text[max(0, at - 20) : at + 30] if at >= 0 else ""


def _judge_headers(found: Found, what: str, answer: Answer, wanted: tuple[str, ...]) -> None:
    found.asked += 1
    found.statuses[answer.status] += 1
    missing = [name for name in wanted if not answer.headers.get(name)]
    if "default-src 'none'" not in answer.headers.get("content-security-policy", "default-src 'none'"):
        missing.append("default-src 'none'")
    if missing:
        found.wrong.append(f"{what} ({answer.status}) lacks {', '.join(missing)}")


def _ask_oddly(stage: _Stage, found: Found) -> None:
    """Answers that no page asks for: static files, refused and broken requests, the stream, a fault."""
    nobody, anna = Asking(stage.product), Asking(stage.product, stage.anna)
    for who in (nobody, anna):
        for method, path, more in _ODD:
            _judge_headers(found, f"{method} {path[:40]} {more or ''}", who.ask(method, path, more), PAGES)
        big = {"Content-Type": "application/x-www-form-urlencoded"}
        tries = (who.ask("POST", "/sign-in", big, "a=" + "x" * 5_000_000) for _ in range(5))
        answer = next(each for each in tries if each.status)  # a refusal may be lost with its connection
        _judge_headers(found, "a form of 5 MB", answer, PAGES)
        for more in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Last-Event-ID": "x"}):
            _judge_headers(found, f"/live {more or ''}", who.ask("GET", "/live", more), STREAM)
    _judge_headers(found, "a fault of ours", _fault(stage), PAGES)


def _fault(stage: _Stage) -> Answer:
    """What the product answers when a view raises what nobody expected."""
    app = create_app(stage.product.settings, stage.product.runtime)

    def broken() -> str:
        raise RuntimeError("planted")

    broken.open_to_all = True  # type: ignore[attr-defined]
    app.add_url_rule("/planted", view_func=broken)
    answer = app.test_client().get("/planted")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status_code, headers, answer.text)


def _walk(stage: _Stage, every: int) -> Found:
    """Every page of Anna's and of an administrator's in Chromium; what the policy forbade is wrong."""
    found = Found()
    admin = stage.roles["administrator"]
    own = [path for path in stage.world.places.values() if "/nothing" not in path]
    pages = {
        path
        for endpoint, method, path in _requests(stage)
        if method == "GET"
        and endpoint not in ("static", "message.source", "message.part", "draft.new", "page")
    }
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=parts.program("chromium"), args=list(ARGUMENTS))
        for member, paths in (
            (stage.anna, [*own, *sorted(pages)]),
            (admin, ["/operator", "/team", "/options"]),
        ):
            context = new_context(chromium)
            context.add_cookies([stage.product.cookie(member)])  # type: ignore[arg-type, list-item]
            watched = Watched(context, stage.product.url, javascript=True)
            for path in paths[::every]:
                found.asked += 1
                try:
                    watched.goto(path)
                    told = watched.page.evaluate("window.__violations || []")
                except Exception as error:
                    told = [] if "Download is starting" in str(error) else [str(error)[:150]]
                told += [each for each in watched.complaints if "Content Security Policy" in each]
                watched.complaints.clear()
                found.wrong += [f"{path}: {each}" for each in told]
            context.close()
        chromium.close()
    return found


def _tell_control(herself: Found) -> dict[str, Any]:
    """Anna may do all of it: asked by her, the same way of looking must find reads and changes."""
    reads = sum(" reads " in each for each in herself.wrong)
    changes = len(herself.wrong) - reads
    print(f"T10 control, Anna herself: {reads} reads and {changes} changes seen (goal >= 1 each)")
    return {
        "figure": "T10 control", "runs": herself.asked, "wrong": 0, "reads": reads, "changes": changes,
        "goal": ">= 1 each", "met": reads > 0 and changes > 0,
    }  # fmt: skip


def _tell(figure: str, what: str, found: Found) -> dict[str, Any]:
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
    print(f"{figure}: {found.asked} {what}, {len(found.wrong)} wrong (goal 0) {statuses}", flush=True)
    for each in found.wrong[:20]:
        print(f"    WRONG: {each}", flush=True)
    return {
        "figure": figure, "runs": found.asked, "wrong": len(found.wrong), "goal": "0",
        "met": not found.wrong, "statuses": dict(found.statuses), "signed_in_again": found.signed_in_again,
    }  # fmt: skip
