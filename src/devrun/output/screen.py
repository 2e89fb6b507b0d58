"""devrun's stdout: what appears there, and how much room it leaves to the services."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.model import Project
    from devrun.output.presenter import Presenter

STDOUT = 1

Size = tuple[int, int]
"""Rows and columns of a terminal."""


class Screen:
    """What devrun writes to.

    Args:
        terminal: It is a terminal.
    """

    def __init__(self, project: Project, *, terminal: bool) -> None:
        self._project = project
        self._terminal = terminal
        self._presenter: Presenter | None = None

    @property
    def presenter(self) -> Presenter:
        """What renders events; made when first needed, because it takes time to import."""
        if self._presenter is None:
            from devrun.output.presenter import Presenter

            self._presenter = Presenter(self._project, terminal=self._terminal)
        return self._presenter

    def size_for(self, index: int) -> Size:
        """Return rows and columns for a service: the terminal's, less the prefix."""
        rows, columns = 24, 80
        if self._terminal:
            size = os.get_terminal_size(STDOUT)
            rows, columns = size.lines or rows, size.columns or columns
        return rows, max(20, columns - self.presenter.width(index))
