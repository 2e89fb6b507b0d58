"""The kernel's file events, through watchfiles' backend in a thread of its own.

watchfiles' ``awatch`` holds up a cancellation for seconds, as it cannot abandon its thread, and its
debounce counts distinct changes, so that a file written for half a second is many bursts. So only
its ``RustNotify`` is used: it collects what inotify, FSEvents or ReadDirectoryChangesW say.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

import trio
from watchfiles._rust_notify import RustNotify

from devrun.sources.watch_bursts import MANY_EVENTS, Hints
from devrun.sources.watch_tree import Place, WatchTree, biggest

IDLE_STEP_MS = 10
BURST_STEP_MS = 5
"""Milliseconds between two looks of the backend's thread at what has been collected, and so its
wake-ups; it returns at the second one. Idle, 10 ms are 100 wake-ups a second and 0.3 % of a CPU;
5 ms would be twice that, for 7 ms less between a save and a restart."""

DELETED = 3
"""``watchfiles.Change.deleted``: a file or folder, or the watched folder itself, is not there."""

MOST_FAILURES = 10
FAILURE_WINDOW = 10.0
"""As many failures within as many seconds, and file times are compared instead."""

Result = TypeVar("Result")


class CannotWatch(Exception):  # noqa: N818 - a condition with another way out
    """The kernel's events cannot be had; the message says why, and what to do."""


FAILURES = (OSError, RuntimeError, ValueError)
"""What the backend raises: a folder that is gone again, a limit of the system, a name that is not
UTF-8 (its handler cannot take one, and cannot be used afterwards), an error of its own."""


class KernelEvents:
    """One backend that watches the folders of a tree, each by itself.

    Args:
        project: Absolute path of the project's folder, for messages.
    """

    def __init__(self, tree: WatchTree, project: str) -> None:
        self._tree = tree
        self._project = project
        self._backend: RustNotify | None = None
        self._places: frozenset[Place] = frozenset()
        self._failed_at: deque[float] = deque(maxlen=MOST_FAILURES)
        self._stop = threading.Event()

    @property
    def alive(self) -> bool:
        """Events are being collected."""
        return self._backend is not None

    @property
    def complete(self) -> bool:
        """All folders of the tree's last scan are watched."""
        return self._backend is not None and self._tree.places <= self._places

    async def next(self, limit: float | None) -> Hints:
        """Wait for events; return where they say to look, or nothing after ``limit`` seconds.

        Raises:
            CannotWatch: The backend keeps failing.
        """
        try:
            return await in_thread(lambda: self._collect(limit))
        except FAILURES as error:
            self._backend = None
            self._count(error)
            return Hints(everywhere=True)

    async def renew(self) -> None:
        """Watch the folders that there are now; what has happened before has to be looked for.

        Raises:
            CannotWatch: The system does not allow it.
        """
        places = self._tree.places
        try:
            backend = await in_thread(lambda: _backend(places))
        except FileNotFoundError as error:
            self._backend = None  # One of the folders is gone again.
            self._count(error)
        except FAILURES as error:
            raise CannotWatch(why_not(error, places, self._project)) from error
        else:
            self._backend, self._places = backend, places

    def close(self) -> None:
        """Let go of the backend, and of a thread that still waits for it."""
        self._stop.set()
        self._backend = None

    def _collect(self, limit: float | None) -> Hints:
        if self._backend is None:
            return Hints(everywhere=True)
        # No limit is 0 to the backend, so that the shortest one is a millisecond.
        step, timeout = IDLE_STEP_MS, 0
        if limit is not None:
            step, timeout = BURST_STEP_MS, max(1, round(limit * 1000))
        result = self._backend.watch(step, step, timeout, self._stop)
        if isinstance(result, str):
            return Hints()
        self._forget(result)
        return self._tree.hints([path for _, path in result])

    def _forget(self, events: Collection[tuple[int, str]]) -> None:
        """Take note of folders that are not watched any more.

        A folder that is made anew often gets the inode of the one deleted before it, so that it
        cannot be told by that.
        """
        gone = {path for kind, path in events if kind == DELETED}
        if len(events) >= MANY_EVENTS:
            self._places = frozenset()  # Some may have been lost, and any folder with them.
        elif gone:
            self._places = frozenset(place for place in self._places if place[0] not in gone)

    def _count(self, error: Exception) -> None:
        now = trio.current_time()
        self._failed_at.append(now)
        if len(self._failed_at) == MOST_FAILURES and now - self._failed_at[0] < FAILURE_WINDOW:
            raise CannotWatch(f"file events keep failing ({error})") from error


async def in_thread(work: Callable[[], Result]) -> Result:
    """Run ``work`` in a thread that a cancellation leaves behind: it ends by itself, soon."""
    return await trio.to_thread.run_sync(work, abandon_on_cancel=True)


def why_not(error: Exception, places: Iterable[Place], project: str) -> str:
    """Say why folders cannot be watched, and what would help.

    Args:
        error: What the backend has raised.
    """
    text = str(error)
    if "limit reached" in text:
        parts = ", ".join(f"{part} ({size})" for part, size in biggest(places, project))
        return (
            "there are more folders than fs.inotify.max_user_watches allows, most of them in "
            f"{parts}; leave some out with --watch-ignore, or raise the limit with sysctl"
        )
    if "Too many open files" in text:
        return "no more watchers: see fs.inotify.max_user_instances (sysctl) and ulimit -n"
    if isinstance(error, UnicodeError):
        return "a folder's name is not UTF-8"
    return text


def _backend(places: Iterable[Place]) -> RustNotify:
    return RustNotify(
        [path for path, _ in places],
        False,  # noqa: FBT003 - debug
        False,  # noqa: FBT003 - force_polling
        0,  # poll_delay_ms
        False,  # noqa: FBT003 - recursive
        # ignore_permission_denied: it would also pass over the limit of watches in silence.
        False,  # noqa: FBT003
    )
