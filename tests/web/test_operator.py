"""The operator's page and /metrics: for those who may, without anybody's mail."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from soinbox_web.problems import Problem
from soinbox_web.services import account_health
from soinbox_web.store import account_hours
from tests import seed

SUBJECT = "Geheime aanbesteding"


@pytest.fixture
def account(runtime, member):
    account = seed.account(runtime, member)
    seed.deliver(runtime, account, [seed.letter(SUBJECT)])
    return account


@pytest.fixture
def open_metrics(runtime):
    runtime.settings = replace(runtime.settings, metrics=True)


def test_the_page_shows_every_account_and_nothing_of_its_mail(signed_in, runtime, account):
    account_health.failed(
        runtime, account.id, Problem("credentials_wrong", "imap", "sign_in", facts={"host": "x"})
    )
    page = signed_in.get("/operator").text
    assert account.address in page and SUBJECT not in page
    assert "Needs a sign-in" in page and "The mailroom does not work" in page
    assert "/operator" in signed_in.get("/persons").text


def test_an_ordinary_user_has_no_such_page(app, colleague, account):
    client = app.test_client().sign_in(colleague)
    assert client.get("/operator").status_code == 403
    assert "/operator" not in client.get("/persons").text


def test_metrics_are_off_unless_allowed(client, signed_in):
    assert client.get("/metrics").status_code == signed_in.get("/metrics").status_code == 404


def test_metrics_are_what_prometheus_reads(client, runtime, account, open_metrics):
    account_health.failed(runtime, account.id, Problem("timeout", "imap", "connect", facts={"host": "x"}))
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain; version=0.0.4")
    found = {family.name: family.samples for family in text_string_to_metric_families(answer.text)}
    assert found["soinbox_accounts"][0].value == 1
    assert found["soinbox_account_problems"][0].labels == {"code": "timeout"}
    assert found["soinbox_account_failures"][0].value == 1
    assert found["soinbox_database_bytes"][0].value > 0
    assert "soinbox_mailroom_heartbeat_age_seconds" in found and "soinbox_actions_open" in found
    for secret in (SUBJECT, account.address, account.imap.host):
        assert secret not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_metrics_never_go_through_a_proxy(client, open_metrics, header):
    assert client.get("/metrics", headers={header: "for=203.0.113.9"}).status_code == 404


def test_metrics_are_for_this_machine(client, open_metrics):
    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert answer.status_code == 404


def test_the_last_day_is_drawn_and_told(signed_in, runtime, account):
    with runtime.db.write() as connection:
        account_hours.add(connection, account.id, runtime.clock.now(), arrived=3, latest_seconds=2)
        account_hours.add(
            connection, account.id, runtime.clock.now(), arrived=1, latest_seconds=90, failures=2
        )
    page = signed_in.get(f"/accounts/{account.id}/status").text
    assert "4 messages arrived" in page and "at most 90 seconds" in page and "2 failed attempts" in page
    assert page.count("<rect class=") == 1 and 'style="' not in page


@pytest.mark.parametrize(
    "address", ["garbage", "", "unknown, 127.0.0.1", "127.0.0.1.evil.example", "9" * 9999]
)
def test_metrics_do_not_stumble_over_an_address_that_is_none(client, open_metrics, address):
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": address}).status_code == 404
