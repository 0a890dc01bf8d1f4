"""Forty messages that a phisher would send to Anna (T11), written without having seen what looks for them.

Those that a look-alike sends pass every check of their own domain, as they do in life; nothing in them but
what pretends gives them away.
"""

import base64

from tests.trust.victims import SERVER, Letter, delivered


def _encoded(text: str) -> str:
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _look_alikes() -> list[Letter]:
    """Domains of the bank, the customers, the authorities and the team itself, all but for a sign."""
    cases = (
        ("a letter doubled", "Rabobank <service@rabobannk.nl>", "Uw pas verloopt"),
        (
            "a letter left out",
            "Notariskantoor Van Dijk <info@vandijk-notarisen.nl>",
            "Gewijzigd rekeningnummer",
        ),
        ("letters swapped", "Belastingdienst <noreply@belastingdeinst.nl>", "Teruggave 2026"),
        ("the hyphen left out", "Pieter Smit <pieter@bouwbedrijfsmit.nl>", "Factuur 2026-118"),
        ("another ending", "Pieter Smit <pieter@bouwbedrijf-smit.com>", "Nieuwe IBAN"),
        ("a digit for a letter", "Service <service@rab0bank.nl>", "Bevestig uw gegevens"),
        ("rn for m", "Ömer <omer@bakkerij-yilrnaz.nl>", "Bestelling"),
        ("a Cyrillic letter", "Rabobank <service@r\u0430bobank.nl>", "Uw rekening is geblokkeerd"),
        ("the same in punycode", "Rabobank <service@xn--rbobank-2fg.nl>", "Uw rekening is geblokkeerd"),
        ("a capital I for an l", "Eva Jansen <eva@kIant.example>", "Betaling van vandaag"),
        ("the team's own, a capital I for an l", "Helpdesk <it@noordIicht.example>", "Wachtwoord verloopt"),
        ("the team's own, a digit", "Scanner <scan@n0ordlicht.example>", "Scan van uw document"),
        ("the team's own before another", "Helpdesk <it@noordlicht.example.mail-login.test>", "Mailbox vol"),
        (
            "the bank's as a part of another",
            "Rabobank <veilig@rabobank.nl.inloggen.test>",
            "Nieuwe inlogcode",
        ),
        ("the ending joined by a hyphen", "Rabobank <service@rabobank-nl.com>", "Rente"),
        ("an accent", "Marie Dubois <marie@atelier-dubo\u00efs.fr>", "Devis"),
    )
    made = []
    for name, sender, subject in cases:
        domain = sender.rpartition("@")[2].rstrip(">")
        made.append(delivered(f"look-alike: {name}", f"From: {sender}", subject, domain=domain))
    return made


def _names() -> list[Letter]:
    """The name of somebody known before an address that nobody knows: it passes all that it needs to."""
    cases = (
        ("the boss", "Bram Bakker <directie.kantoor@gmail.com>"),
        ("the boss, surname first", '"Bakker, Bram" <ceo-kantoor@outlook.com>'),
        ("the boss with a title", '"Ir. Bram Bakker (directeur)" <bb@zakelijk.test>'),
        ("a colleague, encoded", f"{_encoded('Chloé Martin')} <cm.private@proton.test>"),
        ("a colleague without accents", "Chloe Martin <c.martin@proton.test>"),
        ("the boss in letters that look so", "Br\u0430m B\u0430kker <bb@mailbox.test>"),
        ("the boss with signs of no width", "Bram\u200b Bak\u200dker <bb@mailbox.test>"),
        ("a customer", "EVA JANSEN <eva.jansen.klant@outlook.com>"),
        ("an address as the name", '"bram@noordlicht.example" <k7731@mailbox.test>'),
        ("name and address as the name", '"Bram Bakker <bram@noordlicht.example>" <k7731@mailbox.test>'),
        ("both, encoded", f"{_encoded('Bram Bakker <bram@noordlicht.example>')} <k7731@mailbox.test>"),
        ("both, and a NUL", f"{_encoded(f'bram@noordlicht.example{chr(0)}')} <k7731@mailbox.test>"),
        ("an address in wide letters", '"bram\uff20noordlicht\uff0eexample" <k7731@mailbox.test>'),
        ("turned by a bidi sign", '"\u202eelpmaxe.thcildroon@marb\u202c" <k7731@mailbox.test>'),
        ("an address before the at", '"bram@noordlicht.example"@mailbox.test'),
    )
    return [
        delivered(f"name: {name}", f"From: {sender}", "Snel even iets regelen", domain=domain)
        for name, sender in cases
        if (domain := sender.rpartition("@")[2].rstrip(">"))
    ]


def _unproven() -> list[Letter]:
    """The true address, which the victim's own server could not confirm, whatever the sender claims."""
    bram, bank = "From: Bram Bakker <bram@noordlicht.example>", "From: Rabobank <service@rabobank.nl>"
    failed = "spf=fail smtp.mailfrom=mailbox.test;\n dkim=none;\n dmarc=fail (p=reject) header.from="
    claimed = f"Authentication-Results: {SERVER};\n dmarc=pass header.from=noordlicht.example\n"
    return [
        delivered("all failed", bank, "Uw pas", verdict=f"{failed}rabobank.nl"),
        delivered(
            "forged results below", bram, "Betaling", verdict=f"{failed}noordlicht.example", before=claimed
        ),
        delivered(
            "comments around what failed", bank, "Inlogcode",
            verdict="spf=softfail (no) smtp.mailfrom=x.test;\n dmarc (policy=reject) = (none) fail\n"
            " (p=reject dis=none) header.from=rabobank.nl",
        ),
        delivered(
            "a bounce that is none", "From: Mail Delivery <postmaster@noordlicht.example>", "Undelivered",
            verdict=f"{failed}noordlicht.example", envelope=" ",
        ),
        delivered(
            "a signature of another that passed", bank, "Wijziging",
            verdict="spf=pass smtp.mailfrom=mailbox.test;\n dkim=pass header.d=mailbox.test;\n"
            " dmarc=fail (p=none) header.from=rabobank.nl",
        ),
    ]  # fmt: skip


def _structure() -> list[Letter]:
    """Fields that readers read differently, answers that go elsewhere, and threads of somebody else."""
    evil = "mailbox.test"
    return [
        delivered(
            "two From fields",
            f"From: Bram Bakker <bram@noordlicht.example>\nFrom: k <k7731@{evil}>",
            "Spoed",
            domain=evil,
        ),
        delivered(
            "a group named like the boss",
            f'From: "Bram Bakker <bram@noordlicht.example>": k7731@{evil};',
            "Spoed",
            domain=evil,
        ),
        delivered(
            "answers go elsewhere",
            "From: Bram Bakker <bram@noordlicht.example>",
            "Overboeking",
            verdict="-",
            after="Reply-To: Bram Bakker <bram.bakker.kantoor@mailbox.test>\n",
        ),
        delivered(
            "a thread of a customer taken over",
            "From: Eva Jansen <eva@k1ant.example>",
            "Re: Offerte zonnepanelen",
            domain="k1ant.example",
            after="In-Reply-To: <offerte-77@klant.example>\nReferences: <offerte-77@klant.example>\n",
            body="Dag Anna, zie onder. Wil je op de nieuwe rekening betalen?\n\n> Zoals besproken",
        ),
    ]


SPOOFS = (*_look_alikes(), *_names(), *_unproven(), *_structure())
