"""One log file: opened when it is needed, appended to, rotated, and opened anew when it has gone.

A full disk stops nobody: what cannot be written is counted, said once, and missing. The file is
tried again with what comes later, from the beginning of a line.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from devrun.output.log_archive import reserve, take_over

RETRY_FIRST = 1.0
RETRY_LAST = 30.0
"""Seconds after which a file that could not be written is tried again; doubled each time."""

_CALM = 60.0
"""Seconds without a failure after which the next one counts as the first."""

if sys.platform == "win32":

    def _open_to_append(path: str, flags: int = 0) -> int:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_BINARY | flags, 0o600)

else:

    def _open_to_append(path: str, flags: int = 0) -> int:
        # O_NONBLOCK: a FIFO that nobody reads is an error and not waited for (fifo(7)).
        ways = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(path, ways | flags, 0o600)
        os.set_blocking(descriptor, True)
        return descriptor


class AppendedFile:
    """Appends to a file, whatever becomes of it; used by one thread.

    A new file can be read by its owner alone (mode 0600), or has the mode of the one that it
    follows. If others rename the file, as logrotate does, the line that has begun is ended in it,
    and then the path is opened anew. Pipes and devices are never rotated.

    Args:
        path: Absolute path; folders that are missing are created.
        max_size: Bytes that the file does not exceed, but by the rest of a line that was added in
            pieces, or because one line is longer; None: no limit.
        say: Called with a line about what does not work, or works again.
        rotated: Called when there is another rotated file.
        wall_clock: Seconds since the epoch.
        clock: Seconds on a clock that never jumps.
    """

    def __init__(
        self,
        path: str,
        *,
        max_size: int | None,
        say: Callable[[str], None],
        rotated: Callable[[], None],
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.at_start = True
        """Whether what is added next begins a line."""
        self._path = path
        self._max_size = max_size
        self._say = say
        self._rotated = rotated
        self._wall_clock = wall_clock
        self._clock = clock
        self._descriptor: int | None = None
        self._checked = False
        self._moved = False
        self._about: os.stat_result | None = None
        self._size = 0
        self._limit: int | None = None
        self._buffers: list[bytes] = []
        self._rotated_at = 0.0
        self._rotation_fails = False
        self._failing = False
        self._missing = 0
        self._skipping = False
        self._failed_at = -_CALM
        self._delay = 0.0
        self._retry_at = 0.0

    def add(self, data: bytes) -> None:
        """Add data; it is in the file after the next ``flush``."""
        if not self._checked:
            self._check()
        if self._skipping and self._descriptor is not None:
            data = self._skip_line(data)
        while data:
            if self._descriptor is None:
                self._miss(data)
                return
            length = self._fitting(data)
            if length:
                self._append(data if length == len(data) else data[:length])
                data = data[length:]
            else:
                self._change_file()

    def flush(self) -> None:
        """Write what has been added."""
        self._checked = False
        buffers, self._buffers = self._buffers, []
        if not buffers or self._descriptor is None:
            return
        data = buffers[0] if len(buffers) == 1 else b"".join(buffers)
        written, error = _write(self._descriptor, data)
        if error is not None:
            self._missing += len(data) - written
            self._skipping = not self.at_start
            self._fail(error)
        elif self._failing and not self._skipping:
            self._failing = False
            self._say(f"{self._path}: written again; {self._missing} bytes are missing")
            self._missing = 0

    def close(self) -> None:
        """Write what has been added, say what is missing, and close the file."""
        self.flush()
        self._close()
        if self._failing:
            self._say(f"{self._path}: {self._missing} bytes are missing")

    # -- the way into the file --------------------------------------------------------------

    def _append(self, data: bytes) -> None:
        self._buffers.append(data)
        self._size += len(data)
        self.at_start = data.endswith(b"\n")

    def _fitting(self, data: bytes) -> int:
        """Return how many of the bytes the present file gets; 0 if the next one gets them all."""
        if self._limit is None and not self._moved:
            return len(data)
        room = 0 if self._limit is None or self._moved else self._limit - self._size
        if len(data) <= room:
            return len(data)
        whole = data.rfind(b"\n", 0, max(0, room)) + 1
        if whole:
            return whole
        if self.at_start and (self._size or self._moved):
            return 0
        return data.find(b"\n") + 1 or len(data)

    def _miss(self, data: bytes) -> None:
        self._missing += len(data)
        self.at_start = data.endswith(b"\n")
        self._skipping = not self.at_start

    def _skip_line(self, data: bytes) -> bytes:
        """Leave out the rest of a line whose beginning is missing."""
        cut = data.find(b"\n") + 1 or len(data)
        self._miss(data[:cut])
        return data[cut:]

    # -- which file it is -------------------------------------------------------------------

    def _check(self) -> None:
        """Make sure that the file is open and still the one that the path names."""
        self._checked = True
        if self._descriptor is None:
            if self._clock() >= self._retry_at:
                self._open()
            return
        about = os.fstat(self._descriptor)
        if _is_at(about, self._path):
            self._size = about.st_size  # Others may have truncated it, or appended to it.
            return
        self._about = about
        self._moved = True
        if not about.st_nlink:  # Nobody will ever read the rest of the line there.
            self._change_file()

    def _open(self) -> None:
        try:
            self._descriptor = self._opened()
        except OSError as error:
            self._fail(error)
            return
        self._moved = False
        about = os.fstat(self._descriptor)
        regular = stat.S_ISREG(about.st_mode)
        self._limit = self._max_size if regular else None
        self._size = about.st_size
        begins_line = self.at_start or self._skipping
        if regular and self._size and begins_line and not _ends_line(self._path):
            self._buffers.append(b"\n")
            self._size += 1

    def _opened(self) -> int:
        try:
            return _open_to_append(self._path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
        descriptor = _open_to_append(self._path, os.O_CREAT)
        if self._about is not None:
            take_over(self._about, descriptor)
        return descriptor

    def _change_file(self) -> None:
        self.flush()
        self._checked = True
        if self._descriptor is None:
            return
        self._about = os.fstat(self._descriptor)
        if _is_at(self._about, self._path):
            self._rotate()
        else:  # Somebody else has been faster.
            self._close()
            self._open()

    def _rotate(self) -> None:
        self._close()  # Windows renames no file that is open.
        try:
            self._rename()
        except FileNotFoundError:
            self._open()  # Somebody else has been faster.
            return
        except OSError as error:
            if not self._rotation_fails:
                self._say(f"cannot rotate {self._path}: {error.strerror}; it grows meanwhile")
            self._rotation_fails = True
            self._open()
            if self._limit is not None:
                self._limit += self._size
            return
        self._rotation_fails = False
        self._open()
        self._rotated()

    def _rename(self) -> None:
        now = max(self._wall_clock(), self._rotated_at + 0.001)
        target = reserve(self._path, now)
        try:
            os.replace(self._path, target)
        except OSError:
            with suppress(OSError):
                os.unlink(target)
            raise
        self._rotated_at = now

    # -- when it does not work --------------------------------------------------------------

    def _fail(self, error: OSError) -> None:
        self._close()
        now = self._clock()
        again = now - self._failed_at < _CALM
        self._delay = min(self._delay * 2, RETRY_LAST) if again else RETRY_FIRST
        self._failed_at, self._retry_at = now, now + self._delay
        if not self._failing:
            self._failing = True
            self._say(
                f"cannot write {self._path}: {error.strerror}; "
                "what is said meanwhile will be missing there"
            )

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # NFS: an error of a write before it, which is past counting.
                os.close(descriptor)


def _write(descriptor: int, data: bytes) -> tuple[int, OSError | None]:
    """Write all of the data; return how much that was, and why it was not all."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        return len(data) - len(rest), error
    return len(data), None


def _is_at(about: os.stat_result, path: str) -> bool:
    """Return whether a file is still what the path names; yes if that cannot be told."""
    try:
        return os.path.samestat(about, os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _ends_line(path: str) -> bool:
    """Return whether the last byte is a line feed; yes if that cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"
    except OSError:
        return True
