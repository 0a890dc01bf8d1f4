"""The composer: drafts that survive, answers, attachments, the first-address rule, per-field errors."""

import io
import re

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing, people, sending
from tests import seed
from tests.client import SoinboxClient
from tests.clock import HandClock


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def begin(client: SoinboxClient, query: str = "") -> str:
    """The URL of a new draft."""
    response = client.get(f"/drafts/new{query}")
    assert response.status_code == 303, response.get_data(as_text=True)
    return str(response.location)


def fields(**typed: str) -> dict[str, str]:
    return {
        "account": "1",
        "to": "bram@klant.example",
        "subject": "Vraag",
        "body": "Hoi\r\nBram",
        "do": "save",
    } | typed


def test_a_draft_survives_reload_on_any_device(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient, clock: HandClock
) -> None:
    here = begin(signed_in)
    clock.turn(seconds=5)
    assert signed_in.submit(here, fields(bcc="stil@klant.example")).location == here
    elsewhere = signed_in.application.test_client().sign_in(member)  # type: ignore[attr-defined]
    html = elsewhere.get(here).get_data(as_text=True)
    for words in ("bram@klant.example", "stil@klant.example", "Vraag", "Hoi\nBram", "Draft saved at 10:00"):
        assert words in html
    assert "Vraag" in signed_in.get("/outbox").get_data(as_text=True)


def test_saving_while_typing_answers_with_the_state_alone(account: Account, signed_in: SoinboxClient) -> None:
    here = begin(signed_in)
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "p#draft-state"}
    signed_in.submit(here, fields(), headers=headers)
    assert signed_in.get(here, headers=headers).get_data(as_text=True).startswith('<p class="composer-saved"')


@pytest.mark.parametrize(
    ("kind", "to", "cc", "subject"),
    [
        ("reply", "Bram Bakker &lt;bram@klant.example&gt;", "", "Re: Offerte"),
        ("reply_all", "Bram Bakker &lt;bram@klant.example&gt;", "chloe@klant.example", "Re: Offerte"),
        ("forward", "", "", "Fwd: Offerte"),
    ],
)
def test_answers_are_filled_in(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, kind: str, to: str, cc: str, subject: str
) -> None:
    raw = seed.letter("Re: Offerte" if kind != "forward" else "Offerte", more="Cc: chloe@klant.example\r\n")
    (key,) = seed.deliver(runtime, account, [raw])
    html = signed_in.get(begin(signed_in, f"?account={account.id}&kind={kind}&of={key}")).get_data(
        as_text=True
    )
    values = dict(re.findall(r'name="(to|cc|subject)" value="([^"]*)"', html))
    assert values["to"] == to and values["subject"] == subject and cc in values["cc"]
    if kind == "forward":
        assert "Forwarded message" in html and "\nHierbij de offerte." in html
    else:
        assert "Monday 23 November 2026, 09:15, Bram Bakker wrote:" in html.replace("Monday,", "Monday")
        assert "&gt; Hierbij de offerte." in html


