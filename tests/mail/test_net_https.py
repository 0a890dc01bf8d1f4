"""The one GET: bounded, without cookies, verified, and judged again at every redirect."""

import gzip
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from soinbox_web.mail.net.network import Network, Purpose
from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.settings import Settings
from tests.servers.dns_server import DnsServer
from tests.servers.https_server import HttpsServer, Page, may_listen_on_443

pytestmark = pytest.mark.skipif(not may_listen_on_443(), reason="may not listen on port 443")

HOST = "www.example.test"
URL = f"https://{HOST}/x"


@pytest.fixture
def site(ca: Authority) -> Iterator[HttpsServer]:
    with HttpsServer(ca.issue(HOST)) as site:
        yield site


@pytest.fixture
def network(site: HttpsServer, ca: Authority, tmp_path: Path) -> Iterator[Network]:
    with DnsServer({(HOST, "A"): [site.address], ("inside.example.test", "A"): ["10.0.0.1"]}) as dns:
        yield Network(
            Settings(
                dns_servers=(dns.address,),
                allow_hosts=AllowList.parse(f"https://{site.address}"),
                ca_file=ca.write_anchor(tmp_path / "ca.pem"),
            )
        )


def test_a_page_is_fetched(network: Network, site: HttpsServer) -> None:
    site.pages[HOST, "/x"] = Page(b"<a/>", headers={"Content-Type": "text/xml"})
    assert network.http_get(f"{URL}?emailaddress=a%40b") == (200, b"<a/>", "text/xml")
    assert site.asked == [f"{HOST}/x?emailaddress=a%40b"]
    assert network.http_get(f"https://{HOST}/missing")[0] == 404


def test_redirects_are_followed_without_cookies(network: Network, site: HttpsServer) -> None:
    site.pages[HOST, "/x"] = Page(status=302, headers={"Location": "/y", "Set-Cookie": "a=b"})
    site.pages[HOST, "/y"] = Page(b"done")
    assert network.http_get(URL)[1] == b"done"
    assert site.cookies == ["", ""]


@pytest.mark.parametrize(
    "location",
    [
        "http://www.example.test/y", "https://10.0.0.1/y", "https://inside.example.test/y", "https://[::1]/y",
        "https://127.0.0.1:22/y", "https://www.example.test:8443/y", "file:///etc/passwd", "gopher://x/",
        "https://169.254.169.254/latest/meta-data", "https://2130706433/", "https://localhost/", "https://",
        "//[", "/x",
    ],
)  # fmt: skip
def test_a_redirect_is_judged_anew(network: Network, site: HttpsServer, location: str) -> None:
    site.pages[HOST, "/x"] = Page(status=301, headers={"Location": location})
    with pytest.raises(SoinboxError):
        network.http_get(URL)
    assert len(site.asked) <= 4, "three redirects at most"
    assert set(site.asked) == {f"{HOST}/x"}


