"""The precious file's schema: append-only migrations named by UTC minute, run once under a lock."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlite_utils
from sqlite_utils import Migrations

from soinbox_web.problems import Problem, StoreError
from soinbox_web.store import backup
from soinbox_web.store.database import Database
from soinbox_web.store.migrations import (
    m202611230900_first,
    m202611261345_hours,
    m202611261400_came_to,
    m202611271545_texts,
    m202612010300_fallen,
    m202612010330_own_servers,
)

ALL = (
    m202611230900_first,
    m202611261345_hours,
    m202611261400_came_to,
    m202611271545_texts,
    m202612010300_fallen,
    m202612010330_own_servers,
)

_SET = Migrations("soinbox")
for _module in ALL:
    _SET(name=_module.__name__.rpartition(".")[2])(_module.apply)


def migrate(database: Database, now: datetime) -> list[str]:
    """Bring the file up to date; the names of what was applied.

    An existing file is backed up beside itself first; StoreError schema_newer when a newer version wrote it.
    """
    with _alone(database.path):
        tools = sqlite_utils.Database(database.connection())
        known = {migration.name for migration in _SET.pending(tools)} | {m.name for m in _SET.applied(tools)}
        unknown = [m.name for m in _SET.applied(tools) if m.name not in {_name(module) for module in ALL}]
        if unknown:
            raise StoreError(
                Problem("schema_newer", evidence=", ".join(unknown), facts={"path": database.path.name})
            )
        pending = [migration.name for migration in _SET.pending(tools)]
        if pending and len(pending) < len(known):
            backup.copy(database, database.path.with_suffix(f".before-{now:%Y%m%d%H%M%S}.sqlite"))
        _SET.apply(tools)
        return pending


def newest() -> str:
    """The name of the last migration: the schema that this version writes."""
    return _name(ALL[-1])


def _name(module: object) -> str:
    return str(getattr(module, "__name__", "")).rpartition(".")[2]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
