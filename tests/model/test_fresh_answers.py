"""Answers written down by somebody who had not seen the classifier: none may get a wrong definite verdict."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from soinbox_web.mail.diagnose import Refusal, problem_of, unexpected_greeting
from soinbox_web.mail.discovery.providers import by_key
from soinbox_web.model.server import Login
from soinbox_web.model.submission import Step, read_submission
from soinbox_web.problems.catalogue import KINDS

ANSWERS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("fresh_answers.toml").read_text("utf-8")
)["answer"]
STAGES = {"greeting": "greet", "inbox": "open_inbox", "sign_in": "sign_in"}
STEPS: dict[str, Step] = {"sender": "mail", "recipient": "rcpt", "message": "dot"}
Outcome = Literal["right", "hedged", "unknown", "wrong"]


class Verdict(NamedTuple):
    """What soinbox says of an answer; it is definite when there are no alternatives."""

    code: str
    alternatives: tuple[str, ...] = ()


def verdict(answer: dict[str, Any]) -> Verdict:
    """What soinbox says, by the way the line takes in earnest; an ordinary password was typed."""
    side, step, line = answer["side"], answer.get("step", "sign_in"), answer["line"]
    if step in STEPS:
        return Verdict(read_submission(STEPS[step], line.encode())[0])
    if step == "greeting":
        error: Exception = unexpected_greeting(side, line.encode())
    else:
        bye = line.startswith("BYE")
        error = Refusal([f"{'* ' if bye else 's1 ' if side == 'imap' else ''}{line}".encode()])
    problem = problem_of(
        error,
        side=side,
        stage=STAGES[step],
        login=Login("mail.example.org", 993 if side == "imap" else 465, "ssl", "jan@example.org"),
        provider=by_key(answer["provider"]) if answer["provider"] else None,
        secret="Zomer2026!",
        token=answer.get("secret") == "token",
    )
    return Verdict(problem.code, problem.alternatives)


def outcome(answer: dict[str, Any]) -> Outcome:
    """A verdict is wrong when neither it nor an alternative that it names is what a careful person says."""
    code, alternatives = verdict(answer)
    if code == "unknown":
        return "unknown"
    if code == answer["true"] or code in answer["allowed"]:
        return "hedged" if alternatives else "right"
    return "hedged" if answer["true"] in alternatives else "wrong"


def count() -> Counter[Outcome]:
    """How many of the answers end in which way."""
    return Counter(outcome(answer) for answer in ANSWERS)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer['provider']}: {answer['line'][:40]}")
def test_no_fresh_answer_gets_a_wrong_definite_verdict(answer: dict[str, Any]) -> None:
    assert outcome(answer) != "wrong", (verdict(answer), answer["why"])


def test_there_are_enough_answers_and_they_are_not_all_shrugged_off() -> None:
    counts = count()
    print(dict(counts))
    assert {code for answer in ANSWERS for code in (answer["true"], *answer["allowed"])} <= set(KINDS)
    assert len(ANSWERS) == counts.total() >= 80
    assert counts["right"] + counts["hedged"] > counts["unknown"]
