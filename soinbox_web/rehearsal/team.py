"""Fills an instance with the sample team: users, cards of all they know, connected mailboxes."""

from soinbox_web.model.person import split_name
from soinbox_web.model.server import Login
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.cast import COMPANY, CORRESPONDENTS, TEAM
from soinbox_web.rehearsal.mail_world import World
from soinbox_web.runtime import Runtime
from soinbox_web.services import members, people, setup

STRANGERS = 3  # the last correspondents have no card, so that somebody can be added


def prepare(runtime: Runtime, world: World) -> None:
    """Users and cards are made, mailboxes connected by the same set-up that a person walks.

    Raises the SoinboxError of the first set-up that fails.
    """
    for them in CORRESPONDENTS[:-STRANGERS]:
        first, last = split_name(them.name)
        people.add(runtime, {"first_name": first, "last_name": last, "company": them.company}, [them.address])
    for one in TEAM:
        member = members.add(
            runtime,
            one.address,
            one.name,
            one.password,
            one.is_admin,
            language=one.language,
            timezone="Europe/Amsterdam",
        )
        first, last = split_name(one.name)
        card = {"first_name": first, "last_name": last, "title": one.title, "company": COMPANY}
        people.change(runtime, member, member.person_id, card)
        if one.connected:
            imap = Login(world.host, world.imap_port, "ssl", one.address)
            smtp = Login(world.host, world.smtp_port, "ssl", one.address)
            report = setup.doctor(
                runtime,
                one.address,
                secret=one.mail_password,
                imap=imap,
                smtp=smtp,
                save_for_user=member.id,
            )
            if report.problems:
                raise SoinboxError(report.problems[0])
