"""The end of `make trust`: every figure in one table, then what the figures measured beside their goals."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

NOT_BUILT = (
    "TOTP as a second factor at sign-in: not built yet, so nothing of it is measured (T9).",
    "OWASP ASVS 5.0 level 1 answered point by point: not written yet (second half of T12).",
)
Figure = dict[str, Any]


def closing(figures: list[Figure]) -> str:
    return "\n".join(
        [*_table(figures), *_slowest(figures), *_mail_again(figures), *_pages(figures), *_memory(figures),
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


def _gathered(figures: list[Figure], key: str) -> dict[str, Any]:
    return {
        f"{each['figure']}: {name}": measured
        for each in figures
        for name, measured in (each.get(key) or {}).items()
    }


def _slowest(figures: list[Figure]) -> Iterator[str]:
    yield "\nthe slowest ten inputs"
    ranked = sorted(_gathered(figures, "slowest").items(), key=lambda each: -each[1])
    yield from (f"    {seconds:8.2f} s  {name}" for name, seconds in ranked[:10])


def _mail_again(figures: list[Figure]) -> Iterator[str]:
    yield "\nseconds until mail flows again"
    yield from (f"    {seconds:8.1f} s  {name}" for name, seconds in _gathered(figures, "mail_again").items())


def _pages(figures: list[Figure]) -> Iterator[str]:
    yield "\npages of the others, p95: quiet / attacked"
    for name, (quiet, attacked) in _gathered(figures, "p95_ms").items():
        yield f"    {quiet:6.0f} / {attacked:6.0f} ms  ({attacked / quiet if quiet else 0:.1f}x)  {name}"


def _memory(figures: list[Figure]) -> Iterator[str]:
    yield "\nmemory"
    for name, measured in _gathered(figures, "memory_mb").items():
        curve = measured if isinstance(measured, list) else [measured]
        thinned = curve[:: max(1, len(curve) // 12)]
        yield f"    most {max(curve, default=0):5.0f} MB  {name}: {' '.join(f'{mb:.0f}' for mb in thinned)}"


def _verdict(figures: list[Figure]) -> str:
    missed = [each["figure"] for each in figures if not each["met"]]
    return f"{len(figures) - len(missed)} of {len(figures)} figures met" + (
        f"; missed: {', '.join(missed)}" if missed else ""
    )
