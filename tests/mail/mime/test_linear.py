"""What reading costs grows as the input does: of twice the bytes it takes no more than 2.5 times the CPU."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from soinbox_web.mail.imap import envelope_fields
from soinbox_web.mail.mime.addresses import addresses
from soinbox_web.mail.mime.headers import base64_bytes, date, decode_words, parameters
from soinbox_web.mail.mime.parse import parse, readable_text
from soinbox_web.mail.mime.sanitize import safe_html
from soinbox_web.mail.mime.text import html_to_text, text_to_html, unflow
from soinbox_web.model import card_file, quoting
from soinbox_web.problems import InputError
from tests.mail.linear import assert_linear
from tests.mail.mime.bombs import BOMBS


def cards(text: str) -> object:
    try:
        return card_file.read_csv(text)
    except InputError:
        return None


def people(size: int) -> bytes:
    return b"(" + b'("a" NIL "b" "c.example")' * (size // 25) + b")"


CASES: dict[str, tuple[Callable[[Any], object], Callable[[int], Any], int]] = {
    # what is read in the mailroom itself, of every message
    "envelope text": (envelope_fields.text, lambda n: b"=?a?q?" * (n // 6), 500_000),
    "envelope blanks": (envelope_fields.text, lambda n: b"  " * (n // 2), 500_000),
    "envelope quotes": (envelope_fields.quoted_text, lambda n: b'"' + b"\\a" * (n // 2) + b'"', 250_000),
    "envelope people": (envelope_fields.people, people, 250_000),
    "envelope people astray": (envelope_fields.people, lambda n: b'("a" NIL ' * (n // 9), 250_000),
    "envelope people open": (envelope_fields.people, lambda n: b'("' + b"\\a" * (n // 2), 250_000),
    "envelope flags": (envelope_fields.flags, lambda n: b"a " * (n // 2), 250_000),
    "envelope date": (envelope_fields.date, lambda n: b" 1" * (n // 2), 250_000),
    "envelope identifier": (envelope_fields.message_id, lambda n: b"<" * n, 250_000),
    "envelope references": (envelope_fields.references, lambda n: b"<a" * (n // 2), 250_000),
    # what is read in the children
    "date": (date, lambda n: "1 " * (n // 2), 250_000),
    "words": (decode_words, lambda n: b"=?a?q?" * (n // 6), 250_000),
    "parameters": (parameters, lambda n: "a/b" + ";" * n, 2_000),
    "parameter names": (parameters, lambda n: "a/b;" + "a" * n, 2_000),
    "addresses with blanks": (addresses, lambda n: b'a "' + b" " * n + b'" @b', 16_000),
    "commas": (addresses, lambda n: b"," * n, 16_000),
    "comments": (addresses, lambda n: b"(" * n, 16_000),
    "base64 pieces": (base64_bytes, lambda n: b"QUI=" * (n // 4), 500_000),
    "quoting": (quoting.blocks, lambda n: "a\n>b\n" * (n // 5), 500_000),
    "unflowing": (unflow, lambda n: "a \n" * (n // 3), 500_000),
    "unflowing quotes": (unflow, lambda n: "> a \n" * (n // 5), 500_000),
    "lines to HTML": (text_to_html, lambda n: "http://a@b " * (n // 11), 100_000),
    "HTML to text": (html_to_text, lambda n: "<p>a b" * (n // 6), 60_000),
    "open comments": (html_to_text, lambda n: "<!--" * (n // 4), 50_000),
    "styles": (safe_html, lambda n: "".join(f'<p style="a{i}:1">' for i in range(n // 18)), 50_000),
    "CSV quotes": (cards, lambda n: "addresses\n" + '","' * (n // 3), 100_000),
    "CSV columns": (cards, lambda n: "a," * (n // 2) + "\n" + "b\n" * (n // 2), 100_000),
    "quoted-printable": (parse, BOMBS["quoted-printable blanks"], 250_000),
    "boundaries": (parse, BOMBS["boundaries"], 2_000_000),
    "boundaries astray": (parse, BOMBS["boundaries astray"], 500_000),
    "boundaries with blanks": (parse, BOMBS["boundaries with blanks"], 2_000_000),
    "nested parts": (parse, BOMBS["nested parts"], 1_500_000),
    "pieces of base64": (parse, BOMBS["base64 pieces"], 500_000),
    "quoted parameters": (parameters, lambda n: 'a/b;a="' + '\\"' * (n // 2), 2_000),
    "parts": (parse, BOMBS["parameters"], 200_000),
    "texts": (readable_text, BOMBS["parameters"], 200_000),
}


@pytest.mark.parametrize("name", CASES)
def test_twice_the_bytes_take_no_more_than_two_and_a_half_times_as_long(name: str) -> None:
    assert_linear(*CASES[name])


def test_a_curve_would_be_seen() -> None:
    with pytest.raises(pytest.fail.Exception):
        assert_linear(lambda text: re.search(r" +x", text), lambda n: " " * n, 4_000)


def test_no_number_of_a_character_is_too_large() -> None:
    assert html_to_text("<" * 70_000 + "&#" + "9" * 6_000 + ";")
