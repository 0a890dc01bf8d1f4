"""UTF8=ACCEPT (RFC 6855): names, new folders and searches in UTF-8, on servers that allow or want it."""

import pytest

from soinbox_web.mail.imap import folder_names, folders, mailbox_changes
from soinbox_web.mail.imap.connection import ImapConnection
from tests.mail.test_imap import Opened, opened

__all__ = ["opened"]

NAME = "Entwürfe & A&B-C/日本"
LISTED = b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST () "/" "%b"\r\n'
OFFERED = ("IMAP4rev1", "ENABLE", "UTF8=ACCEPT")


def accepting(opened: Opened, capabilities: tuple[str, ...] = OFFERED) -> ImapConnection:
    connection = opened(
        capabilities=capabilities,
        untagged={"LIST": LISTED % NAME.encode(), "ENABLE": b"* ENABLED UTF8=ACCEPT\r\n"},
    )
    folders.accept_utf8(connection)
    return connection


@pytest.mark.parametrize("word", ["UTF8=ACCEPT", "UTF8=ONLY"])
def test_names_are_utf8_and_an_ampersand_means_itself(opened: Opened, word: str) -> None:
    connection = accepting(opened, ("IMAP4rev1", "ENABLE", word))
    assert connection.utf8
    assert [folder.name for folder in folders.list_folders(connection).folders] == ["INBOX", NAME]
    (found,) = [folder for folder in folders.list_folders(connection).folders if folder.name == NAME]
    assert found.wire.encode("latin-1") == NAME.encode()


def test_new_folders_and_open_ones_are_spelled_so(opened: Opened) -> None:
    connection = accepting(opened)
    wire = folder_names.encode(NAME, utf8=connection.utf8)
    mailbox_changes.create(connection, wire)
    folders.examine(connection, wire)
    assert [arguments for verb, arguments in opened.server.asked if verb in ("CREATE", "EXAMINE")] == [
        [NAME.encode()]
    ] * 2


def test_words_are_quoted_without_a_charset(opened: Opened) -> None:
    connection = accepting(opened)
    connection.open_inbox()
    folders.text_search(connection, ["kroon", "café"])
    searched = [arguments for verb, arguments in opened.server.asked if verb == "SEARCH"]
    assert searched == [[b"TEXT", b"kroon", b"TEXT", "café".encode()]]


@pytest.mark.parametrize(
    ("capabilities", "answer"),
    [
        (("IMAP4rev1", "ENABLE"), b"* ENABLED UTF8=ACCEPT\r\n"),
        (("IMAP4rev1", "UTF8=ACCEPT"), b"* ENABLED UTF8=ACCEPT\r\n"),
        (OFFERED, b"* ENABLED CONDSTORE\r\n"),
        (OFFERED, b""),
    ],
)
def test_without_consent_names_stay_modified_utf7(
    opened: Opened, capabilities: tuple[str, ...], answer: bytes
) -> None:
    connection = opened(
        capabilities=capabilities,
        untagged={"LIST": LISTED % folder_names.encode(NAME).encode(), "ENABLE": answer},
    )
    folders.accept_utf8(connection)
    assert not connection.utf8
    assert [folder.name for folder in folders.list_folders(connection).folders] == ["INBOX", NAME]


def test_a_refusal_changes_nothing(opened: Opened) -> None:
    connection = opened(capabilities=OFFERED, answers={"ENABLE": b"NO not now"})
    folders.accept_utf8(connection)
    assert not connection.utf8
