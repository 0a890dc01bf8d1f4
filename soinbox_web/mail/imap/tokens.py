"""The careful reading of an IMAP answer: lists, strings, literals and atoms (RFC 9051 section 9)."""

import re
from typing import Any

from soinbox_web.mail.imap.commands import Answer

DEEPEST = 100
MOST = 200_000

_TOKEN = re.compile(rb'[ \t]*(?:([()])|"((?:[^"\\]|\\.)*)"|((?:[^\s()"\[]|\[[^\]]*\])+)|(.))', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)

Token = Any  # a list, bytes (a string), str (an atom), or None (NIL)


def unescape(text: bytes) -> bytes:
    return _ESCAPE.sub(rb"\1", text) if b"\\" in text else text


def tokens(answer: Answer) -> list[Token]:
    """The answer as nested lists; ValueError when it is not well formed, too deep or too long."""
    top: list[Token] = []
    stack = [top]
    count = 0
    for place, segment in enumerate(answer):
        if place % 2:
            stack[-1].append(segment)
            continue
        position, end = 0, len(segment)
        while position < end:
            found = _TOKEN.match(segment, position)
            if found is None:
                break
            position = found.end()
            bracket, text, atom, odd = found.groups()
            count += 1
            if count > MOST or len(stack) > DEEPEST:
                raise ValueError("too many parts")
            if bracket == b"(":
                inner: list[Token] = []
                stack[-1].append(inner)
                stack.append(inner)
            elif bracket:
                if len(stack) == 1:
                    raise ValueError("a bracket too many")
                stack.pop()
            elif text is not None:
                stack[-1].append(unescape(text))
            elif atom is not None:
                stack[-1].append(None if atom.upper() == b"NIL" else atom.decode("latin-1"))
            elif odd.strip():
                raise ValueError(f"unexpected {odd!r}")
    if len(stack) != 1:
        raise ValueError("a bracket is missing")
    return top


def pairs(items: list[Token]) -> dict[str, Token]:
    """`[name, value, name, value, …]` as a dictionary with names in capitals."""
    return {str(items[i]).upper(): items[i + 1] for i in range(0, len(items) - 1, 2)}
