"""Every entry of the provider table is valid, and the families that matter are exact."""

import re
import time
import tomllib
from typing import Any

import pytest
from publicsuffixlist import PublicSuffixList

from soinbox_web.mail.discovery import providers
from soinbox_web.mail.discovery.dns import mail_domain
from soinbox_web.mail.discovery.providers import (
    all_providers,
    by_key,
    by_mx,
    clean_password,
    password_fits,
    provider_of,
)
from soinbox_web.mail.discovery.sources import Search, by_mail_exchanger
from soinbox_web.mail.net.network import Network
from soinbox_web.model.address import read_address
from soinbox_web.model.provider import Provider
from soinbox_web.settings import Settings
from tests.servers.dns_server import DnsServer

DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z]")
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+([a-z]{2,}|\{domain\})")
NO_SERVERS = {"no_imap", "pop_only", "bridge"}
UNVERIFIED = 15  # facts of the table that have this source; lower it when one is looked up


@pytest.mark.parametrize("provider", all_providers(), ids=lambda provider: provider.key)
def test_an_entry_is_valid(provider: Provider) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", provider.key)
    assert provider.name and provider.name.strip() == provider.name
    assert provider.domains or provider.mx
    assert all(
        DOMAIN.fullmatch(domain.removeprefix("!"))
        for domain in (*provider.domains, *provider.link_domains, *provider.mx)
    )
    assert all(HOST.fullmatch(c.host) for c in provider.candidates)
    assert all(c.username in ("address", "local") for c in provider.candidates)
    assert all(set(c.auth) <= {"password", "oauth2"} and c.auth for c in provider.candidates)
    assert re.fullmatch(r"(https://\S+)?", provider.help_url)
    assert provider.link_domains
    sides = {c.protocol for c in provider.candidates}
    assert sides == (set() if provider.policies[0] in NO_SERVERS else {"imap", "smtp"})
    assert len(provider.domains) <= 40, "facts of help pages, no harvest"


def test_no_domain_or_pattern_stands_twice() -> None:
    for attribute in ("domains", "mx"):
        names = [name for provider in all_providers() for name in getattr(provider, attribute)]
        assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]
    assert len({provider.key for provider in all_providers()}) == len(all_providers())


def test_the_table_has_the_size_that_was_meant() -> None:
    assert 60 <= len(all_providers()) <= 150
    for fact, least in (("domains", 60), ("servers", 60), ("mx", 25), ("policies", 30)):
        learnt = [p for p in all_providers() if p.sources.get(fact) and "unverified" not in p.sources[fact]]
        assert len(learnt) >= least, fact


def test_what_nobody_looked_up_does_not_grow() -> None:
    facts = [
        (p.key, fact) for p in all_providers() for fact, learnt in p.sources.items() if "unverified" in learnt
    ]
    assert len(facts) <= UNVERIFIED, facts


@pytest.mark.parametrize("provider", [p for p in all_providers() if p.help_url], ids=lambda p: p.key)
def test_a_help_page_was_read_or_is_the_one_of_our_study(provider: Provider) -> None:
    assert set(provider.sources["help_url"]) <= {"setup.md", f"page:{provider.help_url}"}


def test_all_policies_occur() -> None:
    policies = {policy for provider in all_providers() for policy in provider.policies}
    assert policies == {
        "password", "app_password", "oauth_only", "enable_imap", "paid_plan", "bridge", "no_imap", "pop_only"
    }  # fmt: skip


