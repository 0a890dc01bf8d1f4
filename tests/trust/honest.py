"""The ordinary mail of Anna's team (T11): more than six hundred messages of all kinds that people send.

Two of them nobody can tell from a spoof by what they hold, since life is so: a colleague writes from a
private address that is on no card, and a mailing list that breaks signatures passes a customer's mail on.
"""

from collections.abc import Iterator
from itertools import product

from tests.trust.victims import KNOWN, Letter, delivered

SUBJECTS = ("Offerte", "Re: planning week 48", "Factuur 2026-204", "Bijlagen", "Vraag over de levering")
_PASSED = "dmarc=pass header.from="


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _from_those_known() -> Iterator[Letter]:
    """Each of them, with and without a name, with every verdict that honest mail gets."""
    for someone, (number, subject) in product(KNOWN, enumerate(SUBJECTS)):
        domain = _domain(someone.address)
        verdicts = {
            "passed": "",
            "not looked at": "-",
            "signature only": f"spf=none;\n dkim=pass header.d={domain};\n dmarc=pass header.from={domain}",
            "forwarded": f"spf=fail smtp.mailfrom={domain};\n dkim=pass header.d={domain};\n"
            f" {_PASSED}{domain}",
            "no policy": f"spf=pass smtp.mailfrom={domain};\n dkim=none;\n dmarc=none header.from={domain}",
            "out of order": f"spf=temperror;\n dkim=temperror;\n dmarc=temperror header.from={domain}",
        }
        name, verdict = list(verdicts.items())[number % 6] if number else ("passed", "")
        shown_as = (str(someone), someone.address, f'"{someone.address}" <{someone.address}>')
        for shown in dict.fromkeys(shown_as):
            yield delivered(
                f"known, {name}: {shown}, {number}", f"From: {shown}", subject, domain=domain, verdict=verdict
            )


def _from_strangers() -> Iterator[Letter]:
    """People and firms whom nobody knows yet: some share a name, a town or a trade with those known."""
    strangers = (
        "Eva Janssens <eva@tuincentrum.example>", "Bram de Boer <bram@deboer-advies.nl>",
        "Anna Bakker <a.bakker@school.example>", "Pieter Smits <info@smits-schilders.nl>",
        "ING <noreply@ing.nl>", "ABN AMRO <info@abnamro.nl>", "Gemeente Groningen <loket@groningen.nl>",
        "Zoë van 't Hof <zoe@vanthof.example>", "Łukasz Nowak <lukasz@nowak.pl>",
        "=?utf-8?B?5bGx55Sw5aSq6YOO?= <taro@yamada.jp>", "Иван Петров <ivan@petrov.example>",
        "Γιώργος Παπάς <giorgos@papas.gr>", "محمد علي <m.ali@noor.example>", "Bäcker <info@bäcker.example>",
        "Info <info@xn--bcker-gra.example>", "⭐ Aanbieding <hallo@winkel.example>", "<kaal@adres.example>",
        "k.w.visser@gmail.com", '"De Wit, Karel" <karel@dewit.example>', "Notaris <info@notaris-dijkstra.nl>",
        "Bakkerij Yilmaz Zn <info@bakkerij-demolen.nl>", "Klantenservice <help@plant.example>",
        "papier.example <noreply@papier.example>", "Facturatie <facturen@bouwgroep-oost.nl>",
        '"Marie" (compta) <marie@dubois-freres.fr>', "Daan <daan@fietsenmaker.example>",
    )  # fmt: skip
    for sender, (number, subject) in product(strangers, enumerate(SUBJECTS)):
        domain = _domain(sender.rstrip(">"))
        yield delivered(
            f"stranger: {sender}, {number}",
            f"From: {sender}",
            subject,
            domain=domain,
            verdict="-" if number == 4 else "",
        )


def _newsletters() -> Iterator[Letter]:
    """Sent by mailing services: another envelope, two signatures, answers to another mailbox."""
    firms = (
        "winkel.example", "rabobank.nl", "belastingdienst.nl", "papierhandel.nl", "krant.example",
        "museum.example", "bouwbedrijf-smit.nl", "reizen.example", "vakbond.example", "lampen.nl",
    )  # fmt: skip
    services = ("mailchimp.example", "sendgrid.example", "spotler.example")
    for firm, service, answers in product(firms, services, ("", "klantenservice", "reply+8f3")):
        label = f"newsletter of {firm} by {service}, answers {answers or 'to the sender'}"
        verdict = (
            f"spf=pass smtp.mailfrom=bounces.{service};\n dkim=pass header.d={service};\n"
            f" dkim=pass header.d={firm};\n {_PASSED}nieuws.{firm}"
        )
        reply = f"Reply-To: {answers}@{firm}\n" if answers else ""
        yield delivered(
            label, f"From: {firm.partition('.')[0].title()} Nieuws <nieuws@nieuws.{firm}>", "Dit is nieuw",
            domain=firm, verdict=verdict, envelope=f"b-77@bounces.{service}",
            after=f"{reply}List-Unsubscribe: <https://{service}/u/1>\nPrecedence: bulk\n",
        )  # fmt: skip


