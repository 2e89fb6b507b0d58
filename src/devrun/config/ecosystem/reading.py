"""How often an ecosystem file is read: it is a program, and what it does is done each time."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False  # whoever has no such file does not need what reads it
if TYPE_CHECKING:
    from devrun.config.ecosystem.runtime import Exported


class ReadOnce:
    """Reads each file once, for who makes several projects of it."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[Exported, str]] = {}

    def __call__(self, path: str, *, cwd: str, environ: Mapping[str, str]) -> tuple[Exported, str]:
        """Return what a file says, and its text.

        Raises:
            UsageError: It cannot be read, or is not what its name says.
        """
        if (cwd, path) not in self._found:
            from devrun.config.ecosystem.file import read_file

            self._found[cwd, path] = read_file(path, cwd=cwd, environ=environ)
        return self._found[cwd, path]
