"""A figure with a fault of its own."""

from typing import Any


def figures(_: int) -> list[dict[str, Any]]:
    raise RuntimeError("a fault of its own")
