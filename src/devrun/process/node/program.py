"""Which commands are Node programs, and in which version of Node they run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

KNOWN_MAJORS = frozenset({18, 20, 22, 24, 26})
"""Major versions of Node with which sharing its ports has been tried."""

_NO_SERVER = frozenset(
    {"-e", "--eval", "-p", "--print", "-c", "--check", "-i", "--interactive", "--test", "--run"}
)
_STARTS_OTHERS = ("--watch", "--run=", "--test-")


def is_node_program(argv: Sequence[str]) -> bool:
    """Whether a command is ``node`` with a script, which speaks to devrun without help.

    Not so for ``npm start``, ``npx``, ``node --watch`` and everything else that starts the program
    in its turn: the channel ends there.
    """
    if not argv or argv[0].rpartition("/")[2] not in {"node", "nodejs"}:
        return False
    for word in argv[1:]:
        if word in _NO_SERVER or word.startswith(_STARTS_OTHERS):
            return False
        if not word.startswith("-"):
            return True
    return False


def node_major(program: str, *, cwd: str, env: Mapping[str, str]) -> int | None:
    """Ask a Node for its major version, which takes 5 to 40 ms; None: it did not tell.

    Args:
        program: Path of the executable.
    """
    import subprocess

    if not os.path.isabs(program):
        program = os.path.join(cwd, program)
    plain = {name: value for name, value in env.items() if not name.startswith("NODE_")}
    try:
        told = subprocess.run(
            [program, "--version"],
            cwd=cwd,
            env=plain,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return major_version(told.stdout.decode(errors="replace"))


def major_version(text: str) -> int | None:
    """Return the major version of what ``node --version`` prints, or of ``process.version``."""
    major = text.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdecimal() else None
