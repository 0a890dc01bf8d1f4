"""The list of blueprints, one per noun."""

from flask import Blueprint

from soinbox_web.web.session import session

ALL: tuple[Blueprint, ...] = (session,)
