"""Rotated log files: what they are called, which of them go, and the thread that compresses them.

``web.log`` is rotated to ``web.log.20260131T235959.123Z``: the time of the rotation, in UTC. So
each rotation is one rename, the name of a file never changes afterwards, and no two programs can
ever write over each other's files - a number in the name (``web.log.1``) would need all others
to be renamed at each rotation, while they are being read, compressed and shipped. Sorted by name
they are in order, ``web.log*`` are all of them, and ``tail -F web.log`` follows the newest.
Compressed, ``.gz`` is added.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue

_STAMP = r"\.(\d{8}T\d{6}\.\d{3}Z)"
_COMPRESSED = ".gz"
_TEMPORARY = ".gz.tmp"

_CHUNK = 256 * 1024
_LEVEL = 6
"""gzip's own default; Python's 9 takes twice the time for one per cent."""

_RETRY = 60.0
"""Seconds after which what failed is tried again."""

_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """What becomes of a log file's rotated files.

    Attributes:
        path: Of the log file.
        files: How many are kept, or None for all.
        seconds: The age at which they are removed, or None.
    """

    path: str
    files: int | None = None
    seconds: float | None = None
    compress: bool = False


@dataclass(frozen=True, slots=True)
class Rotated:
    """A rotated file.

    Attributes:
        stamp: The time in its name.
        modified: When it was last written, in seconds since the epoch.
    """

    path: str
    stamp: str
    modified: float
    compressed: bool


@dataclass(frozen=True, slots=True)
class Archive:
    """All that a folder holds of one log file.

    Attributes:
        files: From the oldest to the newest.
        leftovers: Temporary files of a compression that never came to its end.
    """

    files: tuple[Rotated, ...]
    leftovers: tuple[str, ...]


def rotated_pattern(name: str) -> re.Pattern[str]:
    """Return what matches the names of a log file's rotated files, temporary ones included."""
    return re.compile(re.escape(name) + _STAMP + r"(\.gz(?:\.tmp)?)?\Z")


def archive_of(path: str) -> Archive:
    """Look for the rotated files of a log file.

    Raises:
        OSError: The folder cannot be read.
    """
    folder, name = os.path.split(path)
    pattern = rotated_pattern(name)
    files: list[Rotated] = []
    leftovers: list[str] = []
    try:
        names = os.listdir(folder or ".")
    except FileNotFoundError:
        names = []
    for found in filter(None, map(pattern.match, names)):
        place = os.path.join(folder, found[0])
        if found[2] == _TEMPORARY:
            leftovers.append(place)
            continue
        with suppress(FileNotFoundError):  # Somebody else removes files as well.
            modified = os.stat(place).st_mtime
            files.append(Rotated(place, found[1], modified, found[2] == _COMPRESSED))
    files.sort(key=lambda file: (file.stamp, file.compressed))
    return Archive(tuple(files), tuple(leftovers))


def outdated(files: Iterable[Rotated], keeping: Keeping, now: float) -> list[Rotated]:
    """Return the files that are too many or too old, given all from the oldest to the newest."""
    files = list(files)
    surplus = 0 if keeping.files is None else max(0, len(files) - keeping.files)
    oldest = -inf if keeping.seconds is None else now - keeping.seconds
    return [file for at, file in enumerate(files) if at < surplus or file.modified <= oldest]


def reserve(path: str, now: float) -> str:
    """Create an empty file under the name that a log file rotated now gets, and return its path.

    Raises:
        OSError: It cannot be created.
    """
    milliseconds = round(now * 1000)
    while True:
        seconds, part = divmod(milliseconds, 1000)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
        place = f"{path}.{stamp}.{part:03}Z"
        milliseconds += 1
        if os.path.lexists(place + _COMPRESSED):
            continue
        with suppress(FileExistsError):
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return place


