"""Starts a daemon: forked twice, a session of its own, no environment, deaf to signals.

The argument is the mark by which a test finds it; with "stay" after it the launcher goes on.
"""

import os
import signal
import sys
import time

signal.alarm(120)
SLEEP = "import signal, time; signal.alarm(120); time.sleep(120)"

if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.execve(sys.executable, [sys.executable, "-c", SLEEP, sys.argv[1]], {})
os.wait()
print("READY", flush=True)
if "stay" in sys.argv:
    time.sleep(120)