# Address's domain, then host:port, security and user name of the first candidate on each side.
EXACT = """
mail.com            imap.mail.com:993 ssl address           smtp.mail.com:465 ssl address
jubii.dk            imap.jubii.dk:993 ssl address           smtp.jubii.dk:465 ssl address
hotmail.com         outlook.office365.com:993 ssl address   smtp-mail.outlook.com:587 starttls address
outlook.com         outlook.office365.com:993 ssl address   smtp-mail.outlook.com:587 starttls address
posteo.de           posteo.de:993 ssl address               posteo.de:465 ssl address
gmx.com             imap.gmx.com:993 ssl address            mail.gmx.com:465 ssl address
yahoo.com           imap.mail.yahoo.com:993 ssl address     smtp.mail.yahoo.com:465 ssl address
aol.com             imap.aol.com:993 ssl address            smtp.aol.com:465 ssl address
kpnmail.nl          imap.kpnmail.nl:993 ssl address         smtp.kpnmail.nl:465 ssl address
onet.pl             imap.poczta.onet.pl:993 ssl address     smtp.poczta.onet.pl:465 ssl address
ziggo.nl            imap.ziggo.nl:993 ssl address           smtp.ziggo.nl:587 starttls address
att.net             imap.mail.att.net:993 ssl address       outbound.att.net:465 ssl address
gmx.net             imap.gmx.net:993 ssl address            mail.gmx.net:465 ssl address
kundenserver.de     imap.1und1.de:993 ssl address           smtp.1und1.de:465 ssl address
yandex.ru           imap.yandex.com:993 ssl address         smtp.yandex.com:465 ssl address
sapo.pt             imap.sapo.pt:993 ssl address            smtp.sapo.pt:465 ssl address
mail.ru             imap.mail.ru:993 ssl address            smtp.mail.ru:465 ssl address
libero.it           imapmail.libero.it:993 ssl address      smtp.libero.it:465 ssl address
gmail.com           imap.gmail.com:993 ssl address          smtp.gmail.com:465 ssl address
arubapec.it         imaps.pec.aruba.it:993 ssl address      smtps.pec.aruba.it:465 ssl address
skynet.be           imap.proximus.be:993 ssl address        relay.proximus.be:587 starttls address
seznam.cz           imap.seznam.cz:993 ssl address          smtp.seznam.cz:465 ssl address
o2.pl               poczta.o2.pl:993 ssl local              poczta.o2.pl:465 ssl local
inbox.lv            mail.inbox.lv:993 ssl address           mail.inbox.lv:465 ssl address
inbox.lt            mail.inbox.lt:993 ssl address           mail.inbox.lt:465 ssl address
bigpond.com         imap.telstra.com:993 ssl address        smtp.telstra.com:465 ssl address
vodafonemail.de     imap.vodafonemail.de:993 ssl address    smtp.vodafonemail.de:465 ssl address
sfr.fr              imap.sfr.fr:993 ssl address             smtp.sfr.fr:465 ssl address
office365.com       outlook.office365.com:993 ssl address   smtp.office365.com:587 starttls address
x.onmicrosoft.com   outlook.office365.com:993 ssl address   smtp.office365.com:587 starttls address
icloud.com          imap.mail.me.com:993 ssl local          smtp.mail.me.com:587 starttls address
earthlink.net       imap.earthlink.net:993 ssl address      smtpauth.earthlink.net:587 starttls address
charter.net         mobile.charter.net:993 ssl address      mobile.charter.net:587 ssl address
btinternet.com      mail.btinternet.com:993 ssl address     mail.btinternet.com:465 ssl address
zoho.com            imap.zoho.com:993 ssl address           smtp.zoho.com:465 ssl address
zoho.eu             imap.zoho.eu:993 ssl address            smtp.zoho.eu:465 ssl address
zoho.in             imap.zoho.in:993 ssl address            smtp.zoho.in:465 ssl address
zoho.com.au         imap.zoho.com.au:993 ssl address        smtp.zoho.com.au:465 ssl address
zoho.jp             imap.zoho.jp:993 ssl address            smtp.zoho.jp:465 ssl address
zohocloud.ca        imap.zohocloud.ca:993 ssl address       smtp.zohocloud.ca:465 ssl address
teol.net            imap.teol.net:993 ssl address           smtp.teol.net:465 ssl address
t-online.de         secureimap.t-online.de:993 ssl address  securesmtp.t-online.de:465 ssl address
strato.de           imap.strato.de:993 ssl address          smtp.strato.de:465 ssl address
so.wind.ne.jp       so.wind.ne.jp:143 none local            so.wind.ne.jp:587 none local
orange.fr           imap.orange.fr:993 ssl address          smtp.orange.fr:465 ssl address
gransy.com          imap.gransy.com:993 ssl address         smtp.gransy.com:465 ssl address
centurylink.net     mail.centurylink.net:993 ssl address    smtp.centurylink.net:587 starttls address
bluewin.ch          imaps.bluewin.ch:993 ssl address        smtpauths.bluewin.ch:465 ssl address
web.de              imap.web.de:993 ssl local               smtp.web.de:465 ssl local
"""


