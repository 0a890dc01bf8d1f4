"""The sample company and the people who write to it; none of them exists."""

from dataclasses import dataclass
from typing import Literal

DOMAIN = "noordlicht.example"
COMPANY = "Noordlicht Verlichting B.V."


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user of the sample team; `password` opens soinbox, `mail_password` the mailbox."""

    name: str
    address: str
    password: str
    mail_password: str
    title: str
    language: Literal["nl", "en"] = "nl"
    is_admin: bool = False
    connected: bool = True


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Somebody outside who writes; `company` is "" for a private person."""

    name: str
    address: str
    company: str
    language: Literal["nl", "en"] = "nl"


ANNA = Colleague(
    *("Anna de Vries", f"anna@{DOMAIN}", "Anna-wijst-de-weg", "lampje-voor-anna", "Accountmanager"),
    is_admin=True,
)
BRAM = Colleague("Bram Jansen", f"bram@{DOMAIN}", "Bram-bouwt-licht", "lampje-voor-bram", "Projectleider")
CHLOE = Colleague(
    *("Chloë Bakker", f"chloe@{DOMAIN}", "Chloe-counts-lumen", "lampje-voor-chloe", "Customer support"),
    language="en",
)
DAAN = Colleague(
    *("Daan Visser", f"daan@{DOMAIN}", "Daan-begint-vandaag", "lampje-voor-daan", "Binnendienst"),
    connected=False,
)
TEAM = (ANNA, BRAM, CHLOE, DAAN)

CORRESPONDENTS = (
    Correspondent("Eva Smit", "eva.smit@hotelzeezicht.example", "Hotel Zeezicht"),
    Correspondent("Fatima El Amrani", "fatima@elamrani-architecten.example", "El Amrani Architecten"),
    Correspondent("Gerrit Hoekstra", "g.hoekstra@gemeentewaddenveen.example", "Gemeente Waddenveen"),
    Correspondent("Hannah O’Connor", "hannah.oconnor@brightharbour.example", "Bright Harbour Ltd", "en"),
    Correspondent("Iñaki Etxeberria", "inaki@luzdelnorte.example", "Luz del Norte S.L.", "en"),
    Correspondent("Jürgen Großmann", "jg@grossmann-leuchten.example", "Großmann Leuchten GmbH", "en"),
    Correspondent("Kim van den Berg", "kim@groothandelberg.example", "Groothandel Van den Berg"),
    Correspondent("Łukasz Wójcik", "lukasz@wojcik-elektro.example", "Wójcik Elektro", "en"),
    Correspondent("Maartje Prins", "maartje.prins@schoolhetkompas.example", "Basisschool Het Kompas"),
    Correspondent("中村 さくら", "sakura@nakamura-hikari.example", "Nakamura Hikari", "en"),
    Correspondent("Olivier Dubois", "olivier@theatrelumiere.example", "Théâtre Lumière", "en"),
    Correspondent("Petra de Wit", "petra.dewit@postvak.example", ""),
)