def _services() -> Iterator[Letter]:
    """What programs send in the name of people, as they do: `via`, tickets, reviews, invitations."""
    cases = (
        ("Eva Jansen via Documenten", "gedeeld@documenten.example", "Reply-To: eva@klant.example\n"),
        ("Eva Jansen (via Agenda)", "agenda@agenda.example", "Reply-To: eva@klant.example\n"),
        ("Pieter Smit via Ondertekenen", "dse@ondertekenen.example", ""),
        ("Bram Bakker (Tickets)", "tickets@noordlicht.example", "Reply-To: t+4711@noordlicht.example\n"),
        ("Support Klant", "support@klant.zendesk.example", "Reply-To: support+id71@klant.zendesk.example\n"),
        ("Codehuis", "notifications@codehuis.example", "Reply-To: reply+a81f@reply.codehuis.example\n"),
        ("Winkel", "noreply@winkel.example", "Reply-To: hulp@winkel-service.example\n"),
        ("Vacature", "noreply@banen.example", "Reply-To: sollicitant.k@gmail.com\n"),
        ("Contactformulier", "formulier@noordlicht.example", "Reply-To: bezoeker.x@hotmail.com\n"),
        ("Scanner 2e verdieping", "scan@noordlicht.example", ""),
        ("MAILER-DAEMON", "mailer-daemon@mx.noordlicht.example", "Auto-Submitted: auto-replied\n"),
    )  # fmt: skip
    for (name, address, after), subject in product(cases, SUBJECTS):
        yield delivered(
            f"service: {name}, {subject}",
            f"From: {name} <{address}>",
            subject,
            domain=_domain(address),
            after=after,
        )


def _lists() -> Iterator[Letter]:
    """Lists that write themselves as the sender, and lists that leave the sender and keep the signature."""
    people = [each for each in KNOWN if each.name and not each.address.endswith("noordlicht.example")]
    for someone, subject in product(people, SUBJECTS):
        address = "bouwlijst@lijsten.example"
        yield delivered(
            f"list, sender rewritten: {someone}, {subject}",
            f"From: {someone.name} via Bouwlijst <{address}>",
            f"[Bouw] {subject}",
            domain="lijsten.example",
            after=f"Reply-To: {someone}\nList-Id: <bouwlijst.lijsten.example>\nPrecedence: list\n",
        )
        domain = _domain(someone.address)
        yield delivered(
            f"list, sender kept: {someone}, {subject}",
            f"From: {someone}",
            subject,
            domain=domain,
            envelope="bouwlijst-bounces@lijsten.example",
            verdict=f"spf=pass smtp.mailfrom=lijsten.example;\n dkim=pass header.d={domain};\n"
            f" dkim=pass header.d=lijsten.example;\n {_PASSED}{domain}",
            after=f"Sender: bouwlijst-bounces@lijsten.example\nReply-To: Bouwlijst <{address}>\n"
            "List-Id: <bouwlijst.lijsten.example>\nList-Post: <mailto:bouwlijst@lijsten.example>\n",
        )


def _persons_in_life() -> Iterator[Letter]:
    """Plus-addresses, several addresses of one person, mail to oneself, results of other servers."""
    for number, subject in enumerate(SUBJECTS):
        for label, sender, after in (
            ("plus", "Eva Jansen <eva+offerte@klant.example>", ""),
            ("other address of a firm", "Eva Jansen <e.jansen@klant.example>", ""),
            ("a part of the firm", "Rabobank <info@mail.rabobank.nl>", ""),
            ("to herself", "Anna de Vries <anna@noordlicht.example>", ""),
            ("answers to her other address", "Carla Mendes <carla@mendes.example>",
             "Reply-To: Carla Mendes <carla.mendes@gmail.com>\n"),
            ("answers to the office", "Bram Bakker <bram@noordlicht.example>",
             "Reply-To: kantoor@noordlicht.example\n"),
            ("on behalf", "Notariskantoor Van Dijk <info@vandijk-notarissen.nl>",
             "Sender: secretaris@vandijk-notarissen.nl\n"),
            ("results of a server before", "Marie Dubois <marie@atelier-dubois.fr>",
             "Authentication-Results: mx.elders.example; spf=fail smtp.mailfrom=x.example; dmarc=fail\n"),
            ("in capitals", "CARLA MENDES <CARLA@MENDES.EXAMPLE>", ""),
            ("first name only", "Bram <bram@noordlicht.example>", ""),
        ):  # fmt: skip
            domain = _domain(sender.rstrip(">")).lower()
            yield delivered(
                f"life, {label}, {number}", f"From: {sender}", subject, domain=domain, after=after
            )


def _hard_ones() -> Iterator[Letter]:
    """The two of the first lines above."""
    yield delivered(
        "hard: a private address on no card",
        "From: Daan Visser <daan.visser.gron@gmail.com>",
        "Ben ziek",
        domain="gmail.com",
    )
    yield delivered(
        "hard: a list that breaks the signature",
        "From: Eva Jansen <eva@klant.example>",
        "[Bouw] Vraag",
        verdict="spf=pass smtp.mailfrom=lijsten.example;\n dkim=fail header.d=klant.example;\n"
        " dmarc=fail (p=none) header.from=klant.example",
        after="Sender: bouwlijst-bounces@lijsten.example\nList-Id: <bouwlijst.lijsten.example>\n",
    )


HONEST = (
    *_from_those_known(), *_from_strangers(), *_newsletters(), *_services(), *_lists(), *_persons_in_life(),
    *_hard_ones(),
)  # fmt: skip
