"""Finding servers against a real DNS server, real https pages and scripted mail servers on loopback."""

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from soinbox_web.mail import discovery
from soinbox_web.mail.net.network import Cancelled, Network
from soinbox_web.model.address import read_address
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.provider import Detection
from soinbox_web.model.stage import Stage
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority, Fault
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.settings import Settings
from tests.servers.dns_server import NXDOMAIN, SERVFAIL, SILENCE, DnsServer
from tests.servers.https_server import HttpsServer, Page, may_listen_on_443

pytestmark = pytest.mark.skipif(not may_listen_on_443(), reason="may not listen on port 443")

DOMAIN = "example.test"
PAGES = "mail/config-v1.1.xml"
NAMES = (
    DOMAIN, f"autoconfig.{DOMAIN}", f"ua-auto-config.{DOMAIN}", "ispdb.test", "autoconfig.hoster.test",
    "autoconfig.mx.hoster.test", f"imap.{DOMAIN}", f"smtp.{DOMAIN}", f"mail.{DOMAIN}",
)  # fmt: skip


@dataclass
class World:
    """The Internet as one test wants it; `stages` is what a person would see."""

    dns: DnsServer
    site: HttpsServer
    settings: Settings
    stages: list[Stage] = field(default_factory=list)

    def find(
        self, local: str = "jan", *, cancelled: Callable[[], bool] = lambda: False, **how: object
    ) -> Detection:
        address = read_address(f"{local}@{DOMAIN}")
        network = Network(self.settings)
        return discovery.find(address, network, progress=self.stages.append, cancelled=cancelled, **how)  # type: ignore[arg-type]

    def problem(self, **how: object) -> Problem:
        with pytest.raises(SoinboxError) as caught:
            self.find(**how)  # type: ignore[arg-type]
        return caught.value.problem

    def publish(self, host: str, path: str, body: bytes, **how: object) -> None:
        self.site.pages[host, path] = Page(body, **how)  # type: ignore[arg-type]
        self.dns.records[host, "A"] = [self.site.address]

    def autoconfig(self, imap: str, **how: object) -> None:
        self.publish(f"autoconfig.{DOMAIN}", f"/{PAGES}", config(imap), **how)

    def well_known(self, imap: str, **how: object) -> None:
        self.publish(DOMAIN, f"/.well-known/autoconfig/{PAGES}", config(imap), **how)

    def ispdb(self, imap: str, name: str = DOMAIN, **how: object) -> None:
        self.publish("ispdb.test", f"/v1.1/{name}", config(imap), **how)

    def pacc(self, imap: str, *, digest_of: bytes | None = None) -> None:
        body = json.dumps({"protocols": {"imap": {"host": imap}, "smtp": {"host": imap}}}).encode()
        digest = base64.b64encode(hashlib.sha256(digest_of or body).digest()).decode()
        self.publish(f"ua-auto-config.{DOMAIN}", "/.well-known/user-agent-configuration.json", body)
        self.dns.records[f"_ua-auto-config.{DOMAIN}", "TXT"] = [f'"v=UAAC1; a=sha256; d={digest}"']

    def srv(self, **targets: str) -> None:
        for service, target in targets.items():
            self.dns.records[f"_{service}._tcp.{DOMAIN}", "SRV"] = [target]

    @contextmanager
    def mail_host(self, ca: Authority, *names: str, fault: Fault = "none") -> Iterator[None]:
        """IMAP and SMTP over TLS on the usual ports, under these names."""
        identity, host = ca.issue(*names, fault=fault), self.site.address
        self.dns.records |= {(name, "A"): [host] for name in names}
        imap = ScriptedImap(ImapBehaviour(tls="implicit", certificate=identity), host=host, port=993)
        smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=identity), host=host, port=465)
        with imap, smtp:
            yield
            assert imap.sign_ins == [] and smtp.sign_ins == [], "no credential is sent"

    def best(self, **how: object) -> tuple[str, str, int]:
        found = self.find(**how).best("imap")  # type: ignore[arg-type]
        assert found is not None
        return found.host, found.source, found.score


