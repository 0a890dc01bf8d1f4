"""Reading what others publish: well-formed, odd and hostile autoconfig files and PACC documents."""

import json

import pytest

from soinbox_web.mail.discovery.published import covers_domain, ranked, read_autoconfig, read_pacc
from soinbox_web.model.address import read_address
from soinbox_web.model.server import Candidate

ADDRESS = read_address("jan.jansen@example.test")


def config(servers: str, head: str = "") -> bytes:
    return f"""<?xml version="1.0"?>{head}<clientConfig version="1.1"><emailProvider id="example.test">
      <domain>example.test</domain>{servers}</emailProvider></clientConfig>""".encode()


def server(
    host: str = "imap.example.test", port: str = "993", security: str = "SSL",
    username: str = "%EMAILADDRESS%",
    auth: str = "<authentication>password-cleartext</authentication>", kind: str = "imap",
) -> str:  # fmt: skip
    side = "outgoing" if kind == "smtp" else "incoming"
    return f"""<{side}Server type="{kind}"><hostname>{host}</hostname><port>{port}</port>
      <socketType>{security}</socketType><username>{username}</username>{auth}</{side}Server>"""


def read(servers: str) -> tuple[Candidate, ...]:
    found = read_autoconfig(config(servers), ADDRESS)
    assert found is not None
    return found.candidates


def test_both_sides_are_read_in_the_order_of_the_file() -> None:
    found = read(
        server() + server(port="143", security="STARTTLS") + server("smtp.example.test", "465", kind="smtp")
        + server(kind="pop3", port="995")
    )  # fmt: skip
    assert [(c.protocol, c.host, c.port, c.security, c.username, c.auth) for c in found] == [
        ("imap", "imap.example.test", 993, "ssl", "address", ("password",)),
        ("imap", "imap.example.test", 143, "starttls", "address", ("password",)),
        ("smtp", "smtp.example.test", 465, "ssl", "address", ("password",)),
    ]


@pytest.mark.parametrize(
    ("username", "read_as"),
    [
        ("%EMAILADDRESS%", "address"), ("%EMAILLOCALPART%", "local"), ("", "address"), ("fixed", "fixed"),
        ("%EMAILLOCALPART%@%EMAILDOMAIN%", "address"),
        ("%EMAILLOCALPART%.%EMAILDOMAIN%", "jan.jansen.example.test"),
        ("example\\%EMAILLOCALPART%", "example\\jan.jansen"),
    ],
)  # fmt: skip
def test_user_names(username: str, read_as: str) -> None:
    (candidate,) = read(server(username=username))
    assert candidate.username == read_as


@pytest.mark.parametrize(
    ("methods", "auth"),
    [
        (["password-cleartext"], ("password",)), (["password-encrypted"], ("password",)),
        (["plain"], ("password",)),
        (["OAuth2", "password-cleartext"], ("oauth2", "password")), (["OAuth2"], ("oauth2",)),
        ([], ("password",)),
        (["GSSAPI", "password-cleartext"], ("password",)), (["password-encrypted", "plain"], ("password",)),
    ],
)  # fmt: skip
def test_methods(methods: list[str], auth: tuple[str, ...]) -> None:
    tags = "".join(f"<authentication>{method}</authentication>" for method in methods)
    (candidate,) = read(server(auth=tags))
    assert candidate.auth == auth


def test_a_host_may_name_the_domain_and_be_international() -> None:
    assert read(server("mail.%EMAILDOMAIN%"))[0].host == "mail.example.test"
    assert read(server("imap.b\u00fccher.example"))[0].host == "imap.xn--bcher-kva.example"


