"""The text of whole messages: by the quick way, by our own reader alone, and by imap-tools."""

import statistics
from collections.abc import Callable
from typing import Any

from fast_mail_parser import parse_email_tree
from imap_tools import MailMessage

from bench import mailboxes, measures
from soinbox_web.mail.mime.parse import carefully_read_text, readable_text

MESSAGES = 2_000
ROUNDS = 5


def run() -> dict[str, Any]:
    """Microseconds of CPU a message, medians of some rounds taken in turn."""
    given = [raw for _, _, raw in mailboxes.messages(MESSAGES)]
    ways: dict[str, Callable[[bytes], object]] = {
        "fast-mail-parser, tree alone": lambda raw: parse_email_tree(raw, mode="lazy"),
        "soinbox, text": readable_text,
        "soinbox, text by its own reader": carefully_read_text,
        "imap-tools, text": lambda raw: MailMessage.from_bytes(raw).text,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(measures.timed(lambda way=way: [way(raw) for raw in given]).cpu)  # type: ignore[misc]
    us = {name: statistics.median(rounds) / MESSAGES * 1e6 for name, rounds in taken.items()}
    quick = us["soinbox, text"]
    return {
        "cpu_us_per_message": {name: round(each, 1) for name, each in us.items()},
        "ratios": {
            "text: times less CPU than our own reader": [
                round(us["soinbox, text by its own reader"] / quick, 2), ">=", 1.2,
            ],
            "text: times less CPU than imap-tools": [round(us["imap-tools, text"] / quick, 2), ">=", 3],
        },
    }  # fmt: skip
