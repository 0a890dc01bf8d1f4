"""Fixtures that every test may ask for."""

import pytest

from soinbox_web.rehearsal.certificates import Authority


@pytest.fixture(scope="session")
def ca() -> Authority:
    """The certificate authority of all test servers."""
    return Authority()
