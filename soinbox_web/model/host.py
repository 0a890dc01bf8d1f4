"""The name of a server as a person types it."""

import re
import unicodedata

import idna

from soinbox_web.model.public_address import literal_address
from soinbox_web.problems import InputError, Problem

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def read_host(text: str) -> str:
    """The host in lower-case A-labels (RFC 5890), or an IP address; InputError host_invalid.

    White space, invisible characters and a final dot go; a scheme, a path, a port or a user is refused.
    """
    bare = _INVISIBLE.sub("", unicodedata.normalize("NFC", text[:1000])).strip().removesuffix(".")
    if ":" in bare and literal_address(bare) is not None:
        return str(literal_address(bare))
    try:
        name = bare.lower() if bare.isascii() else idna.encode(bare, uts46=True, std3_rules=True).decode()
    except UnicodeError as error:
        raise _invalid(bare) from error
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _invalid(bare)
    return name


def _invalid(text: str) -> InputError:
    return InputError(Problem("host_invalid", field="host", facts={"host": text[:100]}))
