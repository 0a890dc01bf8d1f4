"""The numbers of set-up beside their goals, measured now: `python -m tests.reports.doctor`."""

import dataclasses
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from soinbox_web.mail import discovery
from soinbox_web.mail.discovery.providers import all_providers
from soinbox_web.mail.net.network import Network
from soinbox_web.model.address import read_address
from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import NetworkError, SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.settings import Settings
from tests.mail.discovery.test_find import DOMAIN, NAMES, PAGES, config
from tests.mail.discovery.test_providers import EXACT, test_a_family_is_exact
from tests.mail.test_net import LITERALS, visited
from tests.model import test_fresh_answers as fresh
from tests.reports import scenes
from tests.servers.dns_server import SILENCE, DnsServer
from tests.servers.https_server import HttpsServer, Page, may_listen_on_443

NOT_CAUSES = {"", "unknown"}
REBINDING = (["8.8.8.8"], ["127.0.0.1"]), (["8.8.8.8", "127.0.0.1"],), (["::ffff:10.0.0.1"],)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: `met` None means that this machine cannot measure it."""

    measure: str
    goal: str
    figure: str
    met: bool | None


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        ca = Authority()
        settings = Settings(
            ca_file=ca.write_anchor(Path(folder) / "ca.pem"),
            allow_hosts=AllowList.parse("127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128"),
            ispdb_url="",
        )
        figures = [*_table(), *_times(settings, ca), *_scenes(settings, ca), _fresh_answers(), _blocked()]
    width = max(len(one.measure) for one in figures)
    goal_width = max(len(one.goal) for one in figures)
    for one in figures:
        mark = "not measured" if one.met is None else "met" if one.met else "MISSED"
        print(f"{one.measure:<{width}}  {one.goal:<{goal_width}}  {one.figure:<28}  {mark}")
    return int(any(one.met is False for one in figures))


def _table() -> Iterator[Figure]:
    families = all_providers()
    yield _figure(
        "provider families in the own table", "60 to 150", len(families), 60 <= len(families) <= 150
    )
    patterns = sum(len(family.mx) for family in families)
    yield _figure("MX patterns", ">= 25", patterns, patterns >= 25)
    rows = [[part for part in line.split("  ") if part] for line in EXACT.strip().splitlines()]
    exact = sum(_holds(row) for row in rows)
    yield _figure(
        "families exact with the network off",
        "all, >= 45",
        f"{exact} of {len(rows)}",
        exact >= 45 and exact == len(rows),
    )
    policies = sum(family.policies != ("password",) for family in families)
    yield _figure("policies shown before the password", ">= 30", policies, policies >= 30)


def _holds(row: list[str]) -> bool:
    try:
        test_a_family_is_exact([part.strip() for part in row])
    except AssertionError:
        return False
    return True


def _times(settings: Settings, ca: Authority) -> Iterator[Figure]:
    with DnsServer({("gmail.com", "*"): SILENCE}) as dns:
        known = _took(dataclasses.replace(settings, dns_servers=(dns.address,)), "anna@gmail.com", 20)
    yield _figure("known provider found", "< 100 ms", f"{max(known) * 1000:.1f} ms at most", max(known) < 0.1)
    if may_listen_on_443():
        records = {(DOMAIN, "MX"): [f"10 mx.{DOMAIN}."], (f"mx.{DOMAIN}", "A"): ["127.0.0.9"]}
        page = Page(config(f"imap.{DOMAIN}"))
        with HttpsServer(ca.issue(*NAMES)) as site, DnsServer(records) as dns:
            site.pages[f"autoconfig.{DOMAIN}", f"/{PAGES}"] = page
            dns.records[f"autoconfig.{DOMAIN}", "A"] = [site.address]
            own = _took(dataclasses.replace(settings, dns_servers=(dns.address,)), f"jan@{DOMAIN}", 20)
        p95 = statistics.quantiles(own, n=20)[-1]
        yield _figure("own autoconfig found, p95 of 20", "< 2 s", f"{p95:.2f} s", p95 < 2)
    else:
        yield Figure("own autoconfig found, p95 of 20", "< 2 s", "needs port 443", None)
    with DnsServer({("hole.test", "*"): SILENCE}) as dns:
        (hole,) = _took(dataclasses.replace(settings, dns_servers=(dns.address,)), "jan@hole.test", 1)
    yield _figure("everything black-holed, verdict", "<= 10 s", f"{hole:.1f} s", hole <= 10)


def _took(settings: Settings, address: str, times: int) -> list[float]:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        try:
            discovery.find(
                read_address(address), Network(settings), progress=lambda stage: None, cancelled=lambda: False
            )
        except SoinboxError:
            pass  # a verdict, too
        taken.append(time.perf_counter() - begin)
    return taken


def _scenes(settings: Settings, ca: Authority) -> Iterator[Figure]:
    counts = scenes.play(Network(settings), ca)
    counts.codes |= _detection_codes(settings)
    with scenes.full_queue() as port:
        counts.codes.add(_code(lambda: Network(settings).connect("127.0.0.1", port, timeout=0.4)))
    causes = counts.codes - NOT_CAUSES
    yield _figure("failure codes told apart on real sockets", ">= 30", len(causes), len(causes) >= 30)
    yield _figure(
        "scenes with another verdict than theirs", "0", ", ".join(counts.wrong) or "0", not counts.wrong
    )
    most = counts.most_sign_ins
    yield _figure(
        "sign-ins a click",
        "<= 2 IMAP, 1 SMTP",
        f"{most['imap']} IMAP, {most['smtp']} SMTP",
        most["imap"] <= 2 and most["smtp"] <= 1,
    )
    yield _figure("passwords sent to an unverified host", "0", counts.to_unverified, not counts.to_unverified)
    yield _figure("passwords sent in clear", "0", counts.in_clear, not counts.in_clear)
    for side in scenes.SIDES:
        named = len(counts.named[side])
        yield _figure(
            f"certificate faults and old TLS named, {side.upper()}", "7 of 7", f"{named} of 7", named == 7
        )
    yield _figure(
        "refusals that quote the server's line",
        "100 %",
        f"{counts.quoted} of {counts.refusals}",
        counts.quoted == counts.refusals,
    )


def _detection_codes(settings: Settings) -> set[str]:
    """What the address alone brings to light."""
    records = {("null.test", "MX"): ["0 ."], ("empty.test", "TXT"): ['"nothing"']}
    addresses = ("anna@nowhere.test", "anna@null.test", "anna@gmial.com", "anna@proton.me", "anna")
    with DnsServer(records) as dns:
        near = dataclasses.replace(settings, dns_servers=(dns.address,))
        return {
            _code(
                lambda text=text: discovery.find(  # type: ignore[misc]
                    read_address(text), Network(near), progress=lambda stage: None, cancelled=lambda: False
                )
            )
            for text in addresses
        }


def _code(act: Callable[[], object]) -> str:
    try:
        act()
    except SoinboxError as error:
        return error.problem.code
    return ""


def _fresh_answers() -> Figure:
    """Answers of servers that nobody had shown the classifier."""
    counts = fresh.count()
    wrong, total = counts["wrong"], counts.total()
    met = not wrong and total >= 80
    return _figure("wrong definite verdicts on fresh answers", "0 of >= 80", f"{wrong} of {total}", met)


def _blocked() -> Figure:
    """Every address inside is refused, in one wording, and reaches nobody."""
    targets, refused = 0, 0
    wordings = set()
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.05)
        port = door.getsockname()[1]
        for host in dict.fromkeys(LITERALS):
            targets += 1
            try:
                _reach(Network(Settings()), host, port)
            except NetworkError as error:
                refused += error.problem.code == "private_blocked"
                wordings.add((error.problem.kind.title, error.problem.cause(str), error.problem.evidence))
        for turns in REBINDING:
            targets += 1
            with DnsServer(changing={("in.test", "AAAA" if ":" in turns[0][0] else "A"): turns}) as dns:
                network = Network(Settings(dns_servers=(dns.address,)))
                codes = [_code(partial(_reach, network, "in.test", port)) for _ in range(3)]
                refused += "" not in codes
        reached = visited(door)
    met = refused == targets >= 40 and len(wordings) == 1 and not reached
    return _figure(
        "addresses inside refused, in one wording",
        "100 % of >= 40",
        f"{refused} of {targets}, {len(wordings)} wording",
        met,
    )


def _reach(network: Network, host: str, port: int) -> None:
    network.connect(host, port, timeout=0.2, ports=frozenset({port})).close()


def _figure(measure: str, goal: str, figure: object, met: bool) -> Figure:
    return Figure(measure, goal, str(figure), met)


if __name__ == "__main__":
    sys.exit(main())