def config(imap: str, *, smtp: str = "", security: str = "SSL", kind: str = "imap") -> bytes:
    return f"""<clientConfig version="1.1"><emailProvider id="x"><domain>{DOMAIN}</domain>
      <incomingServer type="{kind}"><hostname>{imap}</hostname><port>993</port>
        <socketType>{security}</socketType><username>%EMAILADDRESS%</username>
        <authentication>password-encrypted</authentication></incomingServer>
      <outgoingServer type="smtp"><hostname>{smtp or imap}</hostname><port>465</port>
        <socketType>{security}</socketType><username>%EMAILADDRESS%</username>
        <authentication>password-cleartext</authentication></outgoingServer>
    </emailProvider></clientConfig>""".encode()


def slow(seconds: float) -> Callable[[], None]:
    return lambda: time.sleep(seconds)


@pytest.fixture
def world(ca: Authority, tmp_path: Path) -> Iterator[World]:
    records = {(DOMAIN, "MX"): [f"10 mx.{DOMAIN}."], (f"mx.{DOMAIN}", "A"): ["127.0.0.9"]}
    with HttpsServer(ca.issue(*NAMES)) as site, DnsServer(records) as dns:
        settings = Settings(
            dns_servers=(dns.address,),
            allow_hosts=AllowList.parse("127.0.0.0/8,https://127.0.0.0/8"),
            ca_file=ca.write_anchor(tmp_path / "ca.pem"),
            ispdb_url="https://ispdb.test/v1.1/",
        )
        yield World(dns, site, settings)


def test_each_source_wins_over_the_next(world: World, ca: Authority) -> None:
    """Sources are taken away one by one, from the best to the least."""
    world.pacc("imap.a.test")
    world.autoconfig("imap.b.test")
    world.well_known("imap.c.test")
    world.ispdb("imap.d.test")
    world.srv(imaps="0 1 993 imap.e.test.", submissions="0 1 465 smtp.e.test.")
    world.dns.records[DOMAIN, "MX"] = ["10 mx.hoster.test."]
    world.ispdb("imap.f.test", "hoster.test")
    assert world.best() == ("imap.a.test", "pacc", 95)
    del world.dns.records[f"_ua-auto-config.{DOMAIN}", "TXT"]
    assert world.best() == ("imap.b.test", "autoconfig", 80)
    del world.site.pages[f"autoconfig.{DOMAIN}", f"/{PAGES}"]
    assert world.best() == ("imap.c.test", "autoconfig", 80)
    del world.site.pages[DOMAIN, f"/.well-known/autoconfig/{PAGES}"]
    assert world.best() == ("imap.d.test", "ispdb", 75)
    del world.site.pages["ispdb.test", f"/v1.1/{DOMAIN}"]
    with world.mail_host(ca, "imap.e.test", "smtp.e.test"):
        assert world.best() == ("imap.e.test", "srv", 60)
    del world.dns.records[f"_imaps._tcp.{DOMAIN}", "SRV"]
    del world.dns.records[f"_submissions._tcp.{DOMAIN}", "SRV"]
    assert world.best() == ("imap.f.test", "mx", 50)
    del world.site.pages["ispdb.test", "/v1.1/hoster.test"]
    world.publish("autoconfig.hoster.test", f"/{PAGES}", config("imap.g.test"))
    assert world.best() == ("imap.g.test", "mx", 50)


def test_priority_counts_not_speed(world: World) -> None:
    world.autoconfig("imap.slow.test", before=slow(1.5))
    world.ispdb("imap.fast.test")
    assert world.best()[0] == "imap.slow.test"


def test_a_source_that_takes_too_long_is_passed_over(world: World) -> None:
    world.autoconfig("imap.slow.test", before=slow(6))
    world.ispdb("imap.fast.test")
    before = time.perf_counter()
    assert world.best()[0] == "imap.fast.test"
    assert time.perf_counter() - before < 5


def test_each_side_may_come_from_another_source(world: World, ca: Authority) -> None:
    world.srv(imaps="0 1 993 imap.example.test.")
    world.dns.records[DOMAIN, "MX"] = ["10 aspmx.l.google.com."]
    with world.mail_host(ca, "imap.example.test"):
        found = world.find()
    imap, smtp = found.best("imap"), found.best("smtp")
    assert imap and (imap.host, imap.source) == ("imap.example.test", "srv")
    assert smtp and (smtp.host, smtp.source) == ("smtp.gmail.com", "mx")
    assert [c.protocol for c in found.candidates] == sorted(c.protocol for c in found.candidates)


