"""Ignores everything that can be ignored."""

import signal
import time

signal.alarm(120)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
print("READY", flush=True)
time.sleep(120)
