"""Standing: whether the parts of the product run, and what is said of one that does not."""

import logging
from datetime import timedelta

from soinbox_web.problems import Problem, StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.store import fallen
from soinbox_web.store.fallen import Fallen

log = logging.getLogger(__name__)


def problems(runtime: Runtime) -> list[Problem]:
    """What everybody hears of: parts that keep falling."""
    with runtime.db.read() as connection:
        found = fallen.all(connection)
    return [_problem(each) for each in found]


def mailroom_fell(runtime: Runtime, count: int, seconds: float) -> None:
    """The process ended by itself so often in a row, and begins again in so many seconds; 0: it stands.

    Where nothing can be written the missing heartbeat tells.
    """
    again = runtime.clock.now() + timedelta(seconds=seconds)
    found = Fallen(fallen.MAILROOM, count, again) if count else None
    try:
        with runtime.db.write() as connection:
            fallen.note_mailroom(connection, found)
    except StoreError as error:
        log.warning("mailroom: %s", error.problem.code)
    finally:
        runtime.release()


def _problem(found: Fallen) -> Problem:
    return Problem("part_keeps_stopping", facts={"part": found.part, "count": str(found.count)})
