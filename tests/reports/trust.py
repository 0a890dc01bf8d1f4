"""`make trust`: all trust figures in turn, each in a process of its own; ends and says met or missed.

`--only NAME…` runs those whose names begin so (`t6`, `lives`); `--every N` takes each N-th case;
`--json FILE` writes the figures as well. Goals in numbers of runs shrink with `--every`.
"""

import argparse
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from tests.reports.trust_closing import closing

PACKAGE = "tests.trust.figures"
FIGURES = (
    "t1_html", "t2_strings", "t3_parsing", "t4_addresses", "t5_servers", "t6_synchronising", "t7_sending",
    "t8_secrets", "t9_sessions", "t10_access", "t11_spoofs", "t12_copies", "attacks", "clients", "lives",
    "isolation",
)  # fmt: skip
LONGEST = 45 * 60.0  # seconds for one module: whatever hangs is ended, and the rest goes on


def main() -> int:
    parser = argparse.ArgumentParser(prog="trust", description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = [name for name in FIGURES if name.startswith(tuple(options.only))]
    if not names:
        parser.error(f"no such figure; there are {', '.join(FIGURES)}")
    found = [figure for name in names for figure in run(name, options.every)]
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(closing(found), flush=True)
    return 0 if all(figure["met"] for figure in found) else 1


def run(name: str, every: int, package: str = PACKAGE, longest: float = LONGEST) -> list[dict[str, Any]]:
    """One module's figures; one that is missing, raises, dies or hangs is a figure that was not met."""
    print(f"\n{name}", flush=True)
    if find_spec(f"{package}.{name}") is None:
        return [_unmet(name, "missing")]
    began = time.monotonic()
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    try:
        found = pool.submit(_figures, f"{package}.{name}", every).result(timeout=longest)
    except Exception as error:
        said = f"not ended after {longest:.0f} s" if isinstance(error, TimeoutError) else repr(error)[:300]
        found = [_unmet(name, said)]
    finally:
        _end(pool)
    if not found:
        found = [_unmet(name, "it told nothing")]
    lasted = round(time.monotonic() - began, 1)
    return [{"module": name, "module_seconds": lasted, **figure} for figure in found]


def _figures(module: str, every: int) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = import_module(module).figures(every)
    return told


def _unmet(name: str, error: str) -> dict[str, Any]:
    print(f"    NOT MET: {name}: {error}", flush=True)
    return {"figure": name, "runs": 0, "wrong": 0, "goal": "to end", "met": False, "error": error}


def _end(pool: ProcessPoolExecutor) -> None:
    """End the process and all that it began, also where it hangs."""
    begun = [
        each
        for child in psutil.Process().children()
        if child.pid in (pool._processes or {})
        for each in (*child.children(recursive=True), child)
    ]
    for each in begun:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    pool.shutdown(cancel_futures=True)


if __name__ == "__main__":
    sys.exit(main())
