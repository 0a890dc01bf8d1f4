"""Makes static/icons/sprite.svg of the icons that are used: `python -m tests.house.sprite FOLDER-OF-PHOSPHOR-REGULAR`."""

import re
import sys
from pathlib import Path

PRODUCT = Path(__file__).parents[2] / "soinbox_web"
SPRITE = PRODUCT / "static" / "icons" / "sprite.svg"
CALL = re.compile(r"\bicon\(((?:[^()]|\([^()]*\))*)\)|ICONS[^=\n]*=\s*\{(.*?)\}", re.S)
NAME = re.compile(r"""['"]([a-z0-9]+(?:-[a-z0-9]+)*)['"]""")


def used() -> set[str]:
    """Every quoted name inside an `icon(…)` call or an `ICONS = {…}` table of templates and views."""
    names: set[str] = set()
    for path in [*(PRODUCT / "templates").rglob("*.html"), *(PRODUCT / "web").rglob("*.py")]:
        for call in CALL.finditer(path.read_text()):
            names.update(NAME.findall(re.sub(r"\b_\(.*", "", call.group(1) or call.group(2) or "")))
    return names


def drawn() -> set[str]:
    """The icons of the sprite."""
    return set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))


def make(folder: Path, names: set[str]) -> None:
    """Write the sprite; names that the folder lacks are kept as they are in the sprite."""
    symbols = []
    for name in sorted(names):
        body = re.search(r"<svg[^>]*>(.*)</svg>", (folder / f"{name}.svg").read_text(), re.S)
        if body:
            symbols.append(f'<symbol id="{name}" viewBox="0 0 256 256">{body.group(1)}</symbol>')
    SPRITE.write_text('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n")


if __name__ == "__main__":
    source = Path(sys.argv[1])
    wanted = used() | set(sys.argv[2:])
    missing = sorted(name for name in wanted if not (source / f"{name}.svg").exists())
    make(source, wanted - set(missing))
    if missing:
        sys.exit(f"not a Phosphor icon: {', '.join(missing)}")
