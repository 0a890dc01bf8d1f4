"""T9: a copied cookie is dead once its session ended, whoever ended it; a thousand guesses are few tries."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from soinbox_web.app import create_app
from soinbox_web.model.member import Member
from soinbox_web.problems import InputError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import members, sessions, upkeep
from soinbox_web.settings import Settings
from tests.cast import ANNA, BRAM, CHLOE
from tests.client import SoinboxClient
from tests.clock import HandClock
from tests.trust.by_tests import counted

GOOD = "a short sentence will do"
TRIES, DAY = 1_000, 86_400
MOST = 20  # guesses tried of one account in a day
Case = dict[str, list[str]]


@contextmanager
def _instance() -> Iterator[tuple[Runtime, Flask, HandClock]]:
    """Chloé administers, Bram is the one whose cookie is copied and whose password is guessed."""
    with tempfile.TemporaryDirectory(prefix="trust-t9-") as folder:
        clock = HandClock()
        settings = Settings(instance=Path(folder) / "instance", ispdb_url="")
        runtime = build(settings, clock)
        try:
            for person, admin in ((CHLOE, True), (ANNA, False), (BRAM, False)):
                members.add(
                    runtime, person.address, person.name, person.password, admin,
                    language="en", timezone="Europe/Amsterdam",
                )  # fmt: skip
            app = create_app(settings, runtime)
            app.testing, app.test_client_class = True, SoinboxClient
            yield runtime, app, clock
        finally:
            runtime.close()


def figures(every: int) -> list[dict[str, Any]]:
    return [
        _told("T9 copied cookies: 401 on every page", _copied(), 8, "all dead"),
        _told(
            f"T9 {TRIES} guesses, {len(GUESSES)} ways",
            _guessed(every),
            len(GUESSES),
            f"<= {MOST} tried a day",
        ),
        counted(
            "T9 limits, devices, cookies, as the tests have them",
            20,
            ["tests/services/test_sessions.py", "tests/web/test_session.py"],
            every,
        ),
    ]


def _told(figure: str, cases: Case, least: int, goal: str) -> dict[str, Any]:
    wrong = {name: words for name, words in cases.items() if words}
    for name, words in wrong.items():
        print(f"    WRONG: {name}: {'; '.join(words[:5])}")
    print(f"{figure}: {len(cases)} runs, {len(wrong)} wrong (goal: {goal})", flush=True)
    met = len(cases) >= least and not wrong
    return {"figure": figure, "runs": len(cases), "wrong": len(wrong), "goal": goal, "met": met}


# copied cookies


def _new_password(runtime: Runtime, owner: SoinboxClient) -> None:
    form = {"current": BRAM.password, "password": GOOD, "repeat": GOOD}
    assert owner.submit("/personal-settings/password", form).status_code == 303


def _restored(runtime: Runtime, owner: SoinboxClient) -> None:
    copy = runtime.settings.instance.parent / "copy.sqlite"
    upkeep.backup(runtime, copy)
    runtime.close()
    upkeep.restore(runtime.settings, copy)


ENDINGS: dict[str, Callable[[Runtime, SoinboxClient], object]] = {
    "signed out": lambda runtime, owner: owner.submit("/sign-out"),
    "signed out everywhere": lambda runtime, owner: owner.submit("/personal-settings/sessions/end-all"),
    "signed out elsewhere, on another browser": lambda runtime, owner: sessions.end_others(
        runtime, members.by_address(runtime, BRAM.address)
    ),
    "password changed": _new_password,
    "password set by the operator": lambda runtime, owner: members.set_password(runtime, BRAM.address, GOOD),
    "removed by the operator": lambda runtime, owner: members.remove(runtime, BRAM.address),
    "thirty idle days": lambda runtime, owner: runtime.clock.sleep(31 * DAY),
    "restored from a backup": _restored,
}


def _copied() -> Case:
    """Of each ending, what the copy may still see: every page without parts, as htmx and as a browser."""
    cases: Case = {}
    for name, end in ENDINGS.items():
        with _instance() as (runtime, app, _):
            owner = app.test_client().sign_in(members.by_address(runtime, BRAM.address))
            thief = app.test_client()
            with owner.session_transaction() as mine, thief.session_transaction() as copy:
                copy.update(mine)
            paths = _pages(app)
            before = [path for path in paths if thief.get(path).status_code == 200]
            end(runtime, owner)
            still = [path for path in before if thief.get(path).status_code == 200]
            other = [
                path for path in paths if thief.get(path, headers={"HX-Request": "true"}).status_code != 401
            ]
        cases[name] = [
            *(f"{path} is still shown" for path in still),
            *(f"{path} is not 401" for path in other),
        ]
        if not before:
            cases[name].append("the copy saw nothing before: nothing was shown")
    return cases


def _pages(app: Flask) -> list[str]:
    from tests.web.test_access import OPEN

    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.arguments and "GET" in (rule.methods or ()) and rule.endpoint not in OPEN
        and not re.search(r"live|backup", rule.endpoint)
    )  # fmt: skip


# guesses

Guess = Callable[[Runtime, Member, int], dict[str, str]]
GUESSES: dict[str, tuple[float, Guess]] = {  # seconds between two, and what is sent besides the password
    "at once from one place": (0, lambda runtime, bram, n: {"place": "192.0.2.1"}),
    "over the day from one place": (86, lambda runtime, bram, n: {"place": "192.0.2.1"}),
    "over the day from a thousand places": (
        86,
        lambda runtime, bram, n: {"place": f"198.51.{n // 250}.{n % 250}"},
    ),
    "spelt each time otherwise": (
        86,
        lambda runtime, bram, n: {"address": f"{' ' * (n % 3)}{_cased(bram.address, n)}{' ' * (n % 2)}"},
    ),
    "with device cookies of their own": (86, lambda runtime, bram, n: {"device": f"device{n}.{'0' * 32}"}),
    "with the device cookie of another member": (
        86,
        lambda runtime, bram, n: {
            "device": sessions.device_cookie(runtime, members.by_address(runtime, ANNA.address))
        },
    ),
}


def _cased(address: str, number: int) -> str:
    return "".join(sign.upper() if number >> at & 1 else sign for at, sign in enumerate(address))


def _guessed(every: int) -> Case:
    cases: Case = {}
    for name, (pause, sent) in GUESSES.items():
        with _instance() as (runtime, _, clock):
            bram = members.by_address(runtime, BRAM.address)
            own = sessions.device_cookie(runtime, bram)
            codes = []
            for number in range(0, TRIES, every):
                codes.append(_code(runtime, **{"address": BRAM.address, **sent(runtime, bram, number)}))
                clock.turn(seconds=pause * every)
            tried = codes.count("member_refused")
            print(f"    {name}: {tried} of {len(codes)} tried")
            cases[name] = [f"{tried} were tried"] if tried > MOST else []
            if set(codes) - {"member_refused", "member_delayed"}:
                cases[name].append(f"answered {set(codes)}")
            if _code(runtime, address=BRAM.address, device=own, password=BRAM.password):
                cases[name].append("the owner is locked out")
    return cases


def _code(runtime: Runtime, address: str, password: str = "guess", **sent: str) -> str:
    """How a sign-in ends: the code of the problem, "" when it went well."""
    try:
        sessions.sign_in(runtime, address, password, **sent)
    except InputError as error:
        return error.problem.code
    return ""
