"""All mail servers of the demo in one process: names, IMAP, SMTP, and those that misbehave."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from soinbox_web.rehearsal import misbehaving
from soinbox_web.rehearsal.autoconfig import client_config
from soinbox_web.rehearsal.cast import CHLOE, DOMAIN, TEAM
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.memory_mailboxes import MemoryMailboxes
from soinbox_web.rehearsal.misbehaving import CASES, Case
from soinbox_web.rehearsal.name_server import NameServer
from soinbox_web.rehearsal.sample_mail import SampleMessage, mailbox_of
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.rehearsal.submission import Submission

HOST = f"mail.{DOMAIN}"
_NET = "127.0.77."


@dataclass(frozen=True, slots=True)
class World:
    """How the product is told about it: SOINBOX_ settings without their prefix, and the servers' ports.

    The team's server speaks TLS from the start, the misbehaving ones STARTTLS.
    """

    variables: dict[str, str]
    host: str
    imap_port: int
    smtp_port: int
    odd_imap_port: int
    odd_smtp_port: int


@contextlib.contextmanager
def mail_world(folder: Path, now: datetime) -> Iterator[World]:
    """Everything runs until the block ends; `folder` gets the CA's root and the autoconfig files."""
    ca = Authority()
    with contextlib.ExitStack() as stack:
        mailboxes = MemoryMailboxes().start()
        stack.callback(mailboxes.stop)
        for colleague in TEAM:
            mailboxes.add_user(colleague.address, colleague.mail_password, mailbox_of(colleague, now))
        identity = ca.issue(HOST)
        imap_port = mailboxes.listen(identity, starttls=False)
        submission = Submission(mailboxes, identity, local_domains=[DOMAIN]).start()
        stack.callback(submission.stop)
        odd_imap_port, odd_smtp_port = _port_free_everywhere(), _port_free_everywhere()
        some_mail = mailbox_of(CHLOE, now)[-20:]
        for number, case in enumerate(CASES, 1):
            _misbehave(stack, ca, case, f"{_NET}{number}", odd_imap_port, odd_smtp_port, mailboxes, some_mail)
        names = NameServer(dict(_records())).start()
        stack.callback(names.stop)
        autoconfig = folder / "autoconfig"
        autoconfig.mkdir()
        good = client_config(DOMAIN, HOST, imap_port, HOST, submission.tls_port, "SSL")
        odd_host = f"%EMAILLOCALPART%.{misbehaving.DOMAIN}"
        odd = client_config(misbehaving.DOMAIN, odd_host, odd_imap_port, odd_host, odd_smtp_port, "STARTTLS")
        (autoconfig / f"{DOMAIN}.xml").write_text(good)
        (autoconfig / f"{misbehaving.DOMAIN}.xml").write_text(odd)
        yield World(
            {
                "DNS_SERVERS": f"{names.host}:{names.port}",
                "CA_FILE": str(ca.write_anchor(folder / "ca.pem")),
                "AUTOCONFIG_DIR": str(autoconfig),
                "ALLOW_HOSTS": "127.0.0.0/8,https://127.0.0.0/8",
                "ISPDB_URL": "",
            },
            HOST,
            imap_port,
            submission.tls_port,
            odd_imap_port,
            odd_smtp_port,
        )


def _misbehave(
    stack: contextlib.ExitStack,
    ca: Authority,
    case: Case,
    address: str,
    imap_port: int,
    smtp_port: int,
    mailboxes: MemoryMailboxes,
    some_mail: list[SampleMessage],
) -> None:
    if case.address is not None:
        return
    imap, smtp = case.behaviours(ca)
    stack.enter_context(ScriptedSmtp(smtp, host=address, port=smtp_port))
    if imap:
        stack.enter_context(ScriptedImap(imap, host=address, port=imap_port))
    else:
        mailboxes.add_user(case.mail_address, misbehaving.PASSWORD, some_mail)
        mailboxes.listen(ca.issue(case.host), starttls=True, host=address, port=imap_port)


def _records() -> Iterator[tuple[tuple[str, str], str]]:
    yield (DOMAIN, "MX"), f"10 {HOST}."
    yield (HOST, "A"), "127.0.0.1"
    yield (misbehaving.DOMAIN, "MX"), f"10 mail.{misbehaving.DOMAIN}."
    yield (f"mail.{misbehaving.DOMAIN}", "A"), f"{_NET}254"
    for number, case in enumerate(CASES, 1):
        address = f"{_NET}{number}" if case.address is None else case.address
        if address:
            yield (case.host, "A"), address


def _port_free_everywhere() -> int:
    """A port that is free on every loopback address that the misbehaving servers use."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            first = stack.enter_context(socket.create_server((f"{_NET}254", 0)))
            port: int = first.getsockname()[1]
            for number in range(1, len(CASES) + 1):
                stack.enter_context(socket.create_server((f"{_NET}{number}", port)))
            return port