@pytest.mark.parametrize(
    "page",
    [
        Page(b"x" * 256_001),
        Page(gzip.compress(b"x" * 256_001), headers={"Content-Encoding": "gzip"}),
        Page(gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"}),
        Page(b"not gzip", headers={"Content-Encoding": "gzip"}),
        Page(b"x", headers={"Content-Encoding": "br"}),
        Page(b"short", headers={"Content-Length": "99"}),
    ],
    ids=["big", "big unzipped", "bomb", "no gzip", "brotli", "cut"],
)
def test_an_answer_beyond_the_limits_is_refused(network: Network, site: HttpsServer, page: Page) -> None:
    site.pages[HOST, "/x"] = page
    with pytest.raises(SoinboxError):
        network.http_get(URL, timeout=2)


def test_gzip_within_the_limits_is_read(network: Network, site: HttpsServer) -> None:
    site.pages[HOST, "/x"] = Page(gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
    assert network.http_get(URL)[1] == b"hello"


def test_the_deadline_is_for_all_of_it(network: Network, site: HttpsServer) -> None:
    slow = Page(status=302, headers={"Location": "/x"}, before=lambda: time.sleep(0.3))
    site.pages[HOST, "/x"] = slow
    before = time.perf_counter()
    with pytest.raises(SoinboxError) as caught:
        network.http_get(URL, timeout=0.7)
    assert caught.value.problem.code == "timeout"
    assert time.perf_counter() - before < 1.5


def test_an_unverified_site_is_refused(network: Network, ca: Authority) -> None:
    with (
        HttpsServer(ca.issue(HOST, fault="self_signed"), {(HOST, "/x"): Page(b"x")}) as site,
        DnsServer({(HOST, "A"): [site.address]}) as dns,
        pytest.raises(SoinboxError) as caught,
    ):
        allowed = AllowList.parse(f"https://{site.address}")
        settings = replace(network.settings, dns_servers=(dns.address,), allow_hosts=allowed)
        Network(settings).http_get(URL)
    assert caught.value.problem.code == "cert_self_signed"
    assert site.asked == []


@pytest.mark.parametrize(
    "url", ["http://www.example.test/x", "ftp://www.example.test/", "www.example.test", "https://"]
)
def test_only_https_is_fetched(network: Network, url: str) -> None:
    with pytest.raises(SoinboxError):
        network.http_get(url)


PURPOSES = ("mail", "pop", "https", "picture")
ALLOWED = {  # what is named, and which purposes it opens
    "": set(),
    "<address>": {"mail", "pop"},
    "<host>": {"mail", "pop"},
    "<address>:<port>": {"mail", "pop"},
    "<address>:1": set(),
    "https://<address>": {"https"},
    "https://<host>": {"https"},
    "https://<address>:<port>": {"https"},
    "https://<address>:1": set(),
    "<host>,https://<host>": {"mail", "pop", "https"},
    "0.0.0.0/0": {"mail", "pop"},
    "https://0.0.0.0/0": {"https"},
}


def allowing(network: Network, site: HttpsServer, allowed: str) -> Network:
    told = allowed.replace("<address>", site.address).replace("<host>", HOST).replace("<port>", "443")
    return Network(replace(network.settings, allow_hosts=AllowList.parse(told)))


@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_an_exemption_is_for_its_purpose(
    network: Network, site: HttpsServer, purpose: Purpose, allowed: str
) -> None:
    reached = allowing(network, site, allowed)
    if purpose in ALLOWED[allowed]:
        reached.connect(HOST, 443, timeout=2, purpose=purpose).close()
        return
    with pytest.raises(SoinboxError) as caught:
        reached.connect(HOST, 443, timeout=2, purpose=purpose)
    assert caught.value.problem.code == "private_blocked"


@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("purpose", ["https", "picture"])
def test_a_page_is_asked_for_its_purpose(
    network: Network, site: HttpsServer, purpose: Purpose, allowed: str
) -> None:
    site.pages[HOST, "/x"] = Page(b"hello")
    reached = allowing(network, site, allowed)
    if purpose in ALLOWED[allowed]:
        assert reached.http_get(URL, purpose=purpose)[1] == b"hello"
        return
    with pytest.raises(SoinboxError):
        reached.http_get(URL, purpose=purpose)
    assert site.asked == []


def test_a_redirect_leads_no_further_than_its_purpose(network: Network, site: HttpsServer) -> None:
    """The page may be asked, the mail server that it points to may not."""
    site.pages[HOST, "/x"] = Page(status=302, headers={"Location": "https://mail.example.test/secret"})
    with DnsServer({(HOST, "A"): [site.address], ("mail.example.test", "A"): [site.address]}) as dns:
        allowed = AllowList.parse(f"https://{HOST},mail.example.test,{site.address}")
        settings = replace(network.settings, dns_servers=(dns.address,), allow_hosts=allowed)
        with pytest.raises(SoinboxError) as caught:
            Network(settings).http_get(URL)
    assert caught.value.problem.code == "private_blocked"
    assert site.asked == [f"{HOST}/x"]
