"""The how-to: whole in every language, and there for every problem."""

import pytest

from soinbox_web.problems.catalogue import KINDS
from soinbox_web.services import members
from soinbox_web.texts import LANGUAGES
from soinbox_web.web.help import SECTIONS
from soinbox_web.web.template_globals import STATIC

TEMPLATES = STATIC.parent / "templates"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_in_every_language(signed_in, runtime, member, language, section):
    members.choose_language(runtime, member, language)
    page = signed_in.get(f"/help/{section}")
    assert page.status_code == 200
    assert f'lang="{language}"' in page.text


def test_every_problem_has_its_section():
    assert {kind.help for kind in KINDS.values()} <= set(SECTIONS)


def test_both_languages_tell_the_same_number_of_things():
    for section in SECTIONS:
        english, dutch = (
            (TEMPLATES / "help" / language / f"{section}.html").read_text() for language in LANGUAGES
        )
        for tag in ("<h2", "<li", "<p", "<tr", "href="):
            assert english.count(tag) == dutch.count(tag), (section, tag)


def test_dutch_help_says_u():
    for section in SECTIONS:
        words = (TEMPLATES / "help" / "nl" / f"{section}.html").read_text().lower().split()
        assert not {"je", "jij", "jouw", "jullie"} & set(words), section


def test_an_unknown_section_is_not_there(signed_in):
    assert signed_in.get("/help/nothing").status_code == 404
