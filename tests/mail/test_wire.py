"""The wire: lines and blocks come whole, and nothing lasts longer or grows bigger than allowed."""

import socket
import threading
import time

import pytest

from soinbox_web.mail.net.wire import Overflow, Wire


def test_lines_and_blocks_across_packets(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    sent = b"one\r\ntwo {70000}\r\n" + b"x" * 70_000 + b"three\nfour"
    threading.Thread(target=lambda: (theirs.sendall(sent), theirs.shutdown(socket.SHUT_WR))).start()
    assert wire.line(100) == b"one\r\n"
    assert wire.line(100) == b"two {70000}\r\n"
    assert wire.block(70_000) == b"x" * 70_000
    assert wire.line(100) == b"three\n"
    assert wire.line(100) == b"four"
    assert wire.line(100) == b""
    assert wire.block(5) == b""


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_beyond_its_limit(ends: tuple[Wire, socket.socket], end: bytes) -> None:
    wire, theirs = ends
    threading.Thread(target=theirs.sendall, args=(b"x" * 200_000 + end,), daemon=True).start()
    with pytest.raises(Overflow):
        wire.line(1000)


def test_a_block_that_is_promised_and_never_comes_costs_no_memory(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    theirs.sendall(b"abc")
    theirs.close()
    assert wire.block(4_000_000_000) == b"abc"


def test_a_drip_ends_at_the_deadline(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    wire.allow(0.3)
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.line(1_000_000)
    assert time.monotonic() - begin < 0.6
    stop.set()
    dripping.join()


def test_a_reader_that_does_not_wait_loses_nothing(ends: tuple[Wire, socket.socket]) -> None:
    """imap-tools polls IDLE on a non-blocking socket."""
    wire, theirs = ends
    wire.sock.settimeout(0)
    theirs.sendall(b"* 1 EX")
    with pytest.raises(BlockingIOError):
        wire.line(100)
    theirs.sendall(b"ISTS\r\n")
    assert wire.line(100) == b"* 1 EXISTS\r\n"


def test_readable(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    assert not wire.readable(0.01)
    theirs.sendall(b"a\nb\n")
    assert wire.readable(1.0)
    assert wire.line(10) == b"a\n"
    assert wire.readable(0.0) and wire.buffered == 2


def test_hanging_up_wakes_the_reader(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    found: list[object] = []

    def read() -> None:
        try:
            found.append(wire.line(10))
        except OSError as error:
            found.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.05)
    wire.close()
    reader.join(1.0)
    assert not reader.is_alive() and found
