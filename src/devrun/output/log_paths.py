"""Which paths are log files, so that watching can leave them out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from devrun.output.log_archive import rotated_pattern

_SPECIAL = re.compile(r"([\\*?\[\]!# ])")
_ROTATED = ".[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T*Z*"


@dataclass(frozen=True, slots=True)
class LogPaths:
    """The log files of a run, the rotated ones included.

    Attributes:
        files: Absolute paths of the log files, as they are spelled and with links resolved.
    """

    files: tuple[str, ...]

    def owns(self, path: str) -> bool:
        """Return whether a path is a log file or a rotated one, compressed or about to be."""
        if path in self.files:
            return True
        folder, name = os.path.split(path)
        return any(
            os.path.dirname(file) == folder and rotated_pattern(os.path.basename(file)).match(name)
            for file in self.files
        )

    def patterns(self, project: str) -> tuple[str, ...]:
        """Return gitignore-style patterns for all of them.

        Args:
            project: Absolute path of the folder that the patterns are relative to; files outside of
                it are matched by their names.
        """
        around = os.path.join(project, "")
        found: dict[str, None] = {}
        for file in self.files:
            inside = file.startswith(around)
            text = file[len(around) - 1 :] if inside else os.path.basename(file)
            pattern = _SPECIAL.sub(r"\\\1", text.replace(os.sep, "/"))
            found[pattern] = found[pattern + _ROTATED] = None
        return tuple(found)
