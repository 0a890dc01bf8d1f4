"""Foreign bytes are read in processes that can be killed, from any thread, and nobody takes them all."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic

import psutil
import pytest

from soinbox_web.mail.mime import child, worker
from soinbox_web.mail.mime import pool as pools
from soinbox_web.mail.mime.child import Broken, Child, Slow
from soinbox_web.mail.mime.parse import parse, part_bytes
from soinbox_web.mail.mime.pool import HALF, Busy, Pool
from soinbox_web.mail.mime.worker import cards_guarded, open_guarded, part_guarded, texts_guarded
from soinbox_web.problems import InputError
from tests.mail.mime.bombs import BOMBS, long_invitation
from tests.mail.mime.corpora import own

NAMES = ("winmail", "raw-latin1", "base64-message", "invitation")


def shown(raw):
    """What the pages see of a message: all but its raw HTML and its calendar's text."""
    return replace(parse(raw), html=None, invitation=None)


def test_a_message_is_read_as_without_the_guard():
    for name in NAMES:
        assert open_guarded(own(name)).message == shown(own(name)), name


def test_from_many_threads_at_once():
    raws = [own(name) + b" " * number for number, name in enumerate(NAMES * 4)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(open_guarded, raws))
    assert [each.message for each in found] == [shown(raw) for raw in raws]


def test_pictures_are_put_in_place_of_their_stand_ins():
    page = (
        b'<img src="cid:a@b" alt="A"><img src="https://far.example/p.png"><img src="cid:gone">'
        b"<p style=\"background:url('https://far.example/q.png')\">x"
    )
    found = open_guarded(b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + page)
    assert found.remote == ("https://far.example/p.png", "https://far.example/q.png")
    html = found.shown({"cid:a@b": "/image/one", "https://far.example/p.png": "/image/two"}.get)
    assert html is not None and html.count("src=") == 2 and "far.example" not in html
    assert 'src="/image/one"' in html and 'src="/image/two"' in html and found.mark not in html


def test_a_calendar_that_took_11_seconds_is_read():
    """`;X=a,a` twelve times is 540 bytes; each further one took four times as long."""
    for times in (12, 24, 2_000):
        calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART" + ";X=a,a" * times
        calendar += ":20261201T090000Z\r\nSUMMARY:Overleg\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        raw = b"Subject: x\r\nContent-Type: text/calendar\r\n\r\n" + calendar.encode()
        found = open_guarded(raw)
        assert found.message.source_only or (found.invitation and found.invitation.summary == "Overleg")


def test_the_kernel_ends_a_child_that_takes_too_much_time(monkeypatch):
    monkeypatch.setattr(child, "WALL", 1_000)
    reader = Child()
    with pytest.raises(Broken) as broken:
        reader.ask("opened", BOMBS["styles"](1_000_000), None, 0.02)
    assert broken.value.code == -signal.SIGPROF
    reader.close()


def test_what_took_too_much_is_not_tried_again(monkeypatch):
    monkeypatch.setattr(child, "WALL", 1_000)  # by the kernel's clock, not by ours
    pool, raw = Pool(), BOMBS["styles"](1_000_000)
    with pytest.raises(Broken):
        pool.ask("opened", raw, seconds=0.02)
    with pytest.raises(Broken):
        pool.ask("opened", raw)  # though it would succeed now
    assert not pool.idle and not pool.held


def test_an_invitation_that_takes_too_much_is_left_out_alone(monkeypatch):
    monkeypatch.setattr(child, "WALL", 1_000)
    monkeypatch.setattr(pools, "SECONDS", 0.04)
    for _ in range(2):  # also of what is remembered
        found = open_guarded(long_invitation(1_900))
        assert not found.message.source_only and found.message.subject == "Overleg"
        assert found.message.text.strip() == "Hallo!" and found.invitation is None
        assert found.left_out and not found.again
        assert found.message.defects[-2:] == ("reading it took too much time", "its invitation is left out")


