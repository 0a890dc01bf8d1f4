"""Writes docs/schema.sql, docs/settings.md and docs/problems.md; the tests compare them with the code."""

from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

from soinbox_web.clock import SystemClock
from soinbox_web.problems.document import document as problems_document
from soinbox_web.settings import PREFIX, Settings
from soinbox_web.store import mailbox_schema
from soinbox_web.store.database import Database
from soinbox_web.store.migrations import migrate

ROOT = Path(__file__).parents[2]


def schema() -> str:
    """Both schemas as SQLite itself tells them."""
    with TemporaryDirectory() as folder:
        precious = Database(Path(folder) / "soinbox.sqlite")
        migrate(precious, SystemClock().now())
        mailbox = Database(Path(folder) / "mailbox.sqlite")
        with mailbox.write() as connection:
            mailbox_schema.create(connection)
        parts = []
        for title, database in (
            ("instance/soinbox.sqlite", precious),
            ("instance/mailboxes/*.sqlite", mailbox),
        ):
            parts.append(f"-- {title}\n")
            parts += [f"{row[0].strip()};\n" for row in _statements(database)]
            database.close()
    return "\n".join(parts)


def _statements(database: Database) -> list[tuple[str]]:
    with database.read() as connection:
        return connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            " AND name NOT LIKE '\\_sqlite%' ESCAPE '\\' ORDER BY tbl_name, type DESC, name"
        ).fetchall()


def settings() -> str:
    """Every setting with its default, from the dataclass."""
    lines = [
        "# Settings",
        "",
        "Environment variables; a secret may be given as `NAME_FILE`, the path of a file that holds it.",
        "An unknown `SOINBOX_` name stops the start.",
        "",
        "| name | default | meaning |",
        "|---|---|---|",
    ]
    plain = Settings()
    for each in fields(Settings):
        names = each.metadata.get("names", each.name.upper())
        shown = getattr(plain, each.name)
        default = (
            ""
            if shown in (None, (), "") or (each.name.startswith("allow_") and not isinstance(shown, bool))
            else shown
        )
        listed = ", ".join(f"`{PREFIX}{name.strip()}`" for name in _names(names))
        lines.append(f"| {listed} | {default} | {each.metadata['doc']} |")
    return "\n".join(lines) + "\n"


def _names(names: str) -> list[str]:
    return names.replace("{ISSUER,CLIENT_ID,CLIENT_SECRET,SCOPES,HOSTS}", "…").split(",")


DOCUMENTS = {"schema.sql": schema, "settings.md": settings, "problems.md": problems_document}


def main() -> None:
    """Write them all."""
    for name, make in DOCUMENTS.items():
        (ROOT / "docs" / name).write_text(make())


if __name__ == "__main__":
    main()
