"""Sealed secrets: AES-256-GCM under a key ring, bound to what they may be used for (trust.md section 3)."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from soinbox_web.problems import Problem, StoreError

Associated = Sequence[str | int]


class Vault:
    """Seals and opens secrets with a key ring of `kid:base64` lines; the last line seals, every line opens.

    A sealed text is `kid:base64(nonce + ciphertext)`; its associated data is a canonical JSON list, so that a
    secret opens only for the same user, account, side, host, port, login and security. A key that another
    process adds to the ring is taken in before it is needed; the keys that are held stay, whatever happens to
    the file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, _version(path)
        self._keys = _read_ring(path)
        self._kid = list(self._keys)[-1]

    @classmethod
    def open(cls, path: Path) -> "Vault":
        """The key ring at `path`, made (0400) when there is none; StoreError key_missing if unreadable."""
        if not path.exists():
            with _alone(path):
                if not path.exists():  # two processes that begin together have one ring
                    _write_ring(path, [_new_line()])
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> "Vault":
        """The key ring at `path`; nothing is made. StoreError key_missing when there is none."""
        return cls(path)

    @property
    def kid(self) -> str:
        """The key that seals now: the last one of the file, even of an older file that was put back."""
        return self._kid

    @property
    def kids(self) -> list[str]:
        """Every key that opens."""
        return list(self._keys)

    def seal(self, secret: str, associated: Associated) -> str:
        self._take_in()
        nonce = os.urandom(12)
        sealed = AESGCM(self._keys[self.kid]).encrypt(nonce, secret.encode(), _canonical(associated))
        return f"{self.kid}:{base64.b64encode(nonce + sealed).decode()}"

    def unseal(self, sealed: str, associated: Associated) -> str:
        """The secret; StoreError key_missing when the key is unknown or the associated data differ."""
        kid, _, text = sealed.partition(":")
        if kid not in self._keys:
            self._take_in()
        if kid not in self._keys:
            raise StoreError(Problem("key_missing", facts={"kid": kid}))
        raw = base64.b64decode(text)
        try:
            return AESGCM(self._keys[kid]).decrypt(raw[:12], raw[12:], _canonical(associated)).decode()
        except InvalidTag as error:
            raise StoreError(Problem("key_missing", facts={"kid": kid})) from error

    def _take_in(self) -> None:
        """What another process has added since."""
        version = _version(self._path)
        if version == self._seen:
            return
        with contextlib.suppress(StoreError):
            ring = _read_ring(self._path)
            self._keys, self._kid, self._seen = {**self._keys, **ring}, list(ring)[-1], version

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose from the ring's first key, which rotation keeps (HKDF, RFC 5869)."""
        first = next(iter(self._keys.values()))
        return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(first)

    def fingerprint(self, purpose: str, *parts: str) -> str:
        """A keyed hash: tells equal secrets from different ones without storing them."""
        mac = HMAC(self.derive(purpose), SHA256())
        mac.update(json.dumps(parts).encode())
        return mac.finalize().hex()


def rotate_ring(path: Path) -> None:
    """Add a key that seals from now on; a new file is written and renamed over the old one."""
    _read_ring(path)
    with _alone(path):
        _write_ring(path, [*path.read_text().split(), _new_line()])


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else makes or changes the ring meanwhile; its folder is locked, so no further file is left."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _version(path: Path) -> tuple[int, int] | None:
    """Tells one file at this path from the next."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _canonical(associated: Associated) -> bytes:
    return json.dumps(list(associated), ensure_ascii=True, separators=(",", ":")).encode()


def _new_line() -> str:
    return f"{secrets.token_hex(4)}:{base64.b64encode(AESGCM.generate_key(256)).decode()}"


def _read_ring(path: Path) -> dict[str, bytes]:
    try:
        keys = {
            kid: base64.b64decode(text, validate=True)
            for kid, _, text in (line.partition(":") for line in path.read_text().split())
        }
    except (OSError, ValueError) as error:
        raise StoreError(Problem("key_missing", facts={"kid": path.name})) from error
    if not keys or any(len(key) != 32 for key in keys.values()):
        raise StoreError(Problem("key_missing", facts={"kid": path.name}))
    return keys


def _write_ring(path: Path, lines: list[str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
