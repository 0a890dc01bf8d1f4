"""Sending once: a draft becomes a row, the row is delivered, its fate is durable (trust.md section 4)."""

from soinbox_web.services.sending.delivery import deliver, recover
from soinbox_web.services.sending.file import send_file
from soinbox_web.services.sending.queue import (
    HELD,
    Held,
    again,
    check,
    everything,
    give_up,
    queue,
    undo,
    undoable,
)

__all__ = [
    "HELD",
    "Held",
    "again",
    "check",
    "deliver",
    "everything",
    "give_up",
    "queue",
    "recover",
    "send_file",
    "undo",
    "undoable",
]
