"""Puts an export's files into a folder, and takes away those of an earlier one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from devrun.errors import UsageError
from devrun.export.render import MARK, ExportFile

_BESIDE_RUN = ("down-signal", "timeout-kill")
"""Files of a service directory that can hold no mark."""


def write_files(files: Sequence[ExportFile], *, folder: str, mark: str) -> list[str]:
    """Write the files, and remove what an earlier export of the same kind has left over.

    A file takes the place of an old one in one step, and is never readable by others for a moment
    if it holds secrets.

    Args:
        folder: Absolute path; it is made where it does not exist.
        mark: What stands in the first lines of the files of an export of the same kind.

    Returns:
        Paths of the files that were removed, relative to the folder.

    Raises:
        UsageError: A file is in the way that no export has made; nothing is written then. Or the
            folder cannot be written to.
    """
    _check(files, folder)
    try:
        before = [path for path in _marked(folder) if _belongs(os.path.join(folder, path), mark)]
        for file in files:
            _write(file, folder)
        stale = sorted(set(before) - {file.path for file in files})
        for path in stale:
            _remove(os.path.join(folder, path))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"{error.filename or folder}: cannot be written: {reason}") from None
    return stale


def _check(files: Sequence[ExportFile], folder: str) -> None:
    for file in files:
        path = os.path.join(folder, file.path)
        marked = MARK in file.text
        if os.path.lexists(path) and marked and not _belongs(path, MARK):
            message = f"{path}: is there already, and no export has made it"
            raise UsageError(f"{message}; move it away, or export into another folder")


def _marked(folder: str) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(where, name), folder)


def _belongs(path: str, mark: str) -> bool:
    """Whether a file's first lines have the mark; a fifo is never opened."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return mark in "".join(file.readline() for _ in range(3))
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


def _remove(path: str) -> None:
    """Remove a file, and with a service directory's program what stands beside it."""
    os.unlink(path)
    place = os.path.dirname(path)
    if os.path.basename(path) == "run":
        for name in _BESIDE_RUN:
            if os.path.isfile(os.path.join(place, name)):
                os.unlink(os.path.join(place, name))
    while not os.listdir(place):
        os.rmdir(place)
        place = os.path.dirname(place)
