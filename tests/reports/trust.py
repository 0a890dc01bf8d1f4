"""`make trust`: the faults a mailbox may meet, how often each was met, and what was lost or doubled by it.

Figures T6 (synchronising) and T7 (sending). `--only t6` and `--only t7` show one of them; `--every N` takes
each N-th fault of the line and each N-th step; `--json FILE` writes the figures as well. Ends by itself.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.servers.dovecot import PROGRAM
from tests.trust import (
    clicks,
    faults,
    mailroom_killed,
    planted,
    sending_faults,
    sending_planted,
    sending_scene,
    smuggling,
)
from tests.trust.faults import Verdict
from tests.trust.scene import Scene, scene


def main() -> int:
    parser = argparse.ArgumentParser(prog="trust", description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", choices=("t6", "t7"), default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if PROGRAM is None:
        print("Dovecot is not installed: nothing can be shown.", file=sys.stderr)
        return 1
    figures: list[dict[str, Any]] = []
    if options.only != "t7":
        with tempfile.TemporaryDirectory(prefix="trust-") as folder, scene(Path(folder)) as made:
            figures += _synchronising(made, options.every)
    if options.only != "t6":
        with tempfile.TemporaryDirectory(prefix="trust-") as folder:
            figures += _sending(Path(folder), options.every)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if all(figure["met"] for figure in figures) else 1


def _synchronising(made: Scene, every: int) -> list[dict[str, Any]]:
    line = list(faults.line_faults())[::every]
    found = [
        _tell("faults on the line", 100, (faults.on_the_line(made, *each) for each in line)),
        _tell("faults of the machine, of time and of others", 10, faults.of_the_machine(made)),
        _tell("killed at each step", 200, faults.killed_at_every_step(made, every)),
    ]
    control = _control({name: planted.caught(made, name) for name in planted.PLANTED})
    total, wrong = (sum(figure[key] for figure in found) for key in ("runs", "wrong"))
    print(f"T6: {total} runs (goal >= 300), {wrong} with anything lost, doubled or damaged (goal 0)")
    return [*found, control]


def _sending(folder: Path, every: int) -> list[dict[str, Any]]:
    with sending_scene.scene(folder) as made:
        moments = sending_faults.MOMENTS
        killed = [fault for fault in sending_faults.FAULTS if fault.killed]
        met = (
            sending_faults.met(made, fault, moment) for fault in sending_faults.FAULTS for moment in moments
        )
        kills = (
            verdict
            for fault in killed
            for moment in moments
            for verdict in sending_faults.killed_at_every_step(made, fault, moment, every)
        )
        beside = (
            verdict
            for work, moment in sending_planted.BLIND.values()
            for verdict in sending_faults.beside_at_every_step(made, work, moment)
        )
        found = [
            _tell(f"{len(sending_faults.FAULTS)} SMTP faults at {len(moments)} moments", 36, met),
            _tell(f"{len(killed)} of them, killed at each step", 1_000, kills),
            _tell(
                "`soinbox send`, killed at each step", 30, sending_faults.command_killed_at_every_step(made)
            ),
            _tell("a mailroom that starts beside somebody", 60, beside),
            _tell("the running mailroom, killed again and again", 60, mailroom_killed.killed(made)),
            _tell("double clicks", 20, clicks.doubled(made)),
            _tell(f"8 smuggled ends x {len(smuggling.WAYS)} ways", 32, smuggling.through_every_way(made)),
        ]
        names = (*sending_planted.PLANTED, *sending_planted.BLIND)
        caught = {name: sending_planted.caught(made, name) for name in names}
        taken = smuggling.unguarded(made)
        caught["smuggling without a guard"] = [f"{sum(taken.values())} mails instead of {len(taken)}"]
        control = _control(caught if min(taken.values()) > 1 else {**caught, "smuggling without a guard": []})
    total, wrong = (sum(figure[key] for figure in found) for key in ("runs", "wrong"))
    print(f"T7: {total} runs, {wrong} with anything doubled or silently lost (goal 0)")
    return [*found, control]


def _control(caught: dict[str, list[str]]) -> dict[str, Any]:
    for name, words in caught.items():
        print(f"    {'caught' if words else 'MISSED'}: {name}{f' ({words[0]})' if words else ''}", flush=True)
    missed = sum(not words for words in caught.values())
    print(f"planted bugs caught: {len(caught) - missed} of {len(caught)}")
    return {"figure": "planted bugs caught", "runs": len(caught), "wrong": missed, "met": not missed}


def _tell(name: str, goal: int, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Run and count; what is wrong is said at once."""
    began, codes, runs, wrong, slowest = time.monotonic(), Counter[str](), 0, 0, 0.0
    for verdict in verdicts:
        runs += 1
        codes[verdict.code or "none"] += 1
        slowest = max(slowest, verdict.seconds)
        if verdict.wrong:
            wrong += 1
            print(f"    WRONG after {verdict.name}: {'; '.join(verdict.wrong[:5])}", flush=True)
    seconds = round(time.monotonic() - began, 1)
    print(f"{name}: {runs} runs (goal >= {goal}) in {seconds} s, {wrong} wrong (goal 0)")
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    print(f"    slowest {slowest:.1f} s; problems told: {told}", flush=True)
    return {
        "figure": name, "runs": runs, "wrong": wrong, "goal": goal, "met": runs >= goal and not wrong,
        "seconds": seconds, "slowest_seconds": round(slowest, 1), "problems": dict(codes),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
