"""`/live`: who may listen, what is told, how a stream resumes and ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
from flask import Flask

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.store import changes, sessions
from soinbox_web.web.live import OF_ONE_USER, Live, make_live
from soinbox_web.web.watcher import current_vector, read_vector
from tests import seed
from tests.client import session_cookie


class Stream:
    """One browser tab's stream."""

    def __init__(self, live: Live, cookie: str, query: str = "", **headers: str) -> None:
        self.status = 0
        self.text = ""
        self.headers: dict[bytes, bytes] = {}
        self._gone: asyncio.Event = asyncio.Event()
        pairs = [(b"cookie", f"soinbox={cookie}".encode())]
        pairs += [] if "host" in headers else [(b"host", b"localhost")]
        pairs += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "path": "/live", "headers": pairs, "query_string": query.encode()}
        self.task = asyncio.ensure_future(live(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.headers = dict(message.get("headers", self.headers))
        self.text += message.get("body", b"").decode()

    def leave(self) -> None:
        self._gone.set()

    async def told(self, words: str, within: float = 3.0) -> None:
        async with asyncio.timeout(within):
            while words not in self.text:
                await asyncio.sleep(0.005)

    @property
    def events(self) -> list[str]:
        lines = self.text.splitlines()
        return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]

    @property
    def last_id(self) -> str:
        return [line for line in self.text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


@pytest.fixture
def cookie(app: Flask, runtime: Runtime, member: Member) -> str:
    return session_cookie(app, runtime, member)


@asynccontextmanager
async def serving(runtime: Runtime) -> AsyncIterator[Live]:
    live = make_live(runtime)
    try:
        yield live
    finally:
        live.stop()
        await asyncio.sleep(0.06)  # two rounds of the watcher


def note(runtime: Runtime, topic: str, **whose: Any) -> Callable[[], None]:
    def write() -> None:
        with runtime.db.write() as connection:
            changes.record(connection, topic, runtime.clock.now(), **whose)

    return write


def in_a_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run in a thread of its own: beside browser tests this thread has a loop already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def test_strangers_and_other_sites_are_refused(runtime: Runtime, member: Member, cookie: str) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            stranger, forged = Stream(live, "x"), Stream(live, cookie[:-3] + "abc")
            cross = Stream(live, cookie, sec_fetch_site="cross-site")
            await asyncio.gather(stranger.task, forged.task, cross.task)
            assert (stranger.status, forged.status, cross.status) == (401, 401, 403)

    in_a_loop(run())


@pytest.mark.parametrize("times", [1, 2])
def test_one_user_has_a_number_of_streams(
    runtime: Runtime, member: Member, colleague: Member, app: Flask, cookie: str, times: int
) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            streams = [Stream(live, cookie) for _ in range(OF_ONE_USER)]
            await asyncio.gather(*(each.told("connected", within=20) for each in streams))
            more = [Stream(live, cookie) for _ in range(times)]
            await asyncio.gather(*(each.task for each in more))
            assert {each.status for each in more} == {429}
            other = Stream(live, session_cookie(app, runtime, colleague))
            await other.told("connected", within=20)
            streams[0].leave()
            await streams[0].task
            again = Stream(live, cookie)
            await again.told("connected", within=20)

    in_a_loop(run())


def test_what_changes_is_told_to_its_owner_only(
    runtime: Runtime, member: Member, colleague: Member, account: Account, app: Flask, cookie: str
) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            anna = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            bram = Stream(
                live,
                session_cookie(app, runtime, colleague),
                f"since={current_vector(runtime, colleague.id)}",
            )
            await asyncio.gather(anna.told("connected"), bram.told("connected"))
            assert anna.events == ["connected"]
            await asyncio.to_thread(seed.deliver, runtime, account, [seed.letter()])
            await anna.told("folder-changed")
            await asyncio.to_thread(note(runtime, "outbox", user_id=member.id, account_id=account.id))
            await anna.told("outbox-changed")
            await asyncio.to_thread(note(runtime, "setup", user_id=colleague.id))
            await bram.told("setup-changed")
            assert bram.events == ["connected", "setup-changed"]
            assert "setup-changed" not in anna.events
            assert "data: \n" in anna.text  # names only, never what is in a message
            anna.leave()
            bram.leave()
            await asyncio.wait_for(asyncio.gather(anna.task, bram.task), 2)

    in_a_loop(run())


def test_it_is_told_within_a_tenth_of_a_second(
    runtime: Runtime, member: Member, account: Account, cookie: str
) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            tab = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            await tab.told("connected")
            loop = asyncio.get_running_loop()
            await asyncio.to_thread(note(runtime, "account", user_id=member.id, account_id=account.id))
            begin = loop.time()
            await tab.told("account-changed")
            assert loop.time() - begin < 0.15
            tab.leave()
            await tab.task

    in_a_loop(run())


def test_a_sleeping_tab_catches_up(runtime: Runtime, member: Member, account: Account, cookie: str) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            first = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            await first.told("connected")
            heard = first.last_id
            first.leave()
            await first.task
            seed.deliver(runtime, account, [seed.letter()])
            again = Stream(live, cookie, "since=", last_event_id=heard)
            await again.told("folder-changed")
            assert "setup-changed" not in again.events
            again.leave()
            await again.task

    in_a_loop(run())


def test_an_unknown_generation_means_fetch_all(
    runtime: Runtime, member: Member, account: Account, cookie: str
) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            vector = current_vector(runtime, member.id).replace(f"{account.id}.1.", f"{account.id}.9.")
            tab = Stream(live, cookie, f"since={vector}")
            await tab.told("setup-changed")
            assert {"folder-changed", "message-changed", "account-changed"} <= set(tab.events)
            tab.leave()
            await tab.task

    in_a_loop(run())


def test_a_new_account_is_heard_too(runtime: Runtime, member: Member, cookie: str) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            tab = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            await tab.told("connected")
            made = await asyncio.to_thread(seed.account, runtime, member)
            await asyncio.to_thread(note(runtime, "account", user_id=member.id, account_id=made.id))
            await tab.told("account-changed")
            await asyncio.sleep(0.3)
            tab.text = ""
            await asyncio.to_thread(seed.deliver, runtime, made, [seed.letter()])
            await tab.told("folder-changed")
            tab.leave()
            await tab.task

    in_a_loop(run())


def test_a_burst_is_told_a_few_times(runtime: Runtime, member: Member, account: Account, cookie: str) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            tab = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            await tab.told("connected")
            for _ in range(100):
                await asyncio.to_thread(note(runtime, "action", user_id=member.id, account_id=account.id))
            await tab.told(current_vector(runtime, member.id))
            assert 1 <= tab.events.count("folder-changed") < 10
            tab.leave()
            await tab.task

    in_a_loop(run())


def test_stopping_ends_the_streams(runtime: Runtime, member: Member, cookie: str) -> None:
    async def run() -> None:
        async with serving(runtime) as live:
            tab = Stream(live, cookie)
            await tab.told("connected")
            live.stop()
            await asyncio.wait_for(tab.task, 1)

    in_a_loop(run())


def test_a_stream_ends_with_its_session(
    runtime: Runtime, member: Member, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soinbox_web.web.live.HEARTBEAT", 0.05)

    async def run() -> None:
        async with serving(runtime) as live:
            tab = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            await tab.told("event: still-here")
            with runtime.db.write() as connection:
                sessions.end_all(connection, member.id)
            await asyncio.wait_for(tab.task, 2)

    in_a_loop(run())


def test_a_stream_with_much_to_tell_ends_with_its_session(
    runtime: Runtime, member: Member, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soinbox_web.web.live.HEARTBEAT", 0.3)

    async def run() -> None:
        async with serving(runtime) as live:
            tab = Stream(live, cookie, f"since={current_vector(runtime, member.id)}")
            await tab.told("connected")
            with runtime.db.write() as connection:
                sessions.end_all(connection, member.id)
            async with asyncio.timeout(3):
                while not tab.task.done():
                    await asyncio.to_thread(note(runtime, "outbox", user_id=member.id))
                    await asyncio.sleep(0.02)

    in_a_loop(run())


def test_vectors_are_read_whatever_they_hold() -> None:
    assert read_vector("0.0.5-3.1.77") == {(0, 0): 5, (3, 1): 77}
    assert read_vector("x-1.2-3.4.5.6-−1.0.0-99999999999999999999.1.1") == {}
