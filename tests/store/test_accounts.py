"""Accounts in the precious file: logins, sealed secrets, status and attempts."""

from datetime import UTC, datetime, timedelta

import pytest

from soinbox_web import runtime as runtimes
from soinbox_web.model.server import Login
from soinbox_web.problems import AccessError, Problem, StoreError
from soinbox_web.settings import Settings
from soinbox_web.store import account_hours, accounts

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IMAP = Login("imap.example.org", 993, "ssl", "anna@example.org")
SMTP = Login("smtp.example.org", 465, "ssl", "anna@example.org")


@pytest.fixture
def runtime(tmp_path):
    built = runtimes.build(Settings(instance=tmp_path))
    with built.db.write() as c:
        c.execute("INSERT INTO persons (id, created_at, updated_at) VALUES (1, '', '')")
        c.execute("INSERT INTO users VALUES (1, 'anna@example.org', 'Anna', '', 0, '', '', 1, '')")
    yield built
    built.close()


@pytest.fixture
def account(runtime):
    with runtime.db.write() as c:
        found = accounts.read(c, accounts.insert(c, 1, "anna@example.org", IMAP, SMTP, NOW))
        accounts.seal_secret(c, runtime.vault, found, "imap", "sesame")
        accounts.seal_secret(c, runtime.vault, found, "smtp", "open")
    return found


def test_reads_back_what_was_inserted(runtime, account):
    with runtime.db.read() as c:
        assert accounts.of_user(c, 1) == [account] == accounts.all(c)
        assert accounts.by_address(c, 1, "ANNA@example.org") == account
        assert accounts.of_user(c, 2) == []
        with pytest.raises(AccessError):
            accounts.read(c, 99)
    assert (account.imap, account.smtp, account.state) == (IMAP, SMTP, "connected")


def test_a_secret_opens_only_for_the_server_it_was_given_for(runtime, account):
    elsewhere = Login("evil.example.net", 993, "ssl", IMAP.username)
    with runtime.db.write() as c:
        assert accounts.open_secret(c, runtime.vault, account, "imap") == "sesame"
        accounts.update_login(c, account.id, elsewhere, SMTP, NOW)
        moved = accounts.read(c, account.id)
        with pytest.raises(StoreError):
            accounts.open_secret(c, runtime.vault, moved, "imap")
        assert accounts.open_secret(c, runtime.vault, moved, "smtp") == "open"


def test_attempts_keep_twenty_and_set_the_status(runtime, account):
    wrong = Problem("credentials_wrong", side="imap", evidence="NO [AUTHENTICATIONFAILED] no")
    with runtime.db.write() as c:
        accounts.record_attempt(c, account.id, "imap", NOW)
        for minute in range(25):
            accounts.record_attempt(c, account.id, "imap", NOW + timedelta(minutes=minute + 1), wrong)
        tried = accounts.attempts(c, account.id)
        found = accounts.read(c, account.id)
        day = account_hours.last_day(c, account.id, NOW + timedelta(minutes=25))
    assert len(tried) == 20 and sum(hour.failures for hour in day) == 25
    assert tried[0].line == wrong.evidence and tried[0].code == "credentials_wrong" and not tried[0].ok
    assert found.imap_status.consecutive_failures == 25
    assert found.imap_status.last_success_at == NOW
    assert found.imap_status.problem == wrong
    assert found.state == "needs_password"


def test_removing_takes_the_secrets_along(runtime, account):
    with runtime.db.write() as c:
        accounts.remove(c, account.id)
        assert c.execute("SELECT count(*) FROM account_secrets").fetchone()[0] == 0
