"""Options: defaults, kept per user."""

from soinbox_web.model.options import Options
from soinbox_web.services import options


def test_defaults_then_what_was_chosen(runtime, member, colleague):
    assert options.of(runtime, member.id) == Options()
    chosen = Options(mark_as_read=False, remote_images="never", signature="Groet,\nAnna")
    options.save(runtime, member.id, chosen)
    options.save(runtime, member.id, chosen)
    assert options.of(runtime, member.id) == chosen
    assert options.of(runtime, colleague.id) == Options()


def test_an_option_of_a_later_version_is_ignored(runtime, member):
    with runtime.db.write() as connection:
        connection.execute("INSERT INTO options VALUES (?, 'font', '\"serif\"')", (member.id,))
    assert options.of(runtime, member.id) == Options()
