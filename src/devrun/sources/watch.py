"""File changes as bursts: one watcher for the project, one report for a burst.

A burst is over after a quiet period that every change starts anew, up to a limit: one save is one
report, however often the file is written meanwhile, and a build that writes for seconds is one
report a second. Services that wait for another time have bursts of their own (``watch_bursts``).
What has changed is looked up once the burst is over, so that what came and went within it leaves no
trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import trio

from devrun.model import WatchSettings
from devrun.sources.watch_bursts import EVERYWHERE, Burst, Bursts, Change
from devrun.sources.watch_events import CannotWatch, KernelEvents, in_thread
from devrun.sources.watch_mounts import mounts, silent_file_system
from devrun.sources.watch_tree import Watched, WatchTree

POLL = 0.25
POLL_SHARE = 10
"""Where there are no events, files are looked at four times a second; less often if it takes so
long that it would use more than a tenth of a CPU."""

CLOCK_STEP = 0.01
"""Seconds that a file's time may be behind the clock: kernels stamp files with a coarse one."""

GIVE_UP = WatchSettings().longest
"""Seconds after which what is known is reported, though folders come and go all the time."""

Report = Mapping[int, Sequence[str]]
"""Changed paths of each service, relative to the project where they are inside it."""


async def watch(
    rules: Sequence[Watched],
    *,
    root: str,
    publish: Callable[[Report], None],
    notice: Callable[[str], None],
    since: float | None = None,
    own_files: Sequence[str] = (),
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Watch for ever; no change after the start of ``task_status`` is missed.

    Args:
        rules: What is watched, for whom, and how.
        root: Absolute path of the project's folder.
        publish: Called once a burst.
        notice: Called with a line about what is watched in another way, or not yet.
        since: Wall-clock time from which on no change is missed; services may have read their
            files before the watching began. None is now.
        own_files: Absolute paths of devrun's own files and folders; they never count.
    """
    tree = WatchTree(rules, root, own_files)
    poll = any(each.settings.poll for each in rules)
    watching = _Watching(tree, root, notice, poll=poll)
    await watching.begin(since)
    missing = [
        each.rule.place or f'--watch "{each.rule.source}"'
        for each in rules
        if each.rule.root in tree.missing
    ]
    for place in dict.fromkeys(missing):
        notice(f"{place}: nothing there yet, waiting for it")
    task_status.started()
    try:
        while True:
            report = tree.by_service(await watching.changes())
            if report:
                publish(report)
    finally:
        watching.end()


class _Watching:
    """The state of one watching: with events, or without if they cannot be had.

    Args:
        poll: Events are not asked for.
    """

    def __init__(
        self, tree: WatchTree, project: str, notice: Callable[[str], None], *, poll: bool
    ) -> None:
        self._tree = tree
        self._notice = notice
        self._bursts = Bursts(tree.paces)
        self._events: KernelEvents | None = None if poll else KernelEvents(tree, project)
        self._scan_time = 0.0

    async def begin(self, since: float | None) -> None:
        """Take the first snapshot and watch; what has been written since a time has changed."""
        await self._scan()
        if self._events is not None and (
            kind := silent_file_system((path for path, _ in self._tree.places), mounts())
        ):
            self._compare_times(f"{kind} does not tell of all changes")
        await self._settle()
        if since is not None:
            written = self._tree.written_since(int((since - CLOCK_STEP) * 1e9))
            self._bursts.compared(written, trio.current_time())

    async def changes(self) -> set[Change]:
        """Wait until a burst is over; return what has changed in it, which may be nothing."""
        while True:
            if self._events is None:
                await self._wait_by_times()
            elif not await self._wait_for_events(self._events):
                return await self._found(self._bursts.all())
            if ended := self._bursts.over(trio.current_time()):
                return await self._found(ended)

    def end(self) -> None:
        """Let go of what the system has lent."""
        if self._events is not None:
            self._events.close()

    async def _wait_for_events(self, events: KernelEvents) -> bool:
        """Wait for events, or the end of a burst; return False if all is to be compared now."""
        end = self._bursts.next_end
        if end is None and not events.complete:
            self._bursts.hinted(EVERYWHERE, trio.current_time())
            return True
        left = None if end is None else end - trio.current_time()
        try:
            if left is None or left > 0:
                hints = await events.next(left)
                self._bursts.hinted(hints, trio.current_time())
        except CannotWatch as reason:
            self._compare_times(str(reason))
        if events.alive:
            return True
        self._bursts.hinted(EVERYWHERE, trio.current_time())
        return False

    async def _wait_by_times(self) -> None:
        """Look at everything after a while; as soon as a burst may be over, if there is one."""
        wait = max(POLL, POLL_SHARE * self._scan_time)
        if (end := self._bursts.next_end) is not None:
            wait = max(min(wait, end - trio.current_time()), self._scan_time)
        await trio.sleep(wait)
        changes = await self._scan()
        self._bursts.compared(changes, trio.current_time())

    async def _found(self, ended: Sequence[Burst]) -> set[Change]:
        """Return what has changed in bursts that are over; of the others it is remembered."""
        known = {change for burst in ended for change in burst.changes}
        if any(burst.hints.everywhere for burst in ended):
            changes = await self._settle()
            own = self._bursts.of(ended, changes)
            self._bursts.compared(changes - own, trio.current_time())
            return known | own
        files = {change for burst in ended for change in burst.hints.files}
        return known | await in_thread(lambda: self._tree.look(files))

    async def _settle(self) -> set[Change]:
        """Compare everything, and watch the folders that there are.

        Files may have been born in a new folder before it was watched, so everything is compared
        again after that, until no more folders turn up.
        """
        give_up = trio.current_time() + GIVE_UP
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

    async def _scan(self) -> set[Change]:
        began = trio.current_time()
        changes = await in_thread(self._tree.scan)
        self._scan_time = trio.current_time() - began
        return changes

    def _compare_times(self, reason: str) -> None:
        self.end()
        self._events = None
        self._notice(f"watching by comparing file times: {reason}")