def test_of_what_took_too_much_the_header_came_first(monkeypatch):
    """No second child is begun for it: a bomb costs what one job may cost."""
    monkeypatch.setattr(child, "WALL", 1_000)
    monkeypatch.setattr(pools, "SECONDS", 0.1)
    begun = []
    monkeypatch.setattr(pools, "Child", lambda: begun.append(1) or Child())
    monkeypatch.setattr(pools, "_current", None)
    head = b"Content-Type: text/plain; format=flowed\r\nSubject: bomb\r\n\r\n"
    found = open_guarded(head + b"> a \n>> b \n" * 1_000_000)
    assert found.message.source_only and found.message.subject == "bomb"
    assert found.message.defects == ("reading it took too much time",) and len(begun) == 1


def test_a_crash_is_told_as_one():
    """Not as too much time or memory."""
    pool = Pool()
    with pytest.raises(Broken) as broken:
        pool.ask("no such job", b"x")
    assert worker.reason(broken.value) == "the reader broke down over it"
    assert worker.reason(Broken(child.NO_MEMORY)) == "reading it took too much memory"
    assert worker.reason(Slow()) == "too busy to read it now"


def test_a_stopped_child_is_replaced_and_leaves_nothing_behind():
    pool, me = Pool(), psutil.Process()
    pool.ask("opened", b"first")
    before = (me.num_fds(), len(me.children()))
    for number in range(3):
        os.kill(pool.idle[0].process.pid, signal.SIGSTOP)
        with pytest.raises(Broken):
            pool.ask("opened", b"stopped %d" % number, seconds=0.1)
        value = pool.ask("opened", b"Subject: after\r\n\r\n").value
        assert value["message"]["subject"] == "after"
    assert (me.num_fds(), len(me.children())) == before
    pool.close()
    assert len(me.children()) == before[1] - 1


def test_a_killed_child_is_replaced():
    pool = Pool()
    pool.ask("opened", b"first")
    gone = pool.idle[0].process
    gone.kill()
    gone.wait()
    value = pool.ask("opened", b"Subject: after\r\n\r\n").value
    assert value["message"]["subject"] == "after"
    pool.close()


def test_one_user_holds_at_most_half():
    """All that one person may hold is held; another's message is read at once."""
    pool = Pool()
    for _ in range(HALF):
        pool._take("greedy")
    value = pool.ask("opened", b"Subject: other\r\n\r\n", who="other").value
    assert value["message"]["subject"] == "other"
    pool.close()


def test_too_busy_is_said_and_not_remembered(monkeypatch):
    monkeypatch.setattr(pools, "WAIT", 0.05)
    pool = Pool()
    for _ in range(HALF):
        pool._take("one")
    with pytest.raises(Busy):
        pool.ask("opened", b"x", who="one")
    pool._give_back(None, "one")
    assert pool.ask("opened", b"x", who="one")
    pool.close()


def test_children_end_with_their_parent():
    parent = os.fork()
    if not parent:
        pools.pool().ask("opened", b"x")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    end = monotonic() + 30
    me = psutil.Process()
    while monotonic() < end and any(_reads(each) and _lost(each, me) for each in psutil.process_iter()):
        pass
    assert not any(_reads(each) and _lost(each, me) for each in psutil.process_iter())


def _reads(process):
    try:
        return "soinbox_web.mail.mime.child" in process.cmdline()
    except psutil.Error:
        return False


def _lost(process, me):
    """Its parent is gone, and it began with this test (others may run beside it)."""
    try:
        return process.ppid() == 1 and process.create_time() > me.create_time() and process.cwd() == me.cwd()
    except psutil.Error:
        return False


def test_memory_is_limited():
    head = b"Subject: bomb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    answer = open_guarded(head + b"x" * (300 * 1024 * 1024)).message
    assert answer.source_only
    assert answer.subject == "bomb"


def test_a_part_is_read_there_too():
    raw = own("invitation")
    (found,) = [each for each in parse(raw).attachments if each.type == "text/calendar"]
    assert part_guarded(raw, found.part) == part_bytes(raw, found.part)
    for missing in (999, -1):
        with pytest.raises(KeyError):
            part_guarded(raw, missing)


