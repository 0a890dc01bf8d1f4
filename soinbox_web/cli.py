"""`soinbox …`: each command a few lines that call a service (contract.md)."""

import sys
from pathlib import Path
from typing import Any

import click

from soinbox_web import logs, processes
from soinbox_web.commands import Console, soinbox_command, text_of_stdin
from soinbox_web.model.card_file import COLUMNS
from soinbox_web.model.server import Login, Security
from soinbox_web.services import (
    accounts,
    acting,
    members,
    people,
    rendering,
    searching,
    sending,
    setup,
    sync,
    upkeep,
)
from soinbox_web.texts import N_

RESTORED = {
    "outbox_uncertain": N_("E-mails that may have been sent already; their senders decide"),
    "actions_cancelled": N_("Actions that are no longer told to a server"),
    "sessions_ended": N_("Sign-ins that ended"),
    "requests_dropped": N_("Requests to the mailroom that were dropped"),
    "attempts_wiped": N_("Set-ups that have to begin again"),
    "accounts_without_key": N_("Accounts that need their password again, as the key ring is another"),
}
SECURITY = click.Choice(["ssl", "starttls", "none"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="soinbox_web")
def main() -> None:
    """soinbox: the mail room of a small team's CRM."""
    logs.configure()


@soinbox_command(main, name="demo")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the web server.")
def demo(console: Console, port: int | None) -> None:
    """Everything in one, in a temporary folder: mail servers, sample persons and mail, the product."""
    processes.demo(port)


@soinbox_command(main, name="serve")
@click.option("--host")
@click.option("--port", type=click.IntRange(1, 65535))
def serve(console: Console, host: str | None, port: int | None) -> None:
    """The product: web server and mailroom under one parent."""
    processes.serve(console.settings(host=host, port=port), console.say)


@soinbox_command(main, name="web")
@click.option("--host")
@click.option("--port", type=click.IntRange(1, 65535))
def web(console: Console, host: str | None, port: int | None) -> None:
    """The web server alone."""
    processes.web(console.settings(host=host, port=port))


@soinbox_command(main, name="mailroom")
def mailroom(console: Console) -> None:
    """The mailroom alone: synchronising, idling, sending."""
    processes.mailroom(console.settings())


@main.group()
def user() -> None:
    """Users, each with a person card."""


@soinbox_command(user, name="add")
@click.argument("address")
@click.option("--name", required=True)
@click.option("--admin", is_flag=True)
@click.option("--password-stdin", is_flag=True, required=True)
def user_add(console: Console, address: str, name: str, admin: bool, password_stdin: bool) -> None:
    """Add a user."""
    members.add(console.runtime, address, name, text_of_stdin(), admin=admin)
    console.show({"address": address, "name": name, "admin": admin}, f"{name} <{address}>")


@soinbox_command(user, name="list")
def user_list(console: Console) -> None:
    """List the users."""
    found = members.all_members(console.runtime)
    console.show(
        [{"address": m.address, "name": m.name, "admin": m.is_admin} for m in found],
        "\n".join(f"{m.name} <{m.address}>{' *' if m.is_admin else ''}" for m in found),
    )


@soinbox_command(user, name="remove")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
def user_remove(console: Console, address: str, yes: bool) -> None:
    """End a user's sessions and delete their accounts, mailbox files, drafts and unsent mail."""
    if not yes:
        click.confirm(f"Remove {address} and everything they connected?", abort=True, err=True)
    members.remove(console.runtime, address)
    console.show({"address": address, "removed": True}, address)


@soinbox_command(user, name="password")
@click.argument("address")
@click.option("--password-stdin", is_flag=True, required=True)
def user_password(console: Console, address: str, password_stdin: bool) -> None:
    """A new password; ends all sessions."""
    members.set_password(console.runtime, address, text_of_stdin())
    console.show({"address": address}, address)


@soinbox_command(user, name="export")
@click.argument("address")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def user_export(console: Console, address: str, file: Path) -> None:
    """A zip of cards, options, drafts and audit lines."""
    members.export(console.runtime, address, file)
    console.show({"address": address, "file": str(file)}, str(file))


@main.group()
def person() -> None:
    """Person cards."""


@soinbox_command(person, name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def person_import(console: Console, file: Path) -> None:
    """Read cards from a .csv or .vcf file."""
    found = people.import_file(console.runtime, file)
    console.show({"imported": found.cards, "passed_over": found.passed_over}, imported(console, found))


def imported(console: Console, found: people.Imported) -> str:
    """What was read, and what was not."""
    lines = [console.words(N_("Cards read: {count}."), count=found.cards)]
    if found.passed_over:
        columns, known = ", ".join(found.passed_over), ", ".join(COLUMNS)
        told = N_("Nothing was taken of these columns: {columns}. The names that are understood: {known}.")
        lines.append(console.words(told, columns=columns, known=known))
    return "\n".join(lines)


@soinbox_command(person, name="export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def person_export(console: Console, file: Path) -> None:
    """Write all cards to a .csv or .vcf file."""
    count = people.export_file(console.runtime, file)
    console.show({"exported": count}, console.words(N_("Cards written: {count}."), count=count))


@soinbox_command(person, name="show")
@click.argument("address")
def person_show(console: Console, address: str) -> None:
    """The cards that hold an address."""
    found = people.show(console.runtime, address)
    console.show(found, "\n".join(f"{card['name']}: {', '.join(card['addresses'])}" for card in found))


def server_options(command: Any) -> Any:
    """The typed servers and confirmed hosts of `doctor` and `account add`."""
    for side in ("smtp", "imap"):
        command = click.option(f"--{side}", f"{side}_server", metavar="HOST:PORT")(command)
        command = click.option(f"--{side}-security", type=SECURITY)(command)
        command = click.option(f"--{side}-user")(command)
    return click.option("--accept-host", "accepted", multiple=True, metavar="HOST")(command)


def typed(side: str, address: str, options: dict[str, Any]) -> Login | None:
    """The login typed for one side; None when no server was typed."""
    server: str | None = options.get(f"{side}_server")
    if server is None:
        return None
    host, separator, port = server.rpartition(":")
    if not separator or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"--{side} takes HOST:PORT")
    guess: Security = "ssl" if int(port) in (993, 465) else "starttls"
    return Login(
        host.strip("[]"), int(port), options[f"{side}_security"] or guess, options[f"{side}_user"] or address
    )


@soinbox_command(main, name="doctor")
@click.argument("address")
@click.option("--offline", is_flag=True, help="Ask nothing over the network.")
@click.option(
    "--password-stdin", is_flag=True, help="Sign in too; the password is one line of standard input."
)
@server_options
def doctor(
    console: Console, address: str, offline: bool, password_stdin: bool, accepted: tuple[str, ...], **o: Any
) -> None:
    """Detection, and with a password the whole set-up but saving."""
    report = setup.doctor(
        console.runtime,
        address,
        offline=offline,
        secret=text_of_stdin() if password_stdin else None,
        imap=typed("imap", address, o),
        smtp=typed("smtp", address, o),
        accepted_hosts=accepted,
    )
    console.report(report.as_json(console.translate))


@main.group()
def account() -> None:
    """Connected mailboxes."""


@soinbox_command(account, name="add")
@click.argument("address")
@click.option("--user", "owner", required=True, metavar="ADDRESS")
@click.option("--password-stdin", is_flag=True, required=True)
@server_options
def account_add(
    console: Console, address: str, owner: str, password_stdin: bool, accepted: tuple[str, ...], **o: Any
) -> None:
    """The same as the set-up form, and its result."""
    report = setup.doctor(
        console.runtime,
        address,
        offline=False,
        secret=text_of_stdin(),
        imap=typed("imap", address, o),
        smtp=typed("smtp", address, o),
        accepted_hosts=accepted,
        save_for_user=members.by_address(console.runtime, owner).id,
    )
    console.report(report.as_json(console.translate))


@soinbox_command(account, name="list")
def account_list(console: Console) -> None:
    """List the accounts."""
    found = [
        accounts.status_json(console.runtime, each, console.translate)
        for each in accounts.everyone(console.runtime)
    ]
    console.show(found, "\n".join(f"{each['address']}  {each['user']}  {each['state']}" for each in found))


@soinbox_command(account, name="status")
@click.argument("address")
def account_status(console: Console, address: str) -> None:
    """How an account fares."""
    found = accounts.by_address(console.runtime, address)
    console.report(accounts.status_json(console.runtime, found, console.translate), failed=False)


@soinbox_command(account, name="remove")
@click.argument("address")
def account_remove(console: Console, address: str) -> None:
    """Forget an account and its local copy; the mailbox itself stays."""
    accounts.remove(console.runtime, accounts.by_address(console.runtime, address).id)
    console.show({"address": address, "removed": True}, address)


@soinbox_command(main, name="sync")
@click.argument("address")
@click.option("--once", is_flag=True, required=True)
def sync_command(console: Console, address: str, once: bool) -> None:
    """One complete synchronisation."""
    found = accounts.by_address(console.runtime, address)
    console.report(
        {"address": found.address, **sync.sync_once(console.runtime, found.id, acting.push).as_json()}
    )


@soinbox_command(main, name="search")
@click.argument("address")
@click.argument("query")
def search(console: Console, address: str, query: str) -> None:
    """What the search field finds."""
    console.report(
        searching.search_json(console.runtime, accounts.by_address(console.runtime, address), query)
    )


@soinbox_command(main, name="render")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def render(console: Console, file: Path) -> None:
    """What the reading pane would show of a message."""
    console.report(rendering.render_json(file.read_bytes()))


@soinbox_command(main, name="send")
@click.argument("address")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def send(console: Console, address: str, file: Path) -> None:
    """Put a message in the outbox, deliver it, report."""
    found = accounts.by_address(console.runtime, address)
    console.report(
        {
            "address": found.address,
            **sending.send_file(console.runtime, found, file.read_bytes(), console.translate),
        }
    )


@soinbox_command(main, name="backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(console: Console, file: Path) -> None:
    """Copy the precious database to FILE; the key ring is not in it: keep that apart."""
    upkeep.backup(console.runtime, file)
    told = N_("{file}: intact. The key ring is not in it; keep a copy of {key_ring} apart.")
    words = console.words(told, file=file, key_ring=console.settings().key_ring_path)
    console.show({"file": str(file), "key_ring": False}, words)


@soinbox_command(main, name="restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(console: Console, file: Path) -> None:
    """Put a backup in place; the product must be stopped."""
    report = upkeep.restore(console.settings(), file)
    told = N_("{file} is in place. Start soinbox: mailboxes are fetched again, and everybody signs in anew.")
    changed = [f"{console.words(RESTORED[name])}: {count}" for name, count in report.items() if count]
    console.show(report, "\n".join([console.words(told, file=file), *changed]))


@soinbox_command(main, name="check")
def check(console: Console) -> None:
    """Are the files intact, and does all run that should?"""
    found = upkeep.check(console.settings())
    lines = (
        f"{'ok ' if each['ok'] else 'BAD'} {each['name']} {each['detail']}"
        for each in (*found["files"], *found["running"])
    )
    console.show(found, "\n".join(lines))
    if not found["ok"]:
        sys.exit(1)


@soinbox_command(main, name="migrate")
def migrate(console: Console) -> None:
    """Upgrade the database by hand."""
    applied = upkeep.migrate(console.settings())
    console.show({"applied": applied}, "\n".join(applied) or console.words(N_("Nothing had to be changed.")))


@soinbox_command(main, name="rotate-key")
def rotate_key(console: Console) -> None:
    """A new key seals every secret again."""
    count = upkeep.rotate_key(console.runtime)
    console.show(
        {"sealed": count}, console.words(N_("Passwords sealed with the new key: {count}."), count=count)
    )


if __name__ == "__main__":
    main()