def test_own_settings_are_found_within_two_seconds(world: World) -> None:
    world.autoconfig("imap.example.test")
    found = world.find()
    assert found.seconds < 2
    assert found.policies == ("password",) and found.needs_consent == ()


def test_only_the_domains_own_host_hears_the_address(world: World) -> None:
    world.ispdb("imap.example.test")
    world.dns.records[f"autoconfig.{DOMAIN}", "A"] = [world.site.address]
    world.dns.records[DOMAIN, "A"] = [world.site.address]
    world.find("jan.geheim")
    told = [url for url in world.site.asked if "geheim" in url]
    assert told and all(url.startswith(f"autoconfig.{DOMAIN}/") for url in told)
    assert f"ispdb.test/v1.1/{DOMAIN}" in world.site.asked
    assert not any("geheim" in name for name, _ in world.dns.asked)


def test_pacc_is_believed_only_with_its_digest(world: World) -> None:
    world.pacc("imap.evil.test", digest_of=b"another document")
    world.ispdb("imap.example.test")
    assert world.best()[0] == "imap.example.test"


def test_a_foreign_host_asks_for_consent(world: World) -> None:
    world.autoconfig("imap.hoster-net.test")
    found = world.find()
    assert found.needs_consent == ("imap.hoster-net.test",)
    world.autoconfig("imap.gmail.com")
    found = world.find()
    assert found.needs_consent == ()
    assert found.provider is not None and found.provider.key == "gmail"
    assert found.policies[0] == "app_password"


def test_http_is_off_by_default_and_never_trusted(world: World, ca: Authority) -> None:
    with HttpsServer(
        None, {(f"autoconfig.{DOMAIN}", f"/{PAGES}"): Page(config("imap.example.test"))}, 80
    ) as plain:
        world.dns.records[f"autoconfig.{DOMAIN}", "A"] = [plain.address]
        assert world.problem().code == "nothing_found"
        assert plain.asked == []
        world.settings = replace(world.settings, allow_http_autoconfig=True)
        found = world.find()
    imap = found.best("imap")
    assert imap and (imap.source, imap.score, imap.trusted) == ("http", 10, False)
    assert found.needs_consent == ("imap.example.test",)


def test_a_vanity_domain_is_known_by_its_mx(world: World) -> None:
    world.dns.records[DOMAIN, "MX"] = ["20 alt1.aspmx.l.google.com.", "10 aspmx.l.google.com."]
    found = world.find()
    assert found.provider is not None and found.provider.key == "gmail"
    imap = found.best("imap")
    assert imap and (imap.host, imap.source, imap.score, imap.trusted) == ("imap.gmail.com", "mx", 50, True)
    assert found.policies[0] == "app_password" and found.needs_consent == ()
    assert "mx aspmx.l.google.com" in [stage.detail for stage in world.stages]


def test_microsoft_by_mx_is_oauth_only(world: World) -> None:
    world.dns.records[DOMAIN, "MX"] = ["0 example-test.mail.protection.outlook.com."]
    found = world.find()
    assert found.provider is not None and found.provider.key == "office365"
    assert found.policies == ("oauth_only",)


@pytest.mark.parametrize(
    ("mx", "code"),
    [("10 mail.protonmail.ch.", "provider_no_imap"), ("10 mail.tutanota.de.", "provider_no_imap")],
)
def test_a_provider_without_imap_is_told_at_once(world: World, mx: str, code: str) -> None:
    world.dns.records[DOMAIN, "MX"] = [mx]
    problem = world.problem()
    assert problem.code == code and problem.facts["provider"] in ("Proton Mail", "Tuta")


def test_srv_with_a_dot_means_no_imap(world: World) -> None:
    world.srv(imaps="0 0 0 .", imap="0 0 0 .", submissions="0 1 465 smtp.example.test.")
    assert world.problem().code == "provider_no_imap"


