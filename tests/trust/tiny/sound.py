"""A figure that is met."""

from typing import Any


def figures(every: int) -> list[dict[str, Any]]:
    return [
        {
            "figure": "T0 sound", "runs": every, "wrong": 0, "goal": 1, "met": True,
            "slowest": {"a slow input": 2.5}, "mail_again": {"a full disk": 31.0},
            "p95_ms": {"slow clients": [20.0, 35.0]}, "memory_mb": {"mailroom": [80, 120, 90]},
        }
    ]  # fmt: skip
