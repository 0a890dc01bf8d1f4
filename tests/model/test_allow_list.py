"""The operator's exemptions, entry by entry."""

import ipaddress

import pytest

from soinbox_web.model.allow_list import AllowList


@pytest.mark.parametrize(
    ("setting", "host", "address", "port", "permitted"),
    [
        ("mail.home.test", "mail.home.test", "10.0.0.1", 993, True),
        ("mail.home.test", "MAIL.home.test.", "10.0.0.1", 1143, True),
        ("mail.home.test", "x.mail.home.test", "10.0.0.1", 993, False),
        ("mail.home.test:1143", "mail.home.test", "10.0.0.1", 1143, True),
        ("mail.home.test:1143", "mail.home.test", "10.0.0.1", 993, False),
        ("10.0.0.0/8", "mail.home.test", "10.9.8.7", 993, True),
        ("10.0.0.0/8:143", "mail.home.test", "10.9.8.7", 993, False),
        ("10.0.0.0/8:143", "mail.home.test", "10.9.8.7", 143, True),
        ("10.0.0.5/8", "x.test", "10.9.8.7", 1, True),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1", 2525, True),
        ("127.0.0.1", "127.0.0.2", "127.0.0.2", 2525, False),
        ("10.0.0.0/8", "x.test", "::ffff:10.0.0.1", 993, True),
        ("::1", "localhost", "::1", 993, True),
        ("[::1]:993", "localhost", "::1", 993, True),
        ("[::1]:993", "localhost", "::1", 143, False),
        ("fd00::/8", "x.test", "fd00::9", 993, True),
        ("[fd00::/8]:993", "x.test", "fd00::9", 993, True),
        ("fd00::/8", "x.test", "10.0.0.1", 993, False),
        (" a.test , b.test:25 ", "b.test", "10.0.0.1", 25, True),
        ("", "a.test", "10.0.0.1", 993, False),
    ],
)
def test_permits(setting: str, host: str, address: str, port: int, permitted: bool) -> None:
    assert AllowList.parse(setting).permits(host, ipaddress.ip_address(address), port) is permitted


@pytest.mark.parametrize(
    "setting",
    [
        "a.test:",
        "a.test:0",
        "a.test:70000",
        "a.test:x",
        "http://a.test",
        "a b",
        "[::1",
        "[::1]x",
        "*.test",
        "10.0.0.0/99",
    ],
)
def test_a_wrong_entry_is_named(setting: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        AllowList.parse(setting)
