"""Personal settings, and for administrators the list of users."""

from zoneinfo import available_timezones

from flask import Blueprint, flash, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from soinbox_web.problems import InputError
from soinbox_web.services import members, sessions
from soinbox_web.texts import LANGUAGES
from soinbox_web.web.access import administrators_only, open_to_all, token_in_form
from soinbox_web.web.forms.member import InvitationForm, PasswordForm, SettingsForm
from soinbox_web.web.language import zone_name
from soinbox_web.web.page import inside, page, runtime, see_other
from soinbox_web.web.session_cookie import enter_again

member = Blueprint("member", __name__)


@member.get("/personal-settings")
def personal_settings() -> ResponseReturnValue:
    """Name, language, zone, password, and where one is signed in."""
    return _settings(_settings_form(), PasswordForm(formdata=None))


@member.post("/personal-settings")
@token_in_form
def save_settings() -> ResponseReturnValue:
    form = _settings_form()
    if not form.validate_on_submit():
        return _settings(form, PasswordForm(formdata=None), 422)
    members.change_settings(
        runtime(),
        current_user.member,
        name=form.name.data,
        language=form.language.data,
        timezone=form.timezone.data,
    )
    return see_other(url_for("member.personal_settings", saved="settings"))


@member.post("/personal-settings/password")
@token_in_form
def save_password() -> ResponseReturnValue:
    """A new password ends all other sessions, and gives this one a new token."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            token = members.change_password(
                runtime(), current_user.member, form.current.data, form.password.data
            )
        except InputError as error:
            form.blame(error, member_refused="current", member_delayed="current")
        else:
            enter_again(current_user.member, token)
            return see_other(url_for("member.personal_settings", saved="password"))
    return _settings(_settings_form(formdata=None), form, 422)


@member.post("/personal-settings/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    sessions.end(runtime(), current_user.member, session_id)
    return see_other(url_for("member.personal_settings") + "#sessions")


@member.post("/personal-settings/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    sessions.end_others(runtime(), current_user.member)
    return see_other(url_for("member.personal_settings") + "#sessions")


@member.post("/personal-settings/sessions/end-all")
def end_all_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    sessions.end_all(runtime(), current_user.member)
    cookie.clear()
    return see_other(url_for("session.sign_in"))


@member.post("/language")
@open_to_all
def language() -> ResponseReturnValue:
    """Speak another language from now on."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        cookie["language"] = chosen
        if current_user.is_authenticated:
            members.choose_language(runtime(), current_user.member, chosen)
    return see_other(inside(request.form.get("next")) or url_for("session.home"))


@member.post("/navigator")
def navigator() -> ResponseReturnValue:
    """Fold the navigator to its icons, or unfold it."""
    cookie["narrow"] = not cookie.get("narrow")
    return see_other(inside(request.form.get("next")) or url_for("session.home"))


@member.get("/team")
def team() -> ResponseReturnValue:
    """Users and open invitations."""
    administrators_only()
    return _team(InvitationForm(formdata=None))


@member.post("/team/invitations")
@token_in_form
def invite() -> ResponseReturnValue:
    """Make a one-time link; it is shown on the answer to this post and nowhere else."""
    administrators_only()
    form = InvitationForm()
    if form.validate_on_submit():
        try:
            token = members.invite(
                runtime(), current_user.member, form.address.data, form.name.data, is_admin=form.is_admin.data
            )
        except InputError as error:
            form.blame(error, member_exists="address")
        else:
            base = runtime().settings.public_url or request.host_url.rstrip("/")
            link = base + url_for("session.invitation", token=token)
            return _team(InvitationForm(formdata=None), link=link, invited=form.name.data)
    return _team(form, 422)


@member.post("/team/invitations/<int:invitation_id>/withdraw")
def withdraw(invitation_id: int) -> ResponseReturnValue:
    administrators_only()
    members.withdraw(runtime(), current_user.member, invitation_id)
    return see_other(url_for("member.team"))


@member.post("/team/<int:user_id>/administrator")
def administrator(user_id: int) -> ResponseReturnValue:
    """Give or take the rights of an administrator."""
    administrators_only()
    members.set_admin(runtime(), current_user.member, user_id, request.form.get("is_admin") == "1")
    return see_other(url_for("member.team"))


@member.route("/team/<int:user_id>/remove", methods=["GET", "POST"])
def remove(user_id: int) -> ResponseReturnValue:
    """Ask, saying what goes and what stays; then remove."""
    administrators_only()
    found = members.by_id(runtime(), user_id)
    if request.method == "GET":
        return page("remove_member.html", found=found)
    members.remove(runtime(), found.address)
    flash(gettext("%(name)s is no longer a user.", name=found.name))
    return see_other(url_for("member.team"))


def _settings_form(**given: object) -> SettingsForm:
    own = current_user.member
    form = SettingsForm(data={"name": own.name, "language": own.language, "timezone": own.timezone}, **given)
    default = gettext(
        "As this instance: %(zone)s", zone=zone_name() if not own.timezone else runtime().settings.timezone
    )
    form.timezone.choices = [("", default), *((name, name.replace("_", " ")) for name in _zones())]
    return form


def _zones() -> list[str]:
    return sorted(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    )


def _settings(settings: SettingsForm, password: PasswordForm, status: int = 200) -> ResponseReturnValue:
    return page(
        "personal_settings.html",
        status=status,
        settings=settings,
        password=password,
        sessions=sessions.of_member(runtime(), current_user.member),
    )


def _team(
    form: InvitationForm, status: int = 200, *, link: str = "", invited: str = ""
) -> ResponseReturnValue:
    return page(
        "team.html",
        status=status,
        form=form,
        link=link,
        invited=invited,
        members=members.all_members(runtime()),
        invitations=members.open_invitations(runtime()),
    )
