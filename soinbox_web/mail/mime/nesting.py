"""Tells how deep HTML would nest before it is parsed: parsers are quadratic in that (trust.md section 1)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from soinbox_web.mail.mime import caps

_FEW = 800  # with so few tags nothing becomes expensive, whatever their order
_MANY = 60_000
_BUDGET = 300_000  # elements a parser would make; formatting left open is made again in every paragraph
_SCANNED = 16  # open elements that are looked through at the price of making one
_ATTRIBUTE = r"""[\s/]*+[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++))?"""
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_LONG_TAG = 20_000  # characters
_ATTRIBUTE_COUNT = 1_000  # parsers are quadratic in these too
_STRAY = re.compile(r"&(?!(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_MANY_REFERENCES = 10_000
_REFERENCES = 80_000
_TOKEN = re.compile(
    rf"<(?:(!--)|([!?]|/(?![a-zA-Z]))|(/?)([a-zA-Z][^\s/>]*+)((?:{_ATTRIBUTE})*+[\s/]*+)(>?))"
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The groups of the HTML standard, section 13.2.6
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_BLOCKS = _HEADINGS | _names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer"
    " header hgroup listing main menu nav ol p pre section summary ul li dd dt"
)
_TABLE = _names("table tbody thead tfoot tr td th caption colgroup")
_CELLS = frozenset(("td", "th", "caption"))
_SCOPE = _CELLS | {"table"}
_SPECIAL = _BLOCKS | _TABLE
_RAW = _names("script style textarea title xmp iframe noembed noframes")
_IGNORED = _names(
    "html head body form area base br col embed hr img image input link meta param source track wbr"
)
_OWN_RULES = _names("svg math template select frameset object applet marquee plaintext")
_LISTS = {"li": frozenset(("li",)), "dd": frozenset(("dd", "dt")), "dt": frozenset(("dd", "dt"))}
_ROWS = {
    "td": _CELLS,
    "th": _CELLS,
    "tr": frozenset(("tr",)),
    "caption": frozenset(("caption",)),
} | dict.fromkeys(("tbody", "thead", "tfoot"), frozenset(("tbody", "thead", "tfoot")))


@lru_cache(maxsize=4)  # the text and the safe HTML of one message both ask
def within_caps(html: str) -> bool:
    """Whether `html` has at most 1 MB, 500 levels and no other shape that is costly to parse.

    Errs on one side: where markup is ambiguous (a quote astray, a comment without an end, SVG), end tags are
    no longer believed from there on, so the count can only be too high.
    """
    if len(html) > caps.HTML or html.count("&") > _REFERENCES:
        return False
    tags = html.count("<")
    return tags <= _MANY and _Nesting(_FEW * 2 if tags <= _FEW else caps.HTML_DEPTH).fits(html)


def flat_references(html: str) -> str:
    """Thousands of `&` that begin no character reference as `&amp;`: parsers are quadratic in them."""
    return _STRAY.sub("&amp;", html) if html.count("&") > _MANY_REFERENCES else html


@dataclass(slots=True)
class _Element:
    name: str
    tag: str
    left_open: int  # how many formatting elements were waiting when it began


class _Nesting:
    """The open elements, and the formatting that waits to be opened again, as the standard keeps them."""

    def __init__(self, levels: int) -> None:
        self.levels = levels
        self.stack: list[_Element] = []
        self.left_open: list[tuple[str, str]] = []
        self.raw = ""
        self.trusted = True

    def fits(self, html: str) -> bool:
        position = cost = doubtful = 0
        while token := _TOKEN.search(html, position):
            position = token.end()
            if not token[4]:
                if not self.raw:
                    position = self.skip(html, token)
                continue
            name = token[4].lower()
            if len(token[5]) > _LONG_TAG and len(_ATTRIBUTES.findall(token[5])) > _ATTRIBUTE_COUNT:
                return False
            if not token[6] and self.runs_on(html, position):
                return False
            self.trusted = self.trusted and bool(token[6]) and name not in _OWN_RULES
            doubtful += not self.trusted and bool(token[3])
            if not token[3]:
                self.begin(name, token[0])
            elif self.trusted and self.raw in ("", name):
                self.raw = ""
                self.close(name)
            cost += 1 + len(self.left_open) + len(self.stack) // _SCANNED
            if len(self.stack) + len(self.left_open) + doubtful > self.levels or cost > _BUDGET:
                return False
        return True

    @staticmethod
    def runs_on(html: str, position: int) -> bool:
        """Whether a tag whose end is not clear may be very long."""
        end = position + _LONG_TAG
        return len(html) > end and not _TOKEN.search(html, position, end)

    def skip(self, html: str, token: re.Match[str]) -> int:
        """The end of a comment, or of `<!…>` and `<?…>` which are read like one."""
        if not self.trusted:
            return token.end()
        comment = bool(token[1])
        end = html.find("-->" if comment else ">", token.start() + 2)
        inside = html[token.end() : end]
        if end < 0 or ("--!>" if comment else "<") in inside:
            self.trusted = False
        if not self.trusted:
            return token.end()
        return end + (3 if comment else 1)

    def begin(self, name: str, tag: str) -> None:
        if name in _IGNORED or (name in _TABLE and name != "table" and not self.has("table")):
            return
        if self.raw:
            self.trusted = self.trusted and name != self.raw
        elif self.trusted:
            self.end_implied(name)
        self.stack.append(_Element(name, tag, len(self.left_open)))
        if name in _RAW and not self.raw:
            self.raw = name

    def end_implied(self, name: str) -> None:
        """Ends what a new element ends by itself: an item or a cell the one before it, a block `<p>`."""
        if name in _LISTS:
            for index in range(len(self.stack) - 1, -1, -1):
                open_name = self.stack[index].name
                if open_name in _LISTS[name]:
                    self.pop_to(index)
                    break
                if open_name in _SPECIAL and open_name not in ("address", "div", "p"):
                    break
        if name in _ROWS:
            for index in range(len(self.stack) - 1, -1, -1):
                if self.stack[index].name in _ROWS[name]:
                    self.pop_to(index)
                    break
                if self.stack[index].name == "table":
                    break
        if name in _BLOCKS:
            self.close_in_scope("p", _SCOPE)
            if name in _HEADINGS and self.stack and self.stack[-1].name in _HEADINGS:
                self.pop_to(len(self.stack) - 1)

    def close(self, name: str) -> None:
        if name in _FORMATTING:
            self.close_formatting(name)
        elif name == "li":
            self.close_in_scope(name, _SCOPE | {"ul", "ol"})
        elif name in _BLOCKS:
            self.close_in_scope(name, _SCOPE)
        elif name in _TABLE:
            self.close_in_scope(name, frozenset(("table",)))
        else:
            self.close_in_scope(name, _SPECIAL)

    def close_in_scope(self, name: str, barriers: frozenset[str]) -> None:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index].name == name:
                self.pop_to(index)
                return
            if self.stack[index].name in barriers:
                return

    def close_formatting(self, name: str) -> None:
        for index in range(len(self.stack) - 1, -1, -1):
            element = self.stack[index]
            if element.name == name:
                if any(inner.name in _SPECIAL for inner in self.stack[index + 1 :]):
                    del self.stack[index]
                else:
                    self.pop_to(index)
                return
            if element.name in _SCOPE:
                break
        start = next((e.left_open for e in reversed(self.stack) if e.name in _CELLS), 0)
        for index in range(len(self.left_open) - 1, start - 1, -1):
            if self.left_open[index][0] == name:
                del self.left_open[index]
                return

    def pop_to(self, index: int) -> None:
        """Ends the elements from `index` up; formatting inside waits to be opened again, within its cell."""
        gone = self.stack[index:]
        del self.stack[index:]
        cell = next((element for element in gone if element.name in _CELLS), None)
        if cell is not None:
            del self.left_open[cell.left_open :]
        for element in gone[1:]:
            if element is cell:
                break
            kept = (element.name, element.tag)
            if element.name in _FORMATTING and self.left_open.count(kept) < 3:
                self.left_open.append(kept)

    def has(self, name: str) -> bool:
        return any(element.name == name for element in self.stack)
