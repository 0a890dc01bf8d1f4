"""One message as it is shown: parsed, its safe HTML, its parts; and whose pictures are shown unasked."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from soinbox_web.mail.mime.worker import open_guarded, part_guarded
from soinbox_web.model.message import ParsedMessage
from soinbox_web.model.opened import Opened
from soinbox_web.model.picture import picture_type
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import trusted_senders

BINARY = "application/octet-stream"
LATEST = 8  # messages that are not read again for the frame beside their page

_lock = threading.Lock()
_latest: OrderedDict[bytes, Opened] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment as it is served: `type` is octet-stream unless its bytes prove a harmless picture."""

    name: str
    type: str
    content: bytes


def opened(raw: bytes, user_id: int | None = None) -> Opened:
    """Everything that is shown of a message, read once under the caps; never raises."""
    known = sha256(raw).digest()
    with _lock:
        if known in _latest:
            _latest.move_to_end(known)
            return _latest[known]
    found = open_guarded(raw, f"user {user_id}" if user_id else "")
    if not found.message.source_only and not found.again:
        with _lock:
            _latest[known] = found
            while len(_latest) > LATEST:
                _latest.popitem(last=False)
    return found


def parsed(raw: bytes, user_id: int | None = None) -> ParsedMessage:
    """The message without its HTML; never raises."""
    return opened(raw, user_id).message


def part(raw: bytes, number: int, user_id: int | None = None) -> Part:
    """One attachment; AccessError not_found when there is no such part."""
    try:
        _, name, content = part_guarded(raw, number, f"user {user_id}" if user_id else "")
    except KeyError as error:
        raise AccessError(Problem("not_found")) from error
    return Part(name, picture_type(content) or BINARY, content)


def trusts(runtime: Runtime, user_id: int, address: str) -> bool:
    """The pictures of this sender are shown without asking."""
    with runtime.db.read() as connection:
        return trusted_senders.has(connection, user_id, address)


def trust(runtime: Runtime, user_id: int, address: str) -> None:
    """From now on show the pictures of this sender."""
    with runtime.db.write() as connection:
        trusted_senders.add(connection, user_id, address, runtime.clock.now())