@pytest.mark.parametrize(
    "row", [re.split(r"  +", line) for line in EXACT.strip().splitlines()], ids=lambda row: row[0]
)
def test_a_family_is_exact(row: list[str]) -> None:
    provider = provider_of(row[0])
    assert provider is not None
    for protocol, expected in zip(("imap", "smtp"), row[1:], strict=True):
        first = next(c for c in provider.candidates if c.protocol == protocol)
        assert f"{first.host}:{first.port} {first.security} {first.username}" == expected
        assert (first.source, first.trusted, first.score) == ("table", True, 100)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("aspmx.l.google.com.", "gmail"), ("ALT2.ASPMX.L.GOOGLE.COM", "gmail"), ("smtp.google.com", "gmail"),
        ("aspmx3.googlemail.com", "gmail"), ("example-nl.mail.protection.outlook.com", "office365"),
        ("outlook-com.olc.protection.outlook.com", "outlook"), ("in1-smtp.messagingengine.com", "fastmail"),
        ("smtp.secureserver.net", "godaddy"),
        ("mx1.emailsrvr.com", "rackspace"), ("mx1.mail.ovh.net", "ovh"),
        ("www123.your-server.de", "hetzner"),
        ("mx.ispgateway.de", "domainfactory"), ("smtpin.rzone.de", "strato"),
        ("mx.zoho.com", "zoho-pro-com"), ("mx2.zoho.eu", "zoho-pro-eu"),
        ("mx00.kundenserver.de", "ionos-hosting"),
        ("mail.protonmail.ch", "proton"), ("mx01.mail.icloud.com", "icloud"),
        ("mx.transip.email", "transip"),
    ],
)  # fmt: skip
def test_an_mx_host_tells_the_family(host: str, key: str) -> None:
    provider = by_mx(host)
    assert provider is not None and provider.key == key
    assert all((c.source, c.score, c.trusted) == ("mx", 50, True) for c in provider.candidates)


def test_an_mx_pattern_ends_at_a_dot() -> None:
    assert by_mx("mx.notgoogle.com") is None
    assert by_mx("google.com.example.net") is None


@pytest.mark.parametrize(
    "host",
    [
        "static.4.3.2.1.clients.your-server.de", "ip-1-2-3-4.ip.secureserver.net", "vps123456.ovh.net",
        "ns3012345.ip-1-2-3.ovh.net", "host1-2-3-4.serverdedicati.aruba.it", "c-1-2-3-4.hsd1.ca.comcast.net",
        "d51a4b2c3.access.telenet.be", "laubervilliers-1-2-3-4.w1-2.abo.wanadoo.fr",
        "mx-aol.mail.gm0.yahoodns.net",
        "cpe-1-2-3-4.nyc.res.rr.com", "mx00.gmx.com", "ps12345.dreamhost.com", "1-2-3-4.ip.fastwebnet.it",
    ],
)  # fmt: skip
def test_a_machine_of_customers_or_of_several_families_is_none(host: str) -> None:
    assert by_mx(host) is None


def test_no_pattern_is_a_public_suffix_or_of_two_families() -> None:
    suffixes = PublicSuffixList()
    patterns = [(p.key, end.removeprefix("!")) for p in all_providers() for end in p.mx]
    assert all(suffixes.privatesuffix(end) for _, end in patterns)
    below = [
        (key, end, other)
        for key, end in patterns
        for family, other in patterns
        if family != key and end.endswith(f".{other}")
    ]
    assert below == [], "one family's pattern lies below that of another"


VANITY = [end for provider in all_providers() for end in provider.mx if not end.startswith("!")]


