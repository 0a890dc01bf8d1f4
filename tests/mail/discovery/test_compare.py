"""The comparison with autoconfig files says what is covered and what differs, on files of our own."""

from pathlib import Path

import pytest

from soinbox_web.mail.discovery.compare import IMAP, POP_ONLY, compare, main


def config(domains: str, incoming: str, outgoing: str = "", username: str = "%EMAILADDRESS%") -> str:
    def server(tag: str, kind: str, place: str) -> str:
        host, port, security = place.split()
        return f"""<{tag} type="{kind}"><hostname>{host}</hostname><port>{port}</port>
            <socketType>{security}</socketType><username>{username}</username>
            <authentication>password-cleartext</authentication></{tag}>"""

    kind, place = incoming.split(" ", 1)
    names = "".join(f"<domain>{name}</domain>" for name in domains.split())
    sending = server("outgoingServer", "smtp", outgoing) if outgoing else ""
    return f"""<clientConfig version="1.1"><emailProvider id="x">{names}
        {server("incomingServer", kind, place)}{sending}</emailProvider></clientConfig>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "same.xml": config(
            "gmail.com googlemail.com", "imap imap.gmail.com 993 SSL", "smtp.gmail.com 465 SSL"
        ),
        "other-host.xml": config("ziggo.nl", "imap imap.example.nl 993 SSL", "smtp.ziggo.nl 587 STARTTLS"),
        "other-name.xml": config("seznam.cz", "imap imap.seznam.cz 993 SSL", username="%EMAILLOCALPART%"),
        "family.xml": config("example.nl", "imap imap.kpnmail.nl 993 SSL"),
        "unknown.xml": config("example.org", "imap imap.example.org 993 SSL"),
        "pop.xml": config("ocn.ne.jp", "pop3 pop.ocn.ne.jp 995 SSL"),
        "pop-only-here.xml": config("posteo.de", "pop3 posteo.de 995 SSL"),
        "README.md": "no XML",
        "bomb.xml": '<!DOCTYPE x [<!ENTITY a "b">]><clientConfig>&a;</clientConfig>',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_what_is_covered(folder: Path) -> None:
    found = compare(folder)
    assert found.kinds[IMAP] == {
        "gmail.com", "googlemail.com", "ziggo.nl", "seznam.cz", "example.nl", "example.org"
    }  # fmt: skip
    assert found.known[IMAP] == {"gmail.com", "googlemail.com", "ziggo.nl", "seznam.cz"}
    assert found.family == found.known[IMAP] | {"example.nl"}
    assert found.kinds[POP_ONLY] == found.known[POP_ONLY] == {"ocn.ne.jp", "posteo.de"}
    assert found.coverage(IMAP) == pytest.approx(4 / 6)
    assert found.unreadable == ["README.md", "bomb.xml"]


def test_what_differs(folder: Path) -> None:
    seznam, ziggo = "imap imap.seznam.cz:993 ssl", "imap imap.ziggo.nl:993 ssl address"
    found = compare(folder).disagreements
    assert found == {
        f"ziggo / other-host.xml: {ziggo}, the file imap.example.nl:993 ssl address": ["ziggo.nl"],
        f"seznam / other-name.xml: {seznam} address, the file {seznam[5:]} local": ["seznam.cz"],
        "posteo / pop-only-here.xml: the table says IMAP, the file does not": ["posteo.de"],
    }


def test_the_command_prints_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "IMAP: 4 of 6 domains known, 66.7%",
        "POP only: 2 of 2 domains known, 100.0%",
        "IMAP: 5 domains at servers of a known family, 83.3%",
        "disagreements: 3",
    ]
    assert lines[-2:] == ["  README.md: not read", "  bomb.xml: not read"]


@pytest.mark.parametrize("arguments", [[], ["no-such-folder"], ["a", "b"]])
def test_the_command_wants_one_directory(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
