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

import trio
from watchfiles._rust_notify import RustNotify

from devrun.model import WatchRule, WatchSettings
from devrun.sources.watch_tree import Stamp, WatchTree, changes, stamp_of

STEP_MS = 20
"""Milliseconds between two looks of the watcher's thread at what the kernel reported."""

POLL_MS = 200
"""Milliseconds between two looks at the files where the kernel cannot say."""

_NO_EVENTS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "vboxsf", "drvfs", "prl_fs", "virtiofs")
"""File systems on which changes made elsewhere are not reported (inotify(7), and fuse)."""

Burst = Mapping[int, Sequence[str]]
"""Changed paths of each service, relative to the project where they are inside it."""


async def watch(
    rules: Sequence[tuple[int, WatchRule]],
    settings: WatchSettings,
    *,
    root: str,
    publish: Callable[[Burst], None],
    notice: Callable[[str], None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Watch for ever; what changes after ``task_status`` has started is not missed.

    Args:
        rules: Each with the index of the service that it restarts.
        publish: Called once a burst.
        notice: Called with a line if watching has to be done in another way.
    """
    watcher = _Watcher(rules, settings, root, notice)
    await watcher.renew()
    task_status.started()
    while True:
        burst = watcher.services_of(await watcher.burst())
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
        if not self._poll and (kind := _file_system_without_events(self._tree.folders())):
            self._poll = True
            notice(f"watching by looking at file times: {kind} does not report changes")

    async def burst(self) -> set[str]:
        """Wait for changes, and for the quiet after them; return the files concerned."""
        changed: set[str] = set()
        first_at = 0.0
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
            if self._tree.folders() == self._folders:
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
        deadline = trio.current_time() + limit if limit is not None else None
        while True:
            left = None if deadline is None else deadline - trio.current_time()
            if left is not None and left <= 0:
                return set()
            try:
                events = await self._events(left)
            except (OSError, RuntimeError, ValueError):
                # A name that is no UTF-8, a folder that went away: begin anew and compare.
                return await self.renew()
            if events is None:
                return set()
            changed = self._changed(events)
            if any(self._is_about_folders(path) for path in events):
                changed |= await self.renew()
            if changed:
                return changed

    async def _events(self, limit: float | None) -> set[str] | None:
        """Return the paths that the backend reports, or None after ``limit`` seconds."""
        if self._backend is None:
            return await self.renew()
        stop = threading.Event()
        # 0 is "no limit" to the backend, so the shortest limit is a millisecond.
        milliseconds = 0 if limit is None else max(1, round(limit * 1000))
        try:
            result = await trio.to_thread.run_sync(
                self._backend.watch, 1600, STEP_MS, milliseconds, stop, abandon_on_cancel=True
            )
        finally:
            stop.set()
        return None if isinstance(result, str) else {path for _, path in result}

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

    def _new_backend(self) -> RustNotify:
        try:
            return self._make(poll=self._poll)
        except OSError as error:
            if self._poll:
                raise
            self._poll = True
            self._notice(
                f"watching by looking at file times: {error}; {len(self._folders)} folders are "
                "more than fs.inotify.max_user_watches allows"
            )
            return self._make(poll=True)

    def _make(self, *, poll: bool) -> RustNotify:
        return RustNotify(
            self._folders,
            False,  # noqa: FBT003 - debug
            poll,
            POLL_MS,
            False,  # noqa: FBT003 - recursive
            True,  # noqa: FBT003 - ignore_permission_denied
        )

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
