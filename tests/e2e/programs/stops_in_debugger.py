"""Stops in the debugger, and goes on when it is told to."""

import pdb  # noqa: T100 - that is what it is for
import signal

signal.alarm(120)
pdb.set_trace()  # noqa: T100
print("at its line")
print("went on")