def test_srv_order_and_security(world: World) -> None:
    world.dns.records[f"_imaps._tcp.{DOMAIN}", "SRV"] = [
        "20 0 993 late.example.test.", "10 1 993 light.example.test.", "10 9 993 heavy.example.test.",
    ]  # fmt: skip
    world.srv(imap="0 0 143 plain.example.test.", submission="0 0 587 smtp.example.test.")
    found = [c for c in world.find().candidates if c.source == "srv"]
    assert [(c.host, c.security) for c in found] == [
        ("heavy.example.test", "ssl"), ("light.example.test", "ssl"), ("late.example.test", "ssl"),
        ("plain.example.test", "starttls"), ("smtp.example.test", "starttls"),
    ]  # fmt: skip


@pytest.mark.parametrize("fault", ["expired", "wrong_name"])
def test_srv_whose_certificate_does_not_fit_is_the_last_choice(
    world: World, ca: Authority, fault: Fault
) -> None:
    world.srv(imaps="0 1 993 imap.e.test.", submissions="0 1 465 imap.e.test.")
    with world.mail_host(ca, "imap.e.test", fault=fault):
        assert world.best() == ("imap.e.test", "srv", 20)
        world.dns.records[DOMAIN, "MX"] = ["10 mx.hoster.test."]
        world.ispdb("imap.f.test", "hoster.test")
        assert world.best() == ("imap.f.test", "mx", 50)


def test_pop_only_is_told(world: World) -> None:
    world.publish("ispdb.test", f"/v1.1/{DOMAIN}", config("pop.example.test", kind="pop3"))
    assert world.problem().code == "provider_pop_only"


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ({(DOMAIN, "MX"): NXDOMAIN}, "domain_missing"),
        ({(DOMAIN, "MX"): ["0 ."]}, "domain_no_mail"),
        ({(DOMAIN, "MX"): []}, "domain_no_mail"),
        ({(DOMAIN, "MX"): SERVFAIL}, "dns_failure"),
    ],
)
def test_a_domain_without_mail_stops_at_once(
    world: World, records: dict[tuple[str, str], list[str] | str], code: str
) -> None:
    world.dns.records.update(records)
    before = time.perf_counter()
    problem = world.problem()
    assert problem.code == code and problem.side == "detection"
    assert time.perf_counter() - before < 2


@pytest.mark.parametrize(
    ("mx", "code"),
    [(["0 ."], "address_typo"), ([], "address_typo"), (["10 mx.hoster.test."], "nothing_found")],
    ids=["null MX", "parked", "takes mail"],
)
def test_a_slip_of_a_big_domain_that_somebody_parked(world: World, mx: list[str], code: str) -> None:
    world.dns.records |= {("gmial.com", "MX"): mx, ("gmial.com", "A"): ["127.0.0.9"]}
    address = read_address("jan@gmial.com")
    with pytest.raises(SoinboxError) as caught:
        discovery.find(
            address, Network(world.settings), progress=world.stages.append, cancelled=lambda: False
        )
    problem = caught.value.problem
    assert problem.code == code
    assert code == "nothing_found" or problem.facts["suggestion"] == "gmail.com"


def test_servfail_for_mx_does_not_hide_what_is_published(world: World) -> None:
    world.dns.records[DOMAIN, "MX"] = SERVFAIL
    world.autoconfig("imap.example.test")
    assert world.best()[0] == "imap.example.test"


def test_two_hundred_mx_records_are_bounded(world: World) -> None:
    world.dns.records[DOMAIN, "MX"] = [f"{n} mx{n}.hoster{n}.test." for n in range(200)]
    assert world.problem().code == "nothing_found"
    assert len([name for name in world.dns.asked if "hoster" in name[0]]) < 40


