"""A folder of the run's own for its sockets, which no other user can enter.

It lies in ``$XDG_RUNTIME_DIR/devrun`` or, without that, in ``devrun-UID`` in the temporary folder,
and is called ``run.PID``. That of a run that outlives its session lies in the temporary folder in
any case: the other is removed when its user logs out (``pam_systemd(8)``).

A devrun that was killed leaves its folder behind; the next one removes it. Whether a folder is in
use is told by a lock on it and not by the pid in its name: the kernel gives up the lock however its
holder ends, and a pid means another process in another container.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

from devrun.errors import ExitCode, SpawnError

LONGEST_PATH = 103
"""Bytes in the path of a Unix socket: 107 on Linux, 103 on macOS (``sockaddr_un.sun_path``)."""

LONGEST_NAME = 24
"""Bytes that ``path_for`` promises to have room for."""


class PrivateFolder:
    """An open folder, locked; ``remove`` gives it up. Use ``PrivateFolder.make``."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def make(cls, environ: Mapping[str, str], *, lasting: bool = False) -> PrivateFolder:
        """Make the folder, and remove those that killed runs have left.

        Args:
            lasting: It has to be there still when the user has logged out.

        Raises:
            SpawnError: There is no place for it; the message says why in one line.
        """
        if sys.platform == "win32":
            message = "sd_notify and Node's IPC need Unix sockets, which devrun has not on Windows"
            raise SpawnError(message, ExitCode.NOT_EXECUTABLE)
        problem = ""
        for base in _bases(environ, lasting=lasting):
            try:
                _make_base(base)
                _sweep(base)
                return cls(*_make_folder(base))
            except OSError as error:
                problem = f"{base}: {(error.strerror or str(error)).lower()}"
        raise SpawnError(
            f"no private folder for sockets ({problem}); set XDG_RUNTIME_DIR to one of your own",
            ExitCode.NOT_EXECUTABLE,
        )

    def path_for(self, name: str) -> str:
        """Return the path of a socket in this folder; ``name`` has up to 24 bytes."""
        return os.path.join(self.path, name)

    def remove(self) -> None:
        """Remove the folder with all that is in it; again is nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _remove(self.path)
            os.close(descriptor)


def run_folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the folders of this user's runs; some may be left by runs that were killed."""
    for base in dict.fromkeys((*_bases(environ), *_usual_bases())):
        for name in _names(base):
            if name.startswith("run."):
                yield os.path.join(base, name)


def usual_base() -> str | None:
    """Return the folder for runs that every devrun of this user knows, if it can be had."""
    for base in _usual_bases():
        with suppress(OSError):
            _make_base(base)
            return base
    return None


def _usual_bases() -> Iterator[str]:
    """Yield where runs are whatever the environment says: cron, for one, says nothing."""
    yield from ()
    if sys.platform != "win32":
        yield f"/tmp/devrun-{os.getuid()}"  # noqa: S108 - it is checked whose it is
        yield f"/run/user/{os.getuid()}/devrun"


def _bases(environ: Mapping[str, str], *, lasting: bool = False) -> Iterator[str]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    candidates = [os.path.join(runtime, "devrun")] if os.path.isabs(runtime) else []
    if sys.platform != "win32":
        temporary = environ.get("TMPDIR", "")
        folders = dict.fromkeys([temporary, "/tmp"] if os.path.isabs(temporary) else ["/tmp"])  # noqa: S108 - the folder in it is checked
        others = [os.path.join(folder, f"devrun-{os.getuid()}") for folder in folders]
        candidates = [*others, *candidates] if lasting else [*candidates, *others]
    for base in candidates:
        longest = len(os.fsencode(base)) + len("/run.4194304.99/") + LONGEST_NAME
        if longest <= LONGEST_PATH:
            yield base


if sys.platform != "win32":
    import fcntl

    def _make_base(base: str) -> None:
        """Make a folder for all runs of this user, or see that it is one.

        Raises:
            OSError: It belongs to somebody else, or others may enter it.
        """
        with suppress(FileExistsError):
            os.mkdir(base, 0o700)
        found = os.lstat(base)
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        if found.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
        if found.st_mode & 0o077:
            raise PermissionError(errno.EPERM, "other users may enter it")

    def _names(base: str) -> list[str]:
        """Return what is in a folder for all runs, if it is this user's."""
        with suppress(OSError):
            if os.lstat(base).st_uid == os.getuid():
                return sorted(os.listdir(base))
        return []

    def _make_folder(base: str) -> tuple[str, int]:
        """Return the path and the locked descriptor of a new folder."""
        for number in range(100):
            suffix = f".{number}" if number else ""
            path = os.path.join(base, f"run.{os.getpid()}{suffix}")
            try:
                os.mkdir(path, 0o700)
                descriptor = _lock(path, fcntl.LOCK_EX)
            except FileExistsError:
                continue  # The same pid in another container.
            except FileNotFoundError:
                continue
            if os.fstat(descriptor).st_nlink and os.path.exists(path):
                return path, descriptor
            os.close(descriptor)  # Somebody took it for a leftover before it was locked.
        raise FileExistsError(errno.EEXIST, "too many folders of this name")

    def _lock(path: str, how: int) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, how)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _sweep(base: str) -> None:
        """Remove the folders that nobody holds."""
        for name in os.listdir(base):
            if not name.startswith("run."):
                continue
            path = os.path.join(base, name)
            try:
                descriptor = _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # In use, or gone.
            _remove(path)
            os.close(descriptor)

else:

    def _make_base(base: str) -> None: ...

    def _names(base: str) -> list[str]:
        raise NotImplementedError(base)

    def _make_folder(base: str) -> tuple[str, int]:
        raise NotImplementedError(base)

    def _sweep(base: str) -> None: ...


def _remove(path: str) -> None:
    with suppress(OSError):
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
