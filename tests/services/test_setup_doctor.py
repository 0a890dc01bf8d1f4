"""The doctor's report: contract.md's shape, and the way from an address to a saved account."""

import json

import pytest

from soinbox_web.model.server import Login
from soinbox_web.services import accounts, setup
from soinbox_web.texts import translator
from tests.set_up import ADDRESS, SECRET, mail_servers

TOP = {"address", "provider", "policy", "policies", "seconds", "candidates", "stages", "problem", "problems"}
CANDIDATE = {"protocol", "host", "port", "security", "username", "auth", "source", "trusted", "score"}
STAGE = {"side", "stage", "ok", "ms", "detail"}
PROBLEM = {
    "code", "side", "stage", "field", "evidence", "title", "cause", "remedy", "help_url", "retry",
    "retry_after_seconds", "alternatives",
}  # fmt: skip


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


def typed(servers):
    imap, smtp = servers
    return {
        "imap": Login("localhost", imap.port, "ssl", ADDRESS),
        "smtp": Login("localhost", smtp.port, "ssl", ADDRESS),
    }


def report_of(runtime, address=ADDRESS, **options):
    """The report after a journey through JSON, its shape checked."""
    report = json.loads(json.dumps(setup.doctor(runtime, address, **options).as_json(translator("en"))))
    assert set(report) - {"account"} == TOP
    assert isinstance(report["seconds"], float)
    assert report["policy"] == report["policies"][0]
    for candidate in report["candidates"]:
        assert set(candidate) == CANDIDATE
    for stage in report["stages"]:
        assert set(stage) == STAGE and isinstance(stage["ok"], bool) and isinstance(stage["ms"], int)
    for problem in report["problems"]:
        assert set(problem) == PROBLEM
    assert report["problem"] == (report["problems"][0] if report["problems"] else None)
    return report


def test_a_known_provider_offline(runtime):
    report = report_of(runtime, "someone@gmail.com", offline=True)
    assert report["provider"] == "Gmail" and report["policy"] == "app_password"
    assert [c["protocol"] for c in report["candidates"]] == sorted(
        c["protocol"] for c in report["candidates"]
    )
    best = report["candidates"][0]
    assert (best["host"], best["port"], best["security"]) == ("imap.gmail.com", 993, "ssl")
    assert report["problem"] is None


def test_an_unknown_domain_offline(runtime):
    report = report_of(runtime, "someone@unknown.example", offline=True)
    assert report["problem"]["code"] == "nothing_found" and report["candidates"] == []


def test_an_impossible_address(runtime):
    report = report_of(runtime, "nobody")
    assert (report["problem"]["code"], report["problem"]["field"]) == ("address_invalid", "address")


def test_typed_servers_and_the_right_secret(runtime, servers):
    report = report_of(runtime, secret=SECRET, **typed(servers))
    assert report["problem"] is None
    done = [(stage["side"], stage["stage"]) for stage in report["stages"] if stage["ok"]]
    for side in ("imap", "smtp"):
        assert [(side, name) for name in ("connect", "encrypt", "greet", "sign_in")] == [
            pair for pair in done if pair[0] == side and pair[1] != "open_inbox"
        ]
    assert ("imap", "open_inbox") in done
    assert report["candidates"][0]["source"] == "typed"
    assert "account" not in report


def test_a_wrong_secret_is_tried_on_one_side_only(runtime, servers):
    imap, smtp = servers
    report = report_of(runtime, secret="wrong-one", **typed(servers))
    assert (report["problem"]["code"], report["problem"]["side"]) == ("credentials_wrong", "imap")
    assert "Authentication failed." in report["problem"]["evidence"]
    assert len(imap.sign_ins) <= 2 and smtp.sign_ins == []


def test_a_provider_that_refuses_passwords_gets_none(runtime):
    report = report_of(runtime, "someone@outlook.com", secret="never-sent")
    assert report["problem"]["code"] in ("oauth_not_set_up", "oauth_required")
    assert not [stage for stage in report["stages"] if stage["stage"] == "sign_in"]


def test_adding_an_account(runtime, member, servers):
    report = report_of(runtime, secret=SECRET, save_for_user=member.id, **typed(servers))
    assert report["problem"] is None
    assert report["account"]["state"] == "connected" and report["account"]["user"] == member.address
    assert accounts.by_address(runtime, ADDRESS).user_id == member.id
    again = report_of(runtime, secret=SECRET, save_for_user=member.id, **typed(servers))
    assert again["problem"]["code"] == "already_connected"
