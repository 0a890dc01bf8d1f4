"""Recipients as they are typed: read whole, and hostile text in a time that grows with its length."""

import time

import pytest

from soinbox_web.model.message import Correspondent
from soinbox_web.model.recipients import LONGEST, read_recipients, write_recipients


def test_separators_names_and_quotes() -> None:
    found = read_recipients('"Jansen, A." <anna@x.nl>; Bram  <bram@y.nl>,<c@z.nl>\nd@z.nl, ANNA@x.nl')
    assert found.people == (
        Correspondent("Jansen, A.", "anna@x.nl"),
        Correspondent("Bram", "bram@y.nl"),
        Correspondent("", "c@z.nl"),
        Correspondent("", "d@z.nl"),
    )
    assert found.wrong == ()
    assert read_recipients(write_recipients(found.people)) == found


@pytest.mark.parametrize("typed", ["a@", "Anna <", "<a@x.nl> b", "a <b> <", 'x" <a@x', "<a@x.nl>>"])
def test_what_is_wrong_is_named(typed: str) -> None:
    assert read_recipients(typed).wrong == (typed,)


@pytest.mark.parametrize("piece", ["<", '"', '\\"', ">", ",<", "a@b.c <", " ", '"a', "<a"])
def test_hostile_text_takes_no_quadratic_time(piece: str) -> None:
    begin = time.process_time()
    read_recipients((piece * LONGEST)[: LONGEST - 1] + ">")
    assert time.process_time() - begin < 2.0
