"""Signing in to both sides: who is asked how often, in which order, and when it is given up."""

import dataclasses
import threading
import time
from collections.abc import Callable

import pytest

from soinbox_web.mail.diagnose import secret_shape
from soinbox_web.mail.discovery.providers import by_key
from soinbox_web.mail.net.network import Cancelled, Network
from soinbox_web.mail.signin import Secrets, SignInResult, sign_in
from soinbox_web.model.server import Login, Protocol
from soinbox_web.model.stage import Stage
from soinbox_web.rehearsal.behaviour import SignIn
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from tests.mail.conftest import ADDRESS, HOST, QUICK, SECRET, Bench
from tests.servers.mailbox import RealMailbox


@dataclasses.dataclass
class Pair:
    """An IMAP and an SMTP server, and signing in to both."""

    imap: ScriptedImap
    smtp: ScriptedSmtp
    network: Network

    def login(self, side: Protocol, user: str = ADDRESS) -> Login:
        return Login(HOST, self.imap.port if side == "imap" else self.smtp.port, "ssl", user)

    def sign_in(
        self, secret: str = SECRET, smtp_secret: str | None = None, **options: object
    ) -> SignInResult:
        options.setdefault("timeouts", QUICK)
        options.setdefault("address", ADDRESS)
        return sign_in(
            *(self.login("imap"), self.login("smtp"), Secrets(secret, smtp_secret), self.network),
            **options,  # type: ignore[arg-type]
        )


@pytest.fixture
def pair(make_bench: Callable[[Protocol], Bench], network: Network) -> Pair:
    imap, smtp = make_bench("imap").serve(), make_bench("smtp").serve()
    assert isinstance(imap, ScriptedImap) and isinstance(smtp, ScriptedSmtp)
    return Pair(imap, smtp, network)


def behave(server: ScriptedImap | ScriptedSmtp, **changes: object) -> None:
    server.behaviour = dataclasses.replace(server.behaviour, **changes)  # type: ignore[arg-type, type-var]


def test_both_sides_work(pair: Pair) -> None:
    result = pair.sign_in()
    assert result.imap.ok and result.smtp.ok
    assert result.imap.login == pair.login("imap") and result.smtp.login == pair.login("smtp")
    assert "IDLE" in result.imap.capabilities and "SMTPUTF8" in result.smtp.capabilities
    assert len(pair.imap.sign_ins) == len(pair.smtp.sign_ins) == 1
    assert "EXAMINE" in pair.imap.commands and "SELECT" not in pair.imap.commands
    assert pair.smtp.commands[-1] == "QUIT"


def test_a_wrong_secret_is_sent_once_to_imap_and_never_to_smtp(pair: Pair) -> None:
    result = pair.sign_in("guess")
    assert result.imap.problem and result.imap.problem.code == "credentials_wrong"
    assert not result.smtp.tried and result.smtp.problem is None
    assert (len(pair.imap.sign_ins), len(pair.smtp.sign_ins)) == (1, 0)


def test_the_other_form_of_the_user_name_is_tried_once(pair: Pair) -> None:
    for server in (pair.imap, pair.smtp):
        behave(server, passwords={"anna": SECRET})
    result = pair.sign_in(alternative_username=True)
    assert result.imap.login and result.imap.login.username == "anna"
    assert result.smtp.login and result.smtp.login.username == "anna", "SMTP tries the form IMAP accepted"
    assert [tried.username for tried in pair.imap.sign_ins] == [ADDRESS, "anna"]
    assert [tried.username for tried in pair.smtp.sign_ins] == ["anna"]


def test_from_the_local_part_to_the_whole_address(pair: Pair) -> None:
    result = sign_in(
        pair.login("imap", "anna"),
        None,
        Secrets(SECRET),
        pair.network,
        alternative_username=True,
        address=ADDRESS,
        timeouts=QUICK,
    )
    assert result.imap.login == pair.login("imap")
    assert not result.smtp.tried


def test_never_more_than_two_sign_ins_on_imap(pair: Pair) -> None:
    result = pair.sign_in("guess", alternative_username=True)
    assert result.imap.problem and result.imap.problem.facts["username"] == ADDRESS
    assert (len(pair.imap.sign_ins), len(pair.smtp.sign_ins)) == (2, 0)


