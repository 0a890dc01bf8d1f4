"""soinbox: the mail room of a small team's CRM."""

__version__ = "0.1.0"
