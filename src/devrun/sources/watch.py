"""File changes as bursts: one watcher for the project, one report for a burst.

The kernel's events only say where to look; ``watch_tree`` says what changed. A burst is over after
a quiet period that every change starts anew, up to a limit: one save is one report, however often
the file is written meanwhile. (watchfiles' own debounce looks at the number of distinct changes, so
one file written for half a second would be many reports.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from math import inf

import trio
from watchfiles._rust_notify import RustNotify

from devrun.model import WatchRule, WatchSettings
from devrun.sources.watch_tree import Stamp, WatchTree, changes, stamp_of

STEP_MS = 20
"""Milliseconds between two looks of the watcher's thread at what the kernel reported."""

CLOCK_STEP = 0.01
"""Seconds that a file's time may be behind the clock: kernels stamp files with a coarse one."""

POLL = 0.2
"""Seconds between two looks at the files where the kernel cannot say. (watchfiles' own polling
compares whole seconds, so that a second save within one would be missed.)"""

_NO_EVENTS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "vboxsf", "drvfs", "prl_fs", "virtiofs")
"""File systems on which changes made elsewhere are not reported (inotify(7), and fuse)."""

Burst = Mapping[int, Sequence[str]]
"""Changed paths of each service, relative to the project where they are inside it."""


async def watch(
    rules: Sequence[tuple[int, WatchRule]],
    settings: WatchSettings,
    *,
    root: str,
    since: float,
    publish: Callable[[Burst], None],
    notice: Callable[[str], None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Watch for ever.

    Args:
        rules: Each with the index of the service that it restarts.
        since: Wall-clock time from which on no change is missed; services may have read their
            files before the watching began.
        publish: Called once a burst.
        notice: Called with a line if watching has to be done in another way.
    """
    watcher = _Watcher(rules, settings, root, notice)
    changed = await watcher.begin(since)
    task_status.started()
    while True:
        burst = watcher.services_of(await watcher.burst(changed))
        changed = set()
        if burst:
            publish(burst)


class _Watcher:
    def __init__(
        self,
        rules: Sequence[tuple[int, WatchRule]],
        settings: WatchSettings,
        root: str,
        notice: Callable[[str], None],
    ) -> None:
        self._tree = WatchTree(rules, settings.ignore, root)
        self._settings = settings
        self._root = root
        self._notice = notice
        self._folders: list[str] = []
        self._stamps: dict[str, Stamp] = {}
        self._backend: RustNotify | None = None
        self._poll = settings.poll
        self._look_takes = 0.0
        if not self._poll and (kind := _file_system_without_events(self._tree.folders())):
            self._poll = True
            notice(f"watching by looking at file times: {kind} does not report changes")

    async def begin(self, since: float) -> set[str]:
        """Begin to watch; return what has changed since a time already."""
        await self.renew()
        earliest = int((since - CLOCK_STEP) * 1e9)
        return {path for path, stamp in self._stamps.items() if stamp[0] >= earliest}

    async def burst(self, changed: set[str]) -> set[str]:
        """Wait for changes, and for the quiet after them; return the files concerned.

        Args:
            changed: What is known to have changed already.
        """
        first_at = trio.current_time()
        while True:
            limit = self._settings.quiet if changed else None
            fresh = await self._next(limit)
            now = trio.current_time()
            if not changed:
                first_at = now
            changed |= fresh
            over = not fresh or now - first_at >= self._settings.longest
            if changed and over:
                return changed

    async def renew(self) -> set[str]:
        """Watch the folders that there are now; return what changed unseen meanwhile."""
        before = self._stamps
        while True:
            self._folders = self._tree.folders()
            self._backend = self._new_backend()
            self._stamps = await trio.to_thread.run_sync(self._tree.snapshot)
            unchanged = self._tree.folders() == self._folders
            if unchanged and (self._poll or self._backend is not None):
                return changes(before, self._stamps)

    def services_of(self, paths: set[str]) -> dict[int, list[str]]:
        """Return which services the files belong to."""
        found: dict[int, list[str]] = {}
        for path in sorted(paths):
            for index in self._tree.services_for(path):
                found.setdefault(index, []).append(self._shown(path))
        return found

    async def _next(self, limit: float | None) -> set[str]:
        """Return files that really changed; nothing once ``limit`` seconds have passed."""
        deadline = inf if limit is None else trio.current_time() + limit
        while (left := deadline - trio.current_time()) > 0:
            if self._poll:
                changed = await self._look_again(left)
            else:
                changed = await self._hear(left)
            if changed:
                return changed
        return set()

    async def _look_again(self, left: float) -> set[str]:
        """Wait a while, never so short that looking takes a tenth of the time, and compare."""
        await trio.sleep(min(left, max(POLL, 10 * self._look_takes)))
        began = trio.current_time()
        changed = await self.renew()
        self._look_takes = trio.current_time() - began
        return changed

    async def _hear(self, left: float) -> set[str]:
        """Wait for the kernel's events; return what they amount to."""
        try:
            events = await self._events(left)
        except (OSError, RuntimeError, ValueError):
            # A name that is no UTF-8, a folder that went away: begin anew and compare.
            return await self.renew()
        changed = self._changed(events)
        if any(self._is_about_folders(path) for path in events):
            changed |= await self.renew()
        return changed

    async def _events(self, limit: float) -> set[str]:
        """Return the paths that the kernel reports; nothing after ``limit`` seconds."""
        if self._backend is None:
            return await self.renew()
        stop = threading.Event()
        # 0 is "no limit" to the backend, so the shortest limit is a millisecond.
        milliseconds = 0 if limit == inf else max(1, round(limit * 1000))
        try:
            result = await trio.to_thread.run_sync(
                self._backend.watch, 1600, STEP_MS, milliseconds, stop, abandon_on_cancel=True
            )
        finally:
            stop.set()
        return set() if isinstance(result, str) else {path for _, path in result}

    def _changed(self, paths: set[str]) -> set[str]:
        """Return the paths that count and are not as they were."""
        changed: set[str] = set()
        for path in paths:
            if not self._tree.services_for(path):
                continue
            stamp = stamp_of(path)
            if stamp == self._stamps.get(path):
                continue
            changed.add(path)
            if stamp is None:
                self._stamps.pop(path, None)
            else:
                self._stamps[path] = stamp
        return changed

    def _is_about_folders(self, path: str) -> bool:
        name = os.path.basename(path)
        return path in self._folders or name == ".gitignore" or os.path.isdir(path)

    def _new_backend(self) -> RustNotify | None:
        if self._poll:
            return None
        try:
            return RustNotify(
                self._folders,
                False,  # noqa: FBT003 - debug
                False,  # noqa: FBT003 - force_polling
                0,
                False,  # noqa: FBT003 - recursive
                True,  # noqa: FBT003 - ignore_permission_denied
            )
        except FileNotFoundError:
            return None  # A folder has gone since it was listed; the caller looks again.
        except OSError as error:
            self._poll = True
            self._notice(
                f"watching by looking at file times: {error}; {len(self._folders)} folders are "
                "more than fs.inotify.max_user_watches allows"
            )
            return None

    def _shown(self, path: str) -> str:
        relative = os.path.relpath(path, self._root)
        return path if relative.startswith("..") else relative


def _file_system_without_events(folders: Sequence[str]) -> str | None:
    """Return the type of a file system that reports no changes, if a folder lies on one."""
    mounts: dict[str, str] = {}
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                mounts[fields[4]] = fields[fields.index("-") + 1]
    except (OSError, ValueError):
        return None
    for folder in folders:
        kind = mounts.get(_mount_point(folder, mounts), "")
        if kind in _NO_EVENTS or kind.startswith("fuse."):
            return kind
    return None


def _mount_point(path: str, mounts: Mapping[str, str]) -> str:
    while path not in mounts and path != "/":
        path = os.path.dirname(path)
    return path
