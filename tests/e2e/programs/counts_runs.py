"""Adds a line to FILE, says how many there are, and then fails or sleeps, as told."""

import signal
import sys
import time

signal.alarm(120)
with open(sys.argv[1], "a+") as file:
    file.write("x")
    file.seek(0)
    count = len(file.read())
print("run", count, flush=True)
if sys.argv[2] == "sleep":
    time.sleep(120)
sys.exit(int(sys.argv[2]))
