"""One message: its own response for the body, pictures by capability, parts, source, loading, print."""

import base64
import re
import threading
import time

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.mime import child, pool
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.services import pictures, triage
from soinbox_web.store import actions, bodies, changes, messages, requests
from tests import seed
from tests.client import SoinboxClient
from tests.clock import HandClock
from tests.mail.mime.bombs import long_invitation
from tests.mail.mime.busy import filled

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def html_letter() -> bytes:
    """HTML with a script, a remote picture and one of its own; a program as attachment."""
    return (
        "From: Eva <eva@klant.example>\r\nTo: anna@noordlicht.example\r\nSubject: <b>Nieuws</b>\r\n"
        "Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <n@klant.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n'
        'Content-Type: multipart/related; boundary="r"\r\n\r\n--r\r\n'
        "Content-Type: text/html; charset=utf-8\r\n\r\n"
        '<p>Hallo<script>alert(1)</script><img src="https://spion.example/x.png"><img src="cid:logo"></p>\r\n'
        "--r\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{base64.b64encode(PNG).decode()}\r\n--r--\r\n--m\r\n"
        'Content-Type: text/html; name="a\\".html"\r\n'
        'Content-Disposition: attachment; filename="kwaad.html"\r\n\r\n'
        "<script>alert(1)</script>\r\n--m--\r\n"
    ).encode()


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


@pytest.fixture
def key(runtime: Runtime, account: Account) -> MessageKey:
    return seed.deliver(runtime, account, [html_letter()])[0]


def open_flags(runtime: Runtime, account: Account) -> list[actions.Action]:
    with runtime.db.read() as connection:
        return actions.open_of(connection, account.id)


def test_opening_marks_as_read_but_looking_ahead_does_not(
    runtime: Runtime, account: Account, key: MessageKey, signed_in: SoinboxClient
) -> None:
    path = f"/inbox/{account.id}?message={key}"
    signed_in.get(path, headers={"Sec-Purpose": "prefetch"})
    assert open_flags(runtime, account) == []
    html = signed_in.get(path).get_data(as_text=True)
    assert [a.arguments["add"] for a in open_flags(runtime, account)] == [["\\Seen"]]
    assert 'class="row unread' not in html
    signed_in.get(path)
    assert len(open_flags(runtime, account)) == 1


def test_the_header_is_text(account: Account, key: MessageKey, signed_in: SoinboxClient) -> None:
    html = signed_in.get(f"/messages/{key}").get_data(as_text=True)
    assert "&lt;b&gt;Nieuws&lt;/b&gt;" in html and "<b>Nieuws" not in html
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in html
    assert "1 picture from elsewhere is not shown" in html
    assert "kwaad.html" in html


def test_the_body_is_a_response_of_its_own(key: MessageKey, signed_in: SoinboxClient) -> None:
    response = signed_in.get(f"/messages/{key}/body", headers={"Sec-Fetch-Dest": "iframe"})
    html, policy = response.get_data(as_text=True), response.headers["Content-Security-Policy"]
    assert "Hallo" in html and "script" not in html and "spion.example" not in html
    assert policy.startswith("sandbox allow-popups") and "allow-scripts" not in policy
    assert "default-src 'none'" in policy and "allow-same-origin" not in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}]
)
def test_the_body_is_for_the_frame_only(
    key: MessageKey, signed_in: SoinboxClient, headers: dict[str, str]
) -> None:
    assert signed_in.get(f"/messages/{key}/body", headers=headers).status_code == 403


def test_pictures_come_by_capability(
    runtime: Runtime, key: MessageKey, signed_in: SoinboxClient, client: SoinboxClient, clock: HandClock
) -> None:
    html = signed_in.get(f"/messages/{key}/body").get_data(as_text=True)
    (path,) = re.findall(r'src="(/image/[^"]+)"', html)
    stranger = signed_in.application.test_client()
    headers = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"}
    response = stranger.get(path, headers=headers)
    assert response.data == PNG and response.mimetype == "image/png"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert stranger.get(path[:-2] + "AA", headers=headers).status_code == 404
    assert stranger.get(path, headers={"Sec-Fetch-Dest": "document"}).status_code == 403
    clock.turn(minutes=11)
    assert stranger.get(path, headers=headers).status_code == 404


def test_remote_pictures_only_when_asked_and_never_from_inside(
    runtime: Runtime, key: MessageKey, signed_in: SoinboxClient
) -> None:
    html = signed_in.get(f"/messages/{key}/body?images=1").get_data(as_text=True)
    assert len(re.findall(r'src="/image/', html)) == 2 and "spion.example" not in html
    secret = pictures.token(runtime, 1, key, url="https://127.0.0.1:9/x.png")
    assert signed_in.get(f"/image/{secret}").status_code == 404


def test_a_sender_can_be_trusted(key: MessageKey, signed_in: SoinboxClient) -> None:
    assert signed_in.submit(f"/messages/{key}/trust").status_code == 303
    assert "/image/" in signed_in.get(f"/messages/{key}/body").get_data(as_text=True)
    assert "is not shown" not in signed_in.get(f"/messages/{key}").get_data(as_text=True)


