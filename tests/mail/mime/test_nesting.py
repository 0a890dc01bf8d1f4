"""HTML that is costly to parse is refused before it is parsed; honest HTML is not."""

import time

import pytest

from soinbox_web.mail.mime.nesting import within_caps
from soinbox_web.mail.mime.sanitize import safe_html
from soinbox_web.mail.mime.text import html_to_text

_MB = 1024 * 1024
_DEEP = {
    "lists": "<ul><li>" * 40_000,
    "blocks": "<div>" * 60_000,
    "closed in a comment": "<div><!--</div>-->" * 20_000,
    "closed in an attribute": '<div><a title="</div>">' * 10_000,
    "closed in a style": "<div><style></div></style>" * 10_000,
    "closed in a bogus comment": "<div><!x </div>" * 10_000,
    "style in svg": "<svg><style><div></style></svg>" * 10_000,
    "paragraph ended by its block": "<p><div></p>" * 20_000,
    "span does not end a block": "<span><div></span>" * 20_000,
    "cell keeps its blocks": "<div><table><tr><td></div>" * 10_000,
    "comment in a style": "<style><!--</style><div>-->" * 10_000,
    "script in a script": "<div><script><!--<script></script></div>--></script>" * 8_000,
    "formatting left open": "".join(f"<p><font x={i}>t" for i in range(20_000)),
    "quote astray": '<a "' * 200_000,
    "attributes": "<a " + " ".join(f"a{i}=1" for i in range(100_000)) + ">",
    "references": "&" * _MB,
    "too large": "x" * (_MB + 1),
}
_HONEST = {
    "table letter": '<table><tr><td style="color:red"><p>hi <b>x</b><br><a href="http://a.nl">y</a></td></tr></table>'
    * 4_000,
    "cells without end": "<table><tr><td>x<td>y<tr><td>z</table>" * 5_000,
    "paragraphs and items without end": "<p>x<ul><li>q<li>r</ul>" * 8_000,
    "bold that is never ended": "<p><b>x<p>y" * 8_000,
    "conditional comments": (
        "<!--[if mso]><table><tr><td><![endif]--><div>x</div>"
        "<!--[if mso]></td></tr></table><![endif]-->"
    )
    * 2_000,
}  # fmt: skip


@pytest.mark.parametrize("name", _DEEP)
def test_costly_html_is_refused_at_once(name):
    start = time.perf_counter()
    assert not within_caps(_DEEP[name])
    assert safe_html(_DEEP[name]) is None
    html_to_text(_DEEP[name])
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("name", _HONEST)
def test_honest_html_passes(name):
    start = time.perf_counter()
    assert within_caps(_HONEST[name])
    assert safe_html(_HONEST[name]) is not None
    assert time.perf_counter() - start < 2


def test_few_elements_are_never_refused():
    assert within_caps("<div>" * 700 + "<svg>x</svg>")
