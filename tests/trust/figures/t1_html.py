"""T1: every hostile HTML text through the product's own pages in Chromium, with and without each layer.

Each text is a message of its own in a frame of its own; the frames of one batch share a page and nothing
else. What a person would do is done: events are sent to whatever listens, links that are no links followed.
The control takes all layers off: then the same way of looking must find scripts and hosts.
"""

import re
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message
from pathlib import Path
from typing import Any

from tests.mail.mime.corpora import html_strings, messages
from tests.trust.peeled import LAYERS, Wall, as_mail, wall
from tests.trust.watching import Seen, Watching, watching

BATCH = 40  # frames on a page
CONTROL = {"scripts": 200, "hosts": 200}  # that the control must at least find in 3,729 texts
_EVERY = {"all layers": 1, "the sanitiser alone": 1, "the control, no layer": 1}  # the others: each fourth
PASSES: dict[str, tuple[str, ...]] = {
    "all layers": ("sanitiser", "policy", "frame"),
    "without the sanitiser": ("policy", "frame"),
    "without the policies": ("sanitiser", "frame"),
    "without the frame's sandbox": ("sanitiser", "policy"),
    "the sanitiser alone": ("sanitiser",),
    "the policies alone": ("policy",),
    "the frame's sandbox alone": ("frame",),
    "the control, no layer": (),
}
ALONE = ("the policies alone", "the frame's sandbox alone")  # never stand alone: what they are worth is told
_KEY = re.compile(r"/messages/([^/]+)/")
_WORD = re.compile(r"\w+")
PLANTED = {  # what each way of looking must see when no layer stands
    "a script": "<script>1</script>",
    "a handler": "<img src=data:, onerror=1>",
    "a handler that waits": "<p onmouseover=1>x</p>",
    "a link that is a script": "<a href='javascript:1+1'>x</a>",
    "a script in SVG": "<svg><script>1</script></svg>",
    "a frame with a script": "<iframe srcdoc='<script>1</script>'></iframe>",
    "a form that is a script": "<form action='javascript:1+2'><button autofocus onfocus=1>x</button></form>",
    "a picture": "<img src=https://elders.example/1.png>",
    "a picture of a style": "<p style='background: url(https://elders.example/2.png)'>x</p>",
    "a style sheet": "<style>@import url(https://elders.example/3.css);</style>",
    "a font": "<style>@font-face {font-family: f; src: url(//e.example/4)}</style><b style='font: 9px f'>x",
    "a frame": "<iframe src=https://elders.example/5></iframe>",
    "a page that goes elsewhere": "<meta http-equiv=refresh content='0;url=https://elders.example/6'>",
    "a name looked up ahead": "<link rel=dns-prefetch href=//voor.elders.example>",
    "a connection made ahead": "<link rel=preconnect href=https://eerder.elders.example>",
    "a file fetched ahead": "<link rel=preload as=image href=https://elders.example/7>",
    "an address without a name": "<img src=http://10.9.8.7/8.png>",
    "a port of this machine": "<img src=http://127.0.0.1:9/9.png>",
}
PROVOKE = """() => {
  let harm = 0;
  for (const each of document.querySelectorAll('*')) {
    for (const {name} of [...each.attributes]) {
      if (!name.startsWith('on')) continue;
      harm += 1;
      try { each.dispatchEvent(new Event(name.slice(2), {bubbles: true})); } catch {}
    }
    const leads = String(each.href?.baseVal ?? each.href ?? each.action ?? '');
    if (!/^(javascript|vbscript|data):/i.test(leads)) continue;
    harm += 1;
    try { each.removeAttribute('target'); each.click(); } catch {}
  }
  return harm;
}"""


@dataclass
class Found:
    """What one pass found; `harm` counts handlers and false links that are left in what is shown.

    `hosts` were asked for something; `ahead` were looked up or connected to without being asked.
    """

    looked: int = 0
    scripts: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    ahead: Counter[str] = field(default_factory=Counter)
    harm: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def called(self, seen: Seen) -> None:
        for counted, told in ((self.hosts, seen.asked), (self.ahead, seen.ahead), (self.failed, seen.failed)):
            if told:
                counted[seen.name] += len(told)

    def wrong(self, sanitised: bool) -> list[str]:
        """The texts that did something; once cleaned, those that could do it at a click as well.

        Without the sanitiser Chromium connects ahead whatever the policies say (measured before): told only.
        """
        cleaned = {*self.ahead, *self.harm, *self.failed} if sanitised else ()
        return sorted({*self.scripts, *self.hosts, *cleaned})


def figures(every: int) -> list[dict[str, Any]]:
    """Everything, or of each each N-th text and message."""
    with tempfile.TemporaryDirectory(prefix="trust-t1-") as folder:
        return [*_hostile(Path(folder), every), _honest(Path(folder), every)]


def short(every: int) -> list[dict[str, Any]]:
    """Some texts with all layers, with the first alone, and the control."""
    titles = ("all layers", "the sanitiser alone", "the control, no layer")
    with tempfile.TemporaryDirectory(prefix="trust-t1-") as folder:
        return _hostile(Path(folder), every, titles)


