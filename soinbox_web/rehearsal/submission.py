"""A submission server on aiosmtpd that behaves well: STARTTLS and TLS, AUTH, delivery into mailboxes."""

import asyncio
import logging
import threading
import warnings
from collections.abc import Callable, Iterable
from email.utils import format_datetime
from typing import Any, Protocol, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from soinbox_web.clock import Clock, SystemClock
from soinbox_web.rehearsal.certificates import Identity
from soinbox_web.rehearsal.scripted import SignInTried
from soinbox_web.rehearsal.scripted_smtp import Accepted

_SIZE_LIMIT = 33_554_432


class Mailboxes(Protocol):
    """Where local mail goes, and who may send."""

    def password_is(self, address: str, password: str) -> bool: ...

    def holds(self, address: str) -> bool: ...

    def deliver(self, address: str, message: bytes) -> None: ...


class Submission:
    """Listens on `starttls_port` and `tls_port`, signs in users and delivers between them.

    Recipients in `local_domains` that have no mailbox are refused (550 5.1.1); mail for the rest of the world
    is accepted and goes nowhere. `messages` holds everything accepted, `sign_ins` every sign-in tried.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        identity: Identity,
        *,
        host: str = "127.0.0.1",
        local_domains: Iterable[str] = (),
        clock: Clock | None = None,
    ) -> None:
        self.host = host
        self.starttls_port = 0
        self.tls_port = 0
        self.messages: list[Accepted] = []
        self.sign_ins: list[SignInTried] = []
        self._mailboxes = mailboxes
        self._context = identity.server_context()
        self._local_domains = frozenset(local_domains)
        self._clock = clock or SystemClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="submission", daemon=True)
        self._servers: list[asyncio.Server] = []

    def start(self) -> Self:
        # aiosmtpd does not see TLS that was there before it
        warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def stop(self) -> None:
        """Close the ports and every connection; a second call does nothing."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    async def _listen(self) -> None:
        begin, inside = self._protocol(starttls=True), self._protocol(starttls=False)
        in_clear = await self._loop.create_server(begin, self.host, self.starttls_port)
        in_tls = await self._loop.create_server(inside, self.host, self.tls_port, ssl=self._context)
        self._servers = [in_clear, in_tls]
        self.starttls_port = in_clear.sockets[0].getsockname()[1]
        self.tls_port = in_tls.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _protocol(self, *, starttls: bool) -> Callable[[], SMTP]:
        return lambda: SMTP(
            self,
            hostname="rehearsal",
            ident="ESMTP",
            data_size_limit=_SIZE_LIMIT,
            enable_SMTPUTF8=True,
            loop=self._loop,
            tls_context=self._context if starttls else None,
            require_starttls=starttls,
            auth_required=True,
            auth_require_tls=starttls,
            authenticator=self._authenticate,
        )

    # called by aiosmtpd

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        username, password = data.login.decode(errors="replace"), data.password.decode(errors="replace")
        self.sign_ins.append(SignInTried(username, password, mechanism, encrypted=True))
        right = self._mailboxes.password_is(username, password)
        return AuthResult(success=right, handled=False, auth_data=username)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        domain = address.rpartition("@")[2].lower()
        if domain in self._local_domains and not self._mailboxes.holds(address.lower()):
            return f"550 5.1.1 <{address}>: no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        data = envelope.original_content or b""
        self.messages.append(Accepted(envelope.mail_from or "", tuple(envelope.rcpt_tos), data))
        trace = (
            f"Return-Path: <{envelope.mail_from}>\r\n"
            f"Received: from {session.host_name} by rehearsal with ESMTPSA;\r\n"
            f" {format_datetime(self._clock.now())}\r\n"
        )
        for address in envelope.rcpt_tos:
            if self._mailboxes.holds(address.lower()):
                await self._loop.run_in_executor(
                    None, self._mailboxes.deliver, address.lower(), trace.encode() + data
                )
        return "250 2.0.0 Ok: queued as REHEARSAL"
