"""noordlicht.example: its names in DNS, the operator's file of its servers, the product that finds them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soinbox_web.rehearsal.autoconfig import client_config
from soinbox_web.rehearsal.name_server import NameServer
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox

DOMAIN = "noordlicht.example"
HOST = f"mail.{DOMAIN}"


@pytest.fixture
def connected_world(
    own_mailbox: RealMailbox, product: Callable[..., Soinbox], tmp_path: Path
) -> Iterator[Soinbox]:
    """The product on an empty instance; an address of the domain leads it to the servers of `own_mailbox`."""
    server, sink = own_mailbox.dovecot, own_mailbox.smtp
    file = client_config(DOMAIN, HOST, server.imaps_port, HOST, sink.tls_port, "SSL")
    (tmp_path / f"{DOMAIN}.xml").write_text(file)
    names = NameServer({(DOMAIN, "MX"): f"10 {HOST}.", (HOST, "A"): "127.0.0.1"}).start()
    running = product(DNS_SERVERS=f"{names.host}:{names.port}", AUTOCONFIG_DIR=str(tmp_path))
    yield running
    running.stop()
    names.stop()
