"""Puts an export's files into a folder, and takes away those of an earlier one."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devrun.errors import UsageError
from devrun.export.render import MARK, ExportFile, has_mark

_BESIDE_RUN = ("down-signal", "timeout-kill")
"""Files of a service directory that can hold no mark; its ``run`` speaks for them."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What writing an export has taken away; all paths are relative to its folder.

    Attributes:
        files: Files of an earlier export.
        left: Folders whose program is among these, and the names of what else is in them.
    """

    files: tuple[str, ...]
    left: tuple[tuple[str, tuple[str, ...]], ...]


def write_files(
    files: Sequence[ExportFile], *, folder: str, mark: str, patterns: Sequence[str]
) -> Removed:
    """Write the files, and remove what an earlier export of the same kind has left over.

    A file takes the place of an old one in one step, and is never readable by others for a moment
    if it holds secrets.

    Args:
        folder: Absolute path; it is made where it does not exist.
        mark: What stands in the first lines of the files of an export of the same kind.
        patterns: What the paths of such files are like, for ``glob``; no other file is looked at.

    Raises:
        UsageError: A file is in the way that no export has made, or one would have no mark;
            nothing is written then. Or the folder cannot be written to.
    """
    _check(files, folder)
    try:
        before = [path for path in _own(folder, patterns) if _belongs(folder, path, mark)]
        for file in files:
            _write(file, folder)
        stale = sorted(set(before) - {file.path for file in files})
        for path in stale:
            _remove(path, folder)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"{error.filename or folder}: cannot be written: {reason}") from None
    return Removed(tuple(stale), tuple(_left(stale, folder)))


def _check(files: Sequence[ExportFile], folder: str) -> None:
    for file in files:
        in_the_way = _in_the_way(file.path, folder)
        if in_the_way is not None:
            message = f"{os.path.join(folder, in_the_way)}: is there already, and no export has"
            raise UsageError(f"{message} made it; move it away, or export into another folder")
    for file in files:
        if not file.bare and not has_mark(file.text.splitlines()):
            message = f"{file.path}: its template has no {{{{ mark }}}} in the first three lines"
            raise UsageError(f"{message}; write one into a comment there, or export to -")


def _in_the_way(path: str, folder: str) -> str | None:
    """Return what keeps a file from being written: itself, or what should be a folder."""
    above = os.path.dirname(path)
    while above:
        place = os.path.join(folder, above)
        if os.path.lexists(place) and not os.path.isdir(place):
            return above
        above = os.path.dirname(above)
    there = os.path.lexists(os.path.join(folder, path))
    return path if there and not _belongs(folder, path) else None


def _own(folder: str, patterns: Sequence[str]) -> Iterator[str]:
    """Yield files that an export may have made; it makes no links, and goes through none."""
    for pattern in patterns:
        for path in glob.iglob(pattern, root_dir=folder):
            steps = path.split(os.sep)
            starts = (os.path.join(folder, *steps[:count]) for count in range(1, len(steps) + 1))
            if not any(map(os.path.islink, starts)):
                yield path


def _belongs(folder: str, path: str, mark: str = MARK) -> bool:
    """Whether a file's first lines have the mark, or that of any export; a fifo is never opened."""
    places = [os.path.join(folder, path)]
    above, name = os.path.split(places[0])
    if name in _BESIDE_RUN:
        places.append(os.path.join(above, "run"))
    if not all(os.path.isfile(place) and not os.path.islink(place) for place in places):
        return False
    try:
        with open(places[-1], encoding="utf-8", errors="replace") as file:
            return has_mark(file, mark)
    except OSError:
        return False


def _write(file: ExportFile, folder: str) -> None:
    path = os.path.join(folder, file.path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mode = 0o600 if file.private else 0o755 if file.executable else 0o644
    fresh = f"{path}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_TRUNC, mode)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as text:
        text.write(file.text)
    os.replace(fresh, path)


def _remove(path: str, folder: str) -> None:
    """Remove a file, with a program what stands beside it, and folders that are empty then."""
    os.unlink(os.path.join(folder, path))
    above, name = os.path.split(path)
    if name == "run":
        for beside in _BESIDE_RUN:
            place = os.path.join(folder, above, beside)
            if os.path.isfile(place):
                os.unlink(place)
    while above and not os.listdir(os.path.join(folder, above)):
        os.rmdir(os.path.join(folder, above))
        above = os.path.dirname(above)


def _left(stale: Sequence[str], folder: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield service directories that have lost their program, and what a supervisor put there."""
    for path in stale:
        above, name = os.path.split(path)
        place = os.path.join(folder, above)
        if name == "run" and not os.path.dirname(above) and os.path.isdir(place):
            yield above, tuple(sorted(os.listdir(place)))
