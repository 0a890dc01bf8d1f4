"""DEFLATE on a line: what was packed comes out the same, in pieces, and what is broken ends it."""

import random
import socket
import zlib
from collections.abc import Callable

import pytest

from soinbox_web.mail.net.deflate import PIECE, BrokenDeflate, Deflate
from soinbox_web.mail.net.wire import Wire


def packed(*blocks: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH) for block in blocks)


def receiving(data: bytes, size: int) -> Callable[[], bytes]:
    parts = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda: next(parts, b"")


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE])
def test_what_was_packed_comes_out_in_pieces(size: int, length: int) -> None:
    content = random.Random(length).randbytes(length // 2).hex().encode()[:length]
    line, receive = Deflate(), receiving(packed(content, b"* the end\r\n"), size)
    pieces = list(iter(lambda: line.unpack(receive), b""))
    assert b"".join(pieces) == content + b"* the end\r\n"
    assert max(map(len, pieces)) <= PIECE


def test_a_bomb_is_unpacked_no_further_than_it_is_read() -> None:
    bomb = packed(bytes(50_000_000))
    assert len(bomb) < 100_000
    line, receive = Deflate(), receiving(bomb, 1_000_000)
    assert len(line.unpack(receive)) == PIECE and line.waiting


def test_what_came_with_the_consent_is_not_lost() -> None:
    line = Deflate(packed(b"early"))
    assert line.waiting and line.unpack(lambda: b"") == b"early" and not line.waiting


def test_both_directions_understand_each_other() -> None:
    one, other = Deflate(), Deflate()
    for text in (b"a1 NOOP\r\n", b"a2 UID FETCH 1:* (FLAGS)\r\n" * 50):
        assert other.unpack(receiving(one.pack(text), 10_000)) == text


def test_lines_blocks_and_what_poll_cannot_see(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    theirs.sendall(b"* OK clear\r\n" + packed(b"* first\r\n* second\r\n0123456789"))
    assert wire.line(100) == b"* OK clear\r\n"
    wire.compress()
    assert wire.readable(0) and wire.line(100) == b"* first\r\n"
    assert wire.waiting and wire.line(100) == b"* second\r\n" and wire.block(10) == b"0123456789"
    assert not wire.waiting and not wire.readable(0)
    wire.send(b"a1 NOOP\r\n")
    assert zlib.decompressobj(-15).decompress(theirs.recv(1000)) == b"a1 NOOP\r\n"


@pytest.mark.parametrize("nonsense", [b"* OK not packed at all\r\n", b"\xff" * 50, zlib.compress(b"x")[2:]])
def test_what_is_broken_or_ends_is_said(ends: tuple[Wire, socket.socket], nonsense: bytes) -> None:
    wire, theirs = ends
    wire.compress()
    theirs.sendall(nonsense)
    theirs.close()
    with pytest.raises(BrokenDeflate):
        wire.line(100)


def test_a_line_cut_within_the_packed_bytes_is_an_end(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    wire.compress()
    theirs.sendall(packed(b"* half a line")[:-6])
    theirs.close()
    assert not wire.line(100).endswith(b"\n")
