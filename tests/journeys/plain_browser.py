"""A browser without JavaScript and screen: follows links, fills forms, presses buttons by their words."""

import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

_SILENT = {"script", "style", "title", "option"}
_REFRESH_SECONDS = 0.15
File = tuple[str, bytes, str]  # name, content, type


@dataclass
class Form:
    """A form as it stands: where it goes, what its fields hold, the words on its buttons."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)


@dataclass
class Button:
    form: Form
    words: str
    name: str
    value: str


class Page(HTMLParser):
    """What one HTML document shows: `text`, `links` (words, address), `buttons`, `values` of its fields."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self.buttons: list[Button] = []
        self.values: dict[str, str] = {}
        self.language = ""
        self._forms: dict[str, Form] = {}
        self._form: Form | None = None
        self._words: list[str] = []
        self._silent = 0
        self._open: tuple[str, dict[str, str], int] | None = None  # a link, button or text area being read
        self._select: tuple[str, str, str] | None = None
        for found in re.finditer(r"<form\b[^>]*>", html):  # a button may stand before its form
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', found[0]))
            if "id" in attributes:
                self._forms[attributes["id"]] = _form(attributes)
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self._silent += 1
        if tag == "html":
            self.language = attributes.get("lang", "")
        elif tag == "form":
            self._form = self._forms.get(attributes.get("id", "")) or _form(attributes)
        elif tag in ("a", "button", "textarea"):
            self._open = (tag, attributes, len(self._words))
        elif tag == "input":
            self._input(attributes)
        elif tag == "select":
            self._select = (attributes.get("name", ""), "", "")
        elif tag == "option" and self._select:
            name, first, chosen = self._select
            value = attributes.get("value", "")
            self._select = (name, first or value, value if "selected" in attributes else chosen)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select:
            name, first, chosen = self._select
            self._put(self._form, name, chosen or first, typed=True)
            self._select = None
        elif self._open and tag == self._open[0]:
            _, attributes, since = self._open
            inner = "".join(self._words[since:])
            words = attributes.get("aria-label") or " ".join(inner.split())
            self._open = None
            if tag == "a":
                self.links.append((words, attributes.get("href", "")))
            elif tag == "textarea":
                self._put(
                    self._owner(attributes), attributes.get("name", ""), inner.removeprefix("\n"), typed=True
                )
            elif (owner := self._owner(attributes)) is not None:
                name, value = attributes.get("name", ""), attributes.get("value", "")
                self.buttons.append(Button(owner, words, name, value))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data)

    def _owner(self, attributes: dict[str, str]) -> Form | None:
        return self._forms[attributes["form"]] if "form" in attributes else self._form

    def _input(self, attributes: dict[str, str]) -> None:
        kind, name = attributes.get("type", "text"), attributes.get("name", "")
        owner = self._owner(attributes)
        if kind in ("checkbox", "radio"):
            if owner is not None:
                owner.typed.add(name)
            if "checked" in attributes:
                self._put(owner, name, attributes.get("value", "on"), typed=True)
        elif kind == "file":
            if owner is not None:
                owner.typed.add(name)
        elif kind != "submit":
            self._put(owner, name, attributes.get("value", ""), typed=kind != "hidden")

    def _put(self, owner: Form | None, name: str, value: str, *, typed: bool) -> None:
        self.values[name] = value
        if owner is not None and name:
            owner.fields.setdefault(name, []).append(value)
            if typed:
                owner.typed.add(name)


class PlainBrowser:
    """Cookies of its own; no page may show a fault of ours. `page`, `status` and `url` tell where it is."""

    def __init__(self, url: str, language: str = "en") -> None:
        headers = {"Accept-Language": language, "Accept": "text/html", "Origin": url}
        self._client = httpx.Client(base_url=url, headers=headers, follow_redirects=True, timeout=20)
        self.page = Page("")
        self.html = ""
        self.status = 0
        self.url = url
        self.refreshes = False

    def close(self) -> None:
        self._client.close()

    def carry(self, cookie: dict[str, str]) -> None:
        """Hold this cookie as well (`name`, `value`)."""
        self._client.cookies.set(cookie["name"], cookie["value"])

    def open(self, path: str) -> Page:
        return self._show(self._client.get(urljoin(self.url, path)))

    def download(self, path: str) -> httpx.Response:
        """What a link to a file gives; the page stays."""
        return self._client.get(urljoin(self.url, path))

    def follow(self, words: str) -> Page:
        """Click the first link that says this."""
        return self.open(self.address_of(words))

    def address_of(self, words: str) -> str:
        found = [address for said, address in self.page.links if words in said]
        assert found, f"no link {words!r} on {self.url}: {[said for said, _ in self.page.links]}"
        return found[0]

    def press(self, words: str, *, action: str = "", file: File | None = None, **typed: str) -> Page:
        """Fill the fields and press the button that says this, in the form whose action holds `action`."""
        answer = self.send(words, action=action, file=file, **typed)
        return self._show(answer)

    def send(self, words: str, *, action: str = "", file: File | None = None, **typed: str) -> httpx.Response:
        """As `press`, without leaving the page."""
        button = self.button(words, action)
        form = button.form
        assert typed.keys() <= form.typed, f"{typed.keys() - form.typed} cannot be typed in {form.action}"
        data: dict[str, Any] = {**form.fields, **typed}
        if button.name:
            data[button.name] = button.value
        place = urljoin(self.url, form.action)
        if form.method == "get":
            return self._client.get(place, params=data)
        return self._client.post(place, data=data, files={"files": file} if file else None)

    def button(self, words: str, action: str = "") -> Button:
        found = [one for one in self.page.buttons if one.words == words and action in one.form.action]
        assert found, f"no button {words!r} on {self.url}: {[one.words for one in self.page.buttons]}"
        return found[0]

    def settle(self, seconds: float = 25) -> Page:
        """Let the page come again by itself, as long as it says so."""
        until = time.monotonic() + seconds
        while self.refreshes:
            assert time.monotonic() < until, self.page.text
            time.sleep(_REFRESH_SECONDS)
            self.open(self.url)
        return self.page

    def wait_for(self, words: str, path: str = "", seconds: float = 15) -> Page:
        """Load the place again until it says this."""
        until = time.monotonic() + seconds
        while words not in self.open(path or self.url).text:
            assert time.monotonic() < until, f"{words!r} does not come on {self.url}: {self.page.text}"
            time.sleep(0.1)
        return self.page

    def _show(self, answer: httpx.Response) -> Page:
        self.url, self.status, self.html = str(answer.url), answer.status_code, answer.text
        assert self.status < 500, f"{self.status} for {self.url}: {self.html[:2000]}"
        assert "Traceback (most recent call last)" not in self.html
        assert answer.headers.get("Content-Security-Policy"), self.url
        self.refreshes = 'http-equiv="refresh"' in answer.text
        self.page = Page(self.html)
        return self.page


def _form(attributes: dict[str, str]) -> Form:
    return Form(attributes.get("action", ""), attributes.get("method", "get").lower())
