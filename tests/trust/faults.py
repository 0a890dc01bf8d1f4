"""The IMAP column of the fault matrix: each fault meets a mailbox in the middle of its work, then is gone.

After each the mailbox file equals the server, nothing is lost, nothing is done twice, and the fault was told
as a problem with a name.
"""

import contextlib
import os
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.problems import SoinboxError
from soinbox_web.problems.catalogue import KINDS
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import acting, sync
from soinbox_web.store import accounts
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.trust import crashing, verifier
from tests.trust.scene import ADDRESS, Scene, letter, settle, work

STREAM = 42_000  # bytes that the server says in the scene, a little less


@dataclass
class Verdict:
    """What became of one run: the code of the problem it met ("" for none), and what was wrong after it."""

    name: str
    code: str = ""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def line_faults() -> Iterator[tuple[str, Fault]]:
    """What can happen on the line, and what a server can say."""
    for how in ("reset", "close"):
        for part in range(40):
            yield f"{how} after {part}/40 of the stream", Fault(cut_after=60 + STREAM * part // 40, how=how)
    for offset in range(37, 2_000, 37):
        yield f"close after {offset} bytes", Fault(cut_after=offset, how="close")
    yield "every byte by itself", Fault(drip=0.00005)
    yield "every piece late", Fault(delay=0.05)
    for tag in range(2, 44):
        yield f"NO to command {tag}", Fault(replace=(b"\ns%d OK" % tag, b"\ns%d NO" % tag))
    for tag in (5, 9, 14, 20):
        yield f"BAD to command {tag}", Fault(replace=(b"\ns%d OK" % tag, b"\ns%d BAD" % tag))
        yield f"LIMIT at command {tag}", Fault(replace=(b"\ns%d OK" % tag, b"\ns%d NO [LIMIT]" % tag))
    for said, instead in (
        (b"{2}\r\n", b"{2147483648}\r\n"),
        (b"UIDVALIDITY ", b"UIDVALIDITY 7"),
        (b"[HIGHESTMODSEQ ", b"[HIGHESTMODSEQ 1] ["),
        (b"[UIDNEXT ", b"[UIDNEXT 1] ["),
        (b"(UID 70 ", b"(UID 71 "),
        (b"(UID 71 ", b"(UID 70 "),
        (b"(UID 72 ", b"(UID 4294967295 "),
        (b"(UID 73 ", b"(UID 0 "),
        (b"ENVELOPE (", b"ENVELOPE )"),
        (b"BODYSTRUCTURE (", b"BODYSTRUCTURE NIL ("),
        (b" INBOX\r\n", b" NOT-INBOX\r\n"),
        (b" Archive\r\n", b" Archief\r\n"),
        (b"VANISHED (EARLIER) ", b"VANISHED (EARLIER) 1:5,"),
        (b"* SEARCH", b"* SEARCH 99999999999"),
        (b"* ESEARCH", b"* ESEARCH X"),
    ):
        yield f"{said.decode().strip()} becomes {instead.decode().strip()}", Fault(replace=(said, instead))
    news = b"* 3 EXPUNGE\r\n* 1 EXISTS\r\n* 2 FETCH (UID 9999 FLAGS (\\Seen))\r\n* 5 RECENT\r\n"
    for name, said in (
        ("BYE", b"* BYE going down\r\n"),
        ("unasked news", news),
        ("a line of 1.2 MB", b"* OK " + b"x" * 1_200_000 + b"\r\n"),
        ("endless answers", b"* OK still here\r\n" * 60_000),
        ("a literal of 2 GB", b"* 1 FETCH (BODY[] {2147483648}\r\n"),
        ("nonsense", b"\x00\xff\r\n\r\n"),
        ("a strange end", b"s9999 OK done\r\n"),
    ):
        for offset in (900, 2_500, 9_000, 20_000, 33_000):
            yield f"{name} after {offset} bytes", Fault(inject=(offset, said))


def on_the_line(scene: Scene, name: str, fault: Fault) -> Verdict:
    """One run through a proxy with the fault, then one without."""
    dovecot = scene.server
    proxy = FaultProxy(
        ("127.0.0.1", dovecot.imaps_port),
        certificate=scene.authority.issue("localhost"),
        upstream=dovecot.client_context,
    )
    with proxy:

        def meet(runtime: Runtime, account: Account) -> None:
            through(runtime, account, proxy.port)
            proxy.fault = fault
            work(runtime, account.id)

        def mend(_: Runtime) -> None:
            proxy.fault = None

        return run(scene, name, meet, mend)


def run(
    scene: Scene,
    name: str,
    meet: Callable[[Runtime, Account], None],
    mend: Callable[[Runtime], None] = lambda _: None,
) -> Verdict:
    """Begin anew, meet the fault, take it away, settle, compare."""
    scene.restore()
    verdict = Verdict(name)
    began = time.monotonic()
    runtime = scene.runtime()
    try:
        try:
            meet(runtime, scene.account(runtime))
        except SoinboxError as error:
            verdict.code = error.problem.code
            if verdict.code not in KINDS:
                verdict.wrong.append(f"no such problem: {verdict.code}")
        mend(runtime)
        settle(runtime, scene.account_id)
        verdict.wrong += compared(runtime, scene)
    except Exception as error:
        evidence = error.problem.evidence if isinstance(error, SoinboxError) else ""
        verdict.wrong.append(f"{type(error).__name__}: {error} {evidence}")
    finally:
        runtime.close()
    verdict.seconds = time.monotonic() - began
    return verdict


def compared(runtime: Runtime, scene: Scene) -> list[str]:
    """What the verifier has to say of the scene."""
    account = scene.account(runtime)
    failed = verifier.failed_kinds(runtime, account)
    return [
        *verifier.differences(runtime, account, scene.server),
        *verifier.undone(runtime, account),
        *verifier.misplaced(scene.server, ADDRESS, scene.expected(), scene.touched(failed)),
    ]


def through(runtime: Runtime, account: Account, port: int) -> None:
    """The same account, its server reached by another port."""
    with runtime.db.write() as connection:
        secret = accounts.open_secret(connection, runtime.vault, account, "imap")
        accounts.update_login(
            connection, account.id, replace(account.imap, port=port), None, runtime.clock.now()
        )
        accounts.seal_secret(connection, runtime.vault, accounts.read(connection, account.id), "imap", secret)


# Faults of the machine, of time and of others.


def of_the_machine(scene: Scene) -> Iterator[Verdict]:
    yield run(scene, "disk full, then grown", _disk_full(scene))
    yield run(scene, "database locked for longer than it waits", _locked)
    yield run(scene, "mailbox file damaged", _damaged)
    yield run(scene, "mailbox file gone", _gone)
    for days in (1, -1):
        yield run(scene, f"clock {days:+} day", _clock(scene, timedelta(days=days)))
    yield run(scene, "another client at the same time", _other_client(scene))
    yield run(scene, "a folder renamed and one deleted meanwhile", _renaming(scene))
    yield run(scene, "two at once", _two_at_once(scene))
    yield run(scene, "UIDVALIDITY changed", _other_uidvalidity(scene))
    for fault, code in (("none", ""), ("expired", "cert_expired"), ("wrong_name", "cert_name_mismatch")):
        yield _other_certificate(scene, fault, code)


def _disk_full(scene: Scene) -> Callable[[Runtime, Account], None]:
    """In a child process files cannot grow beyond what they have (RLIMIT_FSIZE), as on a full disk."""

    def meet(runtime: Runtime, account: Account) -> None:
        largest = max(path.stat().st_size for path in scene.instance.rglob("*.sqlite"))
        runtime.close()

        def limited(inner: Runtime) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 8192, resource.RLIM_INFINITY))
            try:
                work(inner, account.id)
            except SoinboxError as error:
                assert error.problem.code == "disk_full", error.problem
                return
            raise AssertionError("there was room enough")

        crashing.in_child(scene.runtime, limited)

    return meet


