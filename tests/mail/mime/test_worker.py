"""Large messages are read in a process that can be killed, from any thread."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from soinbox_web.mail.mime import worker
from soinbox_web.mail.mime.parse import parse, part_bytes
from soinbox_web.mail.mime.worker import SMALL, parse_guarded, part_guarded
from tests.mail.mime.corpora import own


def _large(name):
    return (
        own(name).replace(b"Tekst", b"Tekst " * SMALL) if b"Tekst" in own(name) else own(name) + b" " * SMALL
    )


def test_a_large_message_is_read_as_a_small_one():
    raw = _large("winmail")
    assert len(raw) > SMALL
    assert parse_guarded(raw) == parse(raw)


def test_from_many_threads_at_once():
    raws = [_large(name) for name in ("winmail", "raw-latin1", "base64-message", "invitation")] * 4
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(parse_guarded, raws)) == [parse(raw) for raw in raws]


def test_a_killed_worker_gives_the_source_and_is_replaced():
    raw = _large("no-date-sender-subject")
    parse_guarded(raw)
    pool = worker._pool()
    children = [pool.idle.get(), pool.idle.get()]
    running = next(child for child in children if child is not None)
    for child in reversed(children):
        pool.idle.put(child)
    os.kill(running.process.pid, signal.SIGSTOP)
    seconds, worker.SECONDS = worker.SECONDS, 0.5
    try:
        answers = [parse_guarded(raw) for _ in range(3)]
    finally:
        worker.SECONDS = seconds
    assert [answer.source_only for answer in answers].count(True) == 1
    assert parse_guarded(raw) == parse(raw)


def test_memory_is_limited():
    bomb = b"Subject: bomb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"x" * (
        300 * 1024 * 1024
    )
    answer = parse_guarded(bomb)
    assert answer.source_only
    assert answer.subject == "bomb"


def test_a_part_of_a_large_message_is_read_there_too():
    raw = _large("invitation")
    (found,) = [each for each in parse(raw).attachments if each.type == "text/calendar"]
    assert part_guarded(raw, found.part) == part_bytes(raw, found.part)
    for missing in (999, -1):
        with pytest.raises(KeyError):
            part_guarded(raw, missing)
