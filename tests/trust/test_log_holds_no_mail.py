"""Distinctive words in every place that others or persons fill; the whole product runs; the log has none."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from soinbox_web.model.message import MessageKey
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SignIn
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.settings import child_environment
from tests.real.accounts import connect_account, tell
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox

pytestmark = pytest.mark.real
PLANT = "kwartelzaad"
HEADERS = (
    "Subject", "Comments", "Keywords", "Message-ID", "In-Reply-To", "References", "List-Id", "X-Eigen",
    "Date", "Content-Language", "Authentication-Results", "Received",
    "Return-Path", "DKIM-Signature", "Content-ID",
)  # fmt: skip
_words = (f"{PLANT}{number}" for number in count())


def word() -> str:
    return next(_words)


def hostile() -> Iterator[bytes]:
    """Words in every header and part, well formed and broken."""
    calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;X={}:{}\r\nSUMMARY {}\r\n{}\r\nEND:VCALENDAR\r\n"
    parts = [
        ("text/plain; charset={}", "{}\r\n> {}\r\n"),
        ("text/html", "<b style='color:{}'>{}<a href=//{}>{}</i>"),
        ("text/calendar; method={}", calendar), ("text/vcard", "BEGIN:VCARD\r\nN {};{}\r\n{}\r\nEND:VCARD"),
        ("message/rfc822", "Subject: {}\r\nDate: {}\r\n\r\n{}"), ("image/png; name={}", "{}"),
        ("{}/{}", "{}"),
    ]  # fmt: skip
    for broken in ("", "=?{}?q?={}?= ", '"', "(", "\u00ff", "=?utf-8?b?{}"):
        boundary = word()
        head = "".join(f"{name}: {filled(broken)}<{word()}@{word()}.example>\r\n" for name in HEADERS)
        people = "".join(
            f"{name}: {filled(broken)}{word()} <{word()}@{word()}.example>\r\n"
            for name in ("From", "To", "Cc", "Bcc", "Reply-To", "Sender")
        )
        body = "".join(
            f"--{boundary}\r\nContent-Type: {filled(kind)}\r\nContent-Disposition: attachment;"
            f" filename*={word()}''{word()}; filename={word()}.ics\r\n"
            f"Content-Transfer-Encoding: {'8bit' if not broken else word()}\r\n\r\n{filled(content)}\r\n"
            for kind, content in parts
        )
        kind = f"Content-Type: multipart/mixed; boundary={boundary}; {word()}={word()}\r\n\r\n"
        yield (people + head + kind + body + (f"--{boundary}--\r\n" if not broken else "")).encode()
    yield calendar.format(*(word() for _ in range(4))).encode()


def filled(text: str) -> str:
    return re.sub(r"\{\}", lambda _: word(), text)


def misbehaving() -> Iterator[ImapBehaviour]:
    """Words in each answer of a server: refused, broken, cut."""
    said = word().encode()
    yield ImapBehaviour(greeting=b"* BYE " + said + b"\r\n")
    yield ImapBehaviour(greeting=said + b"\r\n")
    yield ImapBehaviour(sign_in=SignIn(answer=b"NO [" + said + b"] " + said))
    yield ImapBehaviour(sign_in=SignIn(answer=b"OK " + said, after=b"* " + said + b" {9}\r\n"))
    for verb in ("CAPABILITY", "LIST", "SELECT", "EXAMINE", "STATUS"):
        yield ImapBehaviour(answers={verb: b"NO [" + said + b"] " + said})
        yield ImapBehaviour(
            untagged={verb: b"* LIST (" + said + b') "/" "' + said + b"\r\n* " + said + b"\r\n"}
        )
    yield ImapBehaviour(untagged={"SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY " + said + b"]\r\n"})


def visit(product: Soinbox, client: httpx.Client, keys: dict[str, str]) -> list[int]:
    """Every address of the product, asked for and posted to, with words wherever something may be said."""
    statuses: list[int] = []
    page = client.get("/persons/new").text
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[0]
    for rule in product.app.url_map.iter_rules():
        if "remove" in rule.rule or "sign-out" in rule.rule or rule.endpoint == "static":
            continue
        for known in (True, False):
            path = re.sub(
                r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", lambda m, k=known: told(m[1], keys, k), rule.rule
            )
            query = {name: word() for name in ("q", "folder", "sort", "since", word())}
            statuses.append(client.get(path, params=query if not known else {"q": word()}).status_code)
            if "POST" in (rule.methods or ()):
                fields = (
                    "address", "name", "password", "host", "port", "first_name", "last_name", "company",
                    "phone", "title", "to", "cc", "subject", "text", "body", "folder", "key", "file", "next",
                    word(),
                )  # fmt: skip
                data = {"csrf_token": token, **{field: word() for field in fields}}
                files = {"files": (f"{word()}.vcf", f"BEGIN:VCARD\r\n{word()}".encode(), f"{word()}/x")}
                statuses.append(client.post(path, data=data, files=files).status_code)
    return statuses


def told(name: str, keys: dict[str, str], known: bool) -> str:
    return keys.get(name, word()) if known else word()


def import_cards(product: Soinbox, file: Path) -> str:
    broken = filled(
        "BEGIN:VCARD\r\nN {}\r\n{};{}={}:{}\r\nEMAIL:{}\r\nBDAY;VALUE={}:{}\r\nEND:VCARD\r\n{}\r\n"
    )
    file.write_text(broken)
    command = [sys.executable, "-m", "soinbox_web.cli", "person", "import", str(file)]
    done = subprocess.run(
        command,
        env=child_environment(product.settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_no_word_of_mail_cards_forms_or_servers_stands_in_the_log(
    product: Callable[..., Soinbox], mailbox: RealMailbox, tmp_path: Path
) -> None:
    running = product()
    member = running.add_member("anna@noordlicht.example", word())
    mailbox.dovecot.create_folder(mailbox.address, word())
    letters = list(hostile())
    for letter in letters:
        mailbox.deliver(letter)
    servers = [ScriptedImap(behaviour) for behaviour in misbehaving()]
    for server in servers:
        server.start()
    runtime = running.runtime
    own = connect_account(runtime, member.id, mailbox.imap_login, mailbox.password)
    tell(runtime, own)
    for server in servers:
        login = Login("127.0.0.1", server.port, "none", f"{word()}@noordlicht.example")
        tell(runtime, connect_account(runtime, member.id, login, word()))
    cookie = running.cookie(member)
    headers = {"Origin": running.url, "User-Agent": word(), "Referer": f"{running.url}/{word()}"}
    try:
        until = time.monotonic() + 60
        while len(fetched(running, own.id, own.generation)) < len(letters) and time.monotonic() < until:
            time.sleep(0.1)
        rows = fetched(running, own.id, own.generation)
        assert len(rows) == len(letters)
        cookies = {cookie["name"]: cookie["value"]}
        with httpx.Client(
            base_url=running.url, cookies=cookies, headers=headers, timeout=30, follow_redirects=False
        ) as client:
            statuses: list[int] = []
            for key in rows:
                ids = {"key": key, "account_id": str(own.id), "person_id": "1", "user_id": str(member.id)}
                for path in (f"/message/{key}", f"/messages/{key}", f"/message/{key}/print"):
                    statuses.append(client.get(path).status_code)
            statuses += visit(running, client, {**ids, "part": "1", "draft_id": "1"})
            client.get(f"/{word()}", headers={"Cookie": word(), "X-Forwarded-For": word()})
            client.request(word().upper(), f"/{word()}")
        assert {200, 303, 404, 422} <= set(statuses)
        printed = import_cards(running, tmp_path / "cards.vcf")
        wait_for_words_of_failing_accounts(running, len(servers))
    finally:
        for server in servers:
            server.stop()
        running.stop()
    log = running.log()
    assert PLANT not in log, re.findall(rf".*{PLANT}.*", log)[:3]
    assert PLANT not in printed.replace(str(tmp_path), ""), printed
    told_by_us = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert any(line.get("event") == "account %d: %s" for line in told_by_us)
    assert not [
        line for line in log.splitlines() if line.strip() and not line.startswith(("{", "soinbox: ", "First"))
    ]


def fetched(running: Soinbox, account_id: int, generation: int) -> list[str]:
    """The keys of the messages that are here whole."""
    with running.runtime.mailbox(account_id, generation).read() as connection:
        found = connection.execute(
            "SELECT f.name, f.uidvalidity, m.uid FROM messages m JOIN folders f ON f.id = m.folder_id"
            " JOIN bodies b ON b.message_rowid = m.id ORDER BY m.uid"
        ).fetchall()
    return [str(MessageKey(account_id, *row)) for row in found]


def wait_for_words_of_failing_accounts(running: Soinbox, number: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        failing = re.findall(r'"account %d: %s", "values": \[(\d+)', running.log())
        if len(set(failing)) >= number // 2:
            return
        time.sleep(0.1)
    raise AssertionError(running.log()[-3000:])
