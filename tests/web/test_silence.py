"""What gives no sign of life is not well, wherever somebody looks."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from soinbox_web.cli import main
from soinbox_web.services import account_health, accounts
from soinbox_web.store import leases
from tests import seed


@pytest.fixture
def account(runtime, member):
    runtime.settings = replace(runtime.settings, metrics=True)
    made = seed.account(runtime, member)
    account_health.succeeded(runtime, made.id, mode="push")
    return made


def beat(runtime):
    with runtime.db.write() as connection:
        leases.take(connection, "mailroom", "a", runtime.clock.now())


def test_an_account_that_nothing_keeps_up_to_date_is_not_well_anywhere(signed_in, runtime, account, clock):
    beat(runtime)
    assert "All well" in signed_in.get("/persons").text
    clock.turn(minutes=4)
    beat(runtime)
    page = signed_in.get("/persons").text
    assert "Nothing keeps this mailbox up to date" in page and "Try again now" in page
    assert "All well" not in page and "Not updated" in page
    assert "Nothing keeps this mailbox" in signed_in.get(f"/accounts/{account.id}/status").text
    assert "Nothing keeps this mailbox" in signed_in.get("/operator").text
    metrics = signed_in.get("/metrics").text
    assert 'soinbox_accounts{state="failing"} 1' in metrics
    assert 'soinbox_account_problems{code="account_silent"} 1' in metrics
    told = accounts.status_json(runtime, accounts.everyone(runtime)[0], str)
    assert told["state"] == "failing" and told["problem"]["code"] == "account_silent"


def test_a_sign_of_life_each_minute_keeps_it_well(signed_in, runtime, account, clock):
    for _ in range(10):
        clock.turn(minutes=1)
        account_health.still_well(runtime, account.id)
    assert "All well" in signed_in.get("/persons").text


def test_a_connection_that_lives_beside_a_fallen_life_does_not_speak_for_it(
    signed_in, runtime, account, clock
):
    for _ in range(10):
        clock.turn(minutes=1)
        account_health.still_well(runtime, account.id, alive=False)
    assert "Nothing keeps this mailbox up to date" in signed_in.get("/persons").text


def test_check_names_what_ought_to_run(runtime, account):
    """By the machine's clock: the sign of life is years old, or to come; the mailroom's is too."""
    with runtime.db.write() as connection:
        connection.execute("UPDATE account_status SET alive_at = '2020-01-01T00:00:00.000Z'")
        connection.execute("INSERT INTO leases VALUES ('mailroom', 'a', '2020-01-01T00:00:00.000Z')")
    run = CliRunner().invoke(main, ["check", "--json", "--instance", str(runtime.settings.instance)])
    assert run.exit_code == 1
    assert json.loads(run.stdout)["running"] == [
        {"name": "mailroom", "ok": False, "detail": "gives no sign of life"}
    ]
    with runtime.db.write() as connection:
        connection.execute("UPDATE leases SET heartbeat_at = '2099-01-01T00:00:00.000Z'")
    run = CliRunner().invoke(main, ["check", "--json", "--instance", str(runtime.settings.instance)])
    assert [each["name"] for each in json.loads(run.stdout)["running"]] == [account.address]
    with runtime.db.write() as connection:
        connection.execute("DELETE FROM leases")
    run = CliRunner().invoke(main, ["check", "--json", "--instance", str(runtime.settings.instance)])
    assert run.exit_code == 0, "the mailroom was stopped in order"


def test_a_product_that_was_killed_is_no_unsound_instance(runtime, account):
    with runtime.db.write() as connection:
        connection.execute("INSERT INTO leases VALUES ('mailroom', 'a', '2020-01-01T00:00:00.000Z')")
        connection.execute("INSERT INTO fallen VALUES ('mailroom', 7, '2020-01-01T00:00:00.000Z')")
    call = ["check", "--json", "--instance", str(runtime.settings.instance)]
    assert CliRunner().invoke(main, call).exit_code == 1, "pages run"
    runtime.close()
    run = CliRunner().invoke(main, call)
    assert run.exit_code == 0
    assert json.loads(run.stdout)["running"] == []
