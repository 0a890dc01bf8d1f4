"""All sources at once under one clock: strict priority, then probes, and an end within ten seconds."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from soinbox_web.mail.discovery import dns, sources
from soinbox_web.mail.discovery.dns import MailDomain
from soinbox_web.mail.discovery.probe import STAGGER, Probe, Prober, plan
from soinbox_web.mail.discovery.providers import by_mx
from soinbox_web.mail.discovery.published import DOUBTFUL, Published
from soinbox_web.mail.discovery.sources import Search
from soinbox_web.mail.discovery.verdict import (
    detection,
    dns_failed,
    no_imap,
    no_server,
)
from soinbox_web.mail.net.network import Cancelled
from soinbox_web.model.provider import Detection
from soinbox_web.model.server import Candidate, Endpoint, Protocol
from soinbox_web.model.stage import Stage, StageName
from soinbox_web.problems import SoinboxError

log = logging.getLogger(__name__)

THREADS = 24
PUBLISHED_BUDGET = 5.0  # seconds: afterwards a lower source may win
PROBES_FROM = 4.0
PROBES_UNTIL = 9.5
TICK = 0.05
PROTOCOLS: tuple[Protocol, ...] = ("imap", "smtp")
VERIFIED = 40  # score of a probe whose certificate fits
CHECKED = 2  # servers of each side that SRV records name

T = TypeVar("T")


@dataclass(slots=True)
class _Line:
    """One line of progress and the work behind it."""

    stage: StageName
    detail: str
    future: "Future[Published | None] | Future[Candidate | None]"
    begun: float
    told: bool = False


class Detective:
    """One detection of one domain that the table does not know."""

    def __init__(self, search: Search, progress: Callable[[Stage], None]) -> None:
        self._over = threading.Event()
        asked = search.cancelled
        self._asked = asked
        self._search = replace(search, cancelled=lambda: self._over.is_set() or asked())
        self._domain = search.domain
        self._progress = progress
        self._clock = search.network.clock
        self._begin = self._clock.monotonic()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="detection")
        self._lines: list[_Line] = []
        self._sources: list[Future[Published | None]] = []  # highest priority first
        self._probes: list[tuple[Probe, Future[Candidate | None]]] = []
        self._mail: Future[MailDomain] = Future()

    def find(self) -> Detection:
        """The detection; raises what `discovery.find` names."""
        try:
            self._start_sources()
            self._watch()
            return self._verdict()
        finally:
            self._over.set()
            for line in self._lines:
                self._tell(line, unfinished=True)
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _start_sources(self) -> None:
        search, network = self._search, self._search.network
        self._mail = self._pool.submit(dns.mail_domain, network, self._domain)
        self._source("pacc", lambda: sources.pacc(search))
        self._source(f"autoconfig.{self._domain}", lambda: sources.autoconfig(search))
        self._source(self._domain, lambda: sources.well_known(search))
        if network.settings.ispdb_url:
            self._source("ispdb", lambda: sources.ispdb(search, self._domain))
        self._source("srv", self._services)
        self._source("mx", lambda: sources.by_mail_exchanger(search, self._mail.result().hosts))
        if network.settings.allow_http_autoconfig:
            self._source(f"http://{self._domain}", lambda: sources.http_autoconfig(search))

    def _services(self) -> Published | None:
        """What SRV records name. DNS proves nothing, so a greeting is read behind a verified certificate
        (RFC 6186 section 6); the first two servers of each side are asked, all at once.
        """
        named = sources.srv(self._search)
        if named is None or not named.candidates:
            return named
        prober = self._prober((), self._begin + PUBLISHED_BUDGET)
        asked = [c for p in PROTOCOLS for c in [c for c in named.candidates if c.protocol == p][:CHECKED]]
        with ThreadPoolExecutor(len(asked), thread_name_prefix="detection-srv") as pool:
            answers = list(pool.map(partial(_safely, prober.fits), asked))
        proven = [candidate for candidate, fits in zip(asked, answers, strict=True) if fits]
        doubtful = tuple(replace(c, score=DOUBTFUL) for c in named.candidates if c not in proven)
        return replace(named, candidates=tuple(proven), doubtful=doubtful)

    def _source(self, detail: str, ask: Callable[[], Published | None]) -> None:
        future = self._pool.submit(_safely, ask)
        self._sources.append(future)
        self._line("lookup", detail, future)

    def _watch(self) -> None:
        """Wait until the verdict is clear or the time is over; raises when the domain has no mail."""
        while (elapsed := self._clock.monotonic() - self._begin) < PROBES_UNTIL:
            if self._asked():
                raise Cancelled
            self._judge_domain()
            for line in self._lines:
                self._tell(line)
            budget_over = elapsed >= PUBLISHED_BUDGET
            lacking = [p for p in PROTOCOLS if not self._decided(p, budget_over)]
            if not lacking or self._has_no_imap(budget_over):
                return
            all_asked = all(source.done() for source in self._sources)
            if not self._probes and (all_asked or elapsed >= PROBES_FROM):
                self._start_probes([p for p in PROTOCOLS if not self._found(p)])
            if (all_asked or budget_over) and all(self._found(p) or self._probed(p) for p in PROTOCOLS):
                return
            pending: set[Future[Any]] = {line.future for line in self._lines if not line.future.done()}
            if not pending:
                return
            wait(pending, timeout=TICK, return_when=FIRST_COMPLETED)

    def _judge_domain(self) -> None:
        if not self._mail.done():
            return
        mail = self._mail.result()
        if mail.state == "missing":
            raise no_server(self._search.address, "domain_missing")
        if mail.state == "no_mail":
            raise no_server(self._search.address, "domain_no_mail")
        for line in self._lines:
            if line.detail == "mx" and mail.hosts:
                line.detail = f"mx {mail.hosts[0]}"
                self._progress(Stage("detection", "lookup", None, 0, line.detail))

    def _decided(self, protocol: Protocol, budget_over: bool) -> bool:
        """True when no source that could still answer ranks above the best that has one."""
        for source in self._sources:
            if not source.done():
                if not budget_over:
                    return False
            elif (answer := source.result()) and answer.has(protocol):
                return True
        return False

    def _has_no_imap(self, budget_over: bool) -> bool:
        """True when the highest source that speaks of reading says that there is no IMAP."""
        for source in self._sources:
            if not source.done():
                if not budget_over:
                    return False
            elif answer := source.result():
                if answer.has("imap"):
                    return False
                if answer.pop_only or answer.no_imap:
                    return True
        return False

    def _answers(self) -> list[Published]:
        answers = [source.result() for source in self._sources if source.done()]
        return [answer for answer in answers if answer is not None]

    def _found(self, protocol: Protocol) -> bool:
        return any(answer.has(protocol) for answer in self._answers())

    def _start_probes(self, protocols: list[Protocol]) -> None:
        mx_hosts = self._mail.result().hosts if self._mail.done() else ()
        prober = self._prober(mx_hosts)
        for probe in plan(self._domain, mx_hosts, protocols):
            future = self._pool.submit(self._staggered, prober, probe)
            self._probes.append((probe, future))
            self._line("connect", f"{probe.endpoint.host}:{probe.endpoint.port}", future)

    def _prober(self, mx_hosts: tuple[str, ...], until: float = 0.0) -> Prober:
        search = self._search
        until = until or self._begin + PROBES_UNTIL
        return Prober(search.network, self._domain, mx_hosts, until, search.cancelled)

    def _staggered(self, prober: Prober, probe: Probe) -> Candidate | None:
        self._over.wait(probe.rank * STAGGER)
        return _safely(lambda: None if self._over.is_set() else prober.knock(probe))

    def _probed(self, protocol: Protocol) -> bool:
        """True when no probe that still runs could do better than the best so far."""
        mine = [(probe, future) for probe, future in self._probes if probe.protocol == protocol]
        running = [probe.rank for probe, future in mine if not future.done()]
        if not running:
            return bool(mine)
        good = [p.rank for p, f in mine if f.done() and (found := f.result()) and found.score >= VERIFIED]
        return bool(good) and min(good) < min(running)

    def _verdict(self) -> Detection:
        mail = self._mail.result() if self._mail.done() else MailDomain("unknown", evidence="time-out")
        answers = self._answers()
        if self._has_no_imap(True):
            without = next(a for a in answers if a.pop_only or a.no_imap)
            code = "provider_pop_only" if without.pop_only else "provider_no_imap"
            raise no_imap(code, self._domain, next(filter(None, map(by_mx, mail.hosts)), None))
        found = [candidate for answer in answers for candidate in answer.candidates]
        probed = [(p, f.result()) for p, f in self._probes if f.done()]
        found += [c for _, c in sorted(probed, key=lambda pair: pair[0].rank) if c is not None]
        found += [candidate for answer in answers for candidate in answer.doubtful]
        if not any(candidate.protocol == "imap" for candidate in found) and self._speaks_pop():
            raise no_imap("provider_pop_only", self._domain, None)
        if not found and mail.state == "unknown":
            raise dns_failed(self._domain, mail.evidence)
        if not found:
            raise no_server(self._search.address, "nothing_found", takes_mail=bool(mail.hosts))
        return detection(found, mail.hosts)

    def _speaks_pop(self) -> bool:
        """True when a POP3 server answers where no IMAP server did."""
        prober = self._prober(())
        endpoints = [
            Endpoint(f"{prefix}.{self._domain}", port, security)  # type: ignore[arg-type]
            for port, security in ((995, "ssl"), (110, "none"))
            for prefix in ("pop", "mail")
        ]
        knocks = [self._pool.submit(prober.speaks_pop, endpoint) for endpoint in endpoints]
        left = self._begin + PROBES_UNTIL - self._clock.monotonic()
        done, _ = wait(knocks, timeout=max(0.0, left))
        return any(knock.result() for knock in done if knock.exception() is None)

    def _line(
        self,
        stage: StageName,
        detail: str,
        future: "Future[Published | None] | Future[Candidate | None]",
    ) -> None:
        self._lines.append(_Line(stage, detail, future, self._clock.monotonic()))
        if detail != "mx":  # told with its host when that is known
            self._progress(Stage("detection", stage, None, 0, detail))

    def _tell(self, line: _Line, *, unfinished: bool = False) -> None:
        """Report a line that has ended, once."""
        if line.told or not (line.future.done() or unfinished):
            return
        line.told = True
        ok = line.future.done() and not line.future.cancelled() and line.future.result() is not None
        ms = round((self._clock.monotonic() - line.begun) * 1000)
        self._progress(Stage("detection", line.stage, ok, ms, line.detail))


def _safely(ask: Callable[..., T | None], *given: Any) -> T | None:
    """The answer, or None when the source fails: a strange answer of one source must not end the others."""
    try:
        return ask(*given)
    except (Cancelled, SoinboxError):
        return None
    except Exception:
        log.exception("a source of detection failed unexpectedly")
        return None
