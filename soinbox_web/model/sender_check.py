"""Whether a message comes from whom it seems to come: what is odd about its sender, in marks with texts."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from soinbox_web.model.address import BIG_DOMAINS
from soinbox_web.model.confusables import latin, skeleton
from soinbox_web.model.look_alike import KnownDomains, is_mixed
from soinbox_web.model.message import Correspondent
from soinbox_web.model.sender_marks import TEXTS
from soinbox_web.texts import Translate

Verdict = Literal["passed", "failed", "unproven", "none"]  # none: this account's own server said nothing

_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]{1,64}@([^\s<>\"'(),;:@]{1,250}\.[^\s<>\"'(),;:@.]{2,60})")
_DOMAIN = re.compile(r"(?<![\w.@-])((?:[\w-]{1,63}\.){1,5}[a-z]{2,24})(?![\w@-])")
NAME_WORDS = 12  # of one name
_WORD = re.compile(r"[^\W_]+")
_VIA = re.compile(r"[\s(](?:via|namens|on behalf of)\s", re.IGNORECASE)  # a list or a program that says so


@dataclass(frozen=True, slots=True)
class Mark:
    """Something odd about a sender; texts in every language, with its facts filled in."""

    code: str
    facts: dict[str, str] = field(default_factory=dict)

    def title(self, translate: Translate) -> str:
        return self._text(0, translate)

    def cause(self, translate: Translate) -> str:
        return self._text(1, translate)

    def remedy(self, translate: Translate) -> str:
        return self._text(2, translate)

    def _text(self, place: int, translate: Translate) -> str:
        return translate(TEXTS[self.code][place]).format_map(self.facts)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a message says of its sender; domains of addresses as people read them."""

    senders: tuple[Correspondent, ...]
    from_fields: int
    reply_to: tuple[Correspondent, ...]
    verdict: Verdict
    is_list: bool  # a mailing list or a newsletter, by its own words


@dataclass(frozen=True, slots=True)
class Known:
    """The people of cards and team."""

    domains: KnownDomains
    addresses: frozenset[str]
    by_name: frozenset[str]  # their skeletons

    @classmethod
    def of(cls, people: Iterable[Correspondent], registrable: Callable[[str], str]) -> "Known":
        people = tuple(people)
        return cls(
            KnownDomains.of((domain_of(address) for _, address in people), registrable),
            frozenset(address.lower() for _, address in people),
            frozenset(_name(name) for name, _ in people) - {""},
        )

    def names(self, words: list[str]) -> bool:
        """Whether this is the name of a card, or begins, ends or goes on around one of two words and more."""
        words = words[:NAME_WORDS]
        runs = (words[at : at + length] for length in (2, 3, 4) for at in range(len(words) - length + 1))
        return _name(" ".join(words)) in self.by_name or any(
            _name(" ".join(run)) in self.by_name for run in runs
        )

    def is_theirs(self, address: str) -> bool:
        """An address of a card, or of a domain of cards."""
        return address.lower() in self.addresses or self.domains.has(domain_of(address))


def marks(seen: Seen, known: Known) -> tuple[Mark, ...]:
    """What is odd, the worst first; nothing for an ordinary message."""
    found = [*_of_origin(seen, known)]
    for sender in seen.senders[:5]:
        found += _of_domain(domain_of(sender.address), known)
        found += _of_name(sender, seen, known)
    found += _of_reply(seen, known)
    return tuple({mark.code: mark for mark in reversed(found)}.values())[::-1]


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower().rstrip(".")


def _of_origin(seen: Seen, known: Known) -> Iterable[Mark]:
    domain = domain_of(seen.senders[0].address) if seen.senders else ""
    theirs = bool(seen.senders) and known.is_theirs(seen.senders[0].address)
    if seen.verdict == "failed" or (seen.verdict == "unproven" and theirs and not seen.is_list):
        yield Mark("sender_not_proven", {"domain": domain})
    if seen.from_fields > 1 or len({domain_of(each.address) for each in seen.senders}) > 1:
        yield Mark("several_senders")


def _of_domain(domain: str, known: Known) -> Iterable[Mark]:
    other = known.domains.taken_for(domain)
    if other:
        yield Mark("domain_looks_alike", {"domain": domain, "other": other})
    elif is_mixed(domain):
        yield Mark("domain_mixed", {"domain": domain})


def _of_name(sender: Correspondent, seen: Seen, known: Known) -> Iterable[Mark]:
    domain, address = domain_of(sender.address), sender.address.lower()
    says_via = _VIA.search(sender.name) is not None
    by_list = says_via and (seen.is_list or seen.verdict == "passed")
    same = known.domains.registrable(domain)
    told = [found[1] for found in _ADDRESS.finditer(latin(sender.name))]
    if told:
        elsewhere = any(known.domains.registrable(each) != same for each in told)
        another = all(each[0].lower() != address for each in _ADDRESS.finditer(sender.name))
        if (elsewhere or another) and not by_list:
            yield Mark("address_in_name", {"name": sender.name, "address": sender.address})
        return
    if known.is_theirs(address) or by_list:
        return
    named = _DOMAIN.findall(latin(sender.name))
    words = _WORD.findall(sender.name)
    if any(map(known.domains.has, named)) or (not seen.is_list and known.domains.named_by(words)):
        yield Mark("name_of_known", {"name": sender.name, "address": sender.address})
        return
    if (len(words) > 1 or not seen.is_list) and known.names(words):
        yield Mark("name_of_known", {"name": sender.name, "address": sender.address})


def _of_reply(seen: Seen, known: Known) -> Iterable[Mark]:
    if not seen.senders:
        return
    sender = seen.senders[0]
    own = known.domains.registrable(domain_of(sender.address))
    for reply in seen.reply_to[:5]:
        domain = domain_of(reply.address)
        if known.domains.registrable(domain) == own or reply.address.lower() in known.addresses:
            continue
        odd = (
            (_vouched(sender, seen, known) and not known.is_theirs(reply.address) and not seen.is_list)
            or known.domains.taken_for(domain)
            or is_mixed(domain)
            or bool(_named_alike(sender, reply) and domain in BIG_DOMAINS and own not in BIG_DOMAINS)
            or bool(list(_of_name(reply, seen, known)))
        )
        if odd:
            yield Mark("reply_elsewhere", {"address": sender.address, "reply": reply.address})
            return


def _vouched(sender: Correspondent, seen: Seen, known: Known) -> bool:
    """Whoever trusts this sender would trust the answer's address: a person known, or a known firm unproven.

    A form or a scanner of a firm that is known writes for others, and its own server has proven it.
    """
    named = sender.address.lower() in known.addresses
    return named or (known.is_theirs(sender.address) and seen.verdict != "passed")


def _named_alike(sender: Correspondent, reply: Correspondent) -> bool:
    """The answer goes to somebody who calls himself as the sender."""
    if _name(sender.name) and _name(sender.name) == _name(reply.name):
        return True
    local = reply.address.partition("@")[0].lower()
    return any(len(word) > 3 and word in local for word in _WORD.findall(latin(sender.name)))


def _name(name: str) -> str:
    """Equal for *Eva Smit*, *Smit, Eva* and *ЕVA  SMlT*."""
    return " ".join(sorted(skeleton(word) for word in _WORD.findall(name)))
