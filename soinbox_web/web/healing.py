"""A page that met a damaged mailbox file has another one fetched: the mailroom hears of the change."""

import contextlib
import logging
import re
import threading

from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.web.page import runtime

log = logging.getLogger(__name__)
_FILE = re.compile(r"(\d+)-\d+\.sqlite")
_looked_at: set[int] = set()
_guard = threading.Lock()


def begin(problem: Problem) -> int:
    """The account whose mailbox file is damaged, 0 for none; it is looked through, once at a time."""
    damaged = problem.code == "database_damaged"
    found = _FILE.fullmatch(str(problem.facts.get("path", ""))) if damaged else None
    if found is None:
        return 0
    account_id = int(found[1])
    with _guard:
        if account_id not in _looked_at:
            healer = threading.Thread(target=_heal, args=(runtime(), account_id), name="healing", daemon=True)
            with contextlib.suppress(RuntimeError, MemoryError):  # no thread now: the next page tries again
                healer.start()
                _looked_at.add(account_id)
    return account_id


def _heal(owner: Runtime, account_id: int) -> None:
    try:
        thrown_away = sync.discard_unfit(owner, account_id, thorough=True)
        if thrown_away:
            log.warning("account %d: its mailbox file is fetched again", account_id)
        else:
            log.warning("account %d: its mailbox file is whole", account_id)
    except SoinboxError as error:
        log.warning("account %d: %s", account_id, error.problem.code)
    finally:
        with _guard:
            _looked_at.discard(account_id)
        owner.release(account_id)
