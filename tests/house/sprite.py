"""Makes the sprite of the icons in use: `python -m tests.house.sprite FOLDER-OF-PHOSPHOR-REGULAR [NAME…]`."""

import re
import sys
from pathlib import Path

PRODUCT = Path(__file__).parents[2] / "soinbox_web"
SPRITE = PRODUCT / "static" / "icons" / "sprite.svg"
CALL = re.compile(r"\bicon\(((?:[^()]|\([^()]*\))*)\)")
QUOTED = re.compile(r"""['"]([a-z0-9]+(?:-[a-z0-9]+)*)['"]""")
COMPARED = re.compile(r"""\b_\(.*|(==|\bin\b)\s*(['"][^'"]*['"]|\([^)]*\))""")


def _sources() -> list[str]:
    return [
        path.read_text()
        for path in [*(PRODUCT / "templates").rglob("*.html"), *(PRODUCT / "web").rglob("*.py")]
    ]


def called() -> set[str]:
    """Every name that is quoted inside an `icon(…)` call."""
    return {
        name
        for text in _sources()
        for call in CALL.findall(text)
        for name in QUOTED.findall(COMPARED.sub("", call))
    }


def quoted() -> set[str]:
    """Every quoted word of templates and views: icons that are chosen by a table are among them."""
    return {name for text in _sources() for name in QUOTED.findall(text)}


def drawn() -> set[str]:
    """The icons of the sprite."""
    return set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))


def make(folder: Path, names: set[str]) -> None:
    """Write the sprite from Phosphor's files."""
    symbols = []
    for name in sorted(names):
        body = re.search(r"<svg[^>]*>(.*)</svg>", (folder / f"{name}.svg").read_text(), re.S)
        if body:
            symbols.append(f'<symbol id="{name}" viewBox="0 0 256 256">{body.group(1)}</symbol>')
    SPRITE.write_text('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n")


if __name__ == "__main__":
    source = Path(sys.argv[1])
    wanted = called() | (drawn() & quoted()) | set(sys.argv[2:])
    missing = sorted(name for name in wanted if not (source / f"{name}.svg").exists())
    make(source, wanted - set(missing))
    if missing:
        sys.exit(f"not a Phosphor icon: {', '.join(missing)}")
