"""Words that are commands of devrun's own when they come first; ``devrun run ps`` runs ``ps``."""

from __future__ import annotations

SUBCOMMANDS = ("init", "help")
"""Those that Typer reads; ``run``, ``start`` and ``check`` are read without it."""

CONTROL_COMMANDS = (
    "ps",
    "logs",
    "restart",
    "stop",
    "reload",
    "scale",
    "signal",
    "show",
    "events",
    "wait",
    "attach",
    "down",
)
"""Those that ask a devrun which runs already; ``__main__`` has them before all else."""

EXEC_COMMANDS = ("exec", "run-one")
COMPLETION_OPTIONS = ("--install-completion", "--show-completion")
