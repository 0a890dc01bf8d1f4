"""IDLE (RFC 2177): the server speaks up when something happens in the folder that is open.

With NOTIFY (RFC 5465) it speaks of all other folders as well; what that gains is in docs/adr/0008.
"""

from soinbox_web.mail.imap import folders
from soinbox_web.mail.imap.client import ImapClient
from soinbox_web.mail.imap.commands import (
    Answer,
    CommandRefused,
    Passed,
    Tally,
    begin,
    next_line,
    refuse_end,
    run,
    stream,
    translated,
    with_literals,
)
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.folder_answers import told_of

RENEWED = 9 * 60.0  # seconds; servers may hang up after 30 minutes, routers forget after 10
ALIVE = 30.0  # seconds in which IDLE, DONE or NOOP must be answered
_EVENTS = "MessageNew MessageExpunge FlagChange"


def offered(connection: ImapConnection) -> bool:
    return "IDLE" in connection.capabilities


def hears_all(connection: ImapConnection) -> bool:
    """The server tells of every folder, not only of the one that is open."""
    return offered(connection) and "NOTIFY" in connection.capabilities


def check(connection: ImapConnection) -> None:
    """NOOP; a connection that does not answer within 30 s is dead. Raises SoinboxError."""
    with connection.client.within(ALIVE):
        run(connection, "NOOP")


class Idle:
    """One IDLE command: `begin`, then `hear` whenever the connection is readable, then `end`.

    `begin` and `end` wait for the server's answer (at most 30 s); `hear` takes what is there. Each is True
    when something happened in the folder. `elsewhere` is what the server said of other folders: their counts
    by name (as `wire`), none for a folder that is new or gone. Raises SoinboxError.
    """

    def __init__(self, connection: ImapConnection) -> None:
        self.elsewhere: dict[str, dict[str, int]] = {}
        self._connection = connection
        self._client = connection.client
        self._everywhere = hears_all(connection)
        self._tag = b""

    def fileno(self) -> int:
        return self._client.wire.sock.fileno()

    @property
    def waiting(self) -> bool:
        """Something was already read from the socket and waits in a buffer, where poll cannot see it."""
        return self._client.wire.waiting

    def begin(self) -> bool:
        changed = self._ask_for_all() if self._everywhere else False
        with translated(self._connection):
            self._tag = begin(self._client, "IDLE")
            self._client.wire.allow(ALIVE)
            return self._until(b"+", self._tag) or changed

    def hear(self) -> bool:
        changed = False
        with translated(self._connection):
            while self._client.wire.readable(0):
                self._client.wire.allow(ALIVE)
                changed = self._take(self._whole(next_line(self._client))) or changed
        return changed

    def end(self) -> bool:
        with translated(self._connection):
            self._client.wire.allow(ALIVE)
            self._client.send(b"DONE\r\n")
            quiet = begin(self._client, "NOTIFY", "NONE") if self._everywhere else b""
            changed = self._until(self._tag + b" OK", self._tag)
            if quiet:  # nothing of it may come amidst other commands
                changed = self._until(quiet + b" OK", quiet) or changed
            return changed

    def _ask_for_all(self) -> bool:
        """From now on the server tells of every folder, and at once how each is."""
        here, others = f"(SELECTED-DELAYED ({_EVENTS}))", f"(PERSONAL ({_EVENTS} MailboxName))"
        changed = False
        try:
            asked = ("NOTIFY", "SET", "STATUS", here, others)
            for answer in stream(self._connection, *asked, passed=Tally()):
                changed = self._take(answer) or changed
        except CommandRefused:
            self._everywhere = False
        return changed

    def _whole(self, line: bytes | Passed) -> Answer | Passed:
        """The answer that begins with this line; names of folders may come as literals."""
        if isinstance(line, Passed):
            return line
        refuse_end(line)
        return with_literals(self._client, line[2:])

    def _take(self, answer: Answer | Passed) -> bool:
        """News of the folder that is open; what is said of others is noted."""
        if isinstance(answer, Passed):
            return _matters(answer.head)
        known = len(self.elsewhere) < folders.MOST_FOLDERS
        if self._everywhere and known and answer[0][:5].upper() in (b"STATU", b"LIST "):
            self.elsewhere.update(told_of(answer))
        return _matters(answer[0])

    def _until(self, last: bytes, tag: bytes) -> bool:
        """Read up to the line that begins with `last`; whatever else ends the command `tag` is an error."""
        changed = False
        while isinstance(line := next_line(self._client), Passed) or not line.startswith(last):
            if isinstance(line, bytes) and line.startswith(tag + b" "):
                raise ImapClient.abort(line.decode("latin-1").strip())
            changed = self._take(self._whole(line)) or changed
        return changed


_NEWS = (b"EXISTS", b"EXPUNGE", b"FETCH")


def _matters(text: bytes) -> bool:
    """EXISTS, EXPUNGE, VANISHED and FETCH are news; `OK Still here` and RECENT are not."""
    words = text.upper().split(None, 2)
    return words[:1] == [b"VANISHED"] or (len(words) > 1 and words[1] in _NEWS)
