"""Where a detached run keeps what outlives it: its log files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from zlib import crc32

LOGS = "logs"
"""The folder of the log files in it, each called ``LABEL.log``."""

_HARMFUL = re.compile(r"[^\w.-]")


def state_folder(root: str, name: str | None, environ: Mapping[str, str]) -> str:
    """Return a project's folder for what outlives its runs.

    It lies in ``$XDG_STATE_HOME/devrun`` (``~/.local/state/devrun``), and is called after the
    project and its place.

    Args:
        root: Absolute path of the project's folder.
        name: What ``--name`` calls the run, or None.
    """
    home = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local", "state")
    place = os.path.realpath(root)
    called = _HARMFUL.sub("_", name or os.path.basename(place) or "root")
    mark = crc32(os.fsencode(place))
    return os.path.join(home, "devrun", f"{called}-{mark:08x}")
