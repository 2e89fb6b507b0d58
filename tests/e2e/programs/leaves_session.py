"""Starts a child in a session of its own, and waits."""

import os
import signal
import time

signal.alarm(120)
if os.fork() == 0:
    os.setsid()
    signal.alarm(120)
    time.sleep(120)
print("READY", flush=True)
time.sleep(120)
