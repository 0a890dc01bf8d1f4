"""T11: forty spoofed messages are marked, and ordinary mail is not."""

from collections.abc import Iterable
from typing import Any

from soinbox_web.services.sender_check import marks
from tests.mail.mime.corpora import CORPORA, messages
from tests.trust.honest import HONEST
from tests.trust.spoofs import SPOOFS
from tests.trust.victims import KNOWN, OWN_SERVERS, Letter

MARKED = 36  # of the forty
ALARMS_IN = 500  # honest messages, one false alarm
NO_SPAM = {"cpython", "dovecotimaptest", "imaptools", "rubymail", "stalwart", "tbandroid", "webklex"}


def figures(every: int) -> list[dict[str, Any]]:
    found = {letter.name: _codes(letter) for letter in SPOOFS}
    for name, codes in found.items():
        print(f"    {'marked' if codes else 'MISSED'}: {name}{f' ({codes})' if codes else ''}")
    caught = sum(bool(codes) for codes in found.values())
    print(f"T11 spoofed messages: {caught} of {len(SPOOFS)} marked (goal >= {MARKED})", flush=True)
    spoofed = {
        "figure": "T11 spoofed messages marked", "runs": len(SPOOFS), "wrong": len(SPOOFS) - caught,
        "goal": f">= {MARKED} of 40", "met": caught >= MARKED, "marks": found,
    }  # fmt: skip
    corpora = [Letter(name, raw) for name, raw in messages() if name.partition("/")[0] in NO_SPAM]
    told = [spoofed, _honest("T11 ordinary mail of a team", HONEST[::every])]
    if CORPORA.is_dir():
        told.append(_honest("T11 odd messages of the corpora that are no spam", corpora[::every]))
    return told


def _codes(letter: Letter) -> str:
    return ", ".join(mark.code for mark in marks(letter.raw, own_servers=OWN_SERVERS, known=KNOWN))


def _honest(figure: str, letters: Iterable[Letter]) -> dict[str, Any]:
    found = {letter.name: _codes(letter) for letter in letters}
    alarms = {name: codes for name, codes in found.items() if codes}
    most = max(1, len(found) // ALARMS_IN)
    for name, codes in alarms.items():
        print(f"    false alarm: {name} ({codes})")
    print(f"{figure}: {len(alarms)} false alarms in {len(found)} (goal <= {most})", flush=True)
    return {
        "figure": figure, "runs": len(found), "wrong": len(alarms), "goal": f"<= 1 in {ALARMS_IN}",
        "met": len(alarms) <= most, "alarms": alarms,
    }  # fmt: skip
