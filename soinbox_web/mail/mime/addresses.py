"""Address fields (RFC 5322 section 3.4) as people write them: read once from left to right, never raising."""

import re

from soinbox_web.mail.mime import caps, charset
from soinbox_web.mail.mime.headers import clean, decode_words, unquoted
from soinbox_web.model.message import Correspondent

_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)"?|<([^>]*)>?|([,;:])|([^\s"<>(),;:]+)|(\()|(\s+)|(.)', re.DOTALL | re.ASCII
)
_QUOTE_MARK = '"'
_BLANKS = re.compile(r"[ \t\r\n]+")
_COMMENT = re.compile(r"\([^()]*\)")
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)


def addresses(raw: bytes | str) -> tuple[Correspondent, ...]:
    """The correspondents of a From, To, Cc, Bcc, Sender or Reply-To field; group names are dropped."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogateescape")
    text = raw.decode("latin-1")  # a character a byte, so that encoded words meet their own bytes
    found: list[Correspondent] = []
    entry = _Entry()
    position = 0
    while position < len(text) and len(found) < caps.ADDRESSES:
        token = _TOKEN.match(text, position)
        if token is None:
            break
        position = token.end()
        quoted, angle, mark, atom, comment = token[1], token[2], token[3], token[4], token[5]
        if quoted is not None:
            entry.add(re.sub(r"\\(.)", r"\1", quoted), quoted=True)
        elif angle is not None:
            entry.angle = angle
        elif comment:
            end = _comment_end(text, position)
            entry.comment = entry.comment or text[position : end - 1]
            position = end
        elif mark == ":" and not entry.angle and not entry.has_at:
            entry = _Entry()
        elif mark == ":":
            entry.add(":")
        elif mark:
            entry.finish(found)
            entry = _Entry()
        elif atom:
            entry.add(atom)
        elif token[6]:
            entry.space = True
    entry.finish(found)
    return tuple(found)


def _comment_end(text: str, position: int) -> int:
    depth = 1
    for sign in _PARENTHESIS.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.end()
    return len(text) + 1


class _Entry:
    """One address in the making: words before `<`, what is inside it, and a comment."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.angle: str | None = None
        self.comment = ""
        self.space = False
        self.has_at = False

    def add(self, word: str, *, quoted: bool = False) -> None:
        if self.angle is not None:
            return
        if self.space and self.words:
            self.words.append(" ")
        self.space = False
        self.has_at = self.has_at or "@" in word
        self.words.append(f'"{word}"' if quoted and not self.words and "@" not in word else word)

    def finish(self, found: list[Correspondent]) -> None:
        phrase = "".join(self.words)
        if self.angle is not None:
            name, address = phrase, self.angle
            if "@" not in address and "@" in phrase:
                name, address = address, phrase
            if name and self.comment:
                name = f"{name.strip(_QUOTE_MARK)} ({self.comment})"
            self.append(found, name or self.comment, address)
            return
        if not phrase.startswith('"') and "@" in phrase:
            phrase = _BLANKS.sub(" ", phrase)  # one blank each, so that no run is gone through again
            joined = re.sub(r" ?([.@]) ?", r"\1", phrase)
            if " " in joined:  # "Ann Smith ann@example.org", or addresses with no comma between
                words = phrase.split(" ")
                addresses = [word for word in words if "@" in word]
                name = " ".join(word for word in words if "@" not in word)
                for address in addresses:
                    self.append(found, name if len(addresses) == 1 else "", address)
                return
            phrase = joined
        if "@" in phrase:
            self.append(found, self.comment, phrase)
        elif phrase:
            self.append(found, phrase, "")

    @staticmethod
    def append(found: list[Correspondent], name: str, address: str) -> None:
        shown = unquoted(decode_words(name.encode("latin-1")))
        address = _address(address)
        if shown == address:
            shown = ""
        if shown or address:
            found.append(Correspondent(shown, address))


def _address(text: str) -> str:
    """The bare address: no spaces, no route (`@a,@b:c@d`), no control characters."""
    text = clean(charset.decode(_COMMENT.sub("", text).encode("latin-1")))
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]
    if text.lower().startswith("mailto:"):
        text = text[7:]
    if not text.startswith('"'):
        text = text.replace(" ", "")
    return text[:320]
