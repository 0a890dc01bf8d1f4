"""Mailbox files damaged in every way, and a backup put back, under the whole product beside a real server.

Somebody opens pages all the while. Seconds run from the damage (or the start after it) until the mailbox file
equals the server again, which has got one more message meanwhile.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import StoreError
from soinbox_web.runtime import build
from soinbox_web.settings import child_environment
from soinbox_web.store import folders, messages
from tests.servers.soinbox import Soinbox
from tests.trust.asking import Asking
from tests.trust.faults import Verdict
from tests.trust.scene import letter
from tests.trust.sending_scene import ADDRESS, Scene, account_of, scene
from tests.trust.verifier import differences
from tests.waiting import until
from tests.web.test_damage import flipped, pages, whole_kinds

LETTERS, FLIPS, SEED = 200, 12, 20261201
GOAL, PATIENCE = 60.0, 180.0  # seconds
SETTLED = 20.0  # seconds in which whatever reads a file has met what is wrong with it
Damage = Callable[[Path], object]


@dataclass
class Reader:
    """Opens every page again and again; `broken` are those that answered 500."""

    asked: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass
class Stage:
    scene: Scene
    product: Soinbox
    reader: Reader
    letters: int = 0

    def deliver(self, count: int) -> None:
        for _ in range(count):
            self.letters += 1
            self.scene.server.deliver(ADDRESS, letter(self.letters))

    def account(self) -> Account:
        return account_of(self.product.runtime, self.scene)

    def lacking(self) -> list[str]:
        """What differs from the server, seen by somebody who opens the file anew."""
        view = build(self.product.settings)
        try:
            return differences(view, account_of(view, self.scene), self.scene.server)
        except (StoreError, OSError) as error:
            return [str(error)]
        finally:
            view.close()

    def whole(self, began: float, name: str, code: str) -> Verdict:
        """Wait until nothing is lacking.

        Damage that only a look through the whole file finds, while everything that is read is right, is
        *latent*: it is told, and heals when somebody meets it.
        """
        asked, broken = self.reader.asked, len(self.reader.broken)
        self.deliver(1)
        while lacking := self.lacking():
            if time.monotonic() - began > (SETTLED if _latent(lacking) else PATIENCE):
                break
            time.sleep(0.1)
        if _latent(lacking):
            lacking, code = [], "latent"
        verdict = Verdict(name, code, list(lacking[:3]), seconds=time.monotonic() - began)
        if verdict.seconds > GOAL and not lacking:
            verdict.wrong.append(f"whole after {verdict.seconds:.0f} s only")
        if self.reader.asked == asked:
            verdict.wrong.append("nobody opened a page")
        verdict.wrong += [f"status 500 at {each}" for each in self.reader.broken[broken:]]
        return verdict


def _latent(lacking: list[str]) -> bool:
    return bool(lacking) and all(each.startswith("mailbox file: ") for each in lacking)


def healed(folder: Path, every: int) -> Iterator[Verdict]:
    """Each way of damage (or each N-th) while the product runs, and while it does not."""
    with _stage(folder) as stage:
        for name, damage in list(_damages())[::every]:
            yield _running(stage, name, damage)
            yield _stopped(stage, name, damage)


def restored(folder: Path, times: int) -> Iterator[Verdict]:
    """A backup is made while the product runs, and put back after more has happened."""
    with _stage(folder) as stage:
        for number in range(times):
            copy = folder / f"copy-{number}.sqlite"
            wrong = _command(stage, "backup", copy)
            stage.deliver(3)
            stage.product.stop()
            stage.product.runtime.close()
            began = time.monotonic()
            wrong += _command(stage, "restore", copy)
            stage.product.start()
            verdict = stage.whole(began, f"restore {number + 1}", "restore")
            verdict.wrong += wrong
            yield verdict


def _damages() -> Iterator[tuple[str, Damage]]:
    yield from whole_kinds().items()
    chance = random.Random(SEED)
    for _ in range(FLIPS):
        yield _flips(chance.random(), chance.choice((1, 8, 200)))


def _flips(part: float, count: int) -> tuple[str, Damage]:
    def damage(path: Path) -> None:
        raw = path.read_bytes()
        start = int(part * len(raw))
        path.write_bytes(flipped(raw, range(start, start + count)))

    return f"{count} bytes flipped at {part:.0%}", damage


def _running(stage: Stage, name: str, damage: Damage) -> Verdict:
    began = time.monotonic()
    damage(_file(stage))
    return stage.whole(began, f"{name}, running", "running")


def _stopped(stage: Stage, name: str, damage: Damage) -> Verdict:
    stage.product.stop()
    stage.product.runtime.close()
    damage(_file(stage))
    began = time.monotonic()
    stage.product.start()
    return stage.whole(began, f"{name}, stopped", "stopped")


def _file(stage: Stage) -> Path:
    account = stage.account()
    return stage.product.runtime.mailbox_path(account.id, account.generation)


def _command(stage: Stage, name: str, file: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "soinbox_web.cli", name, str(file)],
        env=child_environment(stage.product.settings), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    return [] if done.returncode == 0 else [f"{name}: exit {done.returncode}: {done.stderr[-300:]}"]


@contextmanager
def _stage(folder: Path) -> Iterator[Stage]:
    """The product at rest beside a mailbox of some size, and its reader."""
    with scene(folder, moments=False) as made:
        made.restore("first")
        product = made.product()
        stage = Stage(made, product, Reader())
        stage.deliver(LETTERS)
        over = threading.Event()
        try:
            product.start()
            until(lambda: not stage.lacking(), seconds=PATIENCE, told=stage.lacking)
            reading = _reading(stage, over)
            reading.start()
            try:
                yield stage
            finally:
                over.set()
                reading.join()
        finally:
            product.close()


def _reading(stage: Stage, over: threading.Event) -> threading.Thread:
    assert stage.scene.member is not None
    asking = Asking(stage.product, stage.scene.member)
    account = stage.account()
    with stage.product.runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        first = MessageKey(
            account.id, "INBOX", inbox.uidvalidity, messages.page(connection, inbox.id)[0]["uid"]
        )
    paths = pages(account, first)

    def read() -> None:
        while not over.wait(0.05):
            path = paths[stage.reader.asked % len(paths)]
            stage.reader.asked += 1
            if asking.ask("GET", path).status == 500:
                stage.reader.broken.append(path)

    return threading.Thread(target=read)
