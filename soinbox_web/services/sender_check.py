"""Whether a message comes from whom it seems to come, by its own server's word and by look-alikes."""

import unicodedata
from functools import lru_cache

import idna

from soinbox_web.mail.discovery.domains import registrable
from soinbox_web.mail.mime import authentication, caps
from soinbox_web.mail.mime.addresses import addresses
from soinbox_web.mail.mime.reader import read_fields
from soinbox_web.model.message import Correspondent, MessageKey
from soinbox_web.model.sender_check import Known, Mark, Seen, Verdict, domain_of
from soinbox_web.model.sender_check import marks as decide
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, bodies, messages, own_servers, persons

Fields = list[tuple[str, bytes]]
__all__ = ["Mark", "marks", "of_message"]


def of_message(runtime: Runtime, user_id: int, key: MessageKey) -> tuple[Mark, ...]:
    """The marks of a message that is here whole; none before that. AccessError not_found."""
    with runtime.db.read() as connection:
        account = accounts.read(connection, key.account_id)
        if account.user_id != user_id:
            raise AccessError(Problem("not_found"))
        learnt = own_servers.learnt(connection, account.id)
        known = (*persons.correspondents(connection), Correspondent("", account.address))
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
        if row is None:
            raise AccessError(Problem("not_found"))
        raw = bodies.get(connection, row["id"])
    return marks(raw, own_servers=learnt, known=known) if raw is not None else ()


def marks(raw: bytes, *, own_servers: frozenset[str], known: tuple[Correspondent, ...]) -> tuple[Mark, ...]:
    """What is odd about the sender of a message; nothing for an ordinary one.

    `own_servers` are the authserv-ids of the account's own server, `known` the people of cards and team.
    """
    return decide(seen(raw, own_servers), _known(known))


def seen(raw: bytes, own_servers: frozenset[str]) -> Seen:
    """What the header says, read under the caps."""
    fields = read_fields(raw[: caps.HEADER_BLOCK])
    senders = [value for name, value in fields if name == "from"]
    people = tuple(each for value in senders[:5] for each in _people(value))
    return Seen(
        people,
        len(senders),
        tuple(each for name, value in fields if name == "reply-to" for each in _people(value))[:20],
        _verdict(fields, people, own_servers),
        any(name in ("list-id", "list-post", "list-unsubscribe") for name, _ in fields),
    )


def _people(value: bytes) -> tuple[Correspondent, ...]:
    """Those of a field; a name that a comma parts from its address (*Smit, Eva <…>*) is whole again."""
    people: list[Correspondent] = []
    before = ""
    for name, address in addresses(value[: caps.DECODED_TEXT]):
        name = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")  # nobody sees those
        if "@" in address:
            people.append(Correspondent(f"{before} {name}".strip(), _readable(address)))
            before = ""
        else:
            before = f"{before} {name or address}".strip()
    return tuple(people) if people else (Correspondent(before, ""),) if before else ()


def _readable(address: str) -> str:
    """The domain as people read it, where it is written in A-labels."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain.lower():
        return address
    return f"{local}{at}{'.'.join(map(_label, domain.lower().split('.')[:20]))}"


def _label(label: str) -> str:
    try:
        return idna.ulabel(label[:63]) if label.startswith("xn--") else label
    except (idna.IDNAError, UnicodeError):
        return label


def _verdict(fields: Fields, people: tuple[Correspondent, ...], own_servers: frozenset[str]) -> Verdict:
    """Of the account's own server: DMARC as it says (RFC 7489), else what SPF and DKIM prove of a domain."""
    said = [s for s in authentication.statements(fields) if s.server in own_servers]
    results = [result for statement in said for result in statement.results]
    domain = domain_of(people[0].address) if people else ""
    if not results or not domain:
        return "none"
    for result in results:
        about = result.domain("header.from")
        if (
            result.method == "dmarc"
            and result.result in ("pass", "fail")
            and (not about or _same(about, domain))
        ):
            return "passed" if result.result == "pass" else "failed"
    methods = [result for result in results if result.method in ("spf", "dkim")]
    if any(result.result == "pass" and _same(_proven(result), domain) for result in methods):
        return "passed"
    if any(result.result == "fail" and _same(_proven(result) or domain, domain) for result in methods):
        return "failed"
    return "unproven" if methods else "none"


def _proven(result: authentication.Result) -> str:
    if result.method == "dkim":
        return result.domain("header.d", "header.i")
    return result.domain("smtp.mailfrom", "smtp.helo", "policy.mailfrom")


def _same(one: str, other: str) -> bool:
    return bool(one) and registrable(_encoded(one)) == registrable(_encoded(other))


def _encoded(domain: str) -> str:
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain


@lru_cache(maxsize=4)
def _known(people: tuple[Correspondent, ...]) -> Known:
    """To prepare them takes longer than to look at one message."""
    return Known.of(people, registrable)
