"""The sanitiser: what goes, what stays, and how pictures are handed over."""

import pytest

from soinbox_web.mail.mime.sanitize import safe_html
from tests.mail.mime.static_check import faults


def _html(raw, **options):
    safe = safe_html(raw, **options)
    assert safe is not None
    assert faults(safe.html) == []
    return safe


@pytest.mark.parametrize(
    "raw",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java\tscript:alert(1)">x</a>',
        "<form action=http://evil.example><input name=q></form>",
        '<p style="background:url(http://leak.example/1)">x</p>',
        '<p style="background:u\\72l(http://leak.example/1)">x</p>',
        '<p style="position:fixed;top:0">x</p>',
        '<p style="width:expression(alert(1))">x</p>',
        "<p id=a class=b name=c>x</p>",
        "<base href=http://evil.example/><meta http-equiv=refresh content='0;url=http://evil.example'>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
        '<img src="data:text/html;base64,PHN2Zz4=">',
    ],
)
def test_nothing_that_runs_or_fetches_is_left(raw):
    html = _html(raw).html
    assert "alert" not in html
    assert "http" not in html


def test_the_static_check_finds_faults():
    assert faults("<script>1</script><p onclick=x style='background:url(x)'><img src=http://x>")


def test_remote_pictures_are_blocked_and_listed():
    safe = _html(
        '<table background="http://a.example/1"><td style="background: #fff url(//a.example/2)">'
        '<img src="//a.example/3" srcset="https://a.example/4 2x"><img src=" http://a.example/5 ">'
    )
    assert sorted(safe.remote) == [
        "http://a.example/1", "http://a.example/5", "https://a.example/2", "https://a.example/3", "https://a.example/4",
    ]  # fmt: skip
    assert "a.example" not in safe.html
    assert "background: #fff" in safe.html


def test_pictures_are_rewritten_to_paths_of_this_site():
    asked = []

    def token(url):
        asked.append(url)
        return None if "no" in url else f"/image/{len(asked)}"

    raw = '<img src="cid:logo@x"><img src="http://a.example/1"><img src="http://a.example/no">'
    safe = _html(raw, allow_remote=True, rewrite_image=token)
    assert safe.html == '<img src="/image/1"><img src="/image/2"><img>'
    assert asked == ["cid:logo@x", "http://a.example/1", "http://a.example/no"]
    assert safe.cids == ("logo@x",)
    assert _html(raw, rewrite_image=lambda url: "/image/1").remote == (
        "http://a.example/1",
        "http://a.example/no",
    )


def test_a_rewriter_that_answers_a_foreign_address_is_refused():
    safe = _html('<img src="cid:a">', rewrite_image=lambda url: "//evil.example/x")
    assert safe.html == "<img>"


def test_links_tell_where_they_lead():
    html = _html('<a href="http://evil.example/x" title="https://bank.example">bank</a>').html
    assert 'title="http://evil.example/x"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'target="_blank"' in html
    assert "bank.example" not in html


def test_an_honest_newsletter_keeps_its_looks():
    raw = (
        '<html><head><title>weg</title></head><body bgcolor="#eeeeee" text="#333">'
        '<table width="600" align="center" cellpadding="4" border=0><tr>'
        '<td bgcolor="#ffffff" colspan=2 valign=top '
        "style=\"padding: 10px 20px; font-family: 'Open Sans', Arial; "
        'color: rgb(10, 20, 30); width: calc(100% - 2px)">'
        '<h1 style="font-size:22px;text-align:center">Aanbieding</h1><font color=red size=2>Nu</font>'
        "</td></tr></table></body></html>"
    )
    html = _html(raw).html
    for kept in (
        "background-color: #eeeeee", "color: #333", 'width="600"', 'align="center"', 'bgcolor="#ffffff"',
        'colspan="2"', "padding: 10px 20px", "Open Sans", "rgb(10, 20, 30)", "calc(100% - 2px)",
        "font-size: 22px", '<font color="red" size="2">', "Aanbieding",
    ):  # fmt: skip
        assert kept in html
    assert "weg" not in html


def test_a_filter_that_fails_takes_the_attribute_with_it():
    assert "style" not in _html('<p style="color: rgb(' + "(" * 4000 + '">x</p>').html
