"""All that a project watches: which folders to ask the kernel about, and what its answers mean.

The kernel's events only say where to look; what has changed is told by comparing with a snapshot.
That makes the same code serve where there are no events, and where some have been lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from devrun.model import WatchRule, WatchSettings
from devrun.sources.watch_bursts import MANY_EVENTS, Change, Hints, Pace
from devrun.sources.watch_ignore import MARKERS, Sieve, with_separator
from devrun.sources.watch_root import Identity, WatchedRoot, identity_of

Place = tuple[str, Identity]
"""A folder to be watched by itself: its path without symbolic links, and which one it is."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule with whom it is for.

    Attributes:
        service: Index of the service that it restarts.
        settings: What holds for the watching of that service.
    """

    service: int
    rule: WatchRule
    settings: WatchSettings


class WatchTree:
    """What the rules of a project watch.

    Args:
        rules: What is watched. Services share a root if the same is left out for both, and if they
            wait equally long.
        project: Absolute path of the project's folder.
        own_files: Absolute paths of devrun's own files and folders; they never count.
    """

    def __init__(
        self, rules: Sequence[Watched], project: str, own_files: Sequence[str] = ()
    ) -> None:
        by_root: dict[tuple[str, tuple[str, ...], Pace], list[tuple[int, str | None]]] = {}
        for each in rules:
            settings = each.settings
            key = (each.rule.root, settings.ignore, Pace(settings.quiet, settings.longest))
            by_root.setdefault(key, []).append((each.service, each.rule.pattern))
        sieves = {ignore: Sieve(ignore, project, own_files) for _, ignore, _ in by_root}
        self._roots = [
            WatchedRoot(root, patterns, sieves[ignore])
            for (root, ignore, _), patterns in by_root.items()
        ]
        self.paces = tuple(pace for _, _, pace in by_root)
        self._project = project
        self._places: dict[str, Identity] = {}
        self._all_places: frozenset[Place] = frozenset()
        self._written: dict[str, set[str]] = {}
        self._links: dict[str, set[str]] = {}

    @property
    def places(self) -> frozenset[Place]:
        """The folders to be watched, each by itself, as of the last scan."""
        return self._all_places

    @property
    def missing(self) -> set[str]:
        """The roots that do not exist."""
        return {root.path for root in self._roots if not os.path.exists(root.path)}

    def scan(self) -> set[Change]:
        """Look at everything; return the files that changed since the last look."""
        changed = {(n, path) for n, root in enumerate(self._roots) for path in root.scan()}
        self._find_places()
        return changed

    def look(self, files: Iterable[Change]) -> set[Change]:
        """Look at some files; return those that changed since the last look."""
        return {(n, path) for n, path in files if self._roots[n].look(path)}

    def written_since(self, nanoseconds: int) -> set[Change]:
        """Return the files that were written at a wall-clock time or later."""
        return {
            (n, path)
            for n, root in enumerate(self._roots)
            for path, stamp in root.snapshot.files.items()
            if stamp[0] >= nanoseconds
        }

    def hints(self, events: Sequence[str]) -> Hints:
        """Return where to look, given the paths that the kernel named.

        Only what counts leaves a trace, so that a log file in the same folder does not keep a
        burst from being over.
        """
        files: set[Change] = set()
        everywhere = len(events) >= MANY_EVENTS
        for event in events:
            if everywhere:
                break  # That includes what the others would say.
            everywhere = self._is_about_folders(event)
            for path in self._names_of(event):
                files.update((n, path) for n, root in enumerate(self._roots) if root.counts(path))
        return Hints(frozenset(files), everywhere, len(events))

    def by_service(self, changes: Iterable[Change]) -> dict[int, list[str]]:
        """Return the changed files of each service, as people call them, in order."""
        found: dict[int, set[str]] = {}
        for n, path in changes:
            for service in self._roots[n].services_for(path):
                found.setdefault(service, set()).add(self._shown(path))
        return {service: sorted(found[service]) for service in sorted(found)}

    def _find_places(self) -> None:
        """Collect the folders to be watched, and how to tell what their events are about."""
        self._places, self._written, self._links = {}, {}, {}
        for root in self._roots:
            for path, folder in root.snapshot.folders.items():
                self._add_place(path, folder.real, folder.identity)
            for folder_path in self._around(root):
                self._add_place(folder_path, os.path.realpath(folder_path))
            for link, target in root.snapshot.links.items():
                self._links.setdefault(target, set()).add(link)
                folder_path = os.path.dirname(target)
                self._add_place(folder_path, folder_path)
        self._all_places = frozenset(self._places.items())

    def _add_place(self, written: str, real: str, identity: Identity | None = None) -> None:
        if identity is None:
            identity = identity_of(real)
            if identity is None or not os.access(real, os.R_OK):
                return  # As in inotify_add_watch(2): EACCES.
        self._places[real] = identity
        self._written.setdefault(real, set()).add(written)

    def _around(self, root: WatchedRoot) -> list[str]:
        """Return folders around a root: where it will appear, and those of the project above it.

        They tell of a root that is deleted, moved or made again, and of ``.gitignore`` files.
        """
        folders = []
        path = root.path
        if not root.snapshot.folders or os.path.islink(path):
            path = os.path.dirname(path)
            while not os.path.isdir(path) and path != os.path.dirname(path):
                path = os.path.dirname(path)
            folders.append(path)
        inside = with_separator(self._project)
        while path.startswith(inside):
            path = os.path.dirname(path)
            folders.append(path)
        return folders

    def _is_about_folders(self, event: str) -> bool:
        if event in self._places or os.path.basename(event) in MARKERS:
            return True
        names = self._names_of(event)
        return any(root.leads_elsewhere(path) for path in names for root in self._roots)

    def _names_of(self, event: str) -> set[str]:
        """Return the paths by which the rules know what the kernel names by its real path."""
        folder, name = os.path.split(event)
        names = {os.path.join(written, name) for written in self._written.get(folder, ())}
        return names | self._links.get(event, set())

    def _shown(self, path: str) -> str:
        inside = with_separator(self._project)
        # Names need not be UTF-8; what is shown has to be.
        return os.fsencode(path.removeprefix(inside)).decode(errors="replace")


def biggest(places: Iterable[Place], project: str, most: int = 3) -> list[tuple[str, int]]:
    """Return the parts of a project that hold most of the watched folders, with their number."""
    sizes: dict[str, int] = {}
    inside = with_separator(project)
    for path, _ in places:
        part = path.removeprefix(inside).split(os.sep, 1)[0] if path.startswith(inside) else path
        sizes[part] = sizes.get(part, 0) + 1
    sizes.pop(project, None)
    return sorted(sizes.items(), key=lambda size: (-size[1], size[0]))[:most]