def _hostile(folder: Path, every: int, titles: Collection[str] = ()) -> list[dict[str, Any]]:
    texts = dict(list(html_strings())[::every])
    names, told = list(texts), []
    texts |= PLANTED
    with wall(folder / "hostile", {name: as_mail(text) for name, text in texts.items()}, texts) as made:
        made.learn(names[0])
        told.append(_planted(made, folder / "planted"))
        for number, (title, layers) in enumerate(PASSES.items()):
            if titles and title not in titles:
                continue
            began = time.monotonic()
            some = names[:: _EVERY.get(title, 4)]
            found = look(made, folder / f"pass-{number}", some, layers)
            told.append(_tell(title, layers, found, time.monotonic() - began))
        made.peeled.layers = frozenset(LAYERS)
        pages = (
            ("printed", "/print", names[::40]),
            ("printed with pictures", "/print?images=1", names[5::40]),
            ("in the reading pane with pictures", "?images=1", names[::40]),
        )
        for title, place, some in () if titles else pages:
            began = time.monotonic()
            found = one_by_one(made, folder / title, some, place)
            told.append(_tell(title, PASSES["all layers"], found, time.monotonic() - began))
    return told


def _planted(made: Wall, folder: Path) -> dict[str, Any]:
    """The harness itself: each planted text alone, without any layer, must be seen."""
    made.peeled.layers = frozenset(("escaping",))
    found, _ = _visit(made, folder, {name: [name] for name in PLANTED})
    missed = [name for name in PLANTED if name not in found.wrong(sanitised=True)]
    missed += [name for name in ("a script", "a link that is a script") if name not in found.scripts]
    print(f"T1 planted: {len(PLANTED) - len(missed)} of {len(PLANTED)} seen {', '.join(missed)}", flush=True)
    return {
        "figure": "T1 planted", "runs": len(PLANTED), "wrong": len(missed), "goal": "all seen",
        "met": not missed,
    }  # fmt: skip


def look(made: Wall, folder: Path, names: Sequence[str], layers: Iterable[str]) -> Found:
    """These texts, many frames a page; where somebody was called in a pass that must hold, each alone."""
    made.peeled.layers = frozenset({*layers, "escaping"})
    batches = {f"batch {at}": names[at : at + BATCH] for at in range(0, len(names), BATCH)}
    found, seen = _visit(made, folder, batches)
    if "sanitiser" in made.peeled.layers:
        guilty = [name for each in seen if each.asked or each.ahead for name in batches[each.name]]
        if guilty:
            alone, _ = _visit(made, folder / "alone", {name: [name] for name in guilty})
            found.hosts, found.ahead = alone.hosts or found.hosts, alone.ahead or found.ahead
    return found


def _visit(made: Wall, folder: Path, batches: dict[str, Sequence[str]]) -> tuple[Found, list[Seen]]:
    found = Found(looked=sum(map(len, batches.values())))
    names = {str(key): name for name, key in made.keys.items()}
    with watching(folder, made.port) as chromium:
        chromium.context.add_cookies([made.cookie()])
        chromium.learn(f"{made.url}/sign-in", PROVOKE)
        for title, some in batches.items():
            with chromium.looking(title):
                _load(chromium, made.batch_url(some))
                for frame in chromium.page.frames[1:]:
                    key = _KEY.search(frame.url)
                    if key and (harm := _provoke(frame)):
                        found.harm[names[key[1]]] += harm
    for each in chromium.seen:
        for script in each.scripts:
            key = _KEY.search(script)
            found.scripts[names.get(key[1], each.name) if key else each.name] += 1
        found.called(each)
    return found, chromium.seen


def one_by_one(made: Wall, folder: Path, names: Sequence[str], place: str) -> Found:
    """Each text as a page of its own: printed, or in the product's page with all that is around it."""
    found = Found(looked=len(names))
    with watching(folder, made.port) as chromium:
        chromium.context.add_cookies([made.cookie()])
        chromium.learn(f"{made.url}/sign-in", PROVOKE)
        for name in names:
            with chromium.looking(name):
                _load(chromium, f"{made.url}/messages/{made.keys[name]}{place}")
    for each in chromium.seen:
        if each.scripts:
            found.scripts[each.name] += len(each.scripts)
        found.called(each)
    return found


def _load(chromium: Watching, url: str) -> None:
    try:
        chromium.page.goto(url, wait_until="load", timeout=5_000)
    except Exception as error:  # a page that leads itself away is seen in the record of the network
        chromium.seen[-1].failed.append(str(error)[:80])


def _provoke(frame: Any) -> int:
    try:
        return int(frame.evaluate(PROVOKE))
    except Exception:  # it goes elsewhere meanwhile: seen in the record of the network
        return 0