@pytest.mark.parametrize("words", [b"NO [EXPIRED] Password expired", b"NO [UNAVAILABLE] later", b"NO hm"])
def test_no_second_try_for_another_reason(pair: Pair, words: bytes) -> None:
    behave(pair.imap, sign_in=SignIn(answer=words))
    pair.sign_in(alternative_username=True)
    assert len(pair.imap.sign_ins) == 1


def test_reading_works_and_sending_does_not(pair: Pair) -> None:
    behave(pair.smtp, sign_in=SignIn(answer=b"535 5.7.8 Error: authentication failed"))
    result = pair.sign_in()
    assert result.imap.ok and result.smtp.tried and not result.smtp.ok
    assert result.smtp.problem and result.smtp.problem.side == "smtp"
    assert len(pair.smtp.sign_ins) == 1, "whatever mechanisms are offered, one AUTH"


def test_two_faults_get_two_verdicts(pair: Pair) -> None:
    behave(pair.imap, greeting=b"+OK POP3\r\n")
    behave(pair.smtp, sign_in=SignIn(answer=b"454 4.7.0 later"))
    result = pair.sign_in()
    assert result.imap.problem and result.imap.problem.code == "wrong_service"
    assert result.smtp.problem and result.smtp.problem.code == "server_unavailable"


def test_smtp_waits_for_imap(pair: Pair) -> None:
    behave(pair.imap, delays={"SIGN_IN": 0.4})
    stages: list[tuple[str, str, bool | None]] = []
    assert pair.sign_in(progress=lambda s: stages.append((s.side, s.stage, s.ok))).smtp.ok
    assert stages.index(("smtp", "greet", True)) < stages.index(("imap", "sign_in", True)), "in parallel"
    assert stages.index(("imap", "sign_in", True)) < stages.index(("smtp", "sign_in", None)), "then AUTH"


def test_another_secret_for_smtp_does_not_depend_on_imap(pair: Pair) -> None:
    result = pair.sign_in("guess", SECRET)
    assert not result.imap.ok and result.smtp.ok


def test_each_stage_is_told_when_it_begins_and_when_it_ends(pair: Pair) -> None:
    told: list[Stage] = []
    threads: set[int] = set()

    def progress(stage: Stage) -> None:
        told.append(stage)
        threads.add(threading.get_ident())

    pair.sign_in(progress=progress)
    for side, names in (
        ("imap", ["connect", "encrypt", "greet", "sign_in", "open_inbox"]),
        ("smtp", ["connect", "encrypt", "greet", "sign_in"]),
    ):
        mine = [stage for stage in told if stage.side == side]
        assert [(s.stage, s.ok) for s in mine] == [(name, ok) for name in names for ok in (None, True)]
        assert mine[3].detail.startswith("TLSv1.")
    assert threads == {threading.get_ident()}
    assert SECRET not in repr(told)


def test_a_hard_limit_ends_it(pair: Pair) -> None:
    behave(pair.imap, stall_at="SIGN_IN")
    begin = time.monotonic()
    result = pair.sign_in(seconds=0.6, timeouts=dataclasses.replace(QUICK, command=30.0))
    assert time.monotonic() - begin < 4
    assert result.imap.problem and (result.imap.problem.code, result.imap.problem.stage) == (
        "timeout",
        "sign_in",
    )
    assert pair.smtp.sign_ins == [], "nobody waits any more, so no secret is sent"


def test_a_server_that_drips_is_ended_too(pair: Pair) -> None:
    """One byte now and then resets an ordinary socket's time-out for ever."""
    behave(pair.imap, greeting=b"* O", stall_at="CAPABILITY")
    begin = time.monotonic()
    result = pair.sign_in()
    assert result.imap.problem and result.imap.problem.code in {"timeout", "server_unavailable"}
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("moment", ["GREETING", "SIGN_IN", "EXAMINE"])
def test_cancel_at_any_time(pair: Pair, moment: str) -> None:
    behave(pair.imap, stall_at=moment)
    begin = time.monotonic()
    with pytest.raises(Cancelled):
        pair.sign_in(
            cancelled=lambda: time.monotonic() - begin > 0.3,
            timeouts=dataclasses.replace(QUICK, greeting=30.0, command=30.0),
        )
    assert time.monotonic() - begin < 4


