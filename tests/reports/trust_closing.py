"""The end of `make trust`: every figure in one table, then what the figures measured beside their goals."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

NOT_BUILT = (
    "TOTP as a second factor at sign-in: not built yet, so nothing of it is measured (T9).",
    "OWASP ASVS 5.0 level 1 answered point by point: not written yet (second half of T12).",
)
Figure = dict[str, Any]


def closing(figures: list[Figure]) -> str:
    return "\n".join(
        [*_table(figures), *(text for section in SECTIONS for text in _listed(figures, *section)),
         "", "not built yet", *(f"    {line}" for line in NOT_BUILT), "", _verdict(figures)]
    )  # fmt: skip


def _table(figures: list[Figure]) -> Iterator[str]:
    yield f"\n{'figure':58} {'runs':>7} {'wrong':>6}  {'':7} {'s':>7}  goal"
    for module, told in groupby(figures, lambda each: each.get("module", "")):
        rows = list(told)
        yield f"{module:82} {rows[0].get('module_seconds', 0.0):7.1f}"
        for each in rows:
            words = "met" if each["met"] else "MISSED"
            lasted = f"{each['seconds']:.1f}" if "seconds" in each else ""
            goal = ": ".join(filter(None, (str(each["goal"]), each.get("error", ""))))
            yield f"  {each['figure']:56} {each['runs']:7} {each['wrong']:6}  {words:7} {lasted:>7}  {goal}"


def _listed(figures: list[Figure], key: str, title: str, line: Callable[[str, Any], str]) -> Iterator[str]:
    """A section: a line for whatever the figures say under this key, the largest first."""
    yield f"\n{title}"
    found: dict[str, Any] = {}
    for each in figures:
        said = each.get(key) or {}
        if isinstance(said, dict):
            found |= {f"{each['figure']}: {name}": measured for name, measured in said.items() if measured}
        else:
            yield f"    {each['figure']}: {said} is not of the form that is listed here"
    ranked = sorted(found.items(), key=lambda named: -_most(named[1]))
    yield from (line(*named) for named in (ranked[:10] if key == "slowest" else ranked))


def _most(measured: Any) -> float:
    return float(max(measured) if isinstance(measured, list) else measured)


def _seconds(name: str, measured: float) -> str:
    return f"    {measured:8.2f} s  {name}"


def _page(name: str, measured: list[float]) -> str:
    quiet, attacked = measured
    return f"    {quiet:6.0f} / {attacked:6.0f} ms  ({attacked / quiet if quiet else 0:.1f}x)  {name}"


def _memory(name: str, measured: list[float] | float) -> str:
    curve = measured if isinstance(measured, list) else [measured]
    thinned = curve[:: max(1, len(curve) // 12)]
    return f"    most {max(curve):5.0f} MB  {name}: {' '.join(f'{mb:.0f}' for mb in thinned)}"


SECTIONS: tuple[tuple[str, str, Callable[[str, Any], str]], ...] = (
    ("slowest", "the slowest ten inputs", _seconds),
    ("mail_again", "seconds until mail flows again", _seconds),
    ("p95_ms", "pages of the others, p95: quiet / attacked", _page),
    ("memory_mb", "memory", _memory),
)


def _verdict(figures: list[Figure]) -> str:
    missed = [each["figure"] for each in figures if not each["met"]]
    return f"{len(figures) - len(missed)} of {len(figures)} figures met" + (
        f"; missed: {', '.join(missed)}" if missed else ""
    )