def _locked(runtime: Runtime, account: Account) -> None:
    other = sqlite3.connect(runtime.settings.database_path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(12.0, lambda: (other.execute("ROLLBACK"), other.close())).start()
    try:
        work(runtime, account.id)
    finally:
        time.sleep(0.1)
        while other_is_open(other):
            time.sleep(0.1)


def other_is_open(connection: sqlite3.Connection) -> bool:
    try:
        return connection.in_transaction
    except sqlite3.ProgrammingError:
        return False


def _damaged(runtime: Runtime, account: Account) -> None:
    path = runtime.mailbox_path(account.id, account.generation)
    runtime.mailbox(account.id, account.generation).connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    runtime.release(account.id)
    with path.open("r+b") as file:
        for offset in range(4096, path.stat().st_size, 8192):
            file.seek(offset)
            file.write(os.urandom(512))
    try:
        work(runtime, account.id)
    finally:
        assert sync.discard_unfit(runtime, account.id, thorough=True)


def _gone(runtime: Runtime, account: Account) -> None:
    runtime.forget_mailbox(account.id, account.generation)
    work(runtime, account.id)


class _Shifted(SystemClock):
    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


def _clock(scene: Scene, by: timedelta) -> Callable[[Runtime, Account], None]:
    def meet(_: Runtime, account: Account) -> None:
        shifted = build(scene.settings, _Shifted(by))
        try:
            work(shifted, account.id)
        finally:
            shifted.close()

    return meet


def _other_client(scene: Scene) -> Callable[[Runtime, Account], None]:
    """Somebody flags and moves there and back while we synchronise."""

    def meet(runtime: Runtime, account: Account) -> None:
        stop = threading.Event()

        def disturb() -> None:
            with scene.server.signed_in(ADDRESS) as client:
                for turn in range(10_000):
                    if stop.is_set():
                        return
                    client.select("INBOX")
                    found = client.uid("SEARCH", "ALL")[1][0].split()
                    uid = found[(turn * 7) % len(found)].decode()
                    client.uid("STORE", uid, "+FLAGS" if turn % 2 else "-FLAGS", "(\\Flagged)")
                    client.uid("STORE", uid, "+FLAGS" if turn % 3 else "-FLAGS", "($Werk)")

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for _ in range(5):
                work(runtime, account.id)
        finally:
            stop.set()
            thread.join()

    return meet


def _renaming(scene: Scene) -> Callable[[Runtime, Account], None]:
    def meet(runtime: Runtime, account: Account) -> None:
        work(runtime, account.id)
        with scene.server.signed_in(ADDRESS) as client:
            client.rename("Afgerond", "Afgerond.2026")
            client.delete("Nieuw")
            client.create("Later")
        work(runtime, account.id)

    return meet


def _two_at_once(scene: Scene) -> Callable[[Runtime, Account], None]:
    """Two processes do the same work; only one should, but nothing may be done twice."""

    def meet(runtime: Runtime, account: Account) -> None:
        runtime.close()
        children = []
        for _ in range(2):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    inner = scene.runtime()
                    with contextlib.suppress(SoinboxError):
                        sync.sync_once(inner, account.id, push=acting.push)
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)

    return meet


