"""devrun's stdout: what appears there, and how much room it leaves to the services."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from devrun.appearance import LogFormat

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.model import Project
    from devrun.output.prefix import Prefixes
    from devrun.output.renderer import Renderer

STDOUT = 1

Size = tuple[int, int]
"""Rows and columns of a terminal."""


class Screen:
    """What devrun writes to.

    Its parts are made when first needed, because they take time to import: prefixes before the
    first service starts, and only if it is given a terminal; a presenter after it.

    Args:
        terminal: It is a terminal.
    """

    def __init__(self, project: Project, *, terminal: bool) -> None:
        self._project = project
        self._terminal = terminal
        self._prefixes: Prefixes | None = None
        self._size: Size = (24, 80)

    def new_presenter(
        self,
        clock: Callable[[], float],
        last_lines: Callable[[int], Sequence[str]] = lambda _instance: (),
    ) -> Renderer:
        """Return something that renders events.

        Args:
            clock: Returns the present time on the clock of the events.
            last_lines: Returns what a service has said last.
        """
        if self._project.output.log_format is LogFormat.JSON:
            from devrun.output.json_lines import JsonLines

            return JsonLines(self._project, clock=clock)
        if sys.platform == "win32":
            # Consoles before Windows 10 know no escape sequences. (colorama's init() would replace
            # stdout everywhere, and is slow.)
            from colorama import just_fix_windows_console

            just_fix_windows_console()
        from devrun.output.presenter import Presenter

        return Presenter(
            self._project,
            prefixes=self.prefixes,
            terminal=self._terminal,
            clock=clock,
            last_lines=last_lines,
        )

    @property
    def prefixes(self) -> Prefixes:
        """What stands before lines."""
        if self._prefixes is None:
            from devrun.output.prefix import Prefixes

            project = self._project
            self._prefixes = Prefixes(project.output.prefix, project.services, project.output.color)
        return self._prefixes

    def size_for(self, index: int | None) -> Size:
        """Return rows and columns for a service: the terminal's, less the prefix; None has none."""
        if self._terminal:
            try:
                size = os.get_terminal_size(STDOUT)
            except OSError:
                pass  # It has hung up (EIO); the size stays what it was.
            else:
                self._size = size.lines or 24, size.columns or 80
        rows, columns = self._size
        width = 0 if index is None else self.prefixes.width(index)
        return rows, max(20, columns - width)
