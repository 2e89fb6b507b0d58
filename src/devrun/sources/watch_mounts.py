"""Which file systems do not tell what changes on them (Linux; elsewhere none is found)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

SILENT = frozenset(
    """
    nfs nfs4 cifs smb3 smbfs afs 9p virtiofs drvfs vboxsf prl_fs vmhgfs
    ceph glusterfs lustre beegfs ncpfs
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""Where other machines, or the host of a virtual one, change files behind the kernel's back
(inotify(7), "Limitations and caveats"). ``9p`` and ``drvfs`` are the Windows drives of WSL. All of
FUSE counts too but ``fuseblk``, which is a local disk."""

_ESCAPE = re.compile(r"\\([0-7]{3})")


def mounts() -> dict[str, str]:
    """Return the type of file system at each mount point, or nothing where that is unknown."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return parse_mounts(file)
    except OSError:
        return {}


def parse_mounts(lines: Iterable[str]) -> dict[str, str]:
    """Return the type of file system at each mount point (proc_pid_mountinfo(5))."""
    found: dict[str, str] = {}
    for line in lines:
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if separator and len(fields) > 4:
            point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
            found[point] = after.split(" ", 1)[0]
    return found


def silent_file_system(folders: Iterable[str], mounted: Mapping[str, str]) -> str | None:
    """Return the type of a file system without events that one of the folders lies on.

    Args:
        folders: Absolute paths without symbolic links.
        mounted: Types of file systems by mount point.
    """
    for folder in folders:
        kind = _type_at(folder, mounted)
        if kind in SILENT or kind == "fuse" or kind.startswith("fuse."):
            return kind
    return None


def _type_at(path: str, mounted: Mapping[str, str]) -> str:
    while path not in mounted:
        above = os.path.dirname(path)
        if above == path:
            return ""
        path = above
    return mounted[path]
