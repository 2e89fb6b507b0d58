"""File changes as bursts: one watcher for the project, one report for a burst.

A burst is over after a quiet period that every change starts anew, up to a limit: one save is one
report, however often the file is written meanwhile, and a build that writes for seconds is one
report a second. What has changed is looked up once the burst is over, so that what came and went
within it leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import trio

from devrun.model import WatchRule, WatchSettings
from devrun.sources.watch_events import CannotWatch, KernelEvents, in_thread
from devrun.sources.watch_ignore import Sieve
from devrun.sources.watch_mounts import mounts, silent_file_system
from devrun.sources.watch_tree import Change, Hints, WatchTree

POLL = 0.25
POLL_SHARE = 10
"""Where there are no events, files are looked at four times a second; less often if it takes so
long that it would use more than a tenth of a CPU."""

CLOCK_STEP = 0.01
"""Seconds that a file's time may be behind the clock: kernels stamp files with a coarse one."""

EVERYWHERE = Hints(everywhere=True)

Burst = Mapping[int, Sequence[str]]
"""Changed paths of each service, relative to the project where they are inside it."""


async def watch(  # noqa: PLR0913 - seven, and the one that trio's nurseries add
    rules: Sequence[tuple[int, WatchRule]],
    settings: WatchSettings,
    *,
    root: str,
    publish: Callable[[Burst], None],
    notice: Callable[[str], None],
    since: float | None = None,
    own_files: Sequence[str] = (),
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Watch for ever; no change after the start of ``task_status`` is missed.

    Args:
        rules: Each with the index of the service that it restarts.
        root: Absolute path of the project's folder.
        publish: Called once a burst.
        notice: Called with a line about what is watched in another way, or not yet.
        since: Wall-clock time from which on no change is missed; services may have read their
            files before the watching began. None is now.
        own_files: Absolute paths of devrun's own files and folders; they never count.
    """
    tree = WatchTree(rules, Sieve(settings.ignore, root, own_files), root)
    watching = _Watching(tree, settings, root, notice)
    changes = await watching.begin(since)
    for source in dict.fromkeys(rule.source for _, rule in rules if rule.root in tree.missing):
        notice(f'--watch "{source}": nothing there yet, waiting for it')
    task_status.started()
    try:
        while True:
            burst = tree.by_service(await watching.burst(changes))
            changes = set()
            if burst:
                publish(burst)
    finally:
        watching.end()


class _Watching:
    """The state of one watching: with events, or without if they cannot be had."""

    def __init__(
        self,
        tree: WatchTree,
        settings: WatchSettings,
        project: str,
        notice: Callable[[str], None],
    ) -> None:
        self._tree = tree
        self._settings = settings
        self._notice = notice
        self._events: KernelEvents | None = KernelEvents(tree, project)
        self._scan_time = 0.0

    async def begin(self, since: float | None) -> set[Change]:
        """Take the first snapshot and watch; return what has been written since a time already."""
        await self._scan()
        if self._settings.poll:
            self._events = None
        elif kind := silent_file_system((path for path, _ in self._tree.places), mounts()):
            self._compare_times(f"{kind} does not tell of all changes")
        await self._settle()
        if since is None:
            return set()
        return self._tree.written_since(int((since - CLOCK_STEP) * 1e9))

    async def burst(self, changes: set[Change]) -> set[Change]:
        """Wait for changes, and for the quiet after them; return all of them.

        Args:
            changes: What is known to have changed already.
        """
        if self._events is None:
            return changes | await self._burst_of_times(begun=bool(changes))
        try:
            hints = await self._hints(self._events, begun=bool(changes))
        except CannotWatch as reason:
            self._compare_times(str(reason))
            hints = EVERYWHERE
        if hints.everywhere:
            return changes | await self._settle()
        return changes | await in_thread(lambda: self._tree.look(hints.files))

    def end(self) -> None:
        """Let go of what the system has lent."""
        if self._events is not None:
            self._events.close()

    async def _hints(self, events: KernelEvents, *, begun: bool) -> Hints:
        """Collect where to look, from the first change to the quiet after the last one.

        Raises:
            CannotWatch: There will be no more events.
        """
        hints = Hints()
        while not (hints or begun):
            hints = await events.next(None) if events.complete else EVERYWHERE
        first = last = trio.current_time()
        while events.alive:
            end = min(last + self._settings.quiet, first + self._settings.longest)
            left = end - trio.current_time()
            if left <= 0:
                return hints
            if more := await events.next(left):
                hints |= more
                last = trio.current_time()
        return EVERYWHERE

    async def _settle(self) -> set[Change]:
        """Compare everything, and watch the folders that there are.

        Files may have been born in a new folder before it was watched, so everything is compared
        again after that, until no more folders turn up.
        """
        give_up = trio.current_time() + self._settings.longest
        changes = await self._scan()
        try:
            while self._events is not None and not self._events.complete:
                if trio.current_time() > give_up:
                    break  # Folders come and go all the time: say what is known, then go on.
                await self._events.renew()
                changes |= await self._scan()
        except CannotWatch as reason:
            self._compare_times(str(reason))
        return changes

    async def _burst_of_times(self, *, begun: bool) -> set[Change]:
        changes: set[Change] = set()
        while not (changes or begun):
            await trio.sleep(max(POLL, POLL_SHARE * self._scan_time))
            changes = await self._scan()
        over = trio.current_time() + self._settings.longest
        while trio.current_time() < over:
            await trio.sleep(max(self._settings.quiet, self._scan_time))
            more = await self._scan()
            if not more:
                break
            changes |= more
        return changes

    async def _scan(self) -> set[Change]:
        began = trio.current_time()
        changes = await in_thread(self._tree.scan)
        self._scan_time = trio.current_time() - began
        return changes

    def _compare_times(self, reason: str) -> None:
        self.end()
        self._events = None
        self._notice(f"watching by comparing file times: {reason}")