def test_a_forward_keeps_the_attachments(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    raw = (
        b"From: b@klant.example\r\nSubject: x\r\n"
        b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n\r\nhoi\r\n--m\r\n'
        b"Content-Type: application/pdf\r\n"
        b'Content-Disposition: attachment; filename="plan.pdf"\r\n\r\n%PDF-\r\n--m--\r\n'
    )
    (key,) = seed.deliver(runtime, account, [raw])
    here = begin(signed_in, f"?account={account.id}&kind=forward&of={key}")
    assert "plan.pdf" in signed_in.get(here).get_data(as_text=True)


def test_files_are_attached_removed_and_limited(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    here = begin(signed_in)
    two = [(io.BytesIO(b"een"), "a/één.txt"), (io.BytesIO(b"twee"), "twee.txt")]
    signed_in.submit(here, fields(files=two), content_type="multipart/form-data")  # type: ignore[arg-type]
    draft_id = int(here.rpartition("/")[2])
    draft = composing.read(runtime, member.id, draft_id)
    assert [(f.name, f.size) for f in draft.files] == [("één.txt", 3), ("twee.txt", 4)]
    signed_in.submit(here, fields(do=f"detach:{draft.files[0].id}"))
    assert len(composing.read(runtime, member.id, draft_id).files) == 1
    big = io.BytesIO(b"x" * (runtime.settings.max_upload - 1))
    refused = signed_in.submit(
        here,
        fields(files=[(big, "groot.bin")], body="bewaard"),
        content_type="multipart/form-data",  # type: ignore[arg-type]
    )
    assert refused.status_code == 413 and "bewaard" in refused.get_data(as_text=True)


def test_sending_holds_shows_undo_and_returns_the_draft(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    here = begin(signed_in)
    done = signed_in.submit(here, fields(do="send"))
    assert done.status_code == 303 and done.location == f"/inbox/{account.id}"
    html = signed_in.get(done.location).get_data(as_text=True)
    assert "Sending: Vraag" in html
    (path,) = re.findall(r'action="(/outbox/\d+/undo)"', html)
    assert signed_in.submit(path).location == here
    assert "Hoi\nBram" in signed_in.get(here).get_data(as_text=True)
    assert signed_in.submit(path).status_code == 409


def test_twice_the_same_post_is_one_mail(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    here = begin(signed_in)
    for _ in range(2):
        assert signed_in.submit(here, fields(do="send")).status_code == 303
    assert len(sending.everything(runtime, member.id)) == 1


def test_what_is_wrong_stands_at_its_field_and_everything_is_kept(
    account: Account, signed_in: SoinboxClient
) -> None:
    here = begin(signed_in)
    refused = signed_in.submit(here, fields(to="geen adres", cc="ook@niet@goed", do="send"))
    html = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert (
        'id="to-error"' in html and 'id="cc-error"' in html and "geen adres" in html and "Hoi\nBram" in html
    )


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "subject"])
def test_a_line_end_never_becomes_a_header(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient, field: str
) -> None:
    here = begin(signed_in)
    refused = signed_in.submit(here, fields(**{field: "x\r\nBcc: spion@x.example", "do": "send"}))
    assert refused.status_code == 422
    assert sending.everything(runtime, member.id) == []


def test_the_first_address_rule_is_told_before_writing_and_holds_for_direct_posts(
    runtime: Runtime, member: Member, signed_in: SoinboxClient
) -> None:
    seed.account(runtime, member, "anna@elders.example")
    here = begin(signed_in)
    html = signed_in.get(here).get_data(as_text=True)
    assert "anna@elders.example is not your first e-mail address" in html
    assert re.search(r'value="send"[^>]*disabled', html)
    assert signed_in.submit(here, fields(do="send")).status_code == 422
    assert signed_in.submit(f"{here}/send").status_code == 422
    assert sending.everything(runtime, member.id) == []
    card = people.of_user(runtime, member.id)
    people.add_address(runtime, member, card.id, "anna@elders.example")
    assert "Make anna@elders.example my first address" in signed_in.get(here).get_data(as_text=True)


def test_what_is_too_long_is_kept_whole_and_told_at_its_field(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    here = begin(signed_in)
    crowd = ", ".join(f"iemand-{number:05}@klant.example" for number in range(6000))
    typed = fields(to=crowd, cc=", ".join(crowd.split(", ")[:501]), subject="x" * 10_000)
    assert signed_in.submit(here, typed).location == here
    draft = composing.read(runtime, member.id, int(here.rpartition("/")[2]))
    assert (draft.to, draft.cc, draft.subject) == (typed["to"], typed["cc"], typed["subject"])
    answer = signed_in.submit(here, typed | {"do": "send"})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "iemand-05999@klant.example" in html
    for words in (
        f"It has {len(crowd)} characters; at most 100000 fit in this field.",
        "One field takes at most 500 recipients; iemand-00500@klant.example and those after it are too many.",
        "A subject is one line of at most 900 characters.",
    ):
        assert words in html
    signed_in.submit("/language", {"language": "nl"})
    html = signed_in.submit(f"{here}/send").get_data(as_text=True)
    assert "iemand-00500@klant.example en wie daarna komt, zijn te veel" in html
    assert len(signed_in.get("/outbox").get_data(as_text=True)) < 100_000
    assert sending.everything(runtime, member.id) == []


def test_recipients_of_a_link_are_all_taken_over(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    crowd = ",".join(f"iemand-{number:03}@klant.example" for number in range(100))
    here = begin(signed_in, f"?to={crowd}")
    assert composing.read(runtime, member.id, int(here.rpartition("/")[2])).to == crowd


def test_discarding(account: Account, signed_in: SoinboxClient) -> None:
    here = begin(signed_in)
    asks = signed_in.submit(here, fields(do="discard"))
    assert asks.status_code == 303 and asks.location == f"{here}/discard"
    assert "Discard this draft?" in signed_in.get(f"{here}/discard").text
    assert signed_in.get(here).status_code == 200
    assert signed_in.submit(f"{here}/discard").status_code == 303
    assert signed_in.get(here).status_code == 404


def test_nobody_opens_anothers_draft(
    account: Account, client: SoinboxClient, member: Member, colleague: Member
) -> None:
    here = begin(client.sign_in(member))
    other = client.sign_in(colleague)
    assert other.get(here).status_code == 404
    for path in (here, f"{here}/send", f"{here}/discard"):
        assert other.submit(path, fields(do="send")).status_code == 404
    assert other.get(f"/drafts/new?account={account.id}").status_code == 404


def test_without_an_account_set_up_begins(signed_in: SoinboxClient) -> None:
    assert begin(signed_in) == "/setup"
