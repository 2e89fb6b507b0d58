"""The guardian ends when its worker does, however soon that is."""

from __future__ import annotations

import subprocess
import sys

import pytest

EARLY = """
import os, signal
from devrun.process import guardian

def in_the_guardian():
    # The worker has ended by now; then the handler goes, and its SIGCHLD with it.
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)

signal.signal(signal.SIGCHLD, lambda *_: None)
guardian.start(before_guarding=in_the_guardian)
os._exit(7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there is a guardian on Linux alone")
def test_a_worker_that_ends_before_it_is_guarded_is_seen():
    done = subprocess.run([sys.executable, "-c", EARLY], check=False, timeout=30)
    assert done.returncode == 7
