"""The list of blueprints, one per noun."""

from flask import Blueprint

from soinbox_web.web.account import account
from soinbox_web.web.draft import draft
from soinbox_web.web.help import help
from soinbox_web.web.inbox import inbox
from soinbox_web.web.member import member
from soinbox_web.web.message import message
from soinbox_web.web.oauth import oauth
from soinbox_web.web.operator import operator
from soinbox_web.web.option import option
from soinbox_web.web.outbox import outbox
from soinbox_web.web.person import person
from soinbox_web.web.session import session
from soinbox_web.web.setup import setup

ALL: tuple[Blueprint, ...] = (
    session, member, person, option, help, setup, oauth, account, inbox, message, draft, outbox,
    operator,
)  # fmt: skip
