"""A second mail inside a mail: eight ends of a message that some server believes, in everything one can send.

The server believes all of them; each way must still give it one mail.
"""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from soinbox_web.app import create_app
from soinbox_web.mail.mime.compose import build, new_message_id
from soinbox_web.mail.mime.parse import parse
from soinbox_web.model.message import Correspondent, MessageKey
from soinbox_web.model.outgoing import Outgoing
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing, sending
from soinbox_web.services.composing import Source
from soinbox_web.store import accounts, outbox
from tests import seed
from tests.client import SoinboxClient
from tests.servers.postbox import ENDS
from tests.trust.faults import Verdict
from tests.trust.sending_scene import ADDRESS, BRAM, PASSWORD, Scene, sitting

VICTIM = "slachtoffer@klant.example"
_BARE_CR, _BARE_LF = re.compile(rb"\r(?!\n)"), re.compile(rb"(?<!\r)\n")


def smuggled(end: bytes) -> str:
    """A text that a server which believes in `end` takes for the end of a mail, and another mail."""
    lines = [f"MAIL FROM:<{ADDRESS}>", f"RCPT TO:<{VICTIM}>", "DATA", "Subject: Gesmokkeld", "", "Boe", ""]
    return "Hoi" + end.decode() + "\r\n".join(lines) + end.decode() + "Dag"


def _typed(runtime: Runtime, scene: Scene, text: str) -> None:
    """In the composer, posted by a browser."""
    assert scene.member is not None
    app = create_app(scene.settings, runtime)
    app.test_client_class = SoinboxClient
    browser = app.test_client().sign_in(scene.member)  # type: ignore[attr-defined]
    here = browser.get("/drafts/new").location
    form = {"account": str(scene.account_id), "to": BRAM, "subject": "Vraag", "body": text, "do": "send"}
    assert browser.submit(here, form).status_code == 303


def _html(runtime: Runtime, scene: Scene, text: str) -> None:
    """As HTML."""
    now = runtime.clock.now()
    page = f"<p>Hoi</p>{text}<pre>{text}</pre>"
    outgoing = Outgoing(Correspondent("", ADDRESS), (Correspondent("", BRAM),), "Vraag", text, html=page)
    built = build(outgoing, message_id=new_message_id(ADDRESS), date=now)
    with runtime.db.write() as connection:
        outbox.add(
            connection, scene.user_id, scene.account_id, now, compose_token="html",
            message_id=built.message_id, subject="Vraag", envelope_from=built.envelope_from,
            recipients=built.recipients, wire=built.wire, sent_copy=built.sent_copy, not_before=now,
        )  # fmt: skip


def _reply(runtime: Runtime, scene: Scene, text: str) -> None:
    """Quoted in a reply to a message that holds it."""
    _answer(runtime, scene, text, "reply")


def _forward(runtime: Runtime, scene: Scene, text: str) -> None:
    """In a forward, as its text and as its attachment."""
    _answer(runtime, scene, text, "forward")


def _answer(runtime: Runtime, scene: Scene, text: str, kind: composing.Kind) -> None:
    parts = f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: text/x-log;"
    parts += f' name="een.log"\r\nContent-Disposition: attachment\r\n\r\n{text}\r\n--b--\r\n'
    more = f'References: <a@b>\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n{parts}'
    raw = seed.letter(sender=f"Bram <{BRAM}>", more=more)
    source = Source(MessageKey(scene.account_id, "INBOX", 1, 1), parse(raw), raw, "Bram schreef:")
    draft = composing.start(runtime, scene.user_id, scene.account_id, kind, to=BRAM, source=source)
    typed = composing.read(runtime, scene.user_id, draft)
    assert "Hoi" in typed.body and bool(typed.files) == (kind == "forward")
    kept = composing.Typed(scene.account_id, BRAM, subject=typed.subject, body=typed.body)
    composing.save(runtime, scene.user_id, draft, kept)
    sending.queue(runtime, scene.user_id, draft)


def _file(runtime: Runtime, scene: Scene, text: str) -> None:
    """In a file, by `soinbox send`."""
    with runtime.db.read() as connection:
        account = accounts.read(connection, scene.account_id)
    letter = f"From: {ADDRESS}\r\nTo: {BRAM}\r\nSubject: Vraag\r\nX-Kop: {text}\r\n\r\n{text}\r\n"
    assert sending.send_file(runtime, account, letter.encode(), str)["state"] == "sent"


WAYS: dict[str, Callable[[Runtime, Scene, str], None]] = {
    "typed": _typed,
    "HTML": _html,
    "reply": _reply,
    "forward": _forward,
    "file": _file,
}


def through_every_way(scene: Scene) -> Iterator[Verdict]:
    for name, way in WAYS.items():
        for end in ENDS:
            verdict = Verdict(f"{end!r} by {name}")
            with _gullible(scene) as runtime:
                way(runtime, scene, smuggled(end))
                sitting(runtime, scene)
                states = [row.state for row in sending.everything(runtime, scene.user_id)]
            received = scene.smtp.messages
            verdict.code = ", ".join(states)
            if verdict.code != "sent" or [each.recipients for each in received] != [(BRAM,)]:
                verdict.wrong.append(f"{verdict.code}: {[each.recipients for each in received]}")
            if any(bare.search(each.data) for each in received for bare in (_BARE_CR, _BARE_LF)):
                verdict.wrong.append("a bare CR or LF")
            yield verdict


def unguarded(scene: Scene) -> dict[str, int]:
    """The control: how many mails the server takes when the same texts are sent as they are."""
    found = {}
    for end in ENDS:
        with _gullible(scene):
            context = ssl.create_default_context(cafile=str(scene.settings.ca_file))
            client = smtplib.SMTP_SSL("127.0.0.1", scene.smtp.port, context=context, timeout=5)
            client.login(ADDRESS, PASSWORD)
            client.mail(ADDRESS)
            client.rcpt(BRAM)
            client.docmd("DATA")
            client.send(smuggled(end).encode() + b"\r\n.\r\nQUIT\r\n")
            while client.sock.recv(4096):
                pass
            client.close()
        found[repr(end)] = len(scene.smtp.messages)
    return found


@contextmanager
def _gullible(scene: Scene) -> Iterator[Runtime]:
    scene.restore("first")
    scene.clicks = False
    scene.smtp.gullible = True
    scene.smtp.commands.clear()
    runtime = scene.runtime()
    try:
        yield runtime
    finally:
        runtime.close()
        scene.smtp.rest()
