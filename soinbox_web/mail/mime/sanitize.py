"""Raw HTML of a message to HTML that is safe to show: by allow-list, without script or foreign pictures."""

import re
import secrets
from collections.abc import Callable
from urllib.parse import unquote

import nh3

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.headers import clean
from soinbox_web.mail.mime.nesting import flat_references, within_caps
from soinbox_web.mail.mime.style import safe_style
from soinbox_web.model.message import SafeHtml

Rewrite = Callable[[str], str | None]

_NAMES = """
    a abbr acronym address article aside b big blockquote br caption center cite code col colgroup dd del dfn
    div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav
    ol p pre q s samp section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul
    var wbr
"""
_TAGS = set(_NAMES.split())
_DROPPED = {
    "script", "style", "title", "template", "textarea", "iframe", "noembed", "noframes", "xmp", "svg", "math",
    "select", "object", "applet", "frameset",
}  # fmt: skip
_PLAIN = {"align", "bgcolor", "dir", "height", "lang", "style", "title", "valign", "width"}
_CELL = {"colspan", "rowspan", "nowrap", "scope"}
_PICTURE = {"background", "srcset"}  # allowed so that they are seen and reported; never kept
_ATTRIBUTES = {
    "*": set[str](),
    **{tag: _PLAIN | {"background"} for tag in _TAGS},
    "a": _PLAIN - {"title"} | {"href"},
    "img": _PLAIN | _PICTURE | {"src", "alt", "border", "hspace", "vspace"},
    "table": _PLAIN | {"background", "border", "cellpadding", "cellspacing", "summary"},
    "td": _PLAIN | _CELL | {"background"},
    "th": _PLAIN | _CELL | {"background"},
    "col": _PLAIN | {"span"},
    "colgroup": _PLAIN | {"span"},
    "font": _PLAIN | {"color", "face", "size"},
    "ol": _PLAIN | {"start", "type"},
    "ul": _PLAIN | {"type"},
    "li": _PLAIN | {"value", "type"},
    "hr": _PLAIN | {"color", "noshade", "size"},
}
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=]*$", re.IGNORECASE)
_BODY = re.compile(r"<body(?=[\s>/])([^<>]{0,4000})", re.IGNORECASE)
_BODY_COLOUR = re.compile(r"(?:^|[\s\"'])(bgcolor|text)\s*=\s*[\"']?\s*(#?[a-z0-9]{3,20})", re.IGNORECASE)
_HREF = re.compile(r'(<a (?:[^<>]*? )?href="([^"<>]{0,2000})[^"<>]*")')
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\xa0]+")


def safe_html(
    raw_html: str, *, allow_remote: bool = False, rewrite_image: Rewrite | None = None
) -> SafeHtml | None:
    """`raw_html` cleaned by layer 1 of trust.md; None beyond the caps (then the text part is shown).

    `rewrite_image` gets each `cid:…` URL, and with `allow_remote` each http(s) one, and answers the path on
    this site that serves the picture, or None to leave it out. Without it `cid:` stays as it is and remote
    pictures are blocked.
    """
    if not within_caps(raw_html):
        return None
    sieve = _Sieve(allow_remote, rewrite_image)
    cleaned = nh3.clean(
        _BODY.sub(_body_as_block, flat_references(raw_html.replace("\0", "")), count=1),
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        attribute_filter=sieve.attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative=sieve.relative,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )
    cleaned = _HREF.sub(r'\1 title="\2"', cleaned)
    return SafeHtml(
        sieve.put_paths(cleaned), tuple(dict.fromkeys(sieve.remote)), tuple(dict.fromkeys(sieve.cids))
    )


def _body_as_block(body: re.Match[str]) -> str:
    """A fragment has no body element: its colours are given to a block instead."""
    colours = {name.lower(): value for name, value in _BODY_COLOUR.findall(body[1])}
    style = f"background-color: {colours.get('bgcolor', 'unset')}; color: {colours.get('text', 'unset')}"
    return f'<div style="{style}"><div{body[1]}' if colours else f"<div{body[1]}"


class _Sieve:
    """Judges attribute values while nh3 walks; pictures of this site travel as numbered `cid:` stand-ins."""

    def __init__(self, allow_remote: bool, rewrite_image: Rewrite | None) -> None:
        self.allow_remote = allow_remote
        self.rewrite_image = rewrite_image
        self.remote: list[str] = []
        self.cids: list[str] = []
        self.paths: list[str] = []
        self.styles: dict[str, str] = {}
        self.styles_left = caps.STYLES
        self.mark = f"cid:{secrets.token_hex(12)}."

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return self.style(value) or None
        if name == "href":
            return _link(value)
        if name == "src":
            return self.picture(value)
        if name == "background":
            self.blocked(value)
            return None
        if name == "srcset":
            for candidate in value[: caps.STYLE].split(","):
                self.blocked(candidate.strip().partition(" ")[0])
            return None
        return value

    def style(self, text: str) -> str:
        """The same style comes again and again, and is read once."""
        text = text[: caps.STYLE]
        if text not in self.styles:
            self.styles_left -= len(text)
            self.styles[text] = safe_style(text, self.blocked) if self.styles_left >= 0 else ""
        return self.styles[text]

    @staticmethod
    def relative(url: str) -> str | None:
        return None

    def blocked(self, url: str) -> None:
        url = _CONTROLS.sub("", url)
        if url.startswith("//"):
            url = f"https:{url}"
        if url.lower().startswith(("http://", "https://")):
            self.remote.append(url[:2000])

    def picture(self, url: str) -> str | None:
        url = _CONTROLS.sub("", url)
        lower = url[:20].lower()
        if lower.startswith("data:"):
            return url if _DATA_PICTURE.match(url) else None
        if lower.startswith("cid:"):
            self.cids.append(unquote(url[4:]))
            return self.stand_in(url) if self.rewrite_image else url
        if lower.startswith("//"):
            url = f"https:{url}"
        if self.allow_remote and self.rewrite_image and url.lower().startswith(("http://", "https://")):
            return self.stand_in(url)
        self.blocked(url)
        return None

    def stand_in(self, url: str) -> str | None:
        path = self.rewrite_image(url) if self.rewrite_image else None
        if path is None or not re.match(r"/[A-Za-z0-9][A-Za-z0-9/_.~-]*$", path):
            return None
        self.paths.append(path)
        return f"{self.mark}{len(self.paths) - 1}"

    def put_paths(self, cleaned: str) -> str:
        if not self.paths:
            return cleaned
        return re.sub(
            f'src="{re.escape(self.mark)}(\\d+)"', lambda m: f'src="{self.paths[int(m[1])]}"', cleaned
        )


def _link(url: str) -> str | None:
    """A link that may be followed: http, https, mailto or tel, without control characters."""
    url = clean(url)
    if url.startswith("//"):
        url = f"https:{url}"
    return url if url.lower().startswith(("http://", "https://", "mailto:", "tel:")) else None
