"""The reading pane: meetings, folded quotes and recipients, headers, and suggestions of recipients."""

from pathlib import Path

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.quoting import blocks
from soinbox_web.runtime import Runtime
from soinbox_web.services import people
from tests import seed
from tests.client import SoinboxClient

CORPUS = Path(__file__).parents[1] / "corpus"


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def pane(runtime: Runtime, account: Account, client: SoinboxClient, raw: bytes) -> str:
    (key,) = seed.deliver(runtime, account, [raw])
    return client.get(f"/messages/{key}").text


def test_a_meeting_is_a_card(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    html = pane(runtime, account, signed_in, (CORPUS / "invitation.eml").read_bytes())
    assert "Overleg over de offerte" in html and "10:00 – 11:00" in html and "Zaal 2, Utrecht" in html
    assert "invitation.ics" in html


def test_many_recipients_are_folded(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    many = ", ".join(f"Gast {n} <gast{n}@klant.example>" for n in range(13))
    html = pane(runtime, account, signed_in, seed.letter(to=many))
    assert "and 12 others" in html and "gast12@klant.example" in html


def test_quotes_fold_and_nothing_is_lost() -> None:
    text = "Ja\n> een\nnee\n" + "> oud\n" * 6 + "\nGroet"
    found = blocks(text)
    assert "".join(words for _, words in found) == text
    assert [quoted for quoted, _ in found] == [False, True, False]
    assert blocks("") == []


def test_all_headers_are_plain_text(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    raw = seed.letter(more="X-Odd: <script>\r\n")
    (key,) = seed.deliver(runtime, account, [raw])
    answer = signed_in.get(f"/messages/{key}/headers")
    assert answer.mimetype == "text/plain" and "X-Odd: <script>" in answer.text
    assert "Hierbij" not in answer.text and "sandbox" in answer.headers["Content-Security-Policy"]


def test_cards_and_people_written_to_are_suggested(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, client: SoinboxClient
) -> None:
    people.add(runtime, {"first_name": "Eva", "last_name": "Smit"}, ["eva@klant.example"])
    seed.deliver(runtime, account, [seed.letter(to="Smit & Co <info@smit.example>")], folder="Sent")
    found = signed_in.get("/drafts/people?q=smit").text
    assert "Eva Smit &lt;eva@klant.example&gt;" in found and "info@smit.example" in found
    assert "info@smit.example" not in signed_in.get("/drafts/people?q=eva").text


def test_a_colleague_is_not_told_whom_others_write_to(
    runtime: Runtime, account: Account, colleague: Member, client: SoinboxClient
) -> None:
    seed.deliver(runtime, account, [seed.letter(to="geheim@elders.example")], folder="Sent")
    assert "geheim" not in client.sign_in(colleague).get("/drafts/people?q=geheim").text
