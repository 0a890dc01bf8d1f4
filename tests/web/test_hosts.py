"""Names that the instance goes by, and those of others (DNS rebinding)."""

from dataclasses import replace

import pytest

from soinbox_web.web import hosts

PUBLIC = "https://mail.example.org"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8025", "127.0.0.1:8025", "[::1]", "192.0.2.1:80"])
def test_without_a_public_url_this_machine_and_bare_addresses_are_ours(settings, host):
    assert hosts.is_ours(settings, host)
    assert not hosts.is_ours(replace(settings, public_url=PUBLIC), host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@localhost", "localhost/",
     "[::1", "localhost:x", "localhost, evil.example", "x" * 5000, "mail.example.org.evil.example",
     "mail.example.org:444"],
)  # fmt: skip
def test_other_names_are_never_ours(settings, host):
    assert not hosts.is_ours(settings, host)
    assert not hosts.is_ours(replace(settings, public_url=PUBLIC), host)


@pytest.mark.parametrize("host", ["mail.example.org", "Mail.Example.ORG:443", "mail.example.org."])
def test_the_public_url_is_ours(settings, host):
    assert hosts.is_ours(replace(settings, public_url=PUBLIC), host)


def test_a_proxy_may_leave_a_port_out(settings):
    behind = replace(settings, public_url=f"{PUBLIC}:8443")
    assert hosts.is_ours(behind, "mail.example.org") and hosts.is_ours(behind, "mail.example.org:8443")
    assert not hosts.is_ours(behind, "mail.example.org:443")


def test_a_page_by_another_name_says_why(client, member):
    answer = client.get("/sign-in", headers={"Host": "evil.example"})
    assert answer.status_code == 421 and "soinbox is not at this address" in answer.text


def test_metrics_are_there_for_the_machine_itself_beside_a_public_url(client, runtime, settings):
    runtime.settings = replace(settings, metrics=True, public_url=PUBLIC)
    assert client.get("/metrics", headers={"Host": "127.0.0.1:8025"}).status_code == 200
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/sign-in", headers={"Host": "127.0.0.1:8025"}).status_code == 421
