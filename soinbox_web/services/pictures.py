"""Pictures inside messages: a capability for one user and one picture, valid for ten minutes (trust.md 1).

The message's frame has an opaque origin and sends no cookie, so the URL itself carries the right.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from soinbox_web.mail.mime.worker import part_guarded
from soinbox_web.mail.net.network import Network
from soinbox_web.model.message import MessageKey, ParsedMessage
from soinbox_web.model.picture import picture_type
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, bodies, messages
from soinbox_web.store.vault import Vault

VALID = timedelta(minutes=10)
LARGEST = 5_000_000  # bytes of one remote picture
MOST = 100  # remote pictures a message
FETCH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes that begin like the type they are served as."""

    type: str
    content: bytes


def token(runtime: Runtime, user_id: int, key: MessageKey, *, part: int | None = None, url: str = "") -> str:
    """The capability for one part of a message, or for one remote picture that it shows."""
    expires = int((runtime.clock.now() + VALID).timestamp())
    claim = json.dumps([user_id, str(key), part, url, expires], separators=(",", ":")).encode()
    return f"{_text(claim)}.{_text(_mac(runtime, claim))}"


def rewriter(
    runtime: Runtime, user_id: int, key: MessageKey, message: ParsedMessage, base: str
) -> Callable[[str], str | None]:
    """Answers `base` + capability for each picture of a message that its HTML shows, None for others."""
    parts = {each.content_id: each.part for each in message.attachments if each.content_id}
    remote_urls: set[str] = set()

    def rewrite(url: str) -> str | None:
        if url[:4].lower() == "cid:":
            number = parts.get(unquote(url[4:]))
            return None if number is None else base + token(runtime, user_id, key, part=number)
        if url not in remote_urls and len(remote_urls) >= MOST:
            return None
        remote_urls.add(url)
        return base + token(runtime, user_id, key, url=url)

    return rewrite


def asked_for(runtime: Runtime, text: str) -> tuple[int, str] | None:
    """Whose capability this is and which host it makes us ask ("" for none); None when it does not hold."""
    try:
        user_id, _, _, url = _claim(runtime, text)
        return user_id, (urlsplit(url).hostname or "")[:253]
    except (AccessError, ValueError):
        return None


def open_token(runtime: Runtime, text: str) -> Picture:
    """The picture that a capability names; AccessError not_found when it is forged, old, or no picture."""
    user_id, key, part, url = _claim(runtime, text)
    with runtime.db.read() as connection:
        account = accounts.read(connection, key.account_id)
    if account.user_id != user_id:
        raise _missing()
    if part is None:
        return remote(runtime, url)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
        raw = bodies.get(connection, row["id"]) if row else None
    if raw is None:
        raise _missing()
    try:
        return _checked(part_guarded(raw, part, f"user {user_id}")[2])
    except KeyError as error:
        raise _missing() from error


def remote(runtime: Runtime, url: str) -> Picture:
    """A picture fetched by the server over https, without cookie or referrer; or why it cannot be."""
    if url.startswith("http://"):
        url = f"https://{url.removeprefix('http://')}"
    network = Network(runtime.settings, runtime.clock)
    status, content, _ = network.http_get(url, timeout=FETCH_SECONDS, max_bytes=LARGEST, purpose="picture")
    if status != 200:
        raise _missing()
    return _checked(content)


def _checked(content: bytes) -> Picture:
    kind = picture_type(content)
    if not kind:
        raise _missing()
    return Picture(kind, content)


def _claim(runtime: Runtime, text: str) -> tuple[int, MessageKey, int | None, str]:
    packed, _, signature = text.partition(".")
    try:
        claim, given = _bytes(packed), _bytes(signature)
    except (binascii.Error, ValueError) as error:
        raise _missing() from error
    if not hmac.compare_digest(given, _mac(runtime, claim)):
        raise _missing()
    user_id, key_text, part, url, expires = json.loads(claim)
    key = MessageKey.read(key_text)
    if key is None or datetime.fromtimestamp(expires, UTC) < runtime.clock.now():
        raise _missing()
    return user_id, key, part, url


def _mac(runtime: Runtime, claim: bytes) -> bytes:
    return hmac.digest(_secret(runtime.vault), claim, hashlib.sha256)


@lru_cache(maxsize=4)  # a message may show a thousand pictures
def _secret(vault: Vault) -> bytes:
    return vault.derive("picture capability")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _missing() -> AccessError:
    return AccessError(Problem("not_found"))
