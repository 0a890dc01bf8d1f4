"""Why an envelope may differ from what imap-tools or the standard library read: rules, single messages."""

import re

from tests.mail.witnesses import RAISES

_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r")
_NO_FIELD = re.compile(rb"^(?![\x21-\x39\x3b-\x7e]+[ \t]*:)(?![ \t])[^\r\n]+\r?$", re.MULTILINE)
_EMPTY_GROUP = re.compile(rb"[:;]\s*;")
_PEOPLE = ("from", "reply-to", "to", "cc", "bcc")


def reason(name: str, raw: bytes, witness: str, field: str, theirs: object) -> str | None:
    """The recorded reason for one field of one message; None when there is none."""
    if theirs == RAISES:
        return "the witness raises"
    if (name, field) in SINGLE:
        return SINGLE[name, field]
    header = _HEADER_END.split(raw, 1)[0]
    said = _values(header, field) or (_values(header, "from") if field == "reply-to" else [])
    joined = b" ".join(said)
    if not joined.isascii():
        return "bytes beyond ASCII outside an encoded word: the witness drops or replaces them"
    if len(said) > 1:
        return "the field is there more than once: the witness takes the first, the server all or the last"
    if _NO_FIELD.search(header):
        return "a line that is no field: the witness ends the header there, the server reads on"
    if field in _PEOPLE and b"(" in joined:
        return "a comment is not the name where there is another, or none"
    if field in ("message-id", "in-reply-to") and joined and b"<" not in joined:
        return "an identifier without brackets is kept as it is"
    if field in _PEOPLE and theirs == [] and _EMPTY_GROUP.search(joined):
        return "an empty group: the server tells its name, Python before 3.11.5 nothing"
    if field in _PEOPLE and joined.count(b"<") != joined.count(b">"):
        return "an angle bracket is missing: what is left of the address is guessed"
    return None


def _values(header: bytes, field: str) -> list[bytes]:
    pattern = rb"^%s[ \t]*:((?:[^\r\n]*(?:\r?\n[ \t])?)*)" % re.escape(field.encode())
    return [found.strip() for found in re.findall(pattern, header, re.MULTILINE | re.IGNORECASE)]


def _of(name: str, fields: str, why: str) -> dict[tuple[str, str], str]:
    return {(name, field): why for field in fields.split()}


_NO_TYPE = "a Content-Type that is none: application/octet-stream for the server, text for the witness"
_QUOTE = "a boundary that lacks its second quote: the server finds the parts, the witness none"
_PLAIN_ADDRESS = "words and an address without brackets: each reader guesses another part"

SINGLE = {
    **_of("cpython/014-msg_14.eml", "attachments", _NO_TYPE),
    **_of("spamassassin/020-badctype1.eml", "attachments", _NO_TYPE),
    **_of(
        "cpython/015-msg_15.eml",
        "attachments",
        "two multiparts of one boundary: the witness finds no picture",
    ),
    **_of("dovecotimaptest/015-fetch-binary-mime.eml", "attachments", _QUOTE),
    **_of("dovecotimaptest/142-urlauth-binary.eml", "attachments", _QUOTE),
    **_of("stalwart/044-012.eml", "attachments", _QUOTE),
    **_of(
        "stalwart/026-017.eml", "attachments", "a boundary without its semicolon: the witness finds no parts"
    ),
    **_of("imaptools/024-bad_date_header2.eml", "date", "no hour (`59:10`): the witness invents one"),
    **_of("imaptools/042-missing_body.eml", "to", "an unfinished group: the server leaves its end out"),
    **_of(
        "imaptools/083-example13.eml",
        "to subject message-id date from reply-to",
        "a blank in front of the colon: the witness takes the field's name with it",
    ),
    **_of(
        "imaptools/084-example14.eml",
        "subject",
        "two encoded words folded apart from a word: the blank stays",
    ),
    **_of("imaptools/089-mix_caps_content_type.eml", "from reply-to", _PLAIN_ADDRESS),
    **_of("imaptools/102-raw_email_with_at_display_name.eml", "to", _PLAIN_ADDRESS),
    **_of("rubymail/036-raw_email_with_at_display_name.eml", "to", _PLAIN_ADDRESS),
    **_of("rubymail/033-raw_email_multiple_from.eml", "from to reply-to", _PLAIN_ADDRESS),
    **_of("webklex/030-issue-462.eml", "from reply-to", _PLAIN_ADDRESS),
    **_of(
        "rspamd/087-phish_sender6.eml", "from reply-to", "a route is not an address (RFC 5322 section 4.4)"
    ),
    **_of(
        "spamassassin/156-unicode2.eml",
        "from reply-to",
        "an encoded word as an address: shown decoded, with its source beside it",
    ),
    **_of(
        "spamassassin/155-unicode1.eml",
        "subject",
        "UTF-8 cut across two encoded words: ours joins the bytes first",
    ),
    **_of("stalwart/028-019.eml", "to", "a field before it is broken: the witness takes To for its rest"),
    **_of(
        "stalwart/039-007.eml",
        "from reply-to",
        "an address without a domain and a name: the witness drops one",
    ),
    **_of("cr-only.eml", "date subject to", "lines that end in CR alone: the server sees one line"),
    **_of("header-injected-names.eml", "cc", "the server sends a NUL as U+FFFD"),
}
