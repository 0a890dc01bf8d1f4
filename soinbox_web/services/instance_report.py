"""Observing: how the whole instance fares, for its operator's page and for Prometheus."""

import platform
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from soinbox_web import __version__
from soinbox_web.model.account import Account, as_seen
from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, fallen, folders, instance_figures, mailbox_schema, migrations, users
from soinbox_web.store.fallen import Fallen

MAILROOM = "mailroom"  # the name of its lease


@dataclass(frozen=True, slots=True)
class Observed:
    """One account: whose it is, what is still to be fetched, and the bytes of its mailbox file."""

    account: Account
    owner: str
    waiting: int
    messages: int
    bytes: int
    arrived: int
    failures: int


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything at one moment; ages are in seconds, sizes in bytes."""

    accounts: tuple[Observed, ...]
    outbox: dict[str, int]
    actions_open: int
    oldest_action: float
    heartbeat_age: float | None
    problems: dict[str, int]
    fallen: tuple[Fallen, ...]
    database_bytes: int
    disk_free: int
    disk_total: int
    versions: dict[str, str]

    @property
    def mailroom_alive(self) -> bool:
        return self.heartbeat_age is not None and self.heartbeat_age < instance_figures.ALIVE

    @property
    def mailboxes_bytes(self) -> int:
        return sum(each.bytes for each in self.accounts)


def instance(runtime: Runtime) -> Instance:
    """How the instance fares now; who may ask is asked before."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        every = [as_seen(each, now) for each in accounts.all(connection)]
        names = {user.id: user.name for user in users.all(connection)}
        met = instance_figures.arrivals(connection)
        outbox = instance_figures.outbox_states(connection)
        actions_open, oldest = instance_figures.open_actions(connection, now)
        age = instance_figures.heartbeat_age(connection, MAILROOM, now)
        down = fallen.all(connection)
    disk = shutil.disk_usage(runtime.settings.instance)
    return Instance(
        tuple(
            _observed(runtime, each, names.get(each.user_id, ""), met.get(each.id, (0, 0))) for each in every
        ),
        outbox, actions_open, oldest, age, _problems(every), tuple(down),
        _bytes(runtime.settings.database_path), disk.free, disk.total, _versions(),
    )  # fmt: skip


def exposition(found: Instance) -> str:
    """The same in Prometheus' text format 0.0.4; accounts are named by their number only."""
    return "".join(_families(found))


def _problems(every: list[Account]) -> dict[str, int]:
    """How many sides of accounts have which problem."""
    sides = [side for each in every for side in (each.imap_status, each.smtp_status)]
    return dict(Counter(side.problem.code for side in sides if side.problem))


def _observed(runtime: Runtime, account: Account, owner: str, met: tuple[int, int]) -> Observed:
    path = runtime.mailbox_path(account.id, account.generation)
    waiting = total = 0
    if path.exists():
        try:
            with runtime.mailbox(account.id, account.generation).read() as connection:
                listed = [folder for folder in folders.listing(connection) if folder.selectable]
            total = sum(folder.stored for folder in listed)
            waiting = sum(folder.awaited for folder in listed)
        except StoreError:
            pass  # `soinbox check` names a damaged file, and the mailroom fetches it again
    return Observed(account, owner, waiting, total, _bytes(path), *met)


def _bytes(path: Path) -> int:
    """Bytes of a database and its log."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _versions() -> dict[str, str]:
    return {
        "soinbox": __version__,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "schema": migrations.newest(),
        "mailbox schema": str(mailbox_schema.VERSION),
    }


def _families(found: Instance) -> Iterator[str]:
    def family(name: str, kind: str, words: str, *samples: tuple[str, float]) -> str:
        lines = [f"# HELP soinbox_{name} {words}", f"# TYPE soinbox_{name} {kind}"]
        lines += [f"soinbox_{name}{labels} {value:g}" for labels, value in samples]
        return "\n".join(lines) + "\n"

    def by_account(value: str) -> list[tuple[str, float]]:
        return [(f'{{account="{each.account.id}"}}', getattr(each, value)) for each in found.accounts]

    states = [each.account.state for each in found.accounts]
    counted = [(f'{{state="{state}"}}', states.count(state)) for state in sorted(set(states))]
    info = ",".join(f'{name.replace(" ", "_").lower()}="{value}"' for name, value in found.versions.items())
    yield family("info", "gauge", "Versions.", (f"{{{info}}}", 1))
    yield family("accounts", "gauge", "E-mail accounts by state.", *counted)
    yield family("account_waiting_messages", "gauge", "Messages still to be fetched.", *by_account("waiting"))
    yield family("account_messages", "gauge", "Messages that are here.", *by_account("messages"))
    yield family("account_mailbox_bytes", "gauge", "Size of the mailbox file.", *by_account("bytes"))
    yield family(
        "account_arrivals", "gauge", "Messages that arrived in the last days.", *by_account("arrived")
    )
    yield family("account_failures", "gauge", "Failed attempts of the last days.", *by_account("failures"))
    problems = [(f'{{code="{code}"}}', count) for code, count in sorted(found.problems.items())]
    yield family("account_problems", "gauge", "Sides of accounts that fail now, by problem.", *problems)
    outbox = [(f'{{state="{state}"}}', count) for state, count in sorted(found.outbox.items())]
    yield family("outbox_messages", "gauge", "Outgoing mail by state.", *outbox)
    yield family("actions_open", "gauge", "Actions that wait for a server.", ("", found.actions_open))
    yield family("action_oldest_seconds", "gauge", "Age of the oldest of them.", ("", found.oldest_action))
    age = float("nan") if found.heartbeat_age is None else found.heartbeat_age
    yield family("mailroom_heartbeat_age_seconds", "gauge", "Since the mailroom's sign of life.", ("", age))
    down = [(f'{{part="{each.part}"}}', each.count) for each in found.fallen]
    yield family("fallen_parts", "gauge", "Parts that ended by an error, how often in a row.", *down)
    yield family("database_bytes", "gauge", "Size of the precious database.", ("", found.database_bytes))
    yield family("disk_free_bytes", "gauge", "Free space under the instance.", ("", found.disk_free))
    yield family("disk_bytes", "gauge", "Size of that disk.", ("", found.disk_total))