def compress(path: str, *, stopping: Callable[[], bool]) -> bool:
    """Put a rotated file's compressed form in its place; return False if it was not to be.

    The compressed file has another name until it is complete and on the disk; mode, owner and time
    are those of the file.

    Args:
        stopping: Asked every few milliseconds whether to leave it.

    Raises:
        OSError: It cannot be done; the file is as it was.
    """
    import gzip

    temporary, target = path + _TEMPORARY, path + _COMPRESSED
    with open(path, "rb") as source:
        about = os.fstat(source.fileno())
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with (
                open(descriptor, "wb") as raw,
                gzip.GzipFile(
                    filename=os.path.basename(path),
                    mode="wb",
                    compresslevel=_LEVEL,
                    fileobj=raw,
                    mtime=int(about.st_mtime),
                ) as packed,
            ):
                while chunk := source.read(_CHUNK):
                    if stopping():
                        return False
                    packed.write(chunk)
                packed.close()
                take_over(about, descriptor)
                raw.flush()
                os.fsync(descriptor)
            if os.fstat(source.fileno()).st_size != about.st_size:
                return False  # Somebody still writes to it.
            os.utime(temporary, ns=(about.st_atime_ns, about.st_mtime_ns))
            os.replace(temporary, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
    os.unlink(path)
    return True


def take_over(about: os.stat_result, descriptor: int) -> None:
    """Give a new file the mode and, where that is possible, the owner of the one it follows."""
    if hasattr(os, "fchown"):
        with suppress(OSError):
            os.fchown(descriptor, about.st_uid, about.st_gid)
    if hasattr(os, "fchmod"):
        with suppress(OSError):
            os.fchmod(descriptor, about.st_mode & 0o7777)


class Archivist:
    """Compresses and removes rotated files, in a thread of its own.

    Args:
        say: Called, in the thread, with a line about what does not work; once a log file.
        clock: Seconds since the epoch, as files are stamped.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self._say = say
        self._clock = clock
        self._keeping: dict[str, Keeping] = {}
        self._due: dict[str, float] = {}
        self._said: set[str] = set()
        self._requests: SimpleQueue[Keeping | Callable[[], None] | None] = SimpleQueue()
        self._waiting: list[Callable[[], None]] = []
        self._stopping = False
        self._thread: threading.Thread | None = None

    def request(self, keeping: Keeping) -> None:
        """Have the rotated files of a log file looked after, now and when one becomes too old."""
        self._requests.put(keeping)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="devrun-archivist", daemon=True)
            self._thread.start()

    def when_done(self, done: Callable[[], None]) -> None:
        """Have ``done`` called, in the thread, when there is nothing left to be done now."""
        if self._thread is None:
            done()
            return
        self._requests.put(done)

    def close(self) -> None:
        """Remove what is to be removed and wait for the end; what is not compressed stays so.

        It is compressed when the log file is used again.
        """
        self._stopping = True
        self._requests.put(None)
        if self._thread is not None:
            self._thread.join()

    # -- in the thread ----------------------------------------------------------------------

    def _run(self) -> None:
        more = True
        while more:
            more = self._take_requests()
            now = self._clock()
            for path in [path for path, due in self._due.items() if due <= now]:
                self._due[path] = self._look_after(self._keeping[path])
            if min(self._due.values(), default=inf) > self._clock():
                for done in self._waiting:
                    done()
                self._waiting.clear()
        for done in self._waiting:
            done()

    def _take_requests(self) -> bool:
        """Wait for something to do, and take all requests; return False at the end."""
        wait = min(self._due.values(), default=inf) - self._clock()
        with suppress(Empty):
            request = self._requests.get(timeout=min(max(0.0, wait), _LONGEST_WAIT))
            while request is not None:
                self._take(request)
                request = self._requests.get_nowait()
            return False
        return True

    def _take(self, request: Keeping | Callable[[], None]) -> None:
        if isinstance(request, Keeping):
            self._keeping[request.path] = request
            self._due[request.path] = -inf
        else:
            self._waiting.append(request)

    def _look_after(self, keeping: Keeping) -> float:
        """Remove what is too much, compress one file, and return when to look again."""
        try:
            archive = archive_of(keeping.path)
            for leftover in archive.leftovers:
                _remove(leftover)
            return self._thin_out(archive.files, keeping)
        except OSError as error:
            if keeping.path not in self._said:
                self._said.add(keeping.path)
                self._say(f"cannot look after {keeping.path}'s rotated files: {error.strerror}")
            return self._clock() + _RETRY

    def _thin_out(self, files: tuple[Rotated, ...], keeping: Keeping) -> float:
        packed = {file.stamp for file in files if file.compressed}
        # Of what is there in both forms, the compressed one is complete: it was renamed.
        double = [file for file in files if not file.compressed and file.stamp in packed]
        kept = [file for file in files if file not in double]
        old = outdated(kept, keeping, self._clock())
        for file in (*double, *old):
            _remove(file.path)
        kept = [file for file in kept if file not in old]
        plain = [file for file in kept if not file.compressed]
        if keeping.compress and plain and not self._stopping:
            done = False
            with suppress(FileNotFoundError, FileExistsError):  # Another devrun's work.
                done = compress(plain[0].path, stopping=lambda: self._stopping)
            if not done and not self._stopping:
                return self._clock() + _RETRY
            if len(plain) > 1:
                return -inf
        if keeping.seconds is None:
            return inf
        return min((file.modified for file in kept), default=inf) + keeping.seconds


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
