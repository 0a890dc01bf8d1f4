"""The forms of set-up: an address; a password; the server data of both sides."""

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from soinbox_web.model.account import Account
from soinbox_web.model.host import read_host
from soinbox_web.model.server import DEFAULT_PORTS, Login, Protocol, Security
from soinbox_web.model.setup_attempt import AdvancedForm
from soinbox_web.problems import InputError, Problem
from soinbox_web.services.setup import SetupView
from soinbox_web.web.forms import Form

SECURITIES = (
    SelectChoice("ssl", "SSL/TLS"),
    SelectChoice("starttls", "STARTTLS"),
    SelectChoice("none", lazy_gettext("None")),
)
MAX_SECRET = 1000
_PIN = re.compile("[0-9a-f]{64}")


class AddressForm(Form):
    """S1: one field."""

    address = StringField(lazy_gettext("E-mail account"))


class PasswordForm(Form):
    """S2: one secret; `kept`: one was typed before, and an empty field keeps it."""

    password = PasswordField(lazy_gettext("Password"))
    kept = False

    def validate_password(self, field: Any) -> None:
        if not field.data and not self.kept:
            raise ValidationError(gettext("Type your password."))
        _check_secret(field)


class ServerForm(Form):
    """S4: server, port, security, user name and password of both sides."""

    address = StringField(lazy_gettext("E-mail account"))
    imap_pin = StringField()
    smtp_pin = StringField()
    imap_host = StringField(lazy_gettext("Incoming e-mail server"))
    imap_port = StringField(lazy_gettext("Port"))
    imap_security = SelectField(lazy_gettext("Security"), choices=SECURITIES)
    imap_username = StringField(lazy_gettext("User name"))
    imap_password = PasswordField(lazy_gettext("Password"))
    smtp_host = StringField(lazy_gettext("Outgoing e-mail server"))
    smtp_port = StringField(lazy_gettext("Port"))
    smtp_security = SelectField(lazy_gettext("Security"), choices=SECURITIES)
    smtp_same = BooleanField(lazy_gettext("User name and password are the same as for incoming e-mail"))
    smtp_username = StringField(lazy_gettext("User name"))
    smtp_password = PasswordField(lazy_gettext("Password"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered_pins: dict[str, str] = {}

    @classmethod
    def of(cls, view: SetupView, *, plain: bool) -> "ServerForm":
        """The form as posted, or filled with what is known; `plain`: a line without encryption is offered."""
        attempt = view.attempt
        form = cls(
            data={
                "address": attempt.address,
                "smtp_same": view.same_secret,
                **_side("imap", attempt.imap, attempt.address),
                **_side("smtp", attempt.smtp, attempt.address),
            }
        )
        for side, login in (("imap", attempt.imap), ("smtp", attempt.smtp)):
            form.offered_pins[side] = _offered_pin(side, login, attempt.problems)
        for field in (form.imap_security, form.smtp_security):
            field.choices = [choice for choice in SECURITIES if choice.value != "none" or plain]
        return form

    def fill(self, suggestion: str) -> None:
        """Take a chip's server and user name into one side; anything else is ignored."""
        with contextlib.suppress(ValueError, TypeError):
            side, host, port, security, username = json.loads(suggestion)
            if side in ("imap", "smtp") and security in ("ssl", "starttls"):
                for name, value in _side(side, Login(host, int(port), security, username), "").items():
                    if not name.endswith("_pin"):
                        self[name].data = value
                if side == "smtp" and username != self.imap_username.data:
                    self.smtp_same.data = False

    def validate_imap_host(self, field: Any) -> None:
        if not field.data.strip():
            raise ValidationError(gettext("Type the name of the server."))
        _check_host(field)

    def validate_smtp_host(self, field: Any) -> None:
        if field.data.strip():
            _check_host(field)

    def validate_imap_port(self, field: Any) -> None:
        _check_port(field)

    def validate_smtp_port(self, field: Any) -> None:
        _check_port(field)

    def validate_imap_username(self, field: Any) -> None:
        _check_line(field)

    def validate_smtp_username(self, field: Any) -> None:
        _check_line(field)

    def validate_imap_password(self, field: Any) -> None:
        _check_secret(field)

    def validate_smtp_password(self, field: Any) -> None:
        _check_secret(field)

    def typed(self, account: Account | None = None) -> AdvancedForm:
        """What the valid form says; an empty port is the usual one, an empty user name the address."""
        address = account.address if account else self.address.data.strip()
        imap = self._login("imap", address, self.imap_username.data.strip() or address)
        same = bool(self.smtp_same.data)
        smtp = None
        if self.smtp_host.data.strip():
            own = imap.username if same else self.smtp_username.data.strip() or address
            smtp = self._login("smtp", address, own)
        secret = None if same else str(self.smtp_password.data or "")
        return AdvancedForm(address, imap, str(self.imap_password.data or ""), smtp, secret)

    def _login(self, side: Protocol, address: str, username: str) -> Login:
        security = cast(Security, self[f"{side}_security"].data)
        port = self[f"{side}_port"].data.strip()
        return Login(
            read_host(self[f"{side}_host"].data),
            int(port) if port else DEFAULT_PORTS[side, security],
            security,
            username,
            self._pin(side, read_host(self[f"{side}_host"].data)),
        )

    def _pin(self, side: Protocol, host: str) -> str:
        """The fingerprint ticked for this very host."""
        wanted, _, pin = (self[f"{side}_pin"].data or "").partition(" ")
        return pin if wanted == host and _PIN.fullmatch(pin) else ""


def tested_side(form: Mapping[str, str]) -> Protocol | None:
    """The side whose Test button was pressed."""
    side = form.get("test")
    return "imap" if side == "imap" else "smtp" if side == "smtp" else None


def _offered_pin(side: str, login: Login | None, problems: tuple[Problem, ...]) -> str:
    """What the tick stands for: the host, and the certificate that it shows or that was accepted before."""
    for problem in problems:
        if problem.side == side and problem.facts.get("fingerprint"):
            return f"{problem.facts['host']} {problem.facts['fingerprint']}"
    return f"{login.host} {login.pin}" if login and login.pin else ""


def _side(side: Protocol, login: Login | None, address: str) -> dict[str, str]:
    if login is None:
        login = Login("", DEFAULT_PORTS[side, "ssl"], "ssl", address)
    return {
        f"{side}_host": login.host,
        f"{side}_port": str(login.port),
        f"{side}_security": login.security,
        f"{side}_username": login.username,
        f"{side}_pin": f"{login.host} {login.pin}" if login.pin else "",
    }


def _check_host(field: Any) -> None:
    try:
        read_host(field.data)
    except InputError as error:
        raise ValidationError(f"{error.problem.cause(gettext)} {error.problem.remedy(gettext)}") from error


def _check_port(field: Any) -> None:
    text = field.data.strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise ValidationError(gettext("A port is a number from 1 to 65535."))


def _check_line(field: Any) -> None:
    if len(field.data) > 320 or any(ord(letter) < 32 or ord(letter) == 127 for letter in field.data):
        raise ValidationError(gettext("This cannot be a user name."))


def _check_secret(field: Any) -> None:
    text = field.data or ""
    if len(text) > MAX_SECRET or any(letter in text for letter in "\r\n\0"):
        raise ValidationError(gettext("This cannot be a password."))
