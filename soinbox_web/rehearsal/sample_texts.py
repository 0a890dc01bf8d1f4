"""The words of the sample mail: conversations, notices and newsletters of an invented lighting company."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread with one correspondent (its place in the cast); turns alternate, theirs first."""

    who: int
    subject: str
    turns: tuple[str, ...]
    attachment: str = ""


CONVERSATIONS = (
    Conversation(
        0,
        "Offerte verlichting restaurant",
        (
            "We gaan het restaurant in januari verbouwen en willen de verlichting boven de tafels vervangen. "
            "Het gaat om 24 tafels en de bar. Kunt u een offerte maken, liefst met dimbare lampen?\n\n"
            "De plattegrond zit bij deze e-mail.",
            "Dank voor de plattegrond. Ik kom graag langs om de hoogtes te meten; schikt donderdag om 10 "
            "uur?",
            "Donderdag 10 uur is prima. Vraag bij de receptie naar mij, dan lopen we samen rond.",
        ),
        "plattegrond.pdf",
    ),
    Conversation(
        2,
        "Aanbesteding straatverlichting fase 2: vragen over de planning",
        (
            "De nota van inlichtingen sluit vrijdag om 12.00 uur. Wij missen in uw planning nog de "
            "doorlooptijd van de mastproeven. Kunt u die aanvullen?",
            "De mastproeven duren negen werkdagen, inclusief het rapport. De aangepaste planning volgt "
            "vandaag.",
            "Ontvangen. Voor de volledigheid: proeven in het stiltegebied mogen alleen tussen 9 en 16 uur.",
            "Duidelijk, dat past binnen de planning.",
        ),
        "planning-fase-2.txt",
    ),
    Conversation(
        3,
        "Sample fittings for the harbour office",
        (
            "The two sample fittings arrived this morning, thank you. The brass one is exactly what the "
            "architect had in mind. Could you quote for 60 pieces, delivered to Hull in March?",
            "Glad to hear it. For 60 pieces we can hold the price of the sample. Quote attached; it is valid "
            "until the end of the month.",
            "Perfect. Finance needs our reference HB-2217 on the invoice, then we can order.",
        ),
    ),
    Conversation(
        1,
        "Lichtplan villa Duinzicht",
        (
            "Bijgaand de laatste tekeningen van villa Duinzicht. De opdrachtgever wil geen zichtbare "
            "spots in de "
            "hal. Heb je een idee voor indirect licht langs de trap?",
            "Langs de trap kan een profiel van 12 mm in de plint. Ik stuur je morgen een doorsnede.",
        ),
        "doorsnede-trap.png",
    ),
    Conversation(
        5,
        "Lieferzeit LED-Module / delivery time of LED modules",
        (
            "Unfortunately our supplier for drivers is late. The modules for your order 4471 will leave "
            "Düsseldorf one week later than confirmed. Viele Grüße aus Düsseldorf!",
            "Thank you for telling us early. Please split the delivery: the first 200 pieces are what "
            "matters.",
            "Done: 200 pieces leave on Monday, the rest follows on the 14th.",
        ),
    ),
    Conversation(
        6,
        "Factuur dubbel ontvangen?",
        (
            "Volgens onze administratie is factuur 2026-0381 twee keer verstuurd, één keer met 21% en "
            "één keer "
            "met 9% btw. Welke mogen we betalen?",
            "Die met 21% is de juiste; de andere was een vergissing. De creditnota staat klaar.",
        ),
    ),
    Conversation(
        8,
        "Verlichting gymzaal knippert",
        (
            "De nieuwe armaturen in de gymzaal knipperen als de beamer aan gaat. De kinderen vinden het "
            "leuk, de "
            "leerkrachten iets minder. Kan er iemand komen kijken?",
            "Dat is vast de dimmer. Bram komt woensdagmiddag na schooltijd langs.",
            "Fijn! De conciërge is er tot half zes.",
        ),
    ),
    Conversation(
        4,
        "Catalogue for Spain: product texts",
        (
            "We have translated the first half of the catalogue. Three words have no good Spanish "
            "equivalent: “gezellig”, “schemerlamp” and “sfeerverlichting”. What do you really mean by them?",
            "Ha! Take “acogedor”, “lámpara de ambiente” and “iluminación ambiental”. And please keep one "
            "“gezellig” in; customers ask for it.",
        ),
    ),
    Conversation(
        9,
        "Paper lantern prototypes",
        (
            "お世話になっております。 The prototypes of the washi lanterns are ready. They are 38 cm wide "
            "and hold an E14 lamp up to 5 W. May we send two of them to your office for inspection?",
            "Please do. We would like to show them at the fair in February.",
            "They left Osaka today by air. よろしくお願いいたします。",
        ),
        "lantern.png",
    ),
    Conversation(
        10,
        "Éclairage de scène: rental for the premiere",
        (
            "For the premiere we need twelve profile spots for four evenings. Does the rental include a "
            "technician on the first night?",
            "It does. He will be with you two hours before the doors open.",
        ),
    ),
    Conversation(
        7,
        "Elektro audit of the warehouse",
        (
            "Our electrician has finished the audit. Two circuits in hall B are overloaded; the report "
            "says which "
            "fittings to move. Zażółć gęślą jaźń is only my test of the accents, please ignore it.",
            "Report received, and the accents too. We will move the fittings on Saturday.",
        ),
        "audit-hall-b.pdf",
    ),
    Conversation(
        11,
        "Lamp van mijn oma",
        (
            "Ik heb een hanglamp van mijn oma, denk ik uit 1955. De fitting is kapot. Repareren jullie "
            "zoiets, of "
            "is dat te klein werk voor een bedrijf?",
            "Geen werk te klein. Breng de lamp gerust langs, op vrijdag is onze restaurateur er.",
            "Wat leuk. Dan kom ik vrijdag aan het eind van de middag!",
        ),
    ),
    Conversation(
        0,
        "Klacht: lamp op kamer 12",
        (
            "De leeslamp op kamer 12 valt steeds uit. Een gast heeft er een foto van gemaakt. Dit is de "
            "derde keer "
            "deze maand, dus graag een blijvende oplossing.",
            "Excuses voor het ongemak. We vervangen de lamp en de bedrading van die kamer kosteloos.",
        ),
        "kamer-12.png",
    ),
    Conversation(
        3,
        "Site visit and a boat trip",
        (
            "You are invited for the site visit on the 9th. If the weather is kind, we look at the "
            "building from "
            "the water: the façade lighting is best seen at dusk.",
            "With pleasure. Bram joins me; he owns the better camera.",
        ),
    ),
)

