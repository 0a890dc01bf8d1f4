"""A user's e-mail options: what the General tab switches."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Options:
    """Typed, with the defaults of a new user (look.md section 3)."""

    mark_as_read: bool = True
    ask_before_deleting: bool = True
    save_sent_copy: bool = True
    remote_images: Literal["ask", "never"] = "ask"
    signature: str = ""
    signature_in_new: bool = True
    signature_in_replies: bool = False
