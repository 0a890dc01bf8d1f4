"""A figure that does not end."""

import threading
from typing import Any


def figures(_: int) -> list[dict[str, Any]]:
    threading.Event().wait()
    return []
