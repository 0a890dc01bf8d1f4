"""Plain text and HTML, both ways."""

from soinbox_web.mail.mime.text import html_to_text, preview, text_to_html, unflow


def test_links_are_linked_and_everything_else_is_escaped():
    html = text_to_html('Zie <b> https://x.example/a?b=1&c="2" en www.y.example, of anna@x.example.')
    assert '<a href="https://x.example/a?b=1&amp;c=" target="_blank"' in html
    assert 'href="http://www.y.example"' in html
    assert 'href="mailto:anna@x.example"' in html
    assert "&lt;b&gt;" in html


def test_no_link_runs_script():
    html = text_to_html("javascript:alert(1) data:text/html,x https://x.example/<script>alert(1)</script>")
    assert "<script" not in html
    assert 'href="javascript' not in html


def test_quote_levels_nest():
    html = text_to_html("a\n> b\n>> c\nd")
    assert html.count("<blockquote>") == html.count("</blockquote>") == 2


def test_flowed_paragraphs_are_joined():
    assert unflow("een \ntwee\n> x \n> y\n-- \nAnna") == "een twee\n> x y\n-- \nAnna"
    assert unflow("lan \nge", delsp=True) == "lange"


def test_html_to_text_keeps_blocks_links_and_quotes():
    html = "<style>p{}</style><p>Een&nbsp;<b>twee</b><br>drie</p>"
    html += "<blockquote>citaat</blockquote><ul><li>a<li>b</ul>"
    assert html_to_text(html) == "Een twee\ndrie\n\n> citaat\na\nb"


def test_preview_skips_quotes_and_cuts_at_a_word():
    assert preview("> oud\n\nNieuw bericht\nmet meer") == "Nieuw bericht met meer"
    assert preview("woord " * 100, 20) == "woord woord woord…"
