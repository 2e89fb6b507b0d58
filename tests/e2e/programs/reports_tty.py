"""Says what its standard streams are and how large its terminal is, again when that changes."""

import os
import signal

signal.alarm(120)


def size():
    found = os.get_terminal_size(1)
    return f"{found.lines}x{found.columns}"


def changed(number, frame):
    print("resized", size(), flush=True)


signal.signal(signal.SIGWINCH, changed)
print("tty", *(os.isatty(n) for n in range(3)), size() if os.isatty(1) else "", flush=True)
print("controlling", os.path.exists("/dev/tty") and os.open("/dev/tty", os.O_RDWR) > 0, flush=True)
while True:
    signal.pause()
