"""One user's mailbox on the test servers: what a test needs to set up an account, and to deliver."""

import smtplib
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from zlib import crc32

from soinbox_web.model.server import Login
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink


@dataclass(frozen=True, slots=True)
class RealMailbox:
    """A user of Dovecot and of the submission server; address and password sign in to both."""

    address: str
    password: str
    dovecot: Dovecot
    smtp: SmtpSink

    @property
    def imap_login(self) -> Login:
        return Login(self.dovecot.host, self.dovecot.imaps_port, "ssl", self.address)

    @property
    def imap_starttls_login(self) -> Login:
        return Login(self.dovecot.host, self.dovecot.imap_port, "starttls", self.address)

    @property
    def smtp_login(self) -> Login:
        return Login(self.dovecot.host, self.smtp.tls_port, "ssl", self.address)

    @property
    def smtp_starttls_login(self) -> Login:
        return Login(self.dovecot.host, self.smtp.starttls_port, "starttls", self.address)

    def deliver(self, message: bytes, *, folder: str = "INBOX", flags: Iterable[str] = ()) -> None:
        self.dovecot.deliver(self.address, message, folder=folder, flags=flags)

    def deliver_text(
        self,
        subject: str,
        body: str = "Hello.",
        *,
        sender: str = "Eva Smit <eva.smit@hotelzeezicht.example>",
        date: str = "Mon, 23 Nov 2026 08:30:00 +0000",
        message_id: str = "",
        folder: str = "INBOX",
        flags: Iterable[str] = (),
    ) -> None:
        """Deliver a small plain message."""
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = sender, self.address, subject
        message["Date"] = date
        message["Message-ID"] = message_id or f"<{crc32(f'{subject}{body}{date}'.encode())}@tests.example>"
        message.set_content(body)
        self.deliver(message.as_bytes(), folder=folder, flags=flags)

    def messages(self, folder: str = "INBOX") -> list[bytes]:
        return self.dovecot.messages(self.address, folder)

    def sent(self) -> list[bytes]:
        """What the submission server accepted from this user."""
        return [message.data for message in self.smtp.messages if message.sender == self.address]

    def submission(self) -> smtplib.SMTP:
        """A verified connection to the submission server, signed in."""
        client = smtplib.SMTP_SSL(
            self.dovecot.host, self.smtp.tls_port, context=self.dovecot.client_context, timeout=5
        )
        client.login(self.address, self.password)
        return client
