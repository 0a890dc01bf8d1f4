"""T7: sending under faults of the server, killed at every step, clicked twice, and with smuggled ends."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.trust import (
    clicks,
    mailroom_killed,
    sending_faults,
    sending_planted,
    sending_scene,
    smuggling,
)
from tests.trust.faults import Verdict
from tests.trust.sending_faults import FAULTS, MOMENTS
from tests.trust.sending_scene import Scene
from tests.trust.telling import control, tell


def figures(every: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="trust-") as folder, sending_scene.scene(Path(folder)) as made:
        met = (sending_faults.met(made, fault, moment) for fault in FAULTS for moment in MOMENTS)
        kills, command = _kills(made, every), sending_faults.command_killed_at_every_step(made)
        ways = f"8 smuggled ends x {len(smuggling.WAYS)} ways"
        found = [
            tell(f"T7 {len(FAULTS)} SMTP faults at {len(MOMENTS)} moments", 36, met),
            tell("T7 those that can be killed, at each step", 1_000 // every, kills),
            tell("T7 `soinbox send`, killed at each step", 30, command),
            tell("T7 a mailroom that starts beside somebody", 60, _beside(made)),
            tell("T7 the running mailroom, killed again and again", 60, mailroom_killed.killed(made)),
            tell("T7 double clicks", 20, clicks.doubled(made)),
            tell(f"T7 {ways}", 32, smuggling.through_every_way(made)),
        ]
        caught = control("T7 planted bugs caught", _caught(made))
    total, wrong = (sum(figure[key] for figure in found) for key in ("runs", "wrong"))
    print(f"T7: {total} runs, {wrong} with anything doubled or silently lost (goal 0)")
    return [*found, caught]


def _kills(made: Scene, every: int) -> Iterator[Verdict]:
    for fault in FAULTS:
        for moment in MOMENTS if fault.killed else ():
            yield from sending_faults.killed_at_every_step(made, fault, moment, every)


def _beside(made: Scene) -> Iterator[Verdict]:
    for work, moment in sending_planted.BLIND.values():
        yield from sending_faults.beside_at_every_step(made, work, moment)


def _caught(made: Scene) -> dict[str, list[str]]:
    names = (*sending_planted.PLANTED, *sending_planted.BLIND)
    caught = {name: sending_planted.caught(made, name) for name in names}
    taken = smuggling.unguarded(made)
    more = [f"{sum(taken.values())} mails instead of {len(taken)}"] if min(taken.values()) > 1 else []
    return {**caught, "smuggling without a guard": more}