@pytest.mark.parametrize(
    "page",
    [
        Page(b"<html>Welcome</html>", headers={"Content-Type": "text/html"}),
        Page(b'<!DOCTYPE x [<!ENTITY a "b">]><clientConfig>&a;</clientConfig>'),
        Page(b"<clientConfig>" + b" " * 10_000_000), Page(config("imap.example.test", security="plain")),
        Page(config("%EMAILDOMAIN")), Page(b""), Page(config("imap.example.test"), status=500),
        Page(status=302, headers={"Location": "http://example.test/x"}),
    ],
    ids=["html", "entities", "10 MB", "plain only", "placeholder", "empty", "500", "to http"],
)  # fmt: skip
def test_a_bad_page_is_as_good_as_none(world: World, page: Page) -> None:
    world.publish(f"autoconfig.{DOMAIN}", f"/{PAGES}", b"")
    world.site.pages[f"autoconfig.{DOMAIN}", f"/{PAGES}"] = page
    world.ispdb("imap.example.test")
    assert world.best()[1] == "ispdb"


def test_the_content_type_does_not_matter(world: World) -> None:
    world.autoconfig("imap.example.test", headers={"Content-Type": "application/octet-stream"})
    assert world.best()[1] == "autoconfig"


def test_the_ispdb_may_be_switched_off(world: World) -> None:
    world.ispdb("imap.example.test")
    world.settings = replace(world.settings, ispdb_url="")
    assert world.problem().code == "nothing_found"
    assert not any("ispdb" in url for url in world.site.asked)


class Memory:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str | None] = {}

    def get(self, source: str, domain: str) -> tuple[bool, str | None]:
        return (source, domain) in self.kept, self.kept.get((source, domain))

    def put(self, source: str, domain: str, answer: str | None) -> None:
        self.kept[source, domain] = answer


def test_the_ispdb_is_asked_once(world: World) -> None:
    memory = Memory()
    world.ispdb("imap.example.test")
    for _ in range(2):
        assert world.best(cache=memory)[0] == "imap.example.test"
    assert world.site.asked.count(f"ispdb.test/v1.1/{DOMAIN}") == 1
    memory.kept = {("ispdb", DOMAIN): None}
    assert world.problem(cache=memory).code == "nothing_found"


