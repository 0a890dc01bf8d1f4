"""T3: hostile messages are read within 2 s and 512 MB, and who asks for it is never held for long.

Three kinds of input: the public corpora; bombs of our own in several sizes, doubled, and inside each other;
mutations of these bombs. Each is opened through the guard, as a page does it. Beside the one that asks runs
a watcher in the same process: its largest gap is the time for which nobody else could have been served.
"""

import random
import resource
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psutil

from soinbox_web.mail.mime.pool import TOO_MUCH, pool
from soinbox_web.mail.mime.worker import open_guarded
from tests.mail.mime.bombs import BOMBS, SIZES, everything, inside
from tests.mail.mime.corpora import CORPORA, html_strings, messages

MUTATIONS = 10_000
SEED = 11
P99_MS, MAX_SECONDS, MAX_MB, HELD_MS = 50, 2.0, 512, 50
SLOWEST = 10
_SIGNS = b"()<>[]{};,:=\"'\\&#?*%@/ \t\r\n\0\xff-_."


def figures(every: int) -> list[dict[str, Any]]:
    """Each N-th input of every kind."""
    found = []
    if CORPORA.is_dir():
        found.append(_figure("the public corpora", list(_corpora())[::every], 900 // every, p99=P99_MS))
    else:
        print("T3: the public corpora are not installed: not shown")
    bombs = (each for size in SIZES for each in everything(size))
    found.append(_figure("bombs of our own", _each(bombs, every), 115 // every))
    found.append(
        _figure("mutations of our bombs", mutations(MUTATIONS // every), MUTATIONS // every, p99=P99_MS)
    )
    return found


def mutations(count: int) -> Iterator[tuple[str, bytes]]:
    """Bombs of 200 to 10,000 bytes with pieces cut out, doubled, moved, replaced, and others put inside."""
    chance, names = random.Random(SEED), list(BOMBS)
    for number in range(count):
        name = names[number % len(names)]
        raw = bytearray(BOMBS[name](chance.choice((200, 1_000, 4_000, 10_000)))[:40_000])
        for _ in range(chance.randint(1, 8)):
            _mutate(raw, chance)
        content = bytes(raw)
        if chance.random() < 0.1:
            content = inside(content, BOMBS[chance.choice(names)](1_000))
        yield f"{name}, mutation {number}", content


def _mutate(raw: bytearray, chance: random.Random) -> None:
    """One change in place."""
    start = chance.randrange(len(raw) + 1)
    end = min(len(raw), start + chance.choice((1, 2, 10, 100, 1_000)))
    piece = raw[start:end]
    match chance.randrange(6):
        case 0:
            del raw[start:end]
        case 1:
            raw[start:start] = piece * chance.randint(1, 20)
        case 2:
            raw[start:start] = bytes([chance.choice(_SIGNS)]) * chance.choice((1, 10, 500))
        case 3:
            raw[start:end] = chance.randbytes(len(piece))
        case 4:
            place = chance.randrange(len(raw) + 1)
            raw[place:place] = piece
        case _:
            raw[start:end] = piece.swapcase()[::-1]


def _corpora() -> Iterator[tuple[str, bytes]]:
    yield from messages()
    head = b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    for name, text in html_strings():
        yield name, head + text.encode("utf-8", "replace")


def _each(given: Iterable[tuple[str, bytes]], every: int) -> Iterator[tuple[str, bytes]]:
    return (one for number, one in enumerate(given) if number % every == 0)


class _Watcher:
    """The largest gap between two moments of a thread that sleeps a millisecond at a time."""

    def __init__(self) -> None:
        self.largest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last = time.perf_counter()
        while not self._ended.wait(0.001):
            now = time.perf_counter()
            self.largest, last = max(self.largest, now - last - 0.001), now


def _figure(
    name: str, given: Iterable[tuple[str, bytes]], goal: int, p99: int | None = None
) -> dict[str, Any]:
    """Open each; what it took, and for how long the watcher was held meanwhile."""
    taken: list[tuple[float, str, int]] = []
    held: list[tuple[float, str]] = []
    before, too_much, raised = pool().ended.copy(), 0, 0
    open_guarded(b"")  # a child is there
    with _Watcher() as idle:
        time.sleep(1)
    cpu = 0.0
    for what, raw in given:
        with _Watcher() as watcher:
            begun, worked = time.perf_counter(), _worked()
            try:
                shown = open_guarded(raw, "somebody").message
                too_much += TOO_MUCH in shown.defects
            except Exception as error:
                raised += 1
                print(f"    RAISED after {what}: {error!r}", flush=True)
            taken.append((time.perf_counter() - begun, what, len(raw)))
            cpu = max(cpu, _worked() - worked)
        held.append((watcher.largest, what))
    found = _tell(name, goal, p99, taken, held, too_much, raised + (pool().ended - before)[1])
    print(f"    the most CPU for one {cpu:.2f} s; nothing asked, the gap was {idle.largest * 1000:.0f} ms")
    return {**found, "most_cpu_seconds": round(cpu, 2), "idle_held_ms": round(idle.largest * 1000, 1)}


def _worked() -> float:
    """Seconds of CPU of the children that are there."""
    total = 0.0
    for child in list(pool().idle):
        times = psutil.Process(child.process.pid).cpu_times()
        total += times.user + times.system
    return total


def _tell(
    name: str,
    goal: int,
    p99: int | None,
    taken: list[tuple[float, str, int]],
    held: list[tuple[float, str]],
    too_much: int,
    raised: int,
) -> dict[str, Any]:
    taken.sort(reverse=True)
    p99_ms = taken[len(taken) // 100][0] * 1000
    held_ms, held_by = max(held)[0] * 1000, max(held)[1]
    pool().close()  # so that the memory of the children is known
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    slow = sum(1 for seconds, *_ in taken if seconds > MAX_SECONDS)
    met = (
        len(taken) >= goal
        and not raised
        and not slow
        and memory <= MAX_MB
        and held_ms <= HELD_MS
        and (p99 is None or p99_ms <= p99)
    )
    print(
        f"T3 {name}: {len(taken)} read (goal >= {goal}), {raised} exceptions (goal 0), "
        f"{slow} over 2 s (goal 0); "
        f"p99 {p99_ms:.0f} ms ({f'goal <= {p99}' if p99 else 'no goal: each is made to be slow'}), "
        f"median {statistics.median(seconds for seconds, *_ in taken) * 1000:.1f} ms, "
        f"slowest {taken[0][0]:.2f} s; told as too much {too_much}; children's memory {memory:.0f} MB "
        f"(goal <= {MAX_MB}); the caller held {held_ms:.0f} ms at most (goal <= {HELD_MS}), by {held_by}"
    )
    for seconds, what, size in taken[:SLOWEST]:
        print(f"    {seconds * 1000:7.0f} ms  {size:>9} bytes  {what}", flush=True)
    return {
        "figure": f"T3 {name}", "runs": len(taken), "wrong": raised + slow, "goal": goal, "met": met,
        "p99_ms": round(p99_ms, 1), "held_ms": round(held_ms, 1), "too_much": too_much,
        "slowest": {what: round(seconds, 3) for seconds, what, _ in taken[:SLOWEST]},
        "memory_mb": {f"reading {name}": [round(memory)]},
    }  # fmt: skip
