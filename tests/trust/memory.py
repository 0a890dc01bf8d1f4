"""The memory of a process that is flooded again and again: what each further failed try leaves behind."""

import json
import ssl
import subprocess
import sys
from pathlib import Path

from tests.trust.hostile import SERVERS, Hostile

FLOODS = (
    "literals without end among the capabilities",
    "long answers without end to LIST",
    "searches of 10 MB without end",
    "folders without end",
    "crowds without end",
)
MOST = 300_000_000  # bytes, whatever happens
KEPT = 30_000_000  # bytes that all further tries together may add to what the first round left
ROUND = 4  # tries, one in each thread


def curve(context: ssl.SSLContext, anchor: Path, name: str, tries: int) -> list[int]:
    """Bytes before the first try and after each."""
    with Hostile(context, *SERVERS[name]) as server:
        command = [sys.executable, "-m", "tests.trust.flooding", str(server.port), str(anchor), str(tries)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
        assert server.met is not None, "the harmful command was never said"
    return [json.loads(line)["rss"] for line in done.stdout.splitlines()]


def wrong(found: list[int]) -> list[str]:
    """What is not as it should be in a curve."""
    said = []
    if max(found) > MOST:
        said.append(f"{max(found) / 1e6:.0f} MB at most")
    if found[-1] - found[ROUND] > KEPT:
        said.append(f"{(found[-1] - found[ROUND]) / 1e6:.0f} MB more since the first round")
    if found[ROUND] - found[0] > ROUND * KEPT:
        said.append(f"{(found[ROUND] - found[0]) / 1e6:.0f} MB kept of the first round")
    return said
