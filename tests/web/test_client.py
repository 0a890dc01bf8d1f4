"""The test client is what it says: signed in or not, with a CSRF token that the product accepts."""

from soinbox_web.model.member import Member
from tests.client import SoinboxClient


def test_stranger_is_sent_to_sign_in(client: SoinboxClient, member: Member) -> None:
    response = client.get("/")
    assert response.status_code == 303
    assert "/sign-in" in response.location


def test_signed_in_and_out(signed_in: SoinboxClient) -> None:
    assert "/sign-in" not in (signed_in.get("/").location or "")
    assert signed_in.submit("/sign-out").status_code in (200, 303)
    assert signed_in.get("/").status_code == 303


def test_two_people(client: SoinboxClient, member: Member, colleague: Member) -> None:
    assert member.id != colleague.id
    assert member.is_admin
    assert not colleague.is_admin
