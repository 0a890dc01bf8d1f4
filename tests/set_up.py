"""Set-up against scripted servers: start them, fill the form, wait for the end."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from soinbox_web.model.member import Member
from soinbox_web.model.server import Login
from soinbox_web.model.setup_attempt import AdvancedForm
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.runtime import Runtime
from soinbox_web.services import setup
from soinbox_web.services.setup import SetupView

ADDRESS, SECRET = "anna@noordlicht.example", "een-lang-geheim"


@contextmanager
def running(*servers: Any) -> Iterator[None]:
    """The servers, started and in the end stopped."""
    with ExitStack() as stack:
        for server in servers:
            server.start()
            stack.callback(server.stop)
        yield


@contextmanager
def mail_servers(
    ca: Authority, passwords: dict[str, str] | None = None, smtp_passwords: dict[str, str] | None = None
) -> Iterator[tuple[ScriptedImap, ScriptedSmtp]]:
    """An IMAP and an SMTP server with TLS that know Anna, or whom they are told."""
    identity = ca.issue("localhost", "127.0.0.1")
    known = {ADDRESS: SECRET} if passwords is None else passwords
    sending = known if smtp_passwords is None else smtp_passwords
    imap = ScriptedImap(ImapBehaviour(tls="implicit", certificate=identity, passwords=known))
    smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=identity, passwords=sending))
    with running(imap, smtp):
        yield imap, smtp


def form_for(imap: ScriptedImap, smtp: ScriptedSmtp, secret: str = SECRET, **changes: Any) -> AdvancedForm:
    """The advanced form filled in for the servers."""
    form = AdvancedForm(
        ADDRESS,
        Login("localhost", imap.port, "ssl", ADDRESS),
        secret,
        Login("localhost", smtp.port, "ssl", ADDRESS),
        None,
    )
    return replace(form, **changes)


def ended(runtime: Runtime, user_id: int, token: str) -> SetupView:
    """The attempt once nothing runs any more."""
    for _ in range(400):
        found = setup.view(runtime, user_id, token)
        if not found.attempt.running:
            return found
        time.sleep(0.03)
    raise AssertionError("still running")


def submit(
    runtime: Runtime, member: Member, form: AdvancedForm, token: str | None = None
) -> tuple[str, SetupView]:
    """Post the advanced form and wait: the token and the end."""
    token = token or setup.start_advanced(runtime, member.id, ADDRESS)
    setup.submit_advanced(runtime, member.id, token, form)
    return token, ended(runtime, member.id, token)
