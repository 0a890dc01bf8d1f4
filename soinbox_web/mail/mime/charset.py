"""Bytes to text by an allow-list of charsets: a codec is never chosen by a name that a message made up."""

_CODECS = {
    "utf-8": "utf8 unicode-1-1-utf-8 x-unknown",
    "cp1252": "windows-1252 iso-8859-1 iso8859-1 latin1 latin-1 l1 ansi_x3.110-1983 x-ansi cp819 iso_8859-1",
    "cp1250": "windows-1250 x-cp1250",
    "cp1251": "windows-1251 x-cp1251",
    "cp1253": "windows-1253",
    "cp1254": "windows-1254 iso-8859-9 latin5",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
    "cp1257": "windows-1257",
    "cp1258": "windows-1258",
    "iso8859-2": "iso-8859-2 latin2",
    "iso8859-3": "iso-8859-3 latin3",
    "iso8859-4": "iso-8859-4 latin4",
    "iso8859-5": "iso-8859-5",
    "iso8859-6": "iso-8859-6 iso-8859-6-i iso-8859-6-e",
    "iso8859-7": "iso-8859-7",
    "iso8859-8": "iso-8859-8 iso-8859-8-i iso-8859-8-e",
    "iso8859-10": "iso-8859-10 latin6",
    "cp874": "windows-874 iso-8859-11 tis-620",
    "iso8859-13": "iso-8859-13",
    "iso8859-14": "iso-8859-14 latin8",
    "iso8859-15": "iso-8859-15 latin9 latin-9",
    "iso8859-16": "iso-8859-16 latin10",
    "koi8-r": "koi8r koi8",
    "koi8-u": "koi8u",
    "mac-roman": "macintosh macroman x-macroman",
    "mac-cyrillic": "x-mac-cyrillic",
    "cp437": "ibm437",
    "cp850": "ibm850",
    "cp852": "ibm852",
    "cp866": "ibm866",
    "gb18030": "gb2312 gbk gb_2312-80 cp936 x-gbk euc-cn",
    "hz": "hz-gb-2312",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5",
    "iso2022_jp_2": "iso-2022-jp iso-2022-jp-1 iso-2022-jp-2 csiso2022jp",
    "iso2022_jp_3": "iso-2022-jp-3",
    "cp932": "shift_jis shift-jis sjis windows-31j x-sjis ms_kanji",
    "euc_jp": "euc-jp x-euc-jp",
    "cp949": "euc-kr ks_c_5601-1987 ks_c_5601 korean windows-949",
    "iso2022_kr": "iso-2022-kr",
    "utf-7": "utf7 unicode-1-1-utf-7",
    "utf-16": "utf16 unicode",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "utf-32": "utf32",
}
_BY_NAME = {name: codec for codec, names in _CODECS.items() for name in (codec, *names.split())}
_GUESS = {"", "us-ascii", "ascii", "unknown-8bit", "unknown", "default", "binary", "8bit", "7bit", "utf-8"}


def known(charset: str) -> bool:
    """Whether `charset` is on the list (or one of the names that mean "not said")."""
    name = _plain(charset)
    return name in _BY_NAME or name in _GUESS


def decode(raw: bytes, charset: str = "") -> str:
    """Text of `raw`; an unknown charset, or UTF-8 that is none, falls back on windows-1252. Never raises."""
    codec = _BY_NAME.get(_plain(charset), "utf-8")
    if codec == "utf-8":
        return _guess(raw)
    try:
        return raw.decode(codec)
    except UnicodeError:
        pass
    try:
        return raw.decode("utf-8")
    except UnicodeError:
        return raw.decode(codec, "replace")


def _plain(charset: str) -> str:
    return charset.strip().strip("\"'").lower().partition("*")[0]


def _guess(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeError:
        pass
    replaced = raw.decode("utf-8", "replace")
    broken = replaced.count("\ufffd")
    wide = len(replaced) - len(replaced.encode("ascii", "ignore")) - broken
    return replaced if wide > 2 * broken else raw.decode("cp1252", "replace")
