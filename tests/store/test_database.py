"""Short immediate writes, consistent reads, and SQLite's faults as problems."""

import sqlite3
import threading
from pathlib import Path

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.store import database as database_module
from soinbox_web.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "a.sqlite")
    with database.write() as connection:
        connection.execute("CREATE TABLE t (n INTEGER) STRICT")
    return database


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        _ = 1 / 0
    assert count(database) == 0


def test_a_read_is_one_snapshot(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0
        writer = threading.Thread(target=insert, args=(database,))
        writer.start()
        writer.join()
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0
    assert count(database) == 1


def insert(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")


def test_a_read_cannot_become_a_write(database: Database) -> None:
    with database.read(), pytest.raises(RuntimeError), database.write():
        pass


def test_nested_writes_are_one_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write():
        insert(database)
        _ = 1 / 0
    assert count(database) == 0


def test_another_connection_s_commit_is_noticed(database: Database) -> None:
    before = database.data_version()
    writer = threading.Thread(target=insert, args=(database,))
    writer.start()
    writer.join()
    assert database.data_version() != before


def test_a_thread_keeps_few_rebuildable_files_open_and_none_at_work_is_closed(tmp_path: Path) -> None:
    files = [Database(tmp_path / f"{number}.sqlite", synchronous="NORMAL") for number in range(60)]
    with files[0].read() as reading:
        for _ in range(2):
            for each in files[1:]:
                with each.write() as connection:
                    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
        assert reading.execute("SELECT 1").fetchone()[0] == 1
    open_here = [each for each in Path("/proc/self/fd").iterdir() if tmp_path in each.resolve().parents]
    assert len(open_here) <= 3 * 17


def test_a_damaged_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    path.write_bytes(b"this is no database at all, but long enough to be read as one" * 100)
    with pytest.raises(StoreError) as caught, Database(path).read() as connection:
        connection.execute("SELECT * FROM sqlite_master").fetchall()
    assert caught.value.problem.code == "database_damaged"


def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, Database(tmp_path / "nowhere" / "a.sqlite").read():
        pass
    assert caught.value.problem.code == "instance_unusable"


def test_a_new_thread_reads_while_another_program_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    path = tmp_path / "a.sqlite"
    with Database(path).write() as writing:
        writing.execute("CREATE TABLE t (x)")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Database(path).read() as reading:
        assert reading.execute("SELECT count(*) FROM t").fetchone()[0] == 0
        assert reading.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
    other.close()
