"""The control of sending: bugs planted on purpose, each of which the runs have to catch."""

from collections.abc import Iterable, Iterator
from typing import Any

from soinbox_web.store.database import Database
from tests.trust import sending_faults as faults
from tests.trust.faults import Verdict
from tests.trust.planted import Rows, bent
from tests.trust.sending_scene import Moment, Scene, command, push

EVERY = 3  # steps; each bug shows at several
_PHASE = "UPDATE outbox SET phase"
_MOVE = "UPDATE outbox SET state = ?, phase = 'answered'"


def _phase_comes_late(sql: str, rows: Rows) -> Rows:
    if sql.startswith(_PHASE) and rows[0][0] == "dot":
        return [("connected", *_said(rows[0][1:], "uncertain", "waiting"))]
    return rows


def _uncertain_is_tried_again(sql: str, rows: Rows) -> Rows:
    if sql.startswith(_MOVE) and rows[0][0] == "uncertain":
        return [("held", *_said(rows[0][1:], "uncertain", "waiting"))]
    return rows


def _refusal_is_not_noted(sql: str, rows: Rows) -> Rows:
    if sql.startswith(_PHASE):
        return [_said(_said(rows[0], "refused", "uncertain"), "delayed", "uncertain")]
    return rows


def _dead_are_forgotten(sql: str, rows: Rows) -> Rows:
    return [] if sql.startswith("UPDATE outbox SET state = 'held'") and "claimed_by = NULL" in sql else rows


def _refused_is_sent(sql: str, rows: Rows) -> Rows:
    if sql.startswith(_MOVE) and rows[0][0] == "failed":
        return [("sent", *_said(rows[0][1:], "not_sent", "sent"))]
    return rows


def _said(values: Iterable[Any], state: str, instead: str) -> tuple[Any, ...]:
    """The values, with another state of recipients."""
    return tuple(v.replace(f'"{state}"', f'"{instead}"') if isinstance(v, str) else v for v in values)


def _no_copy(sql: str, rows: Rows) -> Rows:
    return [] if sql.startswith("INSERT INTO actions") else rows


PLANTED: dict[str, tuple[type[Database], str]] = {
    "the dot is sent before it is noted": (bent(_phase_comes_late), "no fault"),
    "an uncertain mail is tried again": (bent(_uncertain_is_tried_again), "cut at the dot, queued"),
    "a refusal is not noted before the dot": (
        bent(_refusal_is_not_noted),
        "the same, the provider files a copy",
    ),
    "what a dead sender left is forgotten": (bent(_dead_are_forgotten), "no fault"),
    "a refused mail is told to be sent": (bent(_refused_is_sent), "554 after the dot"),
    "the copy in Sent is forgotten": (bent(_no_copy), "no fault"),
}
BLIND: dict[str, tuple[faults.Work, Moment]] = {
    "a mailroom that starts does not see who sends": (command, "first"),
    "a mailroom that starts does not see who files the copy": (push, "copy"),
}


def caught(scene: Scene, name: str) -> list[str]:
    """What the verifier says of the work with this bug, at the first run that shows it."""
    blind = BLIND.get(name)
    runs = faults.beside_at_every_step(scene, *blind, EVERY, blind=True) if blind else _runs(scene, name)
    return next((verdict.wrong for verdict in runs if verdict.wrong), [])


def _runs(scene: Scene, name: str) -> Iterator[Verdict]:
    database, met = PLANTED[name]
    (fault,) = (each for each in faults.FAULTS if each.name == met)
    yield faults.met(scene, fault, "first", database)
    yield from faults.killed_at_every_step(scene, fault, "first", EVERY, database)
