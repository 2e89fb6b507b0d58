"""Writes LINES numbered lines as fast as it can; ``--forever`` goes on."""

import os
import signal
import sys

signal.alarm(120)
total = int(sys.argv[1])
forever = "--forever" in sys.argv
number = 0
while True:
    block = b"".join(
        b"%010d %s\n" % (n, b"x" * 68) for n in range(number, min(total, number + 800))
    )
    view = memoryview(block)
    while view:
        view = view[os.write(1, view) :]
    number += 800
    if number >= total:
        if not forever:
            break
        number = 0