def _other_uidvalidity(scene: Scene) -> Callable[[Runtime, Account], None]:
    """The server has built its folder anew: other numbers for the same messages."""

    def meet(runtime: Runtime, account: Account) -> None:
        work(runtime, account.id)
        for path in (scene.server.mail / ADDRESS).glob("dovecot*"):
            if path.is_file():
                path.unlink()
        scene.server.deliver(ADDRESS, letter(10_000))
        work(runtime, account.id)
        with scene.server.signed_in(ADDRESS) as client:
            client.select("INBOX")
            found = client.uid("SEARCH", "HEADER", "Message-ID", "<10000@klant.example>")[1][0].decode()
            client.uid("STORE", found, "+FLAGS", "(\\Deleted)")
            client.expunge()

    return meet


def _other_certificate(scene: Scene, fault: str, code: str) -> Verdict:
    """The server comes back with another certificate: a good one changes nothing, a bad one stops us."""
    identity = scene.authority.issue("localhost", fault=fault)  # type: ignore[arg-type]
    proxy = FaultProxy(
        ("127.0.0.1", scene.server.imaps_port),
        certificate=identity,
        upstream=scene.server.client_context,
    )
    with proxy:

        def meet(runtime: Runtime, account: Account) -> None:
            through(runtime, account, proxy.port)
            work(runtime, account.id)

        def mend(runtime: Runtime) -> None:
            through(runtime, scene.account(runtime), scene.server.imaps_port)

        verdict = run(scene, f"certificate: {fault}", meet, mend)
    if verdict.code != code:
        verdict.wrong.append(f"told as {verdict.code!r}, not {code!r}")
    return verdict


def killed_at_every_step(scene: Scene, every: int = 1) -> Iterator[Verdict]:
    """SIGKILL at step n of the whole work, for each n."""
    scene.restore()
    total = crashing.in_child(scene.runtime, lambda runtime: work(runtime, scene.account_id))
    for step in range(1, total + 1, every):

        def meet(runtime: Runtime, account: Account, last: int = step) -> None:
            runtime.close()
            crashing.in_child(scene.runtime, lambda inner: work(inner, account.id), last)

        yield run(scene, f"killed at step {step} of {total}", meet)
