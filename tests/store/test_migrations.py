"""The schema is brought up to date once, and never backwards."""

import threading
from pathlib import Path

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.store.database import Database
from soinbox_web.store.migrations import ALL, migrate
from tests.clock import BEGIN


def test_migrations_run_once(tmp_path: Path) -> None:
    database = Database(tmp_path / "soinbox.sqlite")
    assert migrate(database, BEGIN) == [module.__name__.rpartition(".")[2] for module in ALL]
    assert migrate(database, BEGIN) == []


def test_two_processes_starting_at_once_migrate_once(tmp_path: Path) -> None:
    applied: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: applied.append(migrate(Database(tmp_path / "soinbox.sqlite"), BEGIN)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, applied)) == [0, 0, 0, len(ALL)]


def test_a_newer_schema_stops_the_start(tmp_path: Path) -> None:
    database = Database(tmp_path / "soinbox.sqlite")
    migrate(database, BEGIN)
    with database.write() as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('soinbox', 'm299901010000_future', '')"
        )
    with pytest.raises(StoreError) as caught:
        migrate(database, BEGIN)
    assert caught.value.problem.code == "schema_newer"


def test_every_table_is_strict(tmp_path: Path) -> None:
    database = Database(tmp_path / "soinbox.sqlite")
    migrate(database, BEGIN)
    with database.read() as connection:
        loose = connection.execute(
            "SELECT name FROM pragma_table_list WHERE strict = 0 AND type = 'table'"
        ).fetchall()
    assert {row["name"] for row in loose} <= {
        "sqlite_schema",
        "sqlite_temp_schema",
        "sqlite_sequence",
        "_sqlite_migrations",
    }
