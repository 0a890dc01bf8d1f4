"""An opened message: everything that its pages show of it, as one reading answers it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from soinbox_web.model.invitation import Invitation
from soinbox_web.model.message import ParsedMessage


@dataclass(frozen=True, slots=True)
class Opened:
    """`html` is safe, None without any or beyond the caps; its pictures are `mark` and a place in `urls`.

    `left_out`: its formatting or its invitation took too much; `again`: another time it may be read whole.
    """

    message: ParsedMessage
    html: str | None = None
    mark: str = ""
    urls: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    blocks: tuple[tuple[bool, str], ...] = ()
    invitation: Invitation | None = None
    left_out: bool = False
    again: bool = False

    def shown(self, path: Callable[[str], str | None]) -> str | None:
        """The safe HTML; `path` answers where on this site a picture is, None to leave it out."""
        if self.html is None or not self.urls:
            return self.html
        paths = [path(url) for url in self.urls]

        def put(found: re.Match[str]) -> str:
            place = paths[int(found[1])]
            return f' src="{place}"' if place else ""

        return re.sub(f' src="{re.escape(self.mark)}([0-9]{{1,4}})"', put, self.html)
