"""What the trust figures have in common: verdicts are counted, and what is wrong is said at once."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.trust.faults import Verdict


def tell(name: str, goal: int, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Run and count."""
    began, codes, runs, wrong = time.monotonic(), Counter[str](), 0, 0
    seconds: dict[str, float] = {}
    for verdict in verdicts:
        runs += 1
        codes[verdict.code or "none"] += 1
        seconds[verdict.name] = round(max(verdict.seconds, seconds.get(verdict.name, 0.0)), 1)
        if verdict.wrong:
            wrong += 1
            print(f"    WRONG after {verdict.name}: {'; '.join(verdict.wrong[:5])}", flush=True)
    lasted = round(time.monotonic() - began, 1)
    print(f"{name}: {runs} runs (goal >= {goal}) in {lasted} s, {wrong} wrong (goal 0)")
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    print(f"    slowest {max(seconds.values(), default=0.0):.1f} s; problems told: {told}", flush=True)
    return {
        "figure": name, "runs": runs, "wrong": wrong, "goal": goal, "met": runs >= goal and not wrong,
        "seconds": lasted, "problems": dict(codes),
        "slowest": dict(sorted(seconds.items(), key=lambda each: -each[1])[:10]),
    }  # fmt: skip


def control(name: str, caught: dict[str, list[str]]) -> dict[str, Any]:
    """The bugs planted on purpose, and by which words each was caught: none means that it was missed."""
    for bug, words in caught.items():
        print(f"    {'caught' if words else 'MISSED'}: {bug}{f' ({words[0]})' if words else ''}", flush=True)
    missed = sum(not words for words in caught.values())
    print(f"{name}: {len(caught) - missed} of {len(caught)}")
    return {"figure": name, "runs": len(caught), "wrong": missed, "goal": "all caught", "met": not missed}
