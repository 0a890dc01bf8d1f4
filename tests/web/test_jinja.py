"""Templates are compiled for each language; what stands fixed in their source is worked out once."""

from typing import cast

import pytest
from flask import Flask
from jinja2 import DictLoader

from soinbox_web.web import jinja
from soinbox_web.web.jinja import Spoken, draw

TEXTS = {"nl": {"Inbox": "Postvak IN", "Open %(what)s": "%(what)s openen"}, "en": {}}


@pytest.fixture
def said() -> list[str]:
    """Every text that was looked up."""
    return []


@pytest.fixture
def app(said: list[str]) -> Flask:
    app = Flask(__name__)
    jinja.install(app)
    environment = cast(Spoken, app.jinja_env)
    environment.loader = DictLoader(
        {
            "page.html": "{{ _('Inbox') }} {{ _('Open %(what)s', what=_('Inbox')) }} {{ _(name) }}"
            '{% include "part.html" %}',
            "part.html": "<{{ _('Inbox' if short else 'Whole') }}>",
        }
    )
    environment.language = lambda: str(app.config["LANGUAGE"])

    def functions(language: str) -> jinja.Functions:
        def text(words: str, **values: str) -> str:
            said.append(words)
            return TEXTS[language].get(words, words) % values

        return {"_": text}

    environment.functions += (functions,)
    environment.fixed += ("_",)
    return app


@pytest.mark.parametrize(
    ("language", "page"),
    [("nl", "Postvak IN Postvak IN openen Anna<Postvak IN>"), ("en", "Inbox Open Inbox Anna<Inbox>")],
)
def test_each_language_has_its_own(app: Flask, language: str, page: str) -> None:
    for spoken in ("en", "nl", language):
        app.config["LANGUAGE"] = spoken
        with app.test_request_context():
            drawn = draw("page.html", name="Anna", short=True)
    assert drawn == page


def test_what_is_fixed_is_looked_up_once(app: Flask, said: list[str]) -> None:
    app.config["LANGUAGE"] = "nl"
    with app.test_request_context():
        draw("page.html", name="Anna", short=True)
        said.clear()
        assert draw("page.html", name="Bram", short=False) == "Postvak IN Postvak IN openen Bram<Whole>"
    assert said == ["Bram", "Whole"]
