"""The sample persons of all tests: the demo's team, with names that are short to type."""

from soinbox_web.rehearsal.cast import ANNA, BRAM, CHLOE, CORRESPONDENTS, DAAN, DOMAIN, TEAM, Colleague

__all__ = ["ANNA", "BRAM", "CHLOE", "CORRESPONDENTS", "CUSTOMER", "DAAN", "DOMAIN", "TEAM", "Colleague"]

CUSTOMER = CORRESPONDENTS[0]
