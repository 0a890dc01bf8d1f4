"""T5: hostile IMAP servers against synchronising and the test button, STARTTLS stripped, line ends put in."""

from typing import Any

from tests.trust.by_tests import counted

HOSTILE = "tests/trust/test_hostile.py::"
CAUSES = "tests/mail/test_signin_causes.py::"
SYNCHRONISING = (
    "test_synchronising_ends", "test_synchronising_ends_where_nothing_comes", "test_synchronising_again_ends",
    "test_what_is_beyond_all_bounds_stops_nothing_else", "test_acting_ends",
    "test_acting_ends_where_nothing_comes", "test_what_a_hostile_server_said_is_forgotten",
)  # fmt: skip


def figures(every: int) -> list[dict[str, Any]]:
    synchronising = [HOSTILE + name for name in SYNCHRONISING]
    return [
        counted("T5 hostile servers, <= 30 s, <= 300 MB, given back", 55, synchronising, every),
        counted("T5 hostile servers at the test button", 8, [HOSTILE + "test_the_test_button_ends"], every),
        counted("T5 others undisturbed", 1, [HOSTILE + "test_an_honest_account_is_undisturbed"], 1),
        counted("T5 STARTTLS: no secret in clear", 24, ["tests/mail/test_starttls.py"], every),
        counted(
            "T5 line ends in fields: nothing injected",
            10,
            [
                CAUSES + "test_line_breaks_are_refused_before_anything_is_sent",
                "tests/mail/test_imap.py::test_line_breaks_never_reach_the_line",
                "tests/mail/test_smtp.py::test_line_breaks_in_addresses",
            ],
            every,
        ),
    ]
