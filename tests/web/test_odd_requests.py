"""Every route with arguments, forms and headers that no page of ours sends: they meet no fault."""

import random
from typing import Any
from urllib.parse import urlencode

from flask import Flask, url_for
from werkzeug.routing import BuildError, Rule

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from tests import seed
from tests.client import SoinboxClient
from tests.web.test_inbox import account

__all__ = ["account"]

REQUESTS = 1_200
LEAVE = ("sign_out", "remove", "password", "end_all", "static")  # they end the session, or the account
NAMES = [
    "folder", "q", "everywhere", "unread", "attachment", "since", "until", "senders", "sort", "order",
    "after", "before", "message", "next", "account", "key", "id", "do", "confirmed", "days", "address",
    "to", "cc", "subject", "body", "html", "name", "token", "part", "images", "masked", "language",
    "timezone", "role", "code", "state", "error", "imap_host", "imap_port", "kind", "fill",
]  # fmt: skip
ODD = [
    "", "0", "-1", "9" * 30, "9" * 5000, "1e9", "NaN", "\0", "a\0b", "../../etc/passwd", "<script>", '"',
    "'--", "日本", "\u202e", "²", "١٢", "a" * 3000, "1.SU5CT1g.1.1", "1.%%%.1.1", "1..1.1", "2026-13-45",
    "0001-01-01", "9999-12-31", "[]", "move:", "move:INBOX", "copy:Nope", "delete", "http://evil.example",
    "//evil", "/inbox/1", "\r\nSet-Cookie: a=b", "NEAR(a b)", "a-AND-b", '"open', "* OR *",
]  # fmt: skip
HEADERS = [
    ("HX-Current-URL", "http://[::1"), ("HX-Current-URL", "::::"), ("Referer", "http://[::1"),
    ("Range", "bytes=-"), ("HX-Target", "#"), ("HX-Target", "section#message-list"),
    ("HX-Target", "section#message-pane"), ("Sec-Fetch-Dest", "iframe"), ("Last-Event-ID", "x"),
    ("If-None-Match", "*"), ("Accept-Language", ";;q=x"),
]  # fmt: skip


def test_odd_requests_meet_no_fault(
    app: Flask, runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    keys = [str(key) for key in seed.deliver(runtime, account, [seed.letter(f"Brief {n}") for n in range(5)])]
    dice = random.Random(4)
    rules = [rule for rule in app.url_map.iter_rules() if not any(word in rule.endpoint for word in LEAVE)]
    values = [*ODD, *keys, "1", "brief"]
    asked = 0
    while asked < REQUESTS:
        rule = dice.choice(rules)
        url = _url(app, rule, dice, values, account.id)
        if url is None:
            continue
        given = [(dice.choice(NAMES), dice.choice(values)) for _ in range(dice.randrange(7))]
        headers = {"HX-Request": "true"} if dice.random() < 0.5 else {}
        headers |= dict(dice.sample(HEADERS, dice.randrange(3)))
        method = dice.choice([each for each in rule.methods or () if each in ("GET", "HEAD", "POST")])
        if method == "POST":
            answer = signed_in.submit(url, dict(given), headers=headers)
        else:
            answer = signed_in.open(f"{url}?{urlencode(given)}", method=method, headers=headers)
        assert answer.status_code < 500 or answer.status_code == 503, (method, url, given, headers)
        asked += 1
        if asked % 200 == 0:
            signed_in.sign_in(member)


def _url(app: Flask, rule: Rule, dice: random.Random, values: list[str], account_id: int) -> str | None:
    arguments: dict[str, Any] = {
        name: dice.choice([0, 1, 2, account_id, 2**62])
        if "RowNumber" in type(converter).__name__
        else dice.choice(values)
        for name, converter in rule._converters.items()
    }
    try:
        with app.test_request_context():
            return url_for(rule.endpoint, **arguments)
    except (BuildError, ValueError):
        return None
