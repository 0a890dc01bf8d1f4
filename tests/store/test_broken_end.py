"""A transaction whose end fails leaves nothing open behind: its thread goes on with a fresh connection."""

import sqlite3
from pathlib import Path

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.store.database import Database


class Broken(sqlite3.Connection):
    """The disk fails whenever this statement is to be done."""

    at = ""

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        if self.at and statement.startswith(self.at):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(statement, *values)  # type: ignore[arg-type]


class OnABadDisk(Database):
    def _connect(self) -> sqlite3.Connection:
        super()._connect().close()
        connection = sqlite3.connect(self.path, isolation_level=None, factory=Broken)
        connection.row_factory = sqlite3.Row
        return connection


@pytest.mark.parametrize(("way", "at"), [("read", "COMMIT"), ("write", "COMMIT"), ("write", "ROLLBACK")])
def test_the_next_one_sees_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, at: str
) -> None:
    bad, other = OnABadDisk(tmp_path / "a.sqlite"), Database(tmp_path / "a.sqlite")
    with other.write() as connection:
        connection.execute("CREATE TABLE t (n INTEGER)")
    monkeypatch.setattr(Broken, "at", at)
    with pytest.raises((StoreError, ValueError)), getattr(bad, way)() as connection:
        connection.execute("SELECT * FROM t").fetchall()
        if at == "ROLLBACK":
            raise ValueError
    monkeypatch.setattr(Broken, "at", "")
    with other.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    with bad.read() as connection:
        assert len(connection.execute("SELECT * FROM t").fetchall()) == 1
    with bad.write() as connection:
        connection.execute("INSERT INTO t VALUES (2)")