def _tell(title: str, layers: Sequence[str], found: Found, seconds: float) -> dict[str, Any]:
    scripts, hosts, ahead = (sum(each.values()) for each in (found.scripts, found.hosts, found.ahead))
    control, wrong = not layers, found.wrong("sanitiser" in layers)
    if control:
        least = {name: goal * found.looked // 3729 for name, goal in CONTROL.items()}
        met = scripts >= least["scripts"] and hosts >= least["hosts"]
        goal = f">= {least['scripts']} scripts and {least['hosts']} hosts"
    else:
        met = not wrong or title in ALONE
        goal = "none, only told" if title in ALONE else "0"
    held = (
        "found" if control else "does not hold" if wrong else "held but for those ahead" if ahead else "held"
    )
    print(
        f"T1 {title}: {found.looked} texts in {seconds:.0f} s, {scripts} scripts in {len(found.scripts)}, "
        f"{hosts} foreign requests, {ahead} look-ups or connections ahead (goal {goal}): {held}",
        flush=True,
    )
    if not control and wrong:
        print(f"    {', '.join(wrong[:12])}", flush=True)
    return {
        "figure": f"T1 {title}", "runs": found.looked,
        "wrong": 0 if control or title in ALONE else len(wrong), "scripts": scripts, "hosts": hosts,
        "ahead": ahead, "goal": goal, "met": met, "seconds": round(seconds, 1),
    }  # fmt: skip


def _honest(folder: Path, every: int) -> dict[str, Any]:
    """The public messages that hold HTML: is it shown, with all the words a browser shows of the raw part?"""
    began = time.monotonic()
    texts = {name: text for name, raw in messages() if (text := _html_part(raw))}
    texts = dict(list(texts.items())[::every])
    mails = {name: raw for name, raw in messages() if name in texts}
    expected = _raw_words(folder / "raw", texts)
    as_html = whole = source_only = 0
    lacking: dict[str, list[str]] = {}
    with wall(folder / "honest", mails, texts) as made:
        keys = {str(key): name for name, key in made.keys.items()}
        made.learn(next(iter(texts)))
        client = made.app.test_client()
        with client.session_transaction() as session:
            session.update(made.session())
        for name in texts:
            source_only += b"only its source can be shown" in client.get(f"/messages/{made.keys[name]}").data
        with watching(folder / "honest-browser", made.port) as chromium:
            chromium.context.add_cookies([made.cookie()])
            names = list(texts)
            for at in range(0, len(names), BATCH):
                with chromium.looking(f"honest {at}"):
                    chromium.page.goto(made.batch_url(names[at : at + BATCH]))
                    for frame in chromium.page.frames[1:]:
                        name = keys[_KEY.search(frame.url)[1]]  # type: ignore[index]
                        shown = Counter(_words(frame.evaluate("document.body.innerText")))
                        missing = list((expected[name] - shown).elements())
                        formatted = not frame.evaluate("!!document.querySelector('body > pre:only-child')")
                        as_html += formatted
                        whole += formatted and not missing
                        if missing or not formatted:
                            lacking[name] = missing if formatted else ["no HTML", *missing]
        called = sum(len(each.asked) + len(each.ahead) for each in chromium.seen)
    total, seconds = len(texts), time.monotonic() - began
    met = whole >= 0.97 * total and source_only <= 0.01 * total and not called
    print(
        f"T1 honest messages: of {total} with HTML {as_html} are shown as HTML, {whole} with all of their "
        f"text (goal >= 97 %), {source_only} as source only (goal <= 1 %), {called} foreign look-ups (goal 0)"
    )
    for name, words in list(lacking.items())[:15]:
        print(f"    {name} lacks {len(words)}: {' '.join(words[:8])}", flush=True)
    return {
        "figure": "T1 honest messages", "runs": total, "wrong": total - whole, "as_html": as_html,
        "whole": whole, "source_only": source_only, "hosts": called, "goal": ">= 97 % whole",
        "met": met, "seconds": round(seconds, 1),
    }  # fmt: skip


def _html_part(raw: bytes) -> str:
    """The first HTML that is no attachment, as the standard library reads it; "" for none."""
    for part in _own_parts(message_from_bytes(raw, policy=policy.compat32)):
        if part.get_content_type() != "text/html" or part.get_content_disposition() == "attachment":
            continue
        content = part.get_payload(decode=True)
        try:
            return content.decode(str(part.get_content_charset("utf-8")), "replace")
        except (LookupError, AttributeError):
            return ""
    return ""


def _own_parts(message: Message) -> Iterator[Message]:
    """Its parts without those of messages that it carries."""
    if not message.is_multipart():
        yield message
    elif message.get_content_maintype() == "multipart":
        for part in message.get_payload():
            yield from _own_parts(part)  # type: ignore[arg-type]


def _raw_words(folder: Path, texts: dict[str, str]) -> dict[str, Counter[str]]:
    """What Chromium shows of the raw HTML, without scripts."""
    found = {}
    with watching(folder, 0, javascript=False) as chromium:
        for name, text in texts.items():
            chromium.page.set_content(text, wait_until="domcontentloaded")
            found[name] = Counter(_words(chromium.page.evaluate("document.body?.innerText ?? ''")))
    return found


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