LONG_THREAD = (
    "Voor de beurs in februari hebben we een naam voor de stand nodig. Wie heeft een idee?",
    "“Licht in de zaak”?",
    "Of “Noordlicht gaat op”. Naar de zonsopgang.",
    "“Noordlicht gaat op” vind ik mooi. Past het op de banner?",
    "De banner is 3,2 meter. Met ons lettertype past het net.",
    "Chloë asked for an English line as well. “Northern light rises”?",
    "Works for me. Short is good.",
    "Drukker vraagt het bestand voor vrijdag.",
    "Ik maak het morgen op.",
    "Eerste proef staat op de schijf. Het blauw is te donker.",
    "Blauw aangepast.",
    "Mooi! Akkoord van mij.",
    "Van mij ook.",
    "Approved.",
    "Wie staat er op dinsdag op de stand?",
    "Dinsdag kan ik, woensdag niet.",
    "Dan neem ik woensdag.",
    "And I take Thursday, with pleasure.",
    "Vergeten we de koffie niet? Vorig jaar stonden we er zonder.",
    "Koffie is besteld. Met echte kopjes.",
    "Hotelkamers zijn geboekt, bevestiging volgt per e-mail.",
    "Top, dank allemaal. Deze draad mag dicht.",
    "Nog één ding: de verlengsnoeren!",
    "Verlengsnoeren staan in kist 4. Nu mag de draad echt dicht.",
)

NOTICES = (
    ("Bestelling {n} is verzonden", "Uw bestelling {n} is vandaag overgedragen aan de bezorger."),
    (
        "Nieuwe reactie op uw advertentie “showroommodellen”",
        "Er is een nieuwe reactie. Bekijk hem in de app.",
    ),
    ("Your timesheet for week {w} is due", "Please fill in your timesheet for week {w} before Friday."),
    ("Back-up voltooid: 0 fouten, {n} bestanden", "De back-up is om 02:14 voltooid."),
    ("Parkeerkaart verlengd", "Uw parkeerkaart is verlengd tot het einde van de volgende maand."),
    ("[Ticket {n}] Printer op de tweede verdieping", "De storing is verholpen. Dit ticket is gesloten."),
    ("Reminder: fire drill on Tuesday", "The fire drill starts at 11:00. Please use the stairs."),
    ("Lunch op donderdag", "Er is weer soep! Schrijf je in voor woensdag 16 uur."),
)

NEWS = (
    (
        "Lichtbericht",
        "redactie@lichtbericht.example",
        "Lichtbericht week {w}: {headline}",
        (
            "warmer wit wint terrein",
            "wat de nieuwe norm betekent",
            "vijf hotels die het goed doen",
            "dimmen zonder zoemen",
            "daglicht meten met een telefoon",
            "straten die meedenken",
        ),
    ),
    (
        "The Lumen Letter",
        "hello@lumenletter.example",
        "The Lumen Letter #{w}: {headline}",
        (
            "glare is a choice",
            "a museum in the dark",
            "the price of copper",
            "tunable white, honestly",
            "what birds see",
            "one switch too many",
        ),
    ),
)

SUPPLIERS = (
    (
        "Administratie Van den Berg",
        "facturen@groothandelberg.example",
        "Factuur {y}-{n} Groothandel Van den Berg",
    ),
    ("Großmann Rechnungen", "rechnung@grossmann-leuchten.example", "Rechnung {n}/{y} – Großmann Leuchten"),
    ("Kantoorpand De Kade", "beheer@dekade.example", "Huur en servicekosten {month}"),
    ("Wójcik Elektro – accounts", "accounts@wojcik-elektro.example", "Invoice FV/{n}/{y}"),
)

MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)
