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
from soinbox_web.services.sending.uncertain import is_looking, settle_found

__all__ = [
    "HELD",
    "Held",
    "again",
    "check",
    "deliver",
    "everything",
    "give_up",
    "is_looking",
    "queue",
    "recover",
    "send_file",
    "settle_found",
    "undo",
    "undoable",
]
