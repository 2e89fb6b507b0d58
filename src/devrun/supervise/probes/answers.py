"""What a probe is told of the service that it asks, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devrun.model import Shell

TYPE_CHECKING = False  # it imports trio, and what is pure here has no need of that
if TYPE_CHECKING:
    from devrun.process.exits import ChildExits
    from devrun.process.listeners import Approach

LONGEST_REASON = 200
"""Characters of foreign text that are passed on in a reason."""

_EXTRAS = re.compile(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$|^[Ee]rror connecting to \(.*?\): ")
"""What Python's errors of TLS and some of trio's versions put around the words."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One generation of a service, as far as probes care.

    Attributes:
        label: How messages call the service.
        cwd: Absolute path of its folder.
        env: Its environment, complete.
        started_at: Wall-clock time at which the generation was started.
        is_ours: Whether the process of a pid belongs to the service's own tree.
        exits: Waits for the command of an exec probe; it has to be the one that reaps for devrun.
        shell: What runs every line of the service, or None.
        shares_ports: devrun listens for it, as a Node program's cluster does.
        sockets: Those that devrun holds for it, or None.
    """

    label: str
    cwd: str
    env: Mapping[str, str]
    started_at: float
    is_ours: Callable[[int], bool]
    exits: ChildExits
    shell: Shell | None = None
    shares_ports: bool = False
    sockets: Approach | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """It is as the probe wants it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It is not; ``reason`` is one line that says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class HeldByOther:
    """A port is served by a process that is none of the service's.

    Attributes:
        holder: Program, pid, folder, and which devrun it is of.
        label: The service that should hold it.
    """

    port: int
    holder: str
    label: str

    @property
    def reason(self) -> str:
        """One line that says so."""
        return f"port {self.port} is held by {self.holder}, not by {self.label}"


Answer = Passed | Failed | HeldByOther
"""What became of one probe."""


def one_line(text: str, longest: int = LONGEST_REASON) -> str:
    """Return foreign text as it can stand in a line of devrun's own."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    line = " ".join(words)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def error_text(error: BaseException) -> str:
    """Return what an error of the system says, as the end of a line of devrun's own."""
    while True:
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        elif error.__cause__ is not None and not getattr(error, "strerror", None):
            error = error.__cause__
        else:
            break
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    said = one_line(_EXTRAS.sub("", said))
    return said[0].lower() + said[1:] if said else type(error).__name__
