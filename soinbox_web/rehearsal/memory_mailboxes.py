"""IMAP for the demo: pymap's in-memory mailboxes of all sample users in one event loop of its own."""

import asyncio
import threading
from argparse import Namespace
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from soinbox_web.clock import Clock, SystemClock
from soinbox_web.rehearsal.certificates import Identity
from soinbox_web.rehearsal.sample_mail import FOLDERS, SampleMessage

_ARGUMENTS = Namespace(
    host=None,
    port=0,
    debug=False,
    cert=None,
    key=None,
    tls=True,
    passlib_cfg=None,
    proxy_protocol=None,
    demo_data=False,
    demo_user="",
    demo_password="",
)


class MemoryMailboxes:
    """The mailboxes of several users; `listen` opens as many doors to them as are wanted."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._config = Config.from_args(_ARGUMENTS, hash_context=Cleartext())
        self._login = Login(self._config)
        self._passwords: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mailboxes", daemon=True)
        self._servers: list[asyncio.Server] = []

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every door and connection; a second call does nothing."""
        if not self._loop.is_closed():
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    def add_user(self, address: str, password: str, messages: Iterable[SampleMessage] = ()) -> None:
        """A user with the usual folders and this mail."""
        self._passwords[address] = password
        self._run(self._add_user(address, password, messages))

    def listen(self, identity: Identity, *, starttls: bool, host: str = "127.0.0.1", port: int = 0) -> int:
        """Open a door, with TLS from the start or by STARTTLS; returns its port."""
        found: int = self._run(self._listen(identity, starttls, host, port))
        return found

    # Mailboxes, for the submission server

    def password_is(self, address: str, password: str) -> bool:
        return self._passwords.get(address) == password

    def holds(self, address: str) -> bool:
        return address in self._passwords

    def deliver(self, address: str, message: bytes) -> None:
        self._run(self._append(address, "INBOX", message, frozenset()))

    # on the loop

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _add_user(self, address: str, password: str, messages: Iterable[SampleMessage]) -> None:
        self._config.apply_context()
        self._login.users_dict[address] = UserMetadata(self._config, address, password=password)
        mailboxes = MailboxSet()
        self._config.set_cache[address] = (mailboxes, FilterSet())
        for folder in FOLDERS:
            await mailboxes.add_mailbox(folder)
            await mailboxes.set_subscribed(folder, True)
        for message in messages:
            mailbox = await mailboxes.get_mailbox(message.folder)
            flags = frozenset(Flag(flag.encode()) for flag in message.flags)
            await mailbox.append(AppendMessage(message.raw, message.date, flags))

    async def _append(self, address: str, folder: str, message: bytes, flags: frozenset[Any]) -> None:
        self._config.apply_context()
        mailboxes, _ = self._config.set_cache[address]
        mailbox = await mailboxes.get_mailbox(folder)
        await mailbox.append(AppendMessage(message, self._clock.now(), flags), recent=True)

    async def _listen(self, identity: Identity, starttls: bool, host: str, port: int) -> int:
        context = identity.server_context()
        config = Config.from_args(
            Namespace(**{**vars(_ARGUMENTS), "tls": starttls}), hash_context=Cleartext(), ssl_context=context
        )
        config.apply_context()
        connected = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(self._login, config))
        server = await asyncio.start_server(connected, host, port, ssl=None if starttls else context)
        self._servers.append(server)
        found: int = server.sockets[0].getsockname()[1]
        return found

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 5)
