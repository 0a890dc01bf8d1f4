"""A submission server for the users of a Dovecot, delivering into their mailboxes and recording."""

from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.submission import Submission
from tests.servers.dovecot import HOST, Dovecot


class SmtpSink(Submission):
    """See `Submission`; the certificate is good for `localhost`, 127.0.0.1 and `names`."""

    def __init__(self, ca: Authority, dovecot: Dovecot, *names: str) -> None:
        super().__init__(dovecot, ca.issue(HOST, "127.0.0.1", *names), local_domains=["noordlicht.example"])