def test_of_many_texts_only_the_guilty_one_is_lost():
    bomb = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"x" * (300 * 1024 * 1024)
    found = texts_guarded([own("raw-latin1"), bomb, own("winmail")], 200_000)
    assert found[1] is None
    assert [found[0], found[2]] == [parse(own(name)).text for name in ("raw-latin1", "winmail")]


def test_a_file_of_cards_is_read_there_too():
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Eva Smit\r\nEMAIL" + ";X=a,a" * 40
    (card,) = cards_guarded(text + ":eva@zee.example\r\nEND:VCARD\r\n", "vcard")
    assert card.addresses == ("eva@zee.example",)
    with pytest.raises(InputError):
        cards_guarded("", "csv")
    with pytest.raises(InputError):
        cards_guarded("a" * 200_000 + "\n" + "b" * 200_000, "csv")


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_what_stops_the_product_loses_no_text(told: signal.Signals) -> None:
    """A service that stops, or Ctrl-C, tells every process: the text of a mail that is read then stays."""
    reader = Child()
    try:
        with ThreadPoolExecutor(1) as threads:
            reader.process.send_signal(signal.SIGSTOP)
            asked = threads.submit(reader.ask, "texts", b"Subject: x\r\n\r\nhello", [[19], 100], 10.0)
            reader.process.send_signal(told)
            reader.process.send_signal(signal.SIGCONT)
            asked.result()
    finally:
        reader.close()


def test_a_child_that_somebody_killed_says_nothing_of_the_mail() -> None:
    """Where memory is short the system kills whom it likes."""
    reader = Child()
    reader.process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(reader.ask, "opened", own("winmail"), None, 10.0)
        reader.process.kill()
        with pytest.raises(Slow):
            asked.result()
    reader.close()


def test_what_was_not_heard_of_in_time_is_asked_again(monkeypatch):
    """By the clock of a busy machine nothing is lost: neither a text nor a message."""
    pool = pools.pool()
    pool.ask("opened", b"x")
    for reader in pool.idle:
        os.kill(reader.process.pid, signal.SIGSTOP)
    monkeypatch.setattr(pools, "SECONDS", 0.05)
    with pytest.raises(Busy):
        texts_guarded([b"Subject: x\r\n\r\nlater"], 100)
    monkeypatch.undo()
    assert texts_guarded([b"Subject: x\r\n\r\nlater"], 100) == ["later"]


def test_a_card_that_takes_too_much_is_named_however_many_stand_before_it(monkeypatch):
    monkeypatch.setattr(child, "WALL", 1_000)
    monkeypatch.setattr(pools, "SECONDS", 0.5)
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Eva {0}\r\nEMAIL:eva{0}@zee.example\r\nEND:VCARD\r\n"
    bomb = "BEGIN:VCARD\r\n" + "NOTE;A=1:" * 10 + "a\r\n" * 3_000_000 + "END:VCARD\r\n"
    with pytest.raises(InputError) as refused:
        cards_guarded("".join(map(card.format, range(450))) + bomb + card.format(451), "vcard")
    assert refused.value.problem.facts["detail"] == "card 451: reading it took too much time"


@pytest.mark.parametrize("kind", ["vcard", "csv"])
def test_a_large_honest_file_has_time_for_each_of_its_cards(monkeypatch, kind):
    monkeypatch.setattr(child, "WALL", 1_000)
    monkeypatch.setattr(pools, "SECONDS", 0.15)  # of which the whole takes several
    everyone = range(20_000)
    if kind == "csv":
        text = "name,mail\n" + "".join(f'"Smit,\n Eva {n}",eva{n}@zee.example\n' for n in everyone)
    else:
        text = "".join(f"BEGIN:VCARD\nFN:Eva {n}\nEMAIL:eva{n}@zee.example\nEND:VCARD\n" for n in everyone)
    found = cards_guarded(text, kind)
    assert [each.addresses for each in found] == [(f"eva{n}@zee.example",) for n in everyone]
