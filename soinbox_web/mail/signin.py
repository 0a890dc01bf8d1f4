"""Signing in to both sides of an account, stage by stage, with separate verdicts and as few tries as can be.

IMAP and SMTP connect at the same time; SMTP sends the secret only after IMAP has accepted it. A call makes at
most two sign-ins on IMAP and one on SMTP, each on a verified connection (setup.md section 1.4). A door that
cannot be reached is passed by for the next one, where more are known; nothing is signed in to twice for that.
"""

import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TypeVar

from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.network import Cancelled, Network, never
from soinbox_web.mail.net.opening import Timeouts
from soinbox_web.mail.smtp.submission import SmtpConnection
from soinbox_web.mail.stages import Stages, silent
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Login, Protocol
from soinbox_web.model.stage import Stage
from soinbox_web.problems import Problem, SoinboxError

SECONDS = 15.0
TICK = 0.1
LAST_DOOR = 8.0  # seconds after which no other door is tried
Connection = TypeVar("Connection", ImapConnection, SmtpConnection)
UNREACHABLE = {
    *(
        "host_missing",
        "dns_failure",
        "refused",
        "timeout",
        "private_blocked",
        "server_unavailable",
        "tls_too_old",
    ),
    *("wrong_service", "tls_on_plain_port", "plain_on_tls_port", "starttls_missing", "starttls_failed"),
    *("cert_expired", "cert_not_yet_valid", "cert_name_mismatch", "cert_self_signed", "cert_untrusted_chain"),
}
"""What a door says of itself before anybody signs in; another door of the same account may be better."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is sent: `smtp` None means the same as IMAP; `token` means OAuth access tokens."""

    imap: str = field(repr=False)
    smtp: str | None = field(default=None, repr=False)
    token: bool = False

    def of(self, side: Protocol) -> str:
        return self.smtp if side == "smtp" and self.smtp is not None else self.imap


@dataclass(frozen=True, slots=True)
class SideResult:
    """One side's verdict; `login` is the form that worked.

    `tried` is False when the side was not given, or was spared since IMAP refused the same secret. `notes` is
    what is worth telling although it works.
    """

    tried: bool
    ok: bool = False
    login: Login | None = None
    problem: Problem | None = None
    capabilities: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SignInResult:
    imap: SideResult
    smtp: SideResult


def sign_in(
    imap: Login | None,
    smtp: Login | None,
    secrets: Secrets,
    network: Network,
    *,
    provider: Provider | None = None,
    alternative_username: bool = False,
    address: str = "",
    imap_others: Sequence[Login] = (),
    smtp_others: Sequence[Login] = (),
    progress: Callable[[Stage], None] = silent,
    cancelled: Callable[[], bool] = never,
    timeouts: Timeouts = Timeouts(command=10.0),
    seconds: float = SECONDS,
) -> SignInResult:
    """Try both sides; every failure is a verdict in the result. Raises Cancelled only.

    `alternative_username`: the source of the settings did not say which form the name has, so the other one
    (local part, or the whole `address`) may be tried once. `imap_others` and `smtp_others`: doors to try, in
    this order, when the first cannot be reached. `progress` is called in the caller's thread.
    """
    attempt = _Attempt(secrets, network, provider, timeouts, imap_others, smtp_others)
    sides: list[Callable[[], None]] = []
    if imap is not None:
        other = _other_form(imap, address) if alternative_username else None
        sides.append(lambda: attempt.imap(imap, other))
    else:
        attempt.imap_settled.set()
    if smtp is not None:
        sides.append(lambda: attempt.smtp(smtp, imap))
    threads = [threading.Thread(target=attempt.run, args=(side,), daemon=True) for side in sides]
    for thread in threads:
        thread.start()
    until = network.clock.monotonic() + seconds
    try:
        while any(thread.is_alive() for thread in threads) or not attempt.reports.empty():
            try:
                progress(attempt.reports.get(timeout=TICK))
            except Empty:
                pass
            if cancelled():
                raise Cancelled
            if network.clock.monotonic() > until:
                break
        if attempt.mistake:
            raise attempt.mistake
        return SignInResult(attempt.verdict("imap", imap), attempt.verdict("smtp", smtp))
    finally:
        attempt.hang_up()


def _other_form(login: Login, address: str) -> Login | None:
    """The same login under the other form of the user name."""
    local, at, _ = login.username.rpartition("@")
    name = local if at else address
    return dataclasses.replace(login, username=name) if name and name != login.username else None


