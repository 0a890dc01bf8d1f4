"""The catalogue of problems is whole: every code of the contract, with words, and facts that are known."""

import string
from pathlib import Path

import pytest

from soinbox_web.problems import Kind, Problem
from soinbox_web.problems.catalogue import GROUPS, KINDS, LEAVES
from soinbox_web.texts import translator

CONTRACT = """
address_invalid address_typo domain_missing domain_no_mail provider_no_imap provider_pop_only
dns_failure host_missing refused timeout egress_blocked ipv6_only_failure private_blocked
wrong_service tls_on_plain_port plain_on_tls_port starttls_missing starttls_failed
cert_expired cert_not_yet_valid cert_name_mismatch cert_self_signed cert_untrusted_chain tls_too_old
credentials_wrong username_form app_password_required oauth_required imap_disabled_by_user
imap_disabled_by_admin web_login_required account_locked password_expired encryption_required
no_common_mechanism token_revoked consent_missing
server_unavailable rate_limited too_many_connections over_quota dropped_during_login
authenticated_not_connected client_id_required inbox_missing
smtp_auth_disabled smtp_sender_refused smtp_relay_only unknown
host_unconfirmed pin_mismatch local_limit sender_not_first recipient_refused message_too_big disk_full
""".split()  # noqa: SIM905

SERVER_FACTS = {"host", "port", "protocol", "username", "provider", "suggestion"}
"""What `mail.diagnose` fills in whatever the cause."""
OTHER_FACTS = {
    *("address", "domain", "date", "detail", "issuer", "limit", "mechanisms", "names", "path", "recipient"),
    *("service", "size"),
}
HELP = {"set-up", "server-data", "change-account", "not-updated", "first-address", "sending"}


@pytest.mark.parametrize("code", CONTRACT)
def test_every_code_of_the_contract_is_there(code: str) -> None:
    assert code in KINDS


def test_no_code_is_given_twice() -> None:
    codes = [kind.code for group in GROUPS for kind in group.kinds]
    assert len(codes) == len(set(codes)) == len(LEAVES)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_words_are_sentences_in_both_languages(kind: Kind) -> None:
    for language in ("en", "nl"):
        translate = translator(language)
        for text in (kind.cause, kind.remedy):
            assert translate(text).rstrip("”").endswith((".", "?", "}")), translate(text)
        assert translate(kind.title)[:1].strip()
        assert not translate(kind.title).endswith(".")
        for text in (kind.title, kind.cause, kind.remedy):
            assert _facts(translate(text)) == _facts(text), "a translation names other facts"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_help_leads_somewhere(kind: Kind) -> None:
    assert kind.help in HELP


@pytest.mark.parametrize(
    "kind",
    [kind for group in GROUPS[1:6] for kind in group.kinds],
    ids=lambda kind: kind.code,
)
def test_facts_of_mail_problems_are_known(kind: Kind) -> None:
    for text in (kind.title, kind.cause, kind.remedy):
        assert _facts(text) <= SERVER_FACTS | OTHER_FACTS


def test_a_missing_fact_never_fails() -> None:
    assert Problem("timeout").title(str) == "… does not answer on port …"


def test_every_code_that_is_raised_has_a_kind() -> None:
    """`Problem("code"…)` in the source names a code of the catalogue."""
    import re

    used = {
        code
        for path in Path("soinbox_web").rglob("*.py")
        for code in re.findall(r'\bProblem\(\s*"([a-z_0-9]+)"', path.read_text())
    }
    assert len(used) > 20
    assert used <= set(KINDS)


def _facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
