"""Words that are commands of devrun's own when they come first; ``devrun run ps`` runs ``ps``."""

from __future__ import annotations

SUBCOMMANDS = ("init", "reload")
"""Those that Typer reads; ``run``, ``start`` and ``check`` are read without it."""

EXEC_COMMANDS = ("exec", "run-one")
COMPLETION_OPTIONS = ("--install-completion", "--show-completion")