def test_the_operators_folder_comes_first(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "autoconfig"
    folder.mkdir()
    world.settings = replace(world.settings, autoconfig_dir=folder)
    world.autoconfig("imap.published.test")
    (folder / "all.xml").write_bytes(config("imap.listed.test"))
    assert world.best() == ("imap.listed.test", "operator", 110)
    (folder / f"{DOMAIN}.xml").write_bytes(config("imap.own.test"))
    assert world.best() == ("imap.own.test", "operator", 110)
    found = world.find(offline=True)
    assert found.needs_consent == () and found.best("imap")
    assert world.dns.asked == []


def test_a_known_provider_needs_no_network() -> None:
    network = Network(Settings(dns_servers=(("127.0.0.1", 9),)))
    discovery.find(read_address("x@gmail.com"), network, progress=print, cancelled=lambda: False)
    before = time.perf_counter()
    for offline in (False, True):
        found = discovery.find(
            read_address("jan@outlook.com"), network, progress=print, cancelled=lambda: False, offline=offline
        )
        assert found.provider is not None and found.policies == ("oauth_only", "enable_imap")
    assert time.perf_counter() - before < 0.1


def test_offline_asks_nobody(world: World) -> None:
    world.autoconfig("imap.example.test")
    assert world.problem(offline=True).code == "nothing_found"
    assert world.dns.asked == []


def test_stages_begin_and_end(world: World) -> None:
    world.autoconfig("imap.example.test")
    world.find()
    begun = [stage.detail for stage in world.stages if stage.ok is None]
    ended = [stage.detail for stage in world.stages if stage.ok is not None]
    assert set(begun) == set(ended) and len(ended) == len(set(ended))
    assert {"pacc", f"autoconfig.{DOMAIN}", DOMAIN, "ispdb", "srv", f"mx mx.{DOMAIN}"} <= set(ended)
    assert {s.detail for s in world.stages if s.ok} == {f"autoconfig.{DOMAIN}"}


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_probes_find_the_usual_names(world: World, ca: Authority, tls: str) -> None:
    identity = ca.issue(f"imap.{DOMAIN}", f"mail.{DOMAIN}")
    host = world.site.address
    ports = {"implicit": (993, 465), "starttls": (143, 587)}[tls]
    imap = ScriptedImap(ImapBehaviour(tls=tls, certificate=identity), host=host, port=ports[0])  # type: ignore[arg-type]
    smtp = ScriptedSmtp(SmtpBehaviour(tls=tls, certificate=identity), host=host, port=ports[1])  # type: ignore[arg-type]
    world.dns.records |= {(f"imap.{DOMAIN}", "A"): [host], (f"mail.{DOMAIN}", "A"): [host]}
    with imap, smtp:
        found = world.find()
    security = "ssl" if tls == "implicit" else "starttls"
    best = [found.best("imap"), found.best("smtp")]
    assert [(c.host, c.port, c.security, c.score, c.trusted) for c in best if c] == [
        (f"imap.{DOMAIN}", ports[0], security, 45, True),
        (f"mail.{DOMAIN}", ports[1], security, 45, True),
    ]
    assert found.policies == ("unknown",) and found.needs_consent == ()
    assert imap.sign_ins == [] and smtp.sign_ins == [], "no credential is sent"


def test_a_probe_proposes_the_name_in_the_certificate(world: World, ca: Authority) -> None:
    host = world.site.address
    identity = ca.issue(f"server7.{DOMAIN}")
    world.dns.records |= {(f"mail.{DOMAIN}", "A"): [host], (f"server7.{DOMAIN}", "A"): [host]}
    with ScriptedImap(ImapBehaviour(tls="implicit", certificate=identity), host=host, port=993):
        assert world.best() == (f"server7.{DOMAIN}", "probe", 46)


def test_a_probe_keeps_a_server_whose_certificate_is_expired(world: World, ca: Authority) -> None:
    host = world.site.address
    identity = ca.issue(f"imap.{DOMAIN}", fault="expired")
    world.dns.records[f"imap.{DOMAIN}", "A"] = [host]
    with ScriptedImap(ImapBehaviour(tls="implicit", certificate=identity), host=host, port=993):
        assert world.best() == (f"imap.{DOMAIN}", "probe", 35)


def test_a_pop_server_alone_is_told(world: World) -> None:
    host = world.site.address
    world.dns.records[f"pop.{DOMAIN}", "A"] = [host]
    with socket.create_server((host, 110)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"+OK POP3 ready\r\n")

        threading.Thread(target=greet, daemon=True).start()
        assert world.problem().code == "provider_pop_only"


def black_holes(address: str, ports: tuple[int, ...]) -> list[socket.socket]:
    """Listeners whose queues are full: whoever connects meets silence."""
    sockets = []
    for port in ports:
        sockets.append(socket.create_server((address, port), backlog=0))
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((address, port))
            sockets.append(sock)
    return sockets


@pytest.mark.timeout(20)
def test_everything_black_holed_ends_in_ten_seconds(world: World) -> None:
    address = world.site.address.rpartition(".")[0] + ".255"
    holes = black_holes(address, (443, 993, 143, 465, 587, 995, 110))
    hosts = ("", "autoconfig.", "imap.", "mail.", "smtp.", "pop.", "mx.")
    world.dns.records |= {(f"{host}{DOMAIN}", "A"): [address] for host in hosts}
    world.dns.records["ispdb.test", "A"] = [address]
    before = time.perf_counter()
    assert world.problem().code == "nothing_found"
    assert time.perf_counter() - before <= 10
    for hole in holes:
        hole.close()


@pytest.mark.timeout(20)
def test_a_silent_name_server_ends_in_ten_seconds(world: World) -> None:
    world.dns.records = {(DOMAIN, "*"): SILENCE, ("ispdb.test", "*"): SILENCE}
    world.dns.records |= {(f"{h}.{DOMAIN}", "*"): SILENCE for h in ("imap", "mail", "smtp", "autoconfig")}
    before = time.perf_counter()
    assert world.problem().code == "dns_failure"
    assert time.perf_counter() - before <= 10


def test_cancel_ends_at_once(world: World) -> None:
    world.autoconfig("imap.example.test", before=slow(5))
    pressed = threading.Event()
    threading.Timer(0.3, pressed.set).start()
    before = time.perf_counter()
    with pytest.raises(Cancelled):
        world.find(cancelled=pressed.is_set)
    assert time.perf_counter() - before < 1
    time.sleep(0.3)
    assert sum(t.name.startswith("detection") for t in threading.enumerate()) <= 24
