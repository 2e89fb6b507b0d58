"""The gates and probes there are, and what stands for a variable; for the reader and the schema."""

from __future__ import annotations

PROBES = ("port", "http", "exec", "file")
"""What devrun asks from outside, of which a service has one at most."""

GATES = (*PROBES, "log", "notify", "ipc", "delay")
"""What tells that a service is ready, likewise."""

SWITCHES = frozenset(("notify", "ipc"))
"""Of the gates, those that are true or false."""

VARIABLE = r"\$\{"
"""What in the schema stands for a text that is yet to be replaced."""
