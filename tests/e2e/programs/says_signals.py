"""Says which signals arrive, and ends SECONDS after the first."""

import os
import signal
import sys
import time

signal.alarm(120)
received = []


def say(number, frame):
    received.append(number)
    os.write(1, f"got {signal.Signals(number).name}\n".encode())  # print() is not reentrant.


for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
    signal.signal(getattr(signal, name), say)
print("READY", flush=True)
while not received:
    time.sleep(0.02)
time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
print("ending after", len(received), flush=True)
