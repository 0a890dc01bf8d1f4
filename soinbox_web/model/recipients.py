"""Recipients as a person types them: `Anna <anna@x.nl>, bram@y.nl; …`, each good or named as wrong."""

import re
from dataclasses import dataclass

from soinbox_web.model.address import read_address
from soinbox_web.model.message import Correspondent
from soinbox_web.problems import InputError, Problem

MOST = 500  # recipients of one field
LONGEST = 100_000  # characters of one field
_PIECE = re.compile(r'(?:"(?:[^"\\]|\\.){0,300}"|<[^<>]*>|[^,;\r\n"<]|["<])+')


@dataclass(frozen=True, slots=True)
class Recipients:
    """What one field holds: the people, the pieces that are no address, and the first that does not fit."""

    people: tuple[Correspondent, ...]
    wrong: tuple[str, ...] = ()
    beyond: str = ""
    length: int = 0  # of a field that is too long to be read

    def objection(self) -> Problem | None:
        """Why nothing can be sent to this field; None when all of it is understood."""
        if self.length:
            return Problem("field_too_long", facts={"size": str(self.length), "limit": str(LONGEST)})
        if self.wrong:
            return Problem("recipient_invalid", facts={"typed": ", ".join(self.wrong[:3])})
        if self.beyond:
            return Problem("recipients_too_many", facts={"recipient": self.beyond, "limit": str(MOST)})
        return None


def read_recipients(text: str) -> Recipients:
    """Commas, semicolons and line ends separate; quotes may hold them. Line ends never reach a name."""
    if len(text) > LONGEST:
        return Recipients((), length=len(text))
    people: dict[str, Correspondent] = {}
    wrong: list[str] = []
    beyond = ""
    for piece in (found.strip() for found in _PIECE.findall(text)):
        if not piece:
            continue
        name, _, typed = piece.removesuffix(">").rpartition("<") if piece.endswith(">") else ("", "", piece)
        try:
            address = read_address(typed)
        except InputError:
            wrong.append(piece[:200])
            continue
        key = address.full.casefold()
        if not address.local.isascii():
            wrong.append(piece[:200])
        elif len(people) < MOST:
            people.setdefault(key, Correspondent(_unquoted(name), address.full))
        elif key not in people:
            beyond = beyond or address.full
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
