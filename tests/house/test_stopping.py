"""A storm of signals stops a process once, and never hangs it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from soinbox_web.stopping import stop_on

STORM = "import os, sys\nfor _ in range(20_000): os.kill(int(sys.argv[1]), int(sys.argv[2]))"
STOPPED = """
import signal, sys, threading, time
from soinbox_web.stopping import stop_on
stop = threading.Event()
stop_on(stop, signal.SIGTERM)
print("ready", flush=True)
while not stop.wait(0.01):
    pass
time.sleep(0.2)
"""


@pytest.mark.timeout(60)
def test_many_signals_at_once_end_a_process() -> None:
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE)
        try:
            assert process.stdout and process.stdout.readline() == b"ready\n"
            storm = [sys.executable, "-c", STORM, str(process.pid), str(int(signal.SIGTERM))]
            subprocess.run(storm, check=False, stderr=subprocess.DEVNULL)
            assert process.wait(5) == 0
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def test_one_signal_is_enough() -> None:
    before, stop = signal.getsignal(signal.SIGUSR1), threading.Event()
    try:
        stop_on(stop, signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop.wait(5)
    finally:
        signal.signal(signal.SIGUSR1, before)
