"""T6: synchronising under faults of the line, of the machine and of others, and killed at every step."""

import tempfile
from pathlib import Path
from typing import Any

from tests.trust import faults, planted
from tests.trust.scene import scene
from tests.trust.telling import control, tell


def figures(every: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="trust-") as folder, scene(Path(folder)) as made:
        line = list(faults.line_faults())[::every]
        found = [
            tell("T6 faults on the line", 100 // every, (faults.on_the_line(made, *each) for each in line)),
            tell("T6 faults of the machine, of time and of others", 10, faults.of_the_machine(made)),
            tell("T6 killed at each step", 200 // every, faults.killed_at_every_step(made, every)),
        ]
        caught = control(
            "T6 planted bugs caught", {name: planted.caught(made, name) for name in planted.PLANTED}
        )
    total, wrong = (sum(figure[key] for figure in found) for key in ("runs", "wrong"))
    print(f"T6: {total} runs (goal >= 300), {wrong} with anything lost, doubled or damaged (goal 0)")
    return [*found, caught]