def test_a_vanity_domain_is_found_by_each_pattern_in_the_dns() -> None:
    """A domain of one's own for every pattern, each with two MX hosts, asked of a real DNS server."""
    assert len(VANITY) >= 25
    domains = {f"vanity{number}.test": end for number, end in enumerate(VANITY)}
    records = {(name, "MX"): [f"20 mx2.{end}.", f"10 {end}."] for name, end in domains.items()}
    with DnsServer(records) as server:
        network = Network(Settings(dns_servers=(server.address,)))
        for name, end in domains.items():
            hosts = mail_domain(network, name).hosts
            search = Search(read_address(f"jan@{name}"), network, lambda: False)
            found = by_mail_exchanger(search, hosts)
            provider = by_mx(hosts[0])
            assert hosts == (end, f"mx2.{end}")
            assert provider is not None and end in provider.mx
            assert found is not None and found.candidates == provider.candidates


def test_unknown_domains_are_not_in_the_table() -> None:
    assert provider_of("example.nl") is None
    assert provider_of("notgmail.com") is None
    assert provider_of("x.gmail.com") is None
    assert provider_of("onmicrosoft.com") is None


@pytest.mark.parametrize(
    ("key", "secret", "fits"),
    [
        ("gmail", "abcdefghijklmnop", True), ("gmail", "abcd efgh ijkl mnop", True), 
        ("gmail", "Summer2026!", False),
        ("gmail", "abcd\u00a0efgh\u00a0ijkl\u00a0mnop ", True), ("gmail", "abcdefghijklmno", False),
        ("gmail", "", False),
        ("gmail", "ABCDEFGHIJKLMNOP", False), ("icloud", "abcd-efgh-ijkl-mnop", True),
        ("icloud", "abcdefghijklmnop", False),
        ("yahoo", "abcdefghijklmnop", True), ("yahoo", "correct horse", False), ("ziggo", "whatever", True),
        ("mail-ru", "no shape is known", True),
    ],
)  # fmt: skip
def test_what_cannot_be_an_app_password(key: str, secret: str, fits: bool) -> None:
    assert password_fits(by_key(key), secret) is fits


def test_blanks_are_stripped_only_where_they_were_pasted() -> None:
    assert clean_password(by_key("gmail"), " abcd efgh\u00a0ijkl mnop\u2007") == "abcdefghijklmnop"
    assert clean_password(by_key("gmail"), "my own password") == "my own password"
    assert clean_password(by_key("ziggo"), "abcd efgh ijkl mnop") == "abcd efgh ijkl mnop"
    assert clean_password(None, " spaced ") == " spaced "


def test_the_table_is_read_fast() -> None:
    before = time.perf_counter()
    tomllib.loads(providers.TABLE.read_text())
    assert time.perf_counter() - before < 0.5  # a loaded machine; 30 ms alone


@pytest.mark.parametrize(
    "change",
    [
        {"imap": ["imap.example.net:993"]}, {"imap": ["imap.example.net:99999 ssl"]}, {"policies": ["hope"]},
        {"password_shape": "long"}, {"colour": "blue"}, {"imap": ["imap.example.net:993 tls"]},
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        providers.read_provider(
            {"key": "x", "name": "X", "domains": ["x.nl"], "sources": {"domains": ["ispdb:x"]}, **change}
        )


@pytest.mark.parametrize(
    "sources",
    [
        {}, {"domains": []}, {"domains": ["https://x.nl/help"]}, {"domains": ["page:http://x.nl/help"]},
        {"domains": ["ispdb:"]}, {"domains": ["memory"]}, {"domains": ["ispdb:x"], "mx": ["ispdb:x"]},
        {"domains": ["ispdb:x", "https://x.nl/help"]},
    ],
)  # fmt: skip
def test_a_fact_without_a_source_that_was_read_is_refused(sources: dict[str, list[str]]) -> None:
    entry = {"key": "x", "name": "X", "domains": ["x.nl"], "sources": sources}
    with pytest.raises(ValueError, match="source"):
        providers.read_provider(entry)
    providers.read_provider({**entry, "sources": {"domains": ["page:https://x.nl/help"]}})
