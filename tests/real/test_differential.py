"""Every envelope beside imap-tools and the standard library: no field differs without a recorded reason."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from imap_tools import MailMessage

from bench import mailboxes
from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.envelope_batches import Asked, Envelopes
from soinbox_web.mail.net.network import Network
from soinbox_web.model import uid_set
from soinbox_web.model.message import Envelope
from soinbox_web.settings import Settings
from tests.mail import witnesses
from tests.mail.mime.corpora import CORPORA, OWN, messages
from tests.real.differences import reason
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real
GENERATED = 10_000

Read = tuple[str, bytes, Envelope, MailMessage]


def read_all(mailbox: RealMailbox, settings: Settings, given: list[tuple[str, bytes]]) -> Iterator[Read]:
    """Put messages into INBOX; the name and bytes of each, its envelope, and imap-tools' message."""
    maildir = mailbox.dovecot.maildir(mailbox.address, "INBOX")
    owner = maildir.stat()
    for number, (_, raw) in enumerate(given):
        path = maildir / "cur" / f"{1_700_000_000 + number}.{number}.x:2,{'S' * (number % 2)}"
        path.write_bytes(raw)
        os.chown(path, owner.st_uid, owner.st_gid)
    with ImapConnection.connect(mailbox.imap_login, Network(settings, SystemClock())) as connection:
        connection.sign_in(mailbox.password)
        folders.examine(connection, "INBOX")
        envelopes, ours = Envelopes(connection), {}
        for batch in uid_set.batches(folders.uids(connection), 500):
            envelopes.ask(Asked(batch))
            ended = False
            while not ended:
                taken = envelopes.take()
                ended = taken.ended
                ours.update({found.uid: found for found in taken.found})
        theirs = {int(one.uid or 0): one for one in connection.mailbox.fetch(bulk=500, headers_only=True)}
    assert len(ours) == len(theirs) == len(given)
    for uid, (name, raw) in zip(sorted(ours), given, strict=True):
        found = ours[uid]
        assert isinstance(found, Envelope), name
        yield name, raw, found, theirs[uid]


def differences(read: Iterator[Read]) -> Iterator[tuple[str, bytes, str, str, object, object]]:
    """(message, bytes, witness, field, ours, theirs) of each field that is not the same."""
    for name, raw, found, message in read:
        ours = witnesses.ours(found)
        told = {"imap-tools": witnesses.imap_tools(message), "stdlib": witnesses.standard_library(raw)}
        for witness, said in told.items():
            for field, theirs in said.items():
                mine = ours[field]
                if witness == "imap-tools" and field in ("from", "reply-to") and len(found.sender) > 1:
                    mine = mine[: len(theirs)]  # type: ignore[index,arg-type]
                if mine != theirs:
                    yield name, raw, witness, field, mine, theirs


@pytest.mark.timeout(240)
def test_ten_thousand_generated_messages_agree_in_every_field(
    mailbox: RealMailbox, settings: Settings
) -> None:
    given = [(f"generated {n}", raw) for n, (_, _, raw) in enumerate(mailboxes.messages(GENERATED))]
    assert list(differences(read_all(mailbox, settings, given))) == []


@pytest.mark.skipif(not CORPORA.is_dir(), reason="left out: the public corpora are not installed")
def test_odd_messages_differ_for_recorded_reasons_only(
    mailbox: RealMailbox, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*messages(), *((path.name, path.read_bytes()) for path in sorted(Path(OWN).glob("*.eml")))]
    counted: Counter[str] = Counter()
    unexplained = []
    for name, raw, witness, field, ours, theirs in differences(read_all(mailbox, settings, given)):
        why = reason(name, raw, witness, field, theirs)
        counted[why or "unexplained"] += 1
        if why is None:
            unexplained.append((name, witness, field, ours, theirs))
    with capsys.disabled():
        print(f"\n{len(given)} odd messages, fields that differ, by reason:")
        for why, number in counted.most_common():
            print(f"  {number:4} {why}")
    assert unexplained == [], unexplained