def test_secrets_never_travel_in_clear(pair: Pair, make_bench: Callable[[Protocol], Bench]) -> None:
    for security in ("ssl", "starttls", "none"):
        for tls in ("implicit", "starttls", "none"):
            for side in ("imap", "smtp"):
                bench = make_bench(side)  # type: ignore[arg-type]
                server = bench.serve(tls=tls)
                bench.sign_in(bench.login(server.port, security))  # type: ignore[arg-type]
                assert server.secrets_in_clear == []
                assert all(tried.encrypted for tried in server.sign_ins)


def test_a_password_outside_ascii(pair: Pair) -> None:
    secret = "pässwörd-€-密"
    for server in (pair.imap, pair.smtp):
        behave(server, passwords={ADDRESS: secret})
    for capabilities in (("IMAP4rev1", "AUTH=PLAIN"), ("IMAP4rev1",)):
        behave(pair.imap, capabilities=capabilities)
        result = pair.sign_in(secret)
        assert result.imap.ok and result.smtp.ok


def test_quotes_and_backslashes(pair: Pair) -> None:
    secret = 'a"b\\c d'
    for capabilities in (("IMAP4rev1",), ("IMAP4rev1", "AUTH=PLAIN", "SASL-IR")):
        behave(pair.imap, passwords={ADDRESS: secret}, capabilities=capabilities)
        behave(pair.smtp, passwords={ADDRESS: secret})
        assert pair.sign_in(secret).imap.ok


@pytest.mark.parametrize(
    ("offered", "used"),
    [
        (("AUTH=PLAIN", "SASL-IR"), "PLAIN"),
        (("AUTH=PLAIN",), "LOGIN"),
        ((), "LOGIN"),
        (("AUTH=PLAIN", "LOGINDISABLED"), "PLAIN"),
        (("AUTH=CRAM-MD5",), "LOGIN"),
    ],
)
def test_one_mechanism_by_capability(pair: Pair, offered: tuple[str, ...], used: str) -> None:
    behave(pair.imap, capabilities=("IMAP4rev1", *offered))
    assert pair.sign_in().imap.ok
    assert [tried.mechanism for tried in pair.imap.sign_ins] == [used]


def test_smtp_login_where_plain_is_not_offered(pair: Pair) -> None:
    behave(pair.smtp, extensions=("AUTH=LOGIN",))
    assert pair.sign_in().smtp.ok
    assert [tried.mechanism for tried in pair.smtp.sign_ins] == ["LOGIN"]


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("initial", [True, False])
def test_tokens(pair: Pair, mechanism: str, initial: bool) -> None:
    words = ("IMAP4rev1", f"AUTH={mechanism}", *(("SASL-IR",) if initial else ()))
    behave(pair.imap, capabilities=words)
    behave(pair.smtp, extensions=(f"AUTH PLAIN {mechanism}",))
    result = sign_in(
        *(pair.login("imap"), pair.login("smtp"), Secrets(SECRET, token=True), pair.network), timeouts=QUICK
    )
    assert result.imap.ok and result.smtp.ok
    assert {t.mechanism for t in (*pair.imap.sign_ins, *pair.smtp.sign_ins)} == {mechanism}


def test_secret_shapes() -> None:
    gmail, gmx = by_key("gmail"), by_key("gmx-net")
    assert secret_shape(gmail, "abcd efgh ijkl mnop") == "fits"
    assert secret_shape(gmail, "Zomer2026!") == "differs"
    assert secret_shape(gmx, "Zomer2026!") == secret_shape(None, "x") == "unknown"
    assert secret_shape(gmail, "ya29", token=True) == "token"


@pytest.mark.real
@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_servers_that_nobody_here_wrote(mailbox: RealMailbox, network: Network, security: str) -> None:
    logins = {
        "ssl": (mailbox.imap_login, mailbox.smtp_login),
        "starttls": (mailbox.imap_starttls_login, mailbox.smtp_starttls_login),
    }[security]
    result = sign_in(*logins, Secrets(mailbox.password), network)
    assert result.imap.ok and result.smtp.ok, result
    refused = sign_in(*logins, Secrets("guess"), network)
    assert refused.imap.problem and refused.imap.problem.code == "credentials_wrong"
    assert not refused.smtp.tried