def test_attachments_are_saved_not_run(key: MessageKey, signed_in: SoinboxClient) -> None:
    html = signed_in.get(f"/messages/{key}").get_data(as_text=True)
    (path,) = re.findall(rf'href="(/messages/{re.escape(str(key))}/parts/\d+)"', html)
    response = signed_in.get(path + "?preview=1")
    assert response.mimetype == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="kwaad.html"')
    assert response.headers["Content-Security-Policy"].startswith("sandbox")
    assert signed_in.get(f"/messages/{key}/parts/99").status_code == 404


def test_source_and_print(key: MessageKey, signed_in: SoinboxClient) -> None:
    source = signed_in.get(f"/messages/{key}/source.eml")
    assert source.data == html_letter() and source.headers["Content-Disposition"].startswith("attachment")
    printed = signed_in.get(f"/messages/{key}/print")
    assert printed.headers["Content-Security-Policy"].startswith("sandbox")
    assert "&lt;b&gt;Nieuws" in printed.get_data(as_text=True)


def test_what_is_not_here_is_asked_for_and_shown_loading(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()], with_bodies=False)
    response = signed_in.get(f"/inbox/{account.id}?message={key}")
    assert (
        "is being fetched" in response.get_data(as_text=True)
        and 'http-equiv="refresh" content="2"' in response.text
    )
    with runtime.db.read() as connection:
        (asked,) = requests.open_of(connection, account.id)
    assert (asked.kind, asked.subject) == ("body", str(key))
    assert signed_in.get(f"/messages/{key}/body").status_code == 503


def test_a_body_that_comes_in_time_is_shown_at_once(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()], with_bodies=False)
    runtime.clock = SystemClock()

    def mailroom() -> None:
        time.sleep(0.3)
        with runtime.mailbox(account.id, account.generation).write() as connection:
            row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
            assert row is not None
            raw = seed.letter()
            bodies.put(connection, row["id"], bodies.pack(raw), len(raw), "x", runtime.clock.now())
            changes.record(connection, "body", runtime.clock.now(), account_id=account.id)

    thread = threading.Thread(target=mailroom)
    thread.start()
    html = signed_in.get(f"/messages/{key}").get_data(as_text=True)
    thread.join()
    assert "Hierbij de offerte." in html


def test_odd_messages_have_a_page(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    odd = [
        b"",
        b"\r\n",
        b"geen kop",
        b"Subject: =?utf-8?b?////?=\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/mixed\r\n\r\n",
    ]
    for key in seed.deliver(runtime, account, odd):
        assert signed_in.get(f"/messages/{key}").status_code == 200
        assert signed_in.get(f"/messages/{key}/body").status_code == 200
    assert signed_in.get(f"/inbox/{account.id}").status_code == 200


def test_an_invitation_that_takes_too_much_is_told_and_the_message_shown(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "WALL", 1_000)
    monkeypatch.setattr(pool, "SECONDS", 0.04)
    (key,) = seed.deliver(runtime, account, [long_invitation(1_900)])
    html = signed_in.get(f"/messages/{key}").get_data(as_text=True)
    assert "Hallo!" in html and "is left out" in html and f"/messages/{key}/source" in html


def test_a_message_that_there_is_no_time_for_is_read_at_the_next_opening(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter(subject="Druk")])
    with monkeypatch.context() as busy, filled(f"user {account.user_id}"):
        busy.setattr(pool, "WAIT", 0.05)
        html = signed_in.get(f"/messages/{key}").get_data(as_text=True)
        assert "too busy to read this message now" in html and "built so oddly" not in html
    assert "Hierbij de offerte." in signed_in.get(f"/messages/{key}").get_data(as_text=True)


@pytest.mark.parametrize("bad", ["x", "1.SU5CT1g.7.999", "1.%00.7.1", "999999.SU5CT1g.7.1", "1.SU5CT1g.8.1"])
def test_forged_keys(account: Account, key: MessageKey, signed_in: SoinboxClient, bad: str) -> None:
    assert signed_in.get(f"/messages/{bad}").status_code == 404
    assert signed_in.get(f"/inbox/{account.id}?message={bad}").status_code == 404


def test_marking_unread_closes_the_message(
    runtime: Runtime, account: Account, key: MessageKey, signed_in: SoinboxClient
) -> None:
    signed_in.get(f"/inbox/{account.id}?message={key}")
    done = signed_in.submit(
        "/messages/act", {"key": str(key), "do": "unread", "next": f"/inbox/{account.id}"}
    )
    html = signed_in.get(done.location).get_data(as_text=True)
    assert 'class="row unread' in html
    assert [a.arguments["remove"] for a in open_flags(runtime, account)][-1] == ["\\Seen"]


def test_next_never_leads_elsewhere(key: MessageKey, signed_in: SoinboxClient) -> None:
    for bad in ("https://elders.example/", "//elders.example", "/\\elders.example"):
        done = signed_in.submit("/messages/act", {"key": str(key), "do": "read", "next": bad})
        assert "elders" not in done.location


def test_an_unknown_verb_and_an_unknown_folder(key: MessageKey, signed_in: SoinboxClient) -> None:
    assert signed_in.submit("/messages/act", {"key": str(key), "do": "explode"}).status_code == 422
    assert signed_in.submit("/messages/act", {"key": str(key), "do": "move:Nergens"}).status_code == 404
    assert triage.VERBS
