"""Which folders to watch, which files count, and what has changed since the last look.

Folders are pruned before they are watched: a project with ``node_modules`` takes 22 watches then
instead of 5,781. What counts as a change is told by comparing file times and sizes with a snapshot,
so that reading a file or changing its mode is none, and nothing is lost while watches are renewed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from devrun.model import WatchRule

Stamp = tuple[int, int, int]
"""Modification time in ns, size, inode: equal as long as a file has not been written."""

IGNORED_FOLDERS = frozenset(
    """
    .git .hg .svn .bzr .jj node_modules .venv venv .tox .nox __pycache__ .mypy_cache .pytest_cache
    .ruff_cache .hypothesis .idea .vscode .next .nuxt .turbo .svelte-kit .cache .parcel-cache
    .terraform .gradle .direnv .yarn .pnpm-store coverage .nyc_output dist build target
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""Never entered, unless a rule names the folder itself: what peers ignore, and caches."""

_IGNORED_FILES = (
    "*.py[cod]",
    "*.log",
    "*.log.gz",
    "*.sw?",
    "*.swpx",
    "*~",
    ".#*",
    "#*#",
    "4913",
    ".DS_Store",
    "*.tmp",
    "*___jb_tmp___",
    "*___jb_old___",
    "*.kate-swp",
    "*-go-tmp-umask",
)
"""Editors' and systems' own files; ``4913`` is what Vim writes to see whether it may."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule with its pattern ready, and whether ignore files hold below its root."""

    rule: WatchRule
    spec: GitIgnoreSpec | None
    obeys_ignore_files: bool

    def matches(self, path: str) -> bool:
        root = self.rule.root
        if path == root:
            return self.spec is None
        if not path.startswith(root.rstrip("/") + "/"):
            return False
        return self.spec is None or self.spec.match_file(os.path.relpath(path, root))


class WatchTree:
    """The watched part of the file system.

    Args:
        rules: Each with the index of the service that it restarts.
        ignore: gitignore-style patterns relative to ``root``.
        root: Absolute path of the project's folder.

    Symbolic links to files are followed, those to folders are not: they may lead in circles.
    """

    def __init__(
        self, rules: Sequence[tuple[int, WatchRule]], ignore: Sequence[str], root: str
    ) -> None:
        self._root = root
        self._own_ignore = GitIgnoreSpec.from_lines(ignore)
        self._files_ignore = GitIgnoreSpec.from_lines(_IGNORED_FILES)
        self._ignore_files: dict[str, GitIgnoreSpec | None] = {}
        self._rules = [(index, self._compiled(rule)) for index, rule in rules]

    def services_for(self, path: str) -> set[int]:
        """Return the services that a change of this file restarts."""
        return {index for index, rule in self._rules if self._counts(rule, path)}

    def folders(self) -> list[str]:
        """Return the folders to watch, each by itself: pruned, and existing now."""
        self._ignore_files.clear()
        found: dict[str, None] = {}
        for _, compiled in self._rules:
            root = compiled.rule.root
            if os.path.isdir(root):
                found.update(dict.fromkeys(self._walk(root, compiled)))
            else:
                found[_nearest_folder(os.path.dirname(root))] = None
        return list(found)

    def snapshot(self) -> dict[str, Stamp]:
        """Return the stamps of all files that count."""
        stamps: dict[str, Stamp] = {}
        for folder in self.folders():
            for name in _names(folder):
                path = os.path.join(folder, name)
                if self.services_for(path) and (stamp := stamp_of(path)) is not None:
                    stamps[path] = stamp
        return stamps

    def _compiled(self, rule: WatchRule) -> _Compiled:
        spec = None if rule.pattern is None else GitIgnoreSpec.from_lines([rule.pattern])
        ignored = self._is_ignored_by_files(rule.root, is_folder=os.path.isdir(rule.root))
        return _Compiled(rule, spec, not ignored)

    def _counts(self, compiled: _Compiled, path: str) -> bool:
        if not compiled.matches(path):
            return False
        if path == compiled.rule.root:
            return True  # The user named the very file.
        if self._files_ignore.match_file(os.path.basename(path)) or self._is_own_ignored(path):
            return False
        return not (compiled.obeys_ignore_files and self._is_ignored_by_files(path))

    def _walk(self, folder: str, compiled: _Compiled) -> Iterator[str]:
        """Yield a folder and those below it that are not ignored."""
        yield folder
        try:
            entries = [entry for entry in os.scandir(folder) if _is_folder(entry)]
        except OSError:
            return  # Gone again, or not ours to read.
        for entry in entries:
            if not self._is_pruned(entry.path, compiled):
                yield from self._walk(entry.path, compiled)

    def _is_pruned(self, folder: str, compiled: _Compiled) -> bool:
        if os.path.basename(folder) in IGNORED_FOLDERS:
            return True
        if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
            return True
        if self._is_own_ignored(folder, is_folder=True):
            return True
        return compiled.obeys_ignore_files and self._is_ignored_by_files(folder, is_folder=True)

    def _is_own_ignored(self, path: str, *, is_folder: bool = False) -> bool:
        relative = os.path.relpath(path, self._root)
        return self._own_ignore.match_file(relative + "/" * is_folder)

    def _is_ignored_by_files(self, path: str, *, is_folder: bool = False) -> bool:
        """Ask the ``.gitignore`` files from the nearest to the repository's root."""
        folder = os.path.dirname(path)
        while True:
            spec = self._ignore_file(folder)
            if spec is not None:
                relative = os.path.relpath(path, folder) + "/" * is_folder
                verdict = spec.check_file(relative).include
                if verdict is not None:
                    return verdict
            above = os.path.dirname(folder)
            if above == folder or os.path.exists(os.path.join(folder, ".git")):
                return False
            folder = above

    def _ignore_file(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._ignore_files:
            try:
                with open(os.path.join(folder, ".gitignore"), encoding="utf-8") as file:
                    spec = GitIgnoreSpec.from_lines(file)
            except (OSError, ValueError):
                spec = None
            self._ignore_files[folder] = spec
        return self._ignore_files[folder]


def changes(before: Mapping[str, Stamp], after: Mapping[str, Stamp]) -> set[str]:
    """Return the files that were added, written or removed between two snapshots."""
    both = before.keys() | after.keys()
    return {path for path in both if before.get(path) != after.get(path)}


def stamp_of(path: str) -> Stamp | None:
    """Return a file's stamp, or None if there is no such file; a folder has none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _nearest_folder(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
