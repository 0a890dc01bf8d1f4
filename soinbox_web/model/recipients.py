"""Recipients as a person types them: `Anna <anna@x.nl>, bram@y.nl; …`, each good or named as wrong."""

import re
from dataclasses import dataclass

from soinbox_web.model.address import read_address
from soinbox_web.model.message import Correspondent
from soinbox_web.problems import InputError

MOST = 500  # recipients of one field
LONGEST = 100_000  # characters of one field that are read
_PIECE = re.compile(r'(?:"(?:[^"\\]|\\.){0,300}"|<[^<>]*>|[^,;\r\n"<]|["<])+')


@dataclass(frozen=True, slots=True)
class Recipients:
    """What one field holds: people, and pieces that are no address; `beyond`: more than can be sent to."""

    people: tuple[Correspondent, ...]
    wrong: tuple[str, ...]
    beyond: bool = False


def read_recipients(text: str) -> Recipients:
    """Commas, semicolons and line ends separate; quotes may hold them. Line ends never reach a name."""
    people: dict[str, Correspondent] = {}
    wrong: list[str] = []
    beyond = len(text) > LONGEST
    for piece in (found.strip() for found in _PIECE.findall(text[:LONGEST])):
        if not piece:
            continue
        name, _, typed = piece.removesuffix(">").rpartition("<") if piece.endswith(">") else ("", "", piece)
        try:
            address = read_address(typed)
        except InputError:
            wrong.append(piece[:200])
            continue
        if not address.local.isascii():
            wrong.append(piece[:200])
        elif address.full.casefold() not in people and len(people) >= MOST:
            beyond = True
        else:
            people.setdefault(address.full.casefold(), Correspondent(_unquoted(name), address.full))
    return Recipients(tuple(people.values()), tuple(wrong), beyond)


def write_recipients(people: tuple[Correspondent, ...]) -> str:
    """People as they stand in a field."""
    return ", ".join(_written(each) for each in people)


def _written(person: Correspondent) -> str:
    if not person.name:
        return person.address
    name = person.name.replace("\\", "\\\\").replace('"', '\\"')
    plain = not re.search(r'[,;:<>"\\@()\[\]]', person.name)
    return f"{person.name if plain else chr(34) + name + chr(34)} <{person.address}>"


def _unquoted(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return "".join(letter for letter in name if letter.isprintable())[:200]
