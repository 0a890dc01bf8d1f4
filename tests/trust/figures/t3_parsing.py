"""T3: hostile messages are read within 2 s and 512 MB, and who asks for it is never held for long.

Four kinds of input: the public corpora; bombs of our own in several sizes, doubled, and inside each other;
the same bombs of tens of megabytes; mutations of bombs. Each is unpacked as it is stored and opened through
the guard, as a page does it. Beside the one that asks runs a watcher in the same process: its largest gap is
the time for which nobody else could have been served.

A busy machine makes everything slow, and proves nothing of the product. So each time is judged without what
the kernel counts as waiting for a processor (the second number of `schedstat`, for each thread): of reading,
the wait of the asking thread and of the children; of the gap, the wait of the watcher and of the asking one.
Nothing of what is done is taken off: work, also that of a child that is ended, sleeping, and waiting for the
interpreter or for a lock all count, and so does a child's seconds of CPU by itself, where the wait could have
been counted twice. The times as the clock has them are printed beside, and nothing is hidden by an average.
"""

import random
import resource
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from soinbox_web.mail.mime.pool import pool
from soinbox_web.mail.mime.worker import CRASHED, NO_HTML, NO_MEETING, REASONS, open_guarded
from soinbox_web.store import bodies
from tests.mail.mime.bombs import BOMBS, LARGE, SIZES, everything, inside
from tests.mail.mime.corpora import CORPORA, html_strings, messages
from tests.trust.scheduling import Clock

MUTATIONS = 10_000
SEED = 11
P99_MS, MAX_SECONDS, MAX_MB, HELD_MS = 50, 2.0, 512, 50
SLOWEST = 10
_GIVEN_UP = {*REASONS.values(), CRASHED, NO_HTML, NO_MEETING}
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
    large = ((f"{name} {size}", BOMBS[name](size)) for size in LARGE for name in BOMBS)
    found.append(_figure("large ones", _each(large, every), 2 * len(BOMBS) // every))
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


@dataclass(frozen=True, order=True)
class _Taken:
    """Of one input: seconds as judged and by the clock, its child's CPU, the caller's gaps likewise."""

    seconds: float
    clock: float
    worked: float
    held: float
    gap: float
    what: str
    size: int


class _Watcher:
    """The largest gap between two moments of a thread that sleeps a millisecond at a time: as the clock has
    it, and without what this thread and the one that began it waited for a processor.
    """

    def __init__(self) -> None:
        self.largest = self.judged = 0.0
        self._asking = threading.get_native_id()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        clock = Clock([self._asking, threading.get_native_id()])
        while not self._ended.wait(0.001):
            passed = clock.lap()
            self.largest = max(self.largest, passed.seconds - 0.001)
            self.judged = max(self.judged, passed.judged - 0.001)


def _figure(
    name: str, given: Iterable[tuple[str, bytes]], goal: int, p99: int | None = None
) -> dict[str, Any]:
    """Open each; what it took, and for how long the watcher was held meanwhile."""
    taken: list[_Taken] = []
    before, too_much, raised = pool().ended.copy(), 0, 0
    open_guarded(b"")  # a child is there
    with _Watcher() as idle:
        time.sleep(1)
    for what, raw in given:
        packed = bodies.pack(raw)
        with _Watcher() as watcher:
            clock = Clock([threading.get_native_id()], [each.process.pid for each in pool().idle])
            try:
                shown = open_guarded(bodies.unpack(packed), "somebody").message
                too_much += not _GIVEN_UP.isdisjoint(shown.defects)
                raised += CRASHED in shown.defects
            except Exception as error:
                raised += 1
                print(f"    RAISED after {what}: {error!r}", flush=True)
            passed = clock.lap()
        seconds = max(passed.judged, passed.worked)
        taken.append(
            _Taken(seconds, passed.seconds, passed.worked, watcher.judged, watcher.largest, what, len(raw))
        )
    found = _tell(name, goal, p99, taken, too_much, raised, pool().ended - before)
    print(f"    nothing asked, the gap was {idle.largest * 1000:.0f} ms, judged {idle.judged * 1000:.0f} ms")
    return {**found, "idle_held_ms": round(idle.judged * 1000, 1)}


def _tell(
    name: str,
    goal: int,
    p99: int | None,
    taken: list[_Taken],
    too_much: int,
    raised: int,
    ended: Mapping[int | None, int],
) -> dict[str, Any]:
    taken.sort(reverse=True)
    p99_ms = taken[len(taken) // 100].seconds * 1000
    holder = max(taken, key=lambda each: each.held)
    pool().close()  # so that the memory of the children is known
    worked, clock = max(each.worked for each in taken), max(each.clock for each in taken)
    gap_ms = max(each.gap for each in taken) * 1000
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    slow = sum(1 for each in taken if each.seconds > MAX_SECONDS)
    met = (
        len(taken) >= goal
        and not raised
        and not slow
        and memory <= MAX_MB
        and holder.held * 1000 <= HELD_MS
        and (p99 is None or p99_ms <= p99)
    )
    print(
        f"T3 {name}: {len(taken)} read (goal >= {goal}), {raised} exceptions (goal 0), "
        f"{slow} over 2 s (goal 0); "
        f"p99 {p99_ms:.0f} ms ({f'goal <= {p99}' if p99 else 'no goal: each is made to be slow'}), "
        f"median {statistics.median(each.seconds for each in taken) * 1000:.1f} ms, "
        f"slowest {taken[0].seconds:.2f} s (by the clock {clock:.2f} s, most CPU {worked:.2f} s); "
        f"told as too much {too_much}, children ended {dict(ended)}; "
        f"children's memory {memory:.0f} MB (goal <= {MAX_MB}); "
        f"the caller held {holder.held * 1000:.0f} ms at most (goal <= {HELD_MS}), by {holder.what}; "
        f"by the clock {gap_ms:.0f} ms"
    )
    for each in taken[:SLOWEST]:
        times = f"{each.seconds * 1000:7.0f} ms  {each.clock * 1000:7.0f} by the clock"
        print(f"    {times}  {each.size:>9} bytes  {each.what}", flush=True)
    return {
        "figure": f"T3 {name}", "runs": len(taken), "wrong": raised + slow, "goal": goal, "met": met,
        "p99_ms": round(p99_ms, 1), "held_ms": round(holder.held * 1000, 1), "too_much": too_much,
        "slowest": {each.what: round(each.seconds, 3) for each in taken[:SLOWEST]},
        "slowest_by_the_clock": round(clock, 3),
        "most_cpu_seconds": round(worked, 2),
        "held_by_the_clock_ms": round(gap_ms, 1),
        "memory_mb": {f"reading {name}": [round(memory)]},
    }  # fmt: skip
