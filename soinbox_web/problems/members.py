"""Problems of users, their sign-in and their cards."""

from datetime import timedelta

from soinbox_web.problems import Kind, Problem
from soinbox_web.texts import N_

MEMBERS = (
    Kind(
        "member_refused",
        title=N_("E-mail address or password is wrong"),
        cause=N_("No user of soinbox signs in with this address and this password."),
        remedy=N_("Type both again. This is your password of soinbox, not the one of your mailbox."),
        status=422,
    ),
    Kind(
        "member_delayed",
        title=N_("Too many tries"),
        cause=N_("There were several wrong sign-ins in a short time."),
        remedy=N_("Wait {minutes} min, then try again."),
        retry="later",
        status=429,
    ),
    Kind(
        "member_exists",
        title=N_("This user is already there"),
        cause=N_("Somebody signs in with {address} already."),
        remedy=N_("Take another address, or sign in."),
    ),
    Kind(
        "member_unknown",
        title=N_("There is no such user"),
        cause=N_("Nobody signs in with {address}."),
        remedy=N_("Look at the list of users."),
        status=404,
    ),
    Kind(
        "last_administrator",
        title=N_("This is the only administrator"),
        cause=N_("Without an administrator nobody could invite or remove users."),
        remedy=N_("Make somebody else administrator first."),
        retry="never",
    ),
    Kind(
        "password_short",
        title=N_("The password is too short"),
        cause=N_("A password has at least {minimum} characters."),
        remedy=N_("Take a longer one: a short sentence is easy to remember."),
        field="password",
    ),
    Kind(
        "code_wrong",
        title=N_("This is not the code"),
        cause=N_("The code stands in the window where soinbox was started, and changes at every start."),
        remedy=N_("Copy the code from there."),
    ),
    Kind(
        "invitation_ended",
        title=N_("This invitation no longer works"),
        cause=N_("It was used already, withdrawn, or is older than a week."),
        remedy=N_("Ask your administrator for a new link."),
        retry="never",
        status=404,
    ),
    Kind(
        "address_on_card",
        title=N_("This address is on the card already"),
        cause=N_("{address} stands on this card once."),
        remedy=N_("Type another address, or move this one to the place you want."),
        help="first-address",
    ),
    Kind(
        "address_last",
        title=N_("This is the only address of the card"),
        cause=N_("A user's card keeps at least one e-mail address."),
        remedy=N_("Add the new address first, then remove this one."),
        help="first-address",
    ),
    Kind(
        "file_unreadable",
        title=N_("This file cannot be read"),
        cause=N_("{detail}"),
        remedy=N_("Save it as CSV (UTF-8) or vCard, and try again."),
    ),
)


def delayed(wait: timedelta) -> Problem:
    """member_delayed, with the time to wait."""
    seconds = int(wait.total_seconds()) + 1
    return Problem("member_delayed", facts={"minutes": str(-(-seconds // 60))}, retry_after_seconds=seconds)
