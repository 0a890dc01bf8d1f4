"""Whether a domain is made to be taken for another one that is known here."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from soinbox_web.model.address import BIG_DOMAINS, edits
from soinbox_web.model.confusables import scripts, skeleton

Registrable = Callable[[str], str]

FAMOUS = (
    "microsoft.com", "office.com", "paypal.com", "apple.com", "google.com", "amazon.com", "docusign.com",
    "dropbox.com", "linkedin.com", "netflix.com", "dhl.com", "postnl.nl", "rabobank.nl", "abnamro.nl",
    "ing.nl", "digid.nl", "belastingdienst.nl", "facebook.com", "adobe.com", "fedex.com",
)  # fmt: skip
SHORT = 5  # letters: a shorter name is like too many others
NAMES = 12  # words of a name
LONG = 10  # letters, from which two slips are still the same name to a reader
_BAIT = (
    "login", "signin", "secure", "security", "support", "service", "services", "account", "accounts",
    "verify", "update", "billing", "invoice", "invoices", "factuur", "facturen", "betaling", "betalen",
    "payment", "payments", "pay", "mail", "email", "online", "portal", "admin", "helpdesk",
    "team", "office", "group",
    "klantenservice", "veilig", "inloggen", "bank", "alert", "info", "web", "official", "it", "hr",
    "nl", "eu",
)  # fmt: skip
_BAIT_LOOKS = frozenset(map(skeleton, _BAIT))
_NUMBER = re.compile(r"^[\d-]+|[\d-]+$")


@dataclass(frozen=True, slots=True)
class KnownDomains:
    """The domains of cards and team, ready to be compared; `registrable` knows the public suffixes."""

    registrable: Registrable
    owned: frozenset[str]  # registrable ones
    by_skeleton: dict[str, str] = field(default_factory=dict)  # of the name before its public suffix

    @classmethod
    def of(cls, domains: Iterable[str], registrable: Registrable) -> "KnownDomains":
        owned = frozenset(registrable(domain) for domain in domains if "." in domain)
        famous = {skeleton(_name(domain)): domain for domain in FAMOUS}
        own = {skeleton(_name(domain)): domain for domain in sorted(owned) if domain not in BIG_DOMAINS}
        return cls(registrable, owned, famous | own)

    def has(self, domain: str) -> bool:
        """A domain of cards or team, or one below it; not one in which everybody may have an address."""
        own = self.registrable(domain)
        return own in self.owned and own not in BIG_DOMAINS

    def named_by(self, words: Sequence[str]) -> bool:
        """Whether words of a name, alone or written together, are one of these domains: *Hotel Zeezicht*."""
        looks = [skeleton(word) for word in words[:NAMES]]
        runs = (
            "".join(looks[i:j]) for i in range(len(looks)) for j in range(i + 1, min(i + 4, len(looks) + 1))
        )
        return any(
            len(run) > SHORT and (known := self.by_skeleton.get(run, "")) in self.owned and self.has(known)
            for run in runs
        )

    def taken_for(self, domain: str) -> str:
        """The known domain that a reader may take `domain` (as people read it) for; "" when there is none."""
        own = self.registrable(domain)
        if own in self.owned or own in FAMOUS or own in BIG_DOMAINS:
            return ""
        below = domain.removesuffix(own).strip(".")
        return self._same_look(own) or self._written_before(below, own) or self._with_bait(own)

    def _same_look(self, own: str) -> str:
        """Equal to the eye: confusable letters, a letter more, less or other, another ending."""
        name, look = _name(own), skeleton(_name(own))
        big = next((each for each in BIG_DOMAINS if skeleton(each) == skeleton(own)), "")
        if big:
            return big
        for known_look, known in self.by_skeleton.items():
            if look == known_look:
                if name != _name(known) or (len(name) > SHORT and known in self.owned):
                    return known
            elif _one_slip(name, look, _name(known), known_look):
                return known
        return ""

    def _written_before(self, below: str, own: str) -> str:
        """`rabobank.nl.login.example`, `rabobank-nl.example`: a known domain, where it is not its owner's."""
        place = "." + skeleton(f"{below}.{_name(own)}").replace("-", ".") + "."
        for known in (*self.owned, *FAMOUS):
            if f".{skeleton(known).replace('-', '.')}." in place:
                return known
        if all(_is_bait(word) for word in skeleton(_name(own)).split("-")):  # rabobank.login.example
            looks = (skeleton(label) for label in below.split("."))
            return next((self.by_skeleton[look] for look in looks if look in self.by_skeleton), "")
        return ""

    def _with_bait(self, own: str) -> str:
        """`rabobank-login.example`, `rabobankservice.example`."""
        name = _name(own)
        words = name.split("-")
        for look, known in self.by_skeleton.items():
            if len(look) < SHORT:
                continue
            rest = [word for word in words if skeleton(word) != look]
            if len(rest) < len(words) and rest:
                return known
            whole = skeleton(name)
            if look in whole and _is_bait(whole.replace(look, "", 1)):
                return known
        return ""


def _is_bait(look: str) -> bool:
    return look.strip("-") in _BAIT_LOOKS


def is_mixed(domain: str) -> bool:
    """Whether one label mixes scripts, or is of another script and looks all Latin (UTS #39, section 5)."""
    for label in domain.split("."):
        found = scripts(label)
        if len(found & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1:
            return True
        if found and "LATIN" not in found and skeleton(label).isascii():
            return True
    return False


def _name(domain: str) -> str:
    return domain.partition(".")[0]


def _one_slip(name: str, look: str, known: str, known_look: str) -> bool:
    """A letter more, less, other or two swapped; names that differ in a number alone are a row of names."""
    shorter = min(len(name), len(known))
    most = 0 if shorter <= SHORT else 1 if shorter < LONG else 2
    if not most or abs(len(name) - len(known)) > most or _NUMBER.sub("", name) == _NUMBER.sub("", known):
        return False
    if look[:2] != known_look[:2] and look[-2:] != known_look[-2:]:
        return False
    return min(edits(name, known), edits(look, known_look)) <= most
