"""A small part of T3 at each run of the tests; its times are a figure of `make trust`."""

from collections import Counter

from soinbox_web.mail.mime.parse import parse
from soinbox_web.mail.mime.worker import open_guarded
from tests.mail.mime.bombs import BOMBS, inside
from tests.trust.figures.t3_parsing import mutations


def test_no_bomb_makes_reading_raise() -> None:
    for name, bomb in BOMBS.items():
        for size in (1, 3_000):
            assert parse(bomb(size)), name
        open_guarded(inside(bomb(3_000), bomb(6_000)))


def test_mutations_are_read_and_are_the_same_each_time() -> None:
    first = list(mutations(300))
    assert first == list(mutations(300))
    assert len(Counter(name.partition(",")[0] for name, _ in first)) >= 40
    for name, raw in first:
        assert not open_guarded(raw).message.source_only or parse(raw).source_only, name
