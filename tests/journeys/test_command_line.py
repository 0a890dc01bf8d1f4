"""The command line of contract.md, walked as support staff would: shapes, exit status, side effects."""

import json
import os
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.cast import ANNA
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real

PROBLEM = {
    "code", "side", "stage", "field", "evidence", "title", "cause", "remedy", "help_url", "retry",
    "retry_after_seconds", "alternatives",
}  # fmt: skip
DOCTOR = {
    "address",
    "provider",
    "policy",
    "policies",
    "seconds",
    "candidates",
    "stages",
    "problem",
    "problems",
}
STATUS = {
    "address",
    "user",
    "state",
    "last_success_at",
    "last_attempt_at",
    "next_retry_at",
    "problem",
    "folders",
}


class Shell:
    """Runs `soinbox` on one instance."""

    def __init__(self, instance: Path, ca_file: Path) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SOINBOX_")},
            "SOINBOX_INSTANCE": str(instance),
            "SOINBOX_CA_FILE": str(ca_file),
            "SOINBOX_ALLOW_HOSTS": "127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128",
            "SOINBOX_ISPDB_URL": "",
        }

    def run(self, *arguments: str, stdin: str = "", status: int = 0) -> Any:
        """The JSON document that the command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "soinbox_web.cli", *arguments, "--json"],
            input=stdin, capture_output=True, text=True, env=self.environment, timeout=60,
        )  # fmt: skip
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path, ca_file: Path) -> Shell:
    return Shell(tmp_path / "instance", ca_file)


def servers(mailbox: RealMailbox) -> list[str]:
    return [
        "--imap", f"{mailbox.dovecot.host}:{mailbox.dovecot.imaps_port}", "--imap-security", "ssl",
        "--imap-user", mailbox.address,
        "--smtp", f"{mailbox.dovecot.host}:{mailbox.smtp.starttls_port}", "--smtp-security", "starttls",
        "--smtp-user", mailbox.address, "--accept-host", mailbox.dovecot.host,
    ]  # fmt: skip


@pytest.fixture
def connected(shell: Shell, mailbox: RealMailbox) -> Shell:
    for number in range(3):
        mailbox.deliver_text(f"Offerte {number}", "De prijs van het zeil.")
    shell.run(
        "user",
        "add",
        mailbox.address,
        "--name",
        ANNA.name,
        "--admin",
        "--password-stdin",
        stdin="een lang wachtwoord\n",
    )
    report = shell.run(
        "account", "add", mailbox.address, "--user", mailbox.address, "--password-stdin", *servers(mailbox),
        stdin=f"{mailbox.password}\n",
    )  # fmt: skip
    assert set(report) >= DOCTOR | {"account"}
    assert set(report["account"]) >= STATUS
    assert report["problem"] is None and report["account"]["state"] == "connected"
    return shell


def test_doctor_tells_a_known_provider_without_the_network(shell: Shell) -> None:
    report = shell.run("doctor", "somebody@gmail.com", "--offline")
    assert set(report) >= DOCTOR
    assert report["provider"] and report["policy"] == "app_password"
    best = {c["protocol"]: c for c in reversed(report["candidates"])}
    assert (best["imap"]["host"], best["imap"]["port"], best["imap"]["security"]) == (
        "imap.gmail.com",
        993,
        "ssl",
    )
    assert set(best["smtp"]) >= {
        "protocol",
        "host",
        "port",
        "security",
        "username",
        "auth",
        "source",
        "trusted",
        "score",
    }
    assert best["smtp"]["source"] == "table" and best["smtp"]["trusted"] is True


def test_doctor_signs_in_and_saves_nothing(shell: Shell, mailbox: RealMailbox) -> None:
    report = shell.run(
        "doctor", mailbox.address, "--password-stdin", *servers(mailbox), stdin=f"{mailbox.password}\n"
    )
    assert report["problem"] is None
    stages = [(stage["side"], stage["stage"], stage["ok"]) for stage in report["stages"]]
    for expected in (
        ("imap", "connect"),
        ("imap", "sign_in"),
        ("imap", "open_inbox"),
        ("smtp", "encrypt"),
        ("smtp", "sign_in"),
    ):
        assert (*expected, True) in stages
    assert shell.run("account", "list") == []


def test_a_wrong_password_is_named_with_the_server_s_words(shell: Shell, mailbox: RealMailbox) -> None:
    report = shell.run(
        "doctor", mailbox.address, "--password-stdin", *servers(mailbox), stdin="verkeerd\n", status=1
    )
    problem = report["problem"]
    assert set(problem) >= PROBLEM
    assert (problem["code"], problem["side"], problem["field"]) == ("credentials_wrong", "imap", "password")
    assert "AUTHENTICATIONFAILED" in problem["evidence"]
    assert "verkeerd" not in json.dumps(report)


def test_problems_speak_dutch(shell: Shell) -> None:
    report = shell.run("doctor", "geen adres", "--lang", "nl", status=1)
    assert report["problem"]["code"] == "address_invalid"
    assert report["problem"]["title"] == "Dit is geen volledig e-mailadres"


def test_a_mailbox_is_synchronised_searched_and_reported(connected: Shell, mailbox: RealMailbox) -> None:
    report = connected.run("sync", mailbox.address, "--once")
    assert report["messages"] == report["fetched"] == 3
    assert report["folders"] >= 5 and report["first_page_seconds"] <= report["seconds"]
    again = connected.run("sync", mailbox.address, "--once")
    assert (again["fetched"], again["removed"]) == (0, 0)
    found = connected.run("search", mailbox.address, "offerte")
    assert found["total"] == 3
    assert set(found["messages"][0]) >= {"id", "folder", "subject", "from", "date", "snippet"}
    status = connected.run("account", "status", mailbox.address)
    assert set(status) >= STATUS
    assert status["state"] == "connected" and status["folders"] == report["folders"]


def test_a_message_is_sent_to_everyone_without_naming_the_blind_copies(
    connected: Shell, mailbox: RealMailbox, tmp_path: Path
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = (
        mailbox.address,
        "eva@hotelzeezicht.example",
        "stil@elders.example",
    )
    message["Subject"] = "Één keer"
    message.set_content("Dag Eva")
    file = tmp_path / "message.eml"
    file.write_bytes(message.as_bytes())
    report = connected.run("send", mailbox.address, str(file))
    assert report["state"] == "sent" and report["problem"] is None and report["message_id"]
    assert {(r["address"], r["state"]) for r in report["recipients"]} == {
        ("eva@hotelzeezicht.example", "sent"), ("stil@elders.example", "sent"),
    }  # fmt: skip
    assert len(mailbox.sent()) == 1
    assert b"Bcc" not in mailbox.sent()[0]


def test_render_shows_what_the_pane_would(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(
        b"From: Eva <eva@x.example>\r\nSubject: Hoi\r\nContent-Type: text/html\r\n\r\n"
        b'<p onclick="x()">Dag<script>alert(1)</script><img src="https://t.example/1.gif"></p>'
    )
    shown = shell.run("render", str(file))
    assert set(shown) >= {
        "subject", "from", "to", "cc", "date", "message_id", "text", "html", "remote", "attachments",
        "defects",
    }  # fmt: skip
    assert shown["remote"] == ["https://t.example/1.gif"]
    assert (
        "script" not in shown["html"] and "onclick" not in shown["html"] and "t.example" not in shown["html"]
    )


def test_backup_check_and_restore(connected: Shell, mailbox: RealMailbox, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    connected.run("backup", str(copy))
    assert mailbox.password.encode() not in copy.read_bytes()
    connected.run("account", "remove", mailbox.address)
    assert connected.run("account", "list") == []
    connected.run("restore", str(copy))
    assert [each["address"] for each in connected.run("account", "list")] == [mailbox.address]
    assert connected.run("check")["ok"] is True
    connected.run("rotate-key")
    assert connected.run("sync", mailbox.address, "--once")["messages"] == 3


def test_wrong_usage_is_2_and_an_unknown_setting_is_1(shell: Shell) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "soinbox_web.cli", "doctor"], capture_output=True, env=shell.environment
    )
    assert done.returncode == 2
    shell.environment["SOINBOX_COLOUR"] = "red"
    assert shell.run("account", "list", status=1)["problem"]["code"] == "settings_invalid"
