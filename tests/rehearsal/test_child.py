"""No child process outlives its parent, however the parent ends."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from soinbox_web.rehearsal import child

PARENT = """
import sys, time
from soinbox_web.rehearsal import child
one = child.spawn([sys.executable, "-c", "import time; time.sleep(60)"])
print(one.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_child_ends_with_its_parent(number: int) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(parent.pid, number)
        parent.wait(5)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_end_takes_what_ignores_sigterm() -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    stubborn = child.spawn([sys.executable, "-c", script], output=subprocess.PIPE)
    assert stubborn.stdout
    stubborn.stdout.readline()
    child.end(stubborn, patience=0.2)
    stubborn.stdout.close()
    assert stubborn.returncode == -signal.SIGKILL