@pytest.mark.parametrize(
    "servers",
    [
        server(security="plain"), server(security=""), server(security="TLS9"), server(port="0"),
        server(port="70000"),
        server(port="x"), server(port="-1"), server(port="9" * 400), server(""), server("a b"),
        server("https://imap.example.test"),
        server("imap.example.test/x"), server("127.0.0.1"), server("0x7f000001"), server("[::1]"),
        server("localhost"),
        server("imap"), server("x" * 5000 + ".test"), server("%EMAILDOMAIN"), server("imap.%DOMAIN%"),
        server(username="%EMAILADDRESS"), server(username="%WHAT%"), server(username="a&#10;b"),
        server(username="x" * 900),
        server(auth="<authentication>GSSAPI</authentication>"),
        server(auth="<authentication>none</authentication>"),
        "<incomingServer type='imap'/>", "<incomingServer/>",
    ],
)  # fmt: skip
def test_a_broken_or_plain_server_is_passed_over(servers: str) -> None:
    assert read(servers) == ()
    assert len(read(servers + server())) == 1, "the good one beside it is kept"


def test_pop_only_is_noticed() -> None:
    found = read_autoconfig(config(server(kind="pop3", port="995") + server(kind="smtp")), ADDRESS)
    assert found is not None and found.pop_only
    both = read_autoconfig(config(server(kind="pop3", port="995") + server()), ADDRESS)
    assert both is not None and not both.pop_only


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{LAUGHS}]>'


@pytest.mark.parametrize(
    "xml",
    [
        b"", b"not xml", b"<html><body>Welcome</body></html>", b"<clientConfig>", b"\xff\xfe<",
        b"<a" * 10_000,
        config("<x>&l9;</x>", BOMB), config(server(), '<!DOCTYPE x SYSTEM "file:///etc/passwd">'),
        config(server(), '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        config(server() + " " * 10_000_000), config("<a>" * 60_000),
        b'<?xml version="1.0" encoding="nonsense"?><clientConfig/>', b"<clientConfig>\0</clientConfig>",
        b'{"clientConfig": {}}',
    ],
    ids=range(14),
)  # fmt: skip
def test_what_is_no_configuration_is_none(xml: bytes) -> None:
    assert read_autoconfig(xml, ADDRESS) is None


def test_hundreds_of_servers_are_bounded() -> None:
    assert len(read(server() * 700)) <= 10


def test_the_domains_of_a_file() -> None:
    assert covers_domain(config(server()), "example.test")
    assert not covers_domain(config(server()), "other.test")
    assert not covers_domain(b"<", "example.test")


def test_a_pacc_document() -> None:
    body = json.dumps({
        "protocols": {"imap": {"host": "imap.example.test"}, "smtp": {"host": "smtp.example.test"}},
        "authentication": {"oauth-public": {"issuer": "https://id.example.test"}, "password": True},
    })  # fmt: skip
    found = read_pacc(body.encode())
    assert found is not None
    assert [(c.protocol, c.host, c.port, c.security, c.auth) for c in found.candidates] == [
        ("imap", "imap.example.test", 993, "ssl", ("oauth2", "password")),
        ("smtp", "smtp.example.test", 465, "ssl", ("oauth2", "password")),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", b'{"protocols": []}', b'{"protocols": {"imap": 1}}',
        b'{"protocols": {"imap": {}}}',
        b'{"protocols": {"imap": {"host": "x.y"}}, "authentication": 7}', b"[" * 100_000, b"\xff",
    ],
    ids=range(10),
)  # fmt: skip
def test_a_broken_pacc_document(body: bytes) -> None:
    found = read_pacc(body)
    assert found is None or found.candidates == ()


def test_trust_follows_the_source_and_the_host() -> None:
    hosts = ("imap.example.test", "imap.hoster.test", "imap.gmail.com")
    servers = [Candidate("imap", host, 993, "ssl") for host in hosts]
    for source, trusted in (
        ("autoconfig", [True, False, True]), ("ispdb", [True, True, True]), ("srv", [True, False, True]),
    ):  # fmt: skip
        assert [c.trusted for c in ranked(servers, source, "example.test")] == trusted  # type: ignore[arg-type]
    assert [c.trusted for c in ranked(servers, "http", "example.test", trusted=False)] == [False, False, True]
