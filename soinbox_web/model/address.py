"""E-mail addresses: read what a person typed or pasted, and notice a mistyped big domain."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

import idna
from email_validator import EmailNotValidError
from email_validator.syntax import validate_email_local_part

from soinbox_web.problems import InputError, Problem

MAX_TYPED = 1000  # characters looked at
MAX_SHOWN = 80  # characters of a wrong address that are quoted
MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
MAX_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets

# Zero-width, soft hyphen and direction marks that come along when an address is copied.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SPACES = "".join(map(chr, (0x20, 0x09, 0x0A, 0x0D, 0xA0, 0x2007, 0x202F, 0x3000)))

BIG_DOMAINS = (
    "gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "live.com", "msn.com", "yahoo.com",
    "ymail.com", "aol.com", "icloud.com", "me.com", "gmx.net", "gmx.de", "gmx.com", "web.de",
    "t-online.de", "freenet.de", "mail.com", "hotmail.nl", "live.nl", "outlook.nl", "ziggo.nl",
    "kpnmail.nl", "planet.nl", "xs4all.nl", "home.nl", "hotmail.fr", "yahoo.fr", "orange.fr",
    "laposte.net", "hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "telenet.be", "skynet.be",
    "proximus.be", "libero.it", "yandex.com", "mail.ru", "protonmail.com", "proton.me", "fastmail.com",
    "zoho.com", "comcast.net", "superoffice.com",
)  # fmt: skip
# Real domains that lie within two edits of a big one.
_REAL_NEIGHBOURS = frozenset({
    "email.com", "rocketmail.com", "gmx.at", "gmx.ch", "gmx.eu", "gmx.fr", "gmx.us", "gmx.org", "mac.com",
    "live.be", "live.fr", "live.it", "live.de", "live.ca", "live.se", "live.dk", "live.no", "live.cn",
    "outlook.de", "outlook.fr", "outlook.be", "outlook.it", "outlook.es", "outlook.dk", "outlook.at",
    "outlook.jp", "outlook.ie", "hotmail.de", "hotmail.be", "hotmail.it", "hotmail.es", "hotmail.se",
    "hotmail.dk", "hotmail.no", "hotmail.ca", "hotmail.ch", "yahoo.de", "yahoo.it", "yahoo.es", "yahoo.ca",
    "yahoo.in", "yahoo.se", "yahoo.be", "yahoo.nl", "yahoo.no", "yahoo.dk", "yahoo.at", "yahoo.ch",
    "zoho.eu", "zoho.in", "zoho.jp", "yandex.ru", "yandex.by", "yandex.ua", "yandex.kz", "ya.ru",
    "mail.de", "fmail.com", "zmail.com", "home.pl", "proton.ch", "pm.me", "planet.de", "kpn.nl",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be right: `local` as typed, `domain` in lower-case A-labels (RFC 5890)."""

    local: str
    domain: str

    @property
    def full(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def domain_unicode(self) -> str:
        """The domain as people read it."""
        return idna.decode(self.domain)

    def __str__(self) -> str:
        return self.full


def read_address(text: str) -> Address:
    """The address in a typed or pasted text; raises InputError `address_invalid`.

    Takes away white space, invisible characters, `mailto:` and a display name; the domain follows IDNA 2008
    without the transitional mapping; nothing is looked up.
    """
    if len(text) > MAX_TYPED or "\0" in text:
        raise _invalid(text, "length" if len(text) > MAX_TYPED else "NUL")
    bare = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).strip(_SPACES)
    if bare[:7].lower() == "mailto:":
        bare = unquote(bare[7:].partition("?")[0])
    if bare.endswith(">") and "<" in bare:
        bare = bare[bare.rindex("<") + 1 : -1]
    bare = bare.strip(_SPACES)
    local, at, domain = bare.rpartition("@")
    if not at:
        raise _invalid(text, "no @")
    try:
        domain = idna.encode(
            domain.removesuffix("."), uts46=True, std3_rules=True, transitional=False
        ).decode()
        local = str(validate_email_local_part(local)["local_part"])
    except (idna.IDNAError, EmailNotValidError, UnicodeError) as error:
        raise _invalid(text, str(error)) from error
    address = Address(local, domain.lower())
    if "." not in domain or domain.rpartition(".")[2].isdigit():
        raise _invalid(text, "no top-level domain")
    if len(local.encode()) > MAX_LOCAL_OCTETS or len(address.full.encode()) > MAX_OCTETS:
        raise _invalid(text, "length")
    return address


def suggestion(domain: str) -> str | None:
    """The big domain that `domain` (A-labels) looks like a slip of; None when it is one, or is like none.

    At most two edits (insert, delete, replace, swap of neighbours); one for names as short as `aol.com`.
    """
    domain = domain.lower()
    if domain in BIG_DOMAINS or domain in _REAL_NEIGHBOURS:
        return None
    distances = ((edits(domain, big), big) for big in BIG_DOMAINS if abs(len(domain) - len(big)) <= 2)
    near = [(edits, big) for edits, big in distances if edits <= (2 if len(big) > 8 else 1)]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def edits(one: str, other: str) -> int:
    """Optimal string alignment distance."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row = row, [i]
        for j, b in enumerate(other, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]


def _invalid(typed: str, reason: str) -> InputError:
    shown = "".join(c for c in typed[:MAX_SHOWN] if c.isprintable()) + ("…" if len(typed) > MAX_SHOWN else "")
    facts = {"address": shown, "reason": reason}
    return InputError(Problem("address_invalid", side="detection", field="address", facts=facts))
