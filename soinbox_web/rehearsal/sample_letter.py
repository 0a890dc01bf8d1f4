"""How a sample letter is put together: headers, threads, attachments, greetings."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from soinbox_web.rehearsal import sample_attachments as attachments
from soinbox_web.rehearsal.cast import COMPANY

ZONE = ZoneInfo("Europe/Amsterdam")


def message(
    name: str, address: str, to_name: str, to_address: str, subject: str, date: datetime
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = f'"{name}" <{address}>'
    message["To"] = f'"{to_name}" <{to_address}>' if to_name else to_address
    message["Subject"] = subject
    message["Date"] = format_datetime(date.astimezone(ZONE))
    return message


def identity(message: EmailMessage, stem: str, address: str) -> str:
    identity = f"<{stem}@{address.rpartition('@')[2]}>"
    message["Message-ID"] = identity
    return identity


def refer(message: EmailMessage, references: list[str]) -> None:
    if references:
        message["In-Reply-To"] = references[-1]
        message["References"] = " ".join(references[-8:])


def attach(message: EmailMessage, name: str, title: str) -> None:
    if name.endswith(".pdf"):
        page = attachments.pdf(title, ("Voorbeeldbijlage", COMPANY))
        message.add_attachment(page, "application", "pdf", filename=name)
    elif name.endswith(".png"):
        message.add_attachment(attachments.png(320, 180, len(title)), "image", "png", filename=name)
    else:
        message.add_attachment(
            f"{title}\n\n1. Mastproeven: 9 werkdagen\n2. Montage: 3 weken\n", filename=name
        )


def greeting(name: str, language: str, number: int) -> str:
    first = name.split()[0]
    if language == "en":
        return f"Dear {first}," if number % 2 else f"Hi {first},"
    return f"Beste {first}," if number % 2 else f"Hallo {first},"


def closing(name: str, language: str, mine: bool) -> str:
    words = "Kind regards," if language == "en" else "Met vriendelijke groet,"
    return f"{words}\n\n{name}" + (f"\n{COMPANY}" if mine else "")
