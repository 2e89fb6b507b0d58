"""Forks all the time; each child lives a moment."""

import os
import signal
import time

signal.signal(signal.SIGINT, signal.SIG_DFL)
end = time.monotonic() + 60
print("READY", flush=True)
while time.monotonic() < end:
    if os.fork() == 0:
        time.sleep(0.05)
        os._exit(0)
    time.sleep(0.002)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