class _Attempt:
    """What the two sides' threads share; `over` is set when nobody waits for them any more."""

    def __init__(
        self,
        secrets: Secrets,
        network: Network,
        provider: Provider | None,
        timeouts: Timeouts,
        imap_others: Sequence[Login],
        smtp_others: Sequence[Login],
    ) -> None:
        self.secrets, self.network, self.provider, self.timeouts = secrets, network, provider, timeouts
        self.imap_others, self.smtp_others = imap_others, smtp_others
        self.last_door = network.clock.monotonic() + LAST_DOOR
        self.results: dict[Protocol, SideResult] = {}
        self.latest: dict[Protocol, Stage] = {}
        self.reports: SimpleQueue[Stage] = SimpleQueue()
        self.imap_settled = threading.Event()
        self.over = threading.Event()
        self.mistake: Exception | None = None
        self._open: list[ImapConnection | SmtpConnection] = []
        self._lock = threading.Lock()

    # The sides, each in its thread.

    def run(self, side: Callable[[], None]) -> None:
        """One side to its end; a mistake of ours is kept for the caller."""
        try:
            side()
        except Cancelled:
            pass
        except Exception as error:
            self.mistake = error

    def imap(self, login: Login, other: Login | None) -> None:
        try:
            result = self._try_imap(login, self.imap_others)
            if other and result.problem and result.problem.code == "credentials_wrong":
                doors = [dataclasses.replace(door, username=other.username) for door in self.imap_others]
                second = self._try_imap(other, doors)
                if second.ok:
                    note = Problem(
                        "username_form", "imap", "sign_in",
                        facts={"host": login.host, "username": login.username, "suggestion": other.username},
                    )  # fmt: skip
                    second = dataclasses.replace(second, notes=(note, *second.notes))
                if second.ok or (second.problem and second.problem.code != "credentials_wrong"):
                    result = second
            self.results["imap"] = result
        finally:
            self.imap_settled.set()

    def _try_imap(self, login: Login, others: Sequence[Login] = ()) -> SideResult:
        try:
            connection = self._first_open(ImapConnection, "imap", login, others)
            self._keep(connection)
            with connection:
                connection.sign_in(self.secrets.imap, token=self.secrets.token)
                connection.open_inbox()
                notes = tuple(connection.stages.notes)
                return SideResult(True, True, connection.login, None, connection.capabilities, notes)
        except SoinboxError as error:
            return SideResult(True, problem=error.problem)

    def _first_open(
        self, kind: type[Connection], side: Protocol, login: Login, others: Sequence[Login]
    ) -> Connection:
        """A connection to the first door that opens; the error of the first when none does."""
        first: SoinboxError | None = None
        for door in (login, *others):
            if first and self.network.clock.monotonic() > self.last_door:
                break
            try:
                stages = self._stages(side, door)
                return kind.connect(door, self.network, stages=stages, timeouts=self.timeouts)
            except SoinboxError as error:
                first = first or error
                if error.problem.code not in UNREACHABLE:
                    raise
        assert first is not None
        raise first

    def smtp(self, login: Login, imap: Login | None) -> None:
        try:
            connection = self._first_open(SmtpConnection, "smtp", login, self.smtp_others)
            self._keep(connection)
            with connection:
                self.imap_settled.wait()
                self.results["smtp"] = self._sign_in_smtp(connection, connection.login, imap)
        except SoinboxError as error:
            self.results["smtp"] = SideResult(True, problem=error.problem)

    def _sign_in_smtp(self, connection: SmtpConnection, login: Login, imap: Login | None) -> SideResult:
        first = self.results.get("imap")
        same = self.secrets.of("smtp") == self.secrets.imap
        if same and first and first.problem and first.problem.stage == "sign_in":
            return SideResult(False)
        if first and first.login and imap and login.username == imap.username:
            login = dataclasses.replace(login, username=first.login.username)
        notes = tuple(connection.stages.notes)
        connection.login, connection.stages = login, self._stages("smtp", login)
        connection.sign_in(self.secrets.of("smtp"), token=self.secrets.token)
        return SideResult(True, True, login, None, connection.capabilities, notes)

    def _stages(self, side: Protocol, login: Login) -> Stages:
        return Stages(side, login, self.provider, self._report, self.over.is_set, self.network.clock)

    def _report(self, stage: Stage) -> None:
        self.latest[stage.side] = stage  # type: ignore[index]  # a side of ours is imap or smtp
        self.reports.put(stage)

    def _keep(self, connection: ImapConnection | SmtpConnection) -> None:
        with self._lock:
            self._open.append(connection)
        if self.over.is_set():
            connection.close()
            raise Cancelled

    # The caller's side.

    def hang_up(self) -> None:
        """Let the threads end: they stop at their next step, or as their connection closes under them."""
        self.over.set()
        self.imap_settled.set()
        with self._lock:
            for connection in self._open:
                connection.hang_up()

    def verdict(self, side: Protocol, login: Login | None) -> SideResult:
        """What is known of a side; a side that has not ended by now did not answer in time."""
        if login is None:
            return SideResult(False)
        result = self.results.get(side)
        if result is not None:
            return result
        stage = self.latest.get(side)
        late = TimeoutError("no verdict in time")
        return SideResult(
            True, problem=self._stages(side, login).problem(late, stage.stage if stage else "connect")
        )
