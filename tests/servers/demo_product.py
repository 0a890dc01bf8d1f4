"""The product as `soinbox demo` runs it: sample team and mail, every server, on a temporary instance."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from soinbox_web.clock import SystemClock
from soinbox_web.model.member import Member
from soinbox_web.rehearsal import team
from soinbox_web.rehearsal.cast import Colleague
from soinbox_web.rehearsal.mail_world import World, mail_world
from soinbox_web.services import members
from tests.servers.soinbox import Soinbox


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """The running product and the mail world that it reaches."""

    product: Soinbox
    world: World

    def member(self, colleague: Colleague) -> Member:
        return members.by_address(self.product.runtime, colleague.address)


@contextlib.contextmanager
def demo_product(folder: Path) -> Iterator[DemoProduct]:
    """Runs until the block ends."""
    with mail_world(folder, SystemClock().now()) as world:
        product = Soinbox(folder / "instance", world.variables)
        try:
            team.prepare(product.runtime, world)
            yield DemoProduct(product.start(), world)
        finally:
            product.close()
