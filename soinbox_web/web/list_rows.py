"""The rows of a message list, each drawn once: a list that comes again has mostly the same ones."""

from functools import lru_cache
from typing import Any

from markupsafe import Markup

from soinbox_web.model.listing import MessageRow
from soinbox_web.web.dates import calendar
from soinbox_web.web.jinja import template
from soinbox_web.web.language import language

REMEMBERED = 4096  # rows of some 2 kB; they were half of a list's time (measured)


def drawn_rows(rows: tuple[MessageRow, ...], list_url: str, opened_key: str, labelled: bool) -> Markup:
    """The items of a list; links open the message beside `list_url`, `labelled` rows name their folder."""
    message_url = f"{list_url}{'&' if '?' in list_url else '?'}message="
    reader = (language(), calendar())
    return Markup("").join(
        [_drawn(row, message_url, str(row.key) == opened_key, labelled, reader) for row in rows]
    )


@lru_cache(maxsize=REMEMBERED)
def _drawn(
    row: MessageRow, message_url: str, opened: bool, labelled: bool, reader: tuple[Any, ...]
) -> Markup:
    """`reader` is what else the template looks at."""
    row_template: Any = template("_message_row.html").module
    found: Markup = row_template.drawn(row, f"{message_url}{row.key}", opened, labelled)
    return found
