"""Whom the phisher writes to, whom she knows, and how a message looks once her server took it in."""

from dataclasses import dataclass
from hashlib import sha256

from soinbox_web.model.message import Correspondent

SERVER = "mx.noordlicht.example"
OWN_SERVERS = frozenset({SERVER})
KNOWN = tuple(
    Correspondent(name, address)
    for name, address in (
        ("Anna de Vries", "anna@noordlicht.example"),
        ("Bram Bakker", "bram@noordlicht.example"),
        ("Chloé Martin", "chloe@noordlicht.example"),
        ("Daan Visser", "daan@noordlicht.example"),
        ("Eva Jansen", "eva@klant.example"),
        ("Eva Jansen", "eva.jansen@prive.example"),
        ("Pieter Smit", "pieter@bouwbedrijf-smit.nl"),
        ("Rabobank", "service@rabobank.nl"),
        ("Belastingdienst", "noreply@belastingdienst.nl"),
        ("Notariskantoor Van Dijk", "info@vandijk-notarissen.nl"),
        ("Carla Mendes", "carla@mendes.example"),
        ("Carla Mendes", "carla.mendes@gmail.com"),
        ("Marie Dubois", "marie@atelier-dubois.fr"),
        ("Ömer Yılmaz", "omer@bakkerij-yilmaz.nl"),
        ("", "bestellingen@papierhandel.nl"),
    )
)


@dataclass(frozen=True)
class Letter:
    """`name` says what it is; `raw` is what lies in the mailbox."""

    name: str
    raw: bytes


def delivered(
    name: str,
    sender: str,
    subject: str,
    *,
    domain: str = "",
    verdict: str = "",
    envelope: str = "",
    before: str = "",
    after: str = "",
    body: str = "Kun je hier vandaag nog naar kijken?",
) -> Letter:
    """A message as the victim's server keeps it.

    `verdict` is what that server writes after its name (all of it passed for `domain` when it is empty; "-":
    it writes nothing); `before` stands above what the sender wrote, `after` among it. Lone line ends become
    CRLF; what is not ASCII stays as UTF-8, as many senders leave it.
    """
    if not verdict:
        verdict = (
            f"spf=pass smtp.mailfrom={domain};\n dkim=pass header.d={domain};\n"
            f" dmarc=pass (p=reject) header.from={domain}"
        )
    own = "" if verdict == "-" else f"Authentication-Results: {SERVER};\n {verdict}\n"
    text = (
        f"Return-Path: <{envelope or f'mail@{domain}'}>\nDelivered-To: anna@noordlicht.example\n{own}"
        f"Received: from out.{domain or 'sender.test'} (out.{domain or 'sender.test'} [198.51.100.7])\n"
        f" by {SERVER} (Postfix) with ESMTPS id 4Xq1\n"
        f" for <anna@noordlicht.example>; Mon, 23 Nov 2026 09:12:44 +0100\n{before}"
        f"{sender}\nTo: Anna de Vries <anna@noordlicht.example>\nSubject: {subject}\n"
        f"Date: Mon, 23 Nov 2026 09:12:40 +0100\nMessage-ID: <{_number(name)}@{domain or 'sender.test'}>\n"
        f"{after}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    )
    return Letter(name, text.replace("\r\n", "\n").replace("\n", "\r\n").encode())


def _number(name: str) -> int:
    """The same number for the same name in every process."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")
