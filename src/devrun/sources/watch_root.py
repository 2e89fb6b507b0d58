"""One watched file or folder: what of it counts, and what has changed since the last look.

A change is a difference of modification time, size or inode. So reading a file, ``chmod`` and
``chown`` are none; ``touch`` is one, because people use it to say "again". An editor that writes a
copy and renames it, or that moves the old file away first, changes one file, once.

Links to files are followed, wherever they lead. Links to folders are not, but for the one that a
rule names: they may lead in circles.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import time_ns

from pathspec import GitIgnoreSpec

from devrun.sources.watch_ignore import CACHE_MARKERS, IgnoreFiles, Sieve, enter, with_separator

Stamp = tuple[int, int, int]
"""Modification time in ns, size, inode: equal as long as a file has not been written."""

Identity = tuple[int, int]
"""Device and inode: tells a folder from another one of the same name."""

COARSE = 1_000_000_000
TOO_RECENT = 2_000_000_000
"""Nanoseconds. Some file systems keep whole seconds (HFS+, NFS 2) or two (FAT): there a file may
have been written twice within one modification time."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is watched.

    Attributes:
        real: Its path without symbolic links.
        ignore_files: What holds in it; None where ``.gitignore`` files do not count.
    """

    real: str
    identity: Identity
    ignore_files: IgnoreFiles | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is there.

    Attributes:
        folders: By path.
        files: Those that count, by path.
        links: Those of ``files`` that are symbolic links, with what they lead to.
    """

    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


class WatchedRoot:
    """What the rules with one root watch.

    Args:
        path: Absolute path of a file or folder; it need not exist.
        patterns: The services that are concerned, each with a gitignore-style pattern relative to
            ``path``, or None for everything.
    """

    def __init__(self, path: str, patterns: Iterable[tuple[int, str | None]], sieve: Sieve) -> None:
        self.path = path
        self.snapshot = Snapshot()
        self._inside = with_separator(path)
        self._sieve = sieve
        self._patterns = [
            (service, None if pattern is None else GitIgnoreSpec.from_lines([pattern]))
            for service, pattern in patterns
        ]

    def scan(self) -> set[str]:
        """Look at everything; return the files that were added, written or removed."""
        before, after = self.snapshot.files, self._take_snapshot()
        self.snapshot = after
        changed = {path for path, stamp in after.files.items() if before.get(path) != stamp}
        gone = before.keys() - after.files.keys()
        # A file that is left out from now on has not changed.
        return changed | {path for path in gone if not os.path.lexists(path)}

    def look(self, path: str) -> bool:
        """Look at one file of which an event has been reported; tell whether it has changed."""
        before, after = self.snapshot.files.get(path), stamp_of(path)
        if after is None:
            self.snapshot.files.pop(path, None)
            return before is not None
        self.snapshot.files[path] = after
        return before != after or _may_have_changed_since(after)

    def services_for(self, path: str) -> Iterator[int]:
        """Yield the services that a change of this file concerns."""
        relative = path[len(self._inside) :]
        for service, pattern in self._patterns:
            if pattern is None or (relative and pattern.match_file(relative)):
                yield service

    def counts(self, path: str) -> bool:
        """Tell whether a file counts, if it is one."""
        if path == self.path:
            return self._names_a_file() and not self._sieve.leaves_out_named(path)
        folder = self.snapshot.folders.get(os.path.dirname(path))
        if folder is None or next(self.services_for(path), None) is None:
            return False
        return not self._sieve.leaves_out(path, folder.ignore_files)

    def leads_elsewhere(self, path: str) -> bool:
        """Tell whether folders have come or gone at ``path``, so that all has to be looked at."""
        if path == self.path and self.snapshot.folders:
            return True
        if self._inside.startswith(with_separator(path)) and path != self.path:
            return True  # A folder around the root has come or gone.
        around = self.snapshot.folders.get(os.path.dirname(path))
        if around is None and path != self.path:
            return False
        if os.path.islink(path) and self.snapshot.links.get(path) != os.path.realpath(path):
            return not self._leaves_out(path, around, is_folder=False)
        return os.path.isdir(path) and not self._leaves_out(path, around, is_folder=True)

    def _leaves_out(self, path: str, around: Folder | None, *, is_folder: bool) -> bool:
        if around is None:
            return False
        return self._sieve.leaves_out(path, around.ignore_files, is_folder=is_folder)

    def _names_a_file(self) -> bool:
        return any(pattern is None for _, pattern in self._patterns)

    def _take_snapshot(self) -> Snapshot:
        taken = Snapshot()
        if not os.path.isdir(self.path):
            if self.counts(self.path):
                _add_file(taken, self.path, is_link=os.path.islink(self.path))
            return taken
        real = os.path.realpath(self.path)
        pending = [(self.path, real, self._sieve.ignore_files_above(self.path))]
        while pending:
            path, real, around = pending.pop()
            identity = identity_of(path)
            entries = _entries(path)
            if identity is None or entries is None:
                continue  # Gone again, or not ours to read, so that it cannot be watched either.
            names = {entry.name for entry in entries}
            if path != self.path and not CACHE_MARKERS.isdisjoint(names):
                continue
            holds_more = around is not None and ".gitignore" in names
            within = enter(path, around) if around is not None and holds_more else around
            taken.folders[path] = Folder(real, identity, within)
            pending += self._sort(entries, taken, real, within)
        return taken

    def _sort(
        self,
        entries: Iterable[os.DirEntry[str]],
        taken: Snapshot,
        real: str,
        ignore_files: IgnoreFiles | None,
    ) -> Iterator[tuple[str, str, IgnoreFiles | None]]:
        """Add the files that count, and yield the folders to be entered."""
        for entry in entries:
            path = entry.path
            is_folder = _is_folder(entry)
            if not is_folder and next(self.services_for(path), None) is None:
                continue
            if self._sieve.leaves_out(path, ignore_files, is_folder=is_folder):
                continue
            if is_folder:
                yield path, os.path.join(real, entry.name), ignore_files
            else:
                _add_file(taken, path, is_link=entry.is_symlink())


def stamp_of(path: str) -> Stamp | None:
    """Return a file's stamp, or None if there is no such file; a folder has none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _add_file(taken: Snapshot, path: str, *, is_link: bool) -> None:
    stamp = stamp_of(path)
    if stamp is not None:
        taken.files[path] = stamp
    if is_link and not os.path.isdir(path):
        taken.links[path] = os.path.realpath(path)


def _may_have_changed_since(stamp: Stamp) -> bool:
    modified = stamp[0]
    return modified % COARSE == 0 and abs(time_ns() - modified) < TOO_RECENT + COARSE


def identity_of(folder: str) -> Identity | None:
    """Return a folder's identity, or None if there is no such folder."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _entries(folder: str) -> list[os.DirEntry[str]] | None:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
