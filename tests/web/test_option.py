"""E-mail options › General."""

from soinbox_web.model.options import Options
from soinbox_web.services import options


def test_shows_the_defaults_and_saves_the_choice(signed_in, runtime, member):
    page = signed_in.get("/options").text
    assert 'name="mark_as_read" type="checkbox" value="y"' in page
    form = {"remote_images": "never", "signature": "Groet,\r\nAnna\r\n", "signature_in_replies": "y"}
    assert signed_in.submit("/options", form).status_code == 303
    assert options.of(runtime, member.id) == Options(
        mark_as_read=False,
        ask_before_deleting=False,
        save_sent_copy=False,
        remote_images="never",
        signature="Groet,\nAnna",
        signature_in_new=False,
        signature_in_replies=True,
    )


def test_bad_and_stale_forms_keep_the_signature(signed_in, runtime, member):
    for form in (
        {"remote_images": "always", "signature": "Groet"},
        {"remote_images": "ask", "csrf_token": "old", "signature": "Groet"},
    ):
        answer = signed_in.submit("/options", form)
        assert answer.status_code == 422
        assert "Groet" in answer.text
    assert options.of(runtime, member.id) == Options()
