"""The first view of a full inbox stays light."""

import gzip

from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from tests import seed
from tests.client import SoinboxClient
from tests.web.test_inbox import many


def test_a_full_inbox_is_light_on_the_wire(
    runtime: Runtime, member: Member, signed_in: SoinboxClient
) -> None:
    account = seed.account(runtime, member)
    many(runtime, account, 60)
    html = signed_in.get(f"/inbox/{account.id}").data
    assert len(html) < 120_000 and len(gzip.compress(html)) < 20_000, (len(html), len(gzip.compress(html)))
    print(f"inbox of 50 rows: {len(html)} bytes, {len(gzip.compress(html))} packed")
