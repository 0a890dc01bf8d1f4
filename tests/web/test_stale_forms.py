"""A stale token loses nothing: each form with typed fields is found, posted stale, and comes back whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing, members
from tests import seed
from tests.cast import BRAM
from tests.client import SoinboxClient

TYPED = ("text", "email", "search", "tel", "url", "number", "password", "textarea")
ELSEWHERE = {"setup.password"}  # needs a detection that ran: tests/web/test_setup.py


@dataclass
class Form:
    """A POST form of a page: its action, its hidden fields, its typed fields by name with their kind."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """Collects the POST forms of a page that have typed fields."""

    def __init__(self, page: TestResponse) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.page = page.request.path
        self.feed(page.text)
        self.found = [form for form in self.found if form.action and form.typed]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            posts = given.get("method") == "post"
            self.found.append(Form((given.get("action") or self.page) if posts else ""))
        elif tag in ("input", "textarea") and self.found and "name" in given and "readonly" not in given:
            kind = given.get("type", "text") if tag == "input" else "textarea"
            if kind in TYPED:
                self.found[-1].typed[given["name"]] = kind
            elif kind == "hidden" or "checked" in given:
                self.found[-1].hidden[given["name"]] = given.get("value", "y")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.found:
            self.found.append(Form(""))  # what follows belongs to no form


def endpoint(app: Flask, path: str) -> str:
    return str(app.url_map.bind("localhost").match(path.partition("?")[0], method="POST")[0])


def pages(client: SoinboxClient, runtime: Runtime, member: Member) -> Iterator[TestResponse]:
    """Every place of a user that has such a form."""
    account = seed.account(runtime, member)
    draft = composing.start(runtime, member.id, account.id, "new")
    attempt = client.submit("/setup", {"address": "eva@klant.example", "go": "advanced"}).location
    card = member.person_id
    for path in (
        f"/inbox/{account.id}", "/outbox", f"/drafts/{draft}", "/persons", "/persons/new", f"/persons/{card}",
        f"/persons/{card}/edit", "/options", "/options/account", f"/accounts/{account.id}/edit", "/setup",
        attempt, "/personal-settings", "/team",
    ):  # fmt: skip
        page = client.get(path)
        assert page.status_code == 200, path
        yield page


def post_stale(client: SoinboxClient, form: Form) -> None:
    typed = {name: "587" if kind == "number" else f"typed-{name}" for name, kind in form.typed.items()}
    answer = client.post(form.action, data={**form.hidden, **typed, "csrf_token": "old"})
    assert answer.status_code == 422, form.action
    assert "This page was open for too long." in answer.text, form.action
    for name, kind in form.typed.items():
        if kind == "password":
            assert typed[name] not in answer.text, f"{form.action} shows {name} again"
        else:
            assert typed[name] in answer.text, f"{form.action} lost {name}"


def test_every_form_of_a_user(app: Flask, runtime: Runtime, member: Member, signed_in: SoinboxClient) -> None:
    met = set()
    for page in pages(signed_in, runtime, member):
        for form in Forms(page).found:
            post_stale(signed_in, form)
            met.add(endpoint(app, form.action))
    keeping = {name for name, view in app.view_functions.items() if getattr(view, "token_in_form", False)}
    outside = {"session.sign_in", "session.first_administrator", "session.invitation"}
    assert met == keeping - outside - ELSEWHERE


@pytest.mark.parametrize("where", ["/sign-in", "invitation"])
def test_every_form_of_a_stranger(
    runtime: Runtime, member: Member, client: SoinboxClient, where: str
) -> None:
    if where == "invitation":
        where = f"/invitation/{members.invite(runtime, member, BRAM.address, BRAM.name)}"
    found = Forms(client.get(where)).found
    assert found
    for form in found:
        post_stale(client, form)


def test_the_first_administrators_form(client: SoinboxClient) -> None:
    (form,) = Forms(client.get("/first-administrator")).found
    post_stale(client, form)
