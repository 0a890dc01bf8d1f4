"""`make trust`: the faults a mailbox may meet, how often each was met, and what was lost or doubled by it.

Figure T6 (synchronising). `--every N` takes each N-th fault of the line and each N-th step; `--json FILE`
writes the figures as well. Ends by itself.
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
from tests.trust import faults, planted
from tests.trust.faults import Verdict
from tests.trust.scene import Scene, scene


def main() -> int:
    parser = argparse.ArgumentParser(prog="trust", description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if PROGRAM is None:
        print("Dovecot is not installed: nothing can be shown.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="trust-") as folder, scene(Path(folder)) as made:
        figures = _figures(made, options.every)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if all(figure["met"] for figure in figures) else 1


def _figures(made: Scene, every: int) -> list[dict[str, Any]]:
    line = list(faults.line_faults())[::every]
    found = [
        _tell("faults on the line", 100, (faults.on_the_line(made, *each) for each in line)),
        _tell("faults of the machine, of time and of others", 10, faults.of_the_machine(made)),
        _tell("killed at each step", 200, faults.killed_at_every_step(made, every)),
    ]
    caught = {name: planted.caught(made, name) for name in planted.PLANTED}
    for name, words in caught.items():
        print(f"    {'caught' if words else 'MISSED'}: {name}{f' ({words[0]})' if words else ''}", flush=True)
    missed = sum(not words for words in caught.values())
    print(f"planted bugs caught: {len(caught) - missed} of {len(caught)}")
    total, wrong = (sum(figure[key] for figure in found) for key in ("runs", "wrong"))
    print(f"T6: {total} runs (goal >= 300), {wrong} with anything lost, doubled or damaged (goal 0)")
    control = {"figure": "planted bugs caught", "runs": len(caught), "wrong": missed, "met": not missed}
    return [*found, control]


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
