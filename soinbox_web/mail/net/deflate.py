"""COMPRESS=DEFLATE (RFC 4978): both directions of a line, unpacked a piece at a time."""

import zlib
from collections.abc import Callable

PIECE = 65_536  # bytes unpacked at once, however small they were packed

_RAW = -15  # no header, a window of 32 kB


class BrokenDeflate(ConnectionError):
    """What came cannot be unpacked; the connection is of no further use."""


class Deflate:
    """`came` is what was already received, packed. Raises BrokenDeflate."""

    def __init__(self, came: bytes = b"") -> None:
        self._packer = zlib.compressobj(6, zlib.DEFLATED, _RAW)
        self._unpacker = zlib.decompressobj(_RAW)
        self._ahead = self._unpacked(came)

    @property
    def waiting(self) -> bool:
        """Something that came is unpacked already."""
        return bool(self._ahead)

    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def unpack(self, receive: Callable[[], bytes]) -> bytes:
        """The next piece; b"" at the end. Raises what `receive` raises, and BrokenDeflate."""
        piece = self._ahead
        while not piece:
            packed = receive()
            if not packed:
                return b""
            piece = self._unpacked(packed)
        self._ahead = self._unpacked(self._unpacker.unconsumed_tail)
        return piece

    def _unpacked(self, packed: bytes) -> bytes:
        try:
            piece = self._unpacker.decompress(packed, PIECE)
        except zlib.error as error:
            raise BrokenDeflate(str(error)) from error
        if self._unpacker.eof:
            raise BrokenDeflate("the packed data ended")
        return piece
