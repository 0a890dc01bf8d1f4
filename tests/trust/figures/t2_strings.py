"""T2: the hostile strings as names, subjects, file names, words of servers and whatever else a page shows.

The app's policy is taken off, so that escaping alone must hold. The control takes the escaping off as well.
"""

import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.mail.mime.corpora import html_strings
from tests.trust.figures.t1_html import PROVOKE
from tests.trust.peeled import wall
from tests.trust.places import CHUNK, Place, Places
from tests.trust.watching import Watching, watching

CONTROL = 0.2  # scripts that the control must at least find for each string
ROOT = Path(__file__).parents[3]
READ = """() => {
  const said = [document.body.textContent];
  const alien = new Set();
  for (const each of document.querySelectorAll('*')) {
    for (const name of ['value', 'title', 'aria-label', 'placeholder', 'content'])
      if (each.getAttribute(name)) said.push(each.getAttribute(name));
    if (typeof each.value === 'string') said.push(each.value);
    alien.add(each.localName);
  }
  for (const each of document.querySelectorAll('script'))
    if (!each.getAttribute('src')?.startsWith('/static/')) alien.add('script of nobody');
  return [said.join(' '), [...alien]];
}"""
_SIGNS = re.compile(r"\w+")
_TAG = re.compile(r"<([a-z][a-z0-9]*)")


def figures(every: int) -> list[dict[str, Any]]:
    """All strings, or each N-th, at all places."""
    texts = list(dict.fromkeys(text for _, text in list(html_strings())[::every] if text.strip()))
    chunks = [texts[at : at + CHUNK] for at in range(0, len(texts), CHUNK)]
    with tempfile.TemporaryDirectory(prefix="trust-t2-") as folder:
        held = _walk(Path(folder) / "held", chunks, escaped=True)
        control = _walk(Path(folder) / "control", chunks[:: max(1, len(chunks) // 4)], escaped=False)
    return [_tell(len(texts), held), _tell_control(control)]


class _Walk:
    """What was found: page visits, strings looked for, and by place what went wrong."""

    def __init__(self) -> None:
        self.began, self.seconds = time.monotonic(), 0.0
        self.texts = self.pages = self.strings = 0
        self.scripts, self.hosts, self.harm, self.not_text = (Counter[str]() for _ in range(4))
        self.examples: dict[str, str] = {}

    @property
    def wrong(self) -> int:
        return sum(sum(each.values()) for each in (self.scripts, self.hosts, self.harm, self.not_text))


def _walk(folder: Path, chunks: list[list[str]], *, escaped: bool) -> _Walk:
    found, known = _Walk(), _tags()
    with wall(folder, {}, {}) as made:
        made.peeled.layers = frozenset({"sanitiser", "frame", *(("escaping",) if escaped else ())})
        places = Places(made.runtime, made.member, made.account, max(map(len, chunks)))
        with watching(folder / "browser", made.port, settle=0.02) as chromium:
            chromium.context.add_cookies([made.cookie()])
            chromium.learn(f"{made.url}/sign-in", PROVOKE)
            chromium.learn(f"{made.url}/sign-in", READ)
            for number, chunk in enumerate(chunks):
                found.texts += len(chunk)
                for place in places.of(chunk)[:: 1 if escaped else 3]:
                    with chromium.looking(f"{place.name}, chunk {number}"):
                        _visit(chromium, made.url, place, found, known)
        for each in chromium.seen:
            place_name = each.name.partition(",")[0]
            found.scripts[place_name] += len(each.scripts)
            found.hosts[place_name] += len(each.asked) + len(each.ahead)
            for what in (*each.scripts, *each.asked, *each.ahead):
                found.examples.setdefault(place_name, what)
    found.seconds = time.monotonic() - found.began
    return found


def _visit(chromium: Watching, url: str, place: Place, found: _Walk, known: frozenset[str]) -> None:
    found.pages += 1
    try:
        chromium.page.goto(url + place.path)
        said, tags = chromium.page.evaluate(READ)
        harm = chromium.page.evaluate(PROVOKE)
    except Exception as error:
        found.harm[place.name] += 1
        found.examples.setdefault(place.name, str(error)[:100])
        return
    alien = sorted(set(tags) - known)
    if alien or harm:
        found.harm[place.name] += len(alien) + harm
        found.examples.setdefault(place.name, f"{', '.join(alien)}; {harm} handlers or links")
    text = _signs(said)
    for string in place.shows:
        wanted = _signs(string)[:30]
        found.strings += len(wanted) > 2
        if len(wanted) > 2 and wanted not in text:
            found.not_text[place.name] += 1
            found.examples.setdefault(place.name, f"not as text: {string[:80]!r}")


def _signs(text: str) -> str:
    return "".join(_SIGNS.findall(text)).casefold()


def _tags() -> frozenset[str]:
    """The elements that the product's own templates hold."""
    folder = ROOT / "soinbox_web" / "templates"
    words = "".join(path.read_text() for path in folder.rglob("*.html"))
    return frozenset(_TAG.findall(words)) | {"html", "head", "body", "tbody", "use"}


def _tell(texts: int, found: _Walk) -> dict[str, Any]:
    scripts, hosts, harm, lost = (
        sum(each.values()) for each in (found.scripts, found.hosts, found.harm, found.not_text)
    )
    print(
        f"T2: {texts} strings on {found.pages} pages in {found.seconds:.0f} s without a policy: {scripts} "
        f"scripts, {hosts} foreign look-ups, {harm} elements or handlers of others (goals 0); "
        f"{found.strings - lost} of {found.strings} looked for shown as text (goal all)",
        flush=True,
    )
    for name, what in found.examples.items():
        print(f"    {name}: {what}", flush=True)
    return {
        "figure": "T2 strings", "runs": found.pages, "wrong": found.wrong, "strings": texts,
        "scripts": scripts, "hosts": hosts, "harm": harm, "not_as_text": lost, "goal": "0",
        "met": not found.wrong, "seconds": round(found.seconds, 1),
    }  # fmt: skip


def _tell_control(found: _Walk) -> dict[str, Any]:
    scripts, goal = sum(found.scripts.values()), int(CONTROL * found.texts)
    print(f"T2 control, nothing escaped: {scripts} scripts at {len(+found.scripts)} places (goal >= {goal})")
    return {
        "figure": "T2 control, nothing escaped", "runs": found.pages, "wrong": 0, "scripts": scripts,
        "hosts": sum(found.hosts.values()), "goal": f">= {goal} scripts", "met": scripts >= goal,
        "seconds": round(found.seconds, 1),
    }  # fmt: skip
