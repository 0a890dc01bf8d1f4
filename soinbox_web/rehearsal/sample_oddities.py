"""Odd but harmless messages as the world sends them: old charsets, missing headers, strange structures."""

from collections.abc import Iterator


def oddities(address: str, date: str) -> Iterator[bytes]:
    """Raw messages to `address`; `date` is an RFC 5322 date for those that have one."""
    to = b"To: " + address.encode() + b"\r\n"
    when = b"Date: " + date.encode() + b"\r\n"
    mime = b"MIME-Version: 1.0\r\n"
    plain = mime + b"Content-Type: text/plain; charset="

    yield b"From: Klaas <klaas@boerderij.example>\r\n" + to + b"Subject: Geen datum\r\n\r\nZonder datum.\r\n"
    yield b"From: stil@postvak.example\r\n" + to + when + b"Subject: \r\n\r\nZonder onderwerp.\r\n"
    yield b"From: leeg@postvak.example\r\n" + to + when + b"\r\n"
    yield to + when + b"Subject: Zonder afzender\r\n\r\nWie zou dit gestuurd hebben?\r\n"
    yield (
        b"From: =?iso-8859-1?Q?Ren=E9_Caf=E9?= <rene@cafe.example>\r\n" + to + when +
        b"Subject: =?iso-8859-1?Q?Men=FC_voor_z=F3ndag?=\r\n" + plain + b"iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nSoep, cr=E8me br=FBl=E9e en koffie.\r\n"
    )  # fmt: skip
    yield (
        b"From: euro@bank.example\r\n" + to + when + b"Subject: =?windows-1252?Q?Saldo:_=80_12,50?=\r\n" +
        plain + b"windows-1252\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x93Saldo\x94: \x80 12,50\r\n"
    )  # fmt: skip
    yield (
        b"From: =?ISO-2022-JP?B?GyRCQ2ZCPBsoQg==?= <nakamura@nakamura-hikari.example>\r\n" + to + when +
        b"Subject: =?ISO-2022-JP?B?GyRCJCpDTiRpJDsbKEI=?=\r\n" + plain +
        b"iso-2022-jp\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" +
        "お知らせです。提灯が届きました。".encode("iso-2022-jp") + b"\r\n"
    )  # fmt: skip
    yield (
        b"From: lampa@magazin.example\r\n" + to + when + b"Subject: =?koi8-r?B?8NLJ18XU?=\r\n" +
        plain + b"koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
        "Привет, лампы готовы.".encode("koi8-r") + b"\r\n"
    )  # fmt: skip
    yield (
        b"From: raw@utf8.example\r\n" + to + when + "Subject: Onverpakt: ünïcödé ✓\r\n".encode() +
        b"\r\n" + "Geen MIME, toch accenten: één, twee, drieën.\r\n".encode()
    )  # fmt: skip
    yield (
        b"From: half@kapot.example\r\n" + to + when +
        b"Subject: =?utf-8?B?SGFsZiBvbmRlcndlcn?= zonder eind\r\n" +
        plain + b"x-onbekend\r\n\r\nEen onbekende tekenset en een half onderwerp.\r\n"
    )  # fmt: skip
    inner = (
        b"From: eva.smit@hotelzeezicht.example\r\nTo: balie@hotelzeezicht.example\r\n" + when +
        b"Subject: Oorspronkelijk bericht\r\n\r\nDit bericht zit in een ander bericht.\r\n"
    )  # fmt: skip
    yield (
        b"From: Eva Smit <eva.smit@hotelzeezicht.example>\r\n" + to + when +
        b"Subject: FW: Oorspronkelijk bericht (als bijlage)\r\n" + mime +
        b'Content-Type: multipart/mixed; boundary="=_buiten"\r\n\r\n--=_buiten\r\n'
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nZie bijlage.\r\n--=_buiten\r\n"
        b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--=_buiten--\r\n"
    )  # fmt: skip
    yield (
        b"From: kapot@boundary.example\r\n" + to + when + b"Subject: Bericht zonder slot\r\n" + mime +
        b'Content-Type: multipart/alternative; boundary="nooit"\r\n\r\n--nooit\r\n'
        b"Content-Type: text/plain\r\n\r\nHet laatste scheidingsteken is onderweg zoekgeraakt.\r\n"
    )  # fmt: skip
    yield (
        b"From: lang@onderwerp.example\r\n" + to + when + b"Subject: " + b"Een heel lang onderwerp, " * 12 +
        b"dat niet op een regel past\r\n\r\nKort bericht.\r\n"
    )  # fmt: skip
