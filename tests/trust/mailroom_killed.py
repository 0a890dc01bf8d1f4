"""The running mailroom, four mails at once on their way, killed again and again until all is calm."""

import random
import time
from collections import Counter
from collections.abc import Iterator

from soinbox_web.services import sending
from soinbox_web.store.outbox import OutboxRow
from tests.servers.soinbox import Soinbox
from tests.trust.faults import Verdict
from tests.trust.sending_scene import ADDRESS, Scene, customer, unfinished
from tests.trust.verifier import message_ids

PATIENCE = 90.0  # seconds for all mails
SLOW = {"MAIL": 0.03, "RCPT": 0.03, "DATA": 0.03, "DOT": 0.06}  # seconds before an answer


def killed(scene: Scene, mails: int = 60, seed: int = 7) -> Iterator[Verdict]:
    """So many mails, due at once; one verdict for each after the last mailroom has nothing left to do."""
    chance = random.Random(seed)
    scene.restore("first")
    scene.behave(delays=SLOW)
    product = scene.product("mailroom")
    kills = 0
    try:
        ids = [_queued(product, scene, number) for number in range(mails)]
        until = time.monotonic() + PATIENCE
        product.start()
        while (left := unfinished(product.runtime)) and time.monotonic() < until:
            if any("mail" in each for each in left):
                _wait_for(scene, chance.randint(1, 6), until)
                time.sleep(chance.random() * 0.1)
                product.kill()
                kills += 1
                _let_the_lease_grow_old(product)
                product.start()
            time.sleep(0.05)
        product.stop()
        scene.smtp.rest()
        rows = {row.id: row for row in sending.everything(product.runtime, scene.user_id)}
        left = unfinished(product.runtime)
    finally:
        product.close()
    copies = Counter(each for message in scene.smtp.messages for each in message.recipients)
    filed = Counter({each: number for (_, each), number in message_ids(scene.server, ADDRESS).items()})
    for number, outbox_id in enumerate(ids):
        row = rows[outbox_id]
        found = _wrong(row, copies[customer(number)], filed[row.message_id])
        yield Verdict(f"mail {number} of {mails}, {kills} kills", row.state, found)
    yield Verdict(f"{kills} kills", "", left + ([] if kills >= mails // 12 else ["killed too seldom"]))


def _wrong(row: OutboxRow, copies: int, filed: int) -> list[str]:
    found = []
    if copies > 1:
        found.append(f"doubled: sent {copies} times")
    if row.state == "sent" and not copies:
        found.append("lost: said to be sent")
    if row.state not in ("sent", "uncertain"):
        found.append(f"the mail is {row.state}")
    if filed != (1 if row.state == "sent" else 0):
        found.append(f"{filed} copies in Sent, the mail {row.state}")
    return found


def _queued(product: Soinbox, scene: Scene, number: int) -> int:
    outbox_id = sending.queue(product.runtime, scene.user_id, scene.written(product.runtime, number))
    with product.runtime.db.write() as connection:
        connection.execute("UPDATE outbox SET not_before = created_at")
    return outbox_id


def _wait_for(scene: Scene, conversations: int, until: float) -> None:
    """Until so many more have begun, or none begins any more."""
    goal, patience = scene.smtp.connections + conversations, time.monotonic() + 5.0
    while scene.smtp.connections < goal and time.monotonic() < min(until, patience):
        time.sleep(0.002)


def _let_the_lease_grow_old(product: Soinbox) -> None:
    """As if a quarter of a minute had passed."""
    with product.runtime.db.write() as connection:
        connection.execute("DELETE FROM leases")
