"""One message as it is shown: parsed, its safe HTML, its parts; and whose pictures are shown unasked."""

from collections.abc import Callable
from dataclasses import dataclass

from soinbox_web.mail.mime.invitation import invitation
from soinbox_web.mail.mime.sanitize import safe_html
from soinbox_web.mail.mime.worker import parse_guarded, part_guarded
from soinbox_web.model.invitation import Invitation
from soinbox_web.model.message import ParsedMessage, SafeHtml
from soinbox_web.model.picture import picture_type
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import trusted_senders

BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment as it is served: `type` is octet-stream unless its bytes prove a harmless picture."""

    name: str
    type: str
    content: bytes


def parsed(raw: bytes) -> ParsedMessage:
    """The message read under the caps; never raises."""
    return parse_guarded(raw)


def safe(
    message: ParsedMessage, *, allow_remote: bool, rewrite: Callable[[str], str | None] | None = None
) -> SafeHtml | None:
    """Its HTML behind the sanitiser; None without any, or beyond the caps: then the text is shown."""
    if not message.html or message.source_only:
        return None
    return safe_html(message.html, allow_remote=allow_remote, rewrite_image=rewrite)


def meeting(message: ParsedMessage) -> Invitation | None:
    """The meeting it invites to; None without any, or when that cannot be read."""
    return invitation(message.invitation) if message.invitation else None


def part(raw: bytes, number: int) -> Part:
    """One attachment; AccessError not_found when there is no such part."""
    try:
        _, name, content = part_guarded(raw, number)
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
