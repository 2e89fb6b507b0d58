"""What is left out of watching: the user's patterns, editors' and tools' own files, ``.gitignore``.

The first of these that has an opinion decides; the user's patterns may take back, with ``!``, what
the two others leave out. Folders are asked about before they are entered, so that what is left out
is neither walked nor watched: 22 watches instead of 5,781 for a project with ``node_modules``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate

from pathspec import GitIgnoreSpec

IGNORED_FOLDERS = frozenset(
    """
    .git .hg .svn .bzr .jj _darcs .fossil-settings
    node_modules .yarn .pnpm-store .venv venv .tox .nox
    __pycache__ .mypy_cache .pytest_cache .ruff_cache .hypothesis
    .idea .vscode .direnv
    .next .nuxt .svelte-kit .turbo .cache .parcel-cache .terraform .gradle
    coverage .nyc_output dist build target
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""What watchers of other tools leave out, less ``bin``, ``result`` and ``vendor``, which hold
sources in many repositories. A rule that names such a folder watches it all the same."""

IGNORED_FILES = (
    "*.py[cod]",
    "*.log",
    "*.log.gz",
    "*.sw[a-z]",
    "*.sw[a-z]x",
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

CACHE_MARKERS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})
"""A folder that holds one of these is a virtual environment or a cache, whatever its name is
(PEP 405; https://bford.info/cachedir/)."""

MARKERS = CACHE_MARKERS | {".gitignore"}
"""When one of these changes, what is left out may change."""

_IGNORED_FILE = re.compile("|".join(map(translate, IGNORED_FILES)))


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The patterns of one ``.gitignore``.

    Attributes:
        folder: Path of the folder that it is in, ending in a separator.
    """

    folder: str
    patterns: GitIgnoreSpec


IgnoreFiles = tuple[IgnoreFile, ...]
"""What holds in a folder: its own file first, then those above it."""


class Sieve:
    """Tells what is left out of a project's watching.

    Args:
        patterns: gitignore-style, relative to ``project``; outside of it they match base names.
        project: Absolute path of the project's folder.
        own: Absolute paths of devrun's own files and folders, never watched.
    """

    def __init__(self, patterns: Sequence[str], project: str, own: Iterable[str]) -> None:
        self._patterns = _compiled(patterns) if patterns else None
        self._project = with_separator(project)
        self._own = frozenset(own)

    def ignore_files_above(self, root: str) -> IgnoreFiles | None:
        """Return the ``.gitignore`` files that hold for ``root``, a folder that a rule names.

        They are searched up to the repository's root; where there is none, up to the project's
        folder. None stands for "none will hold below it": git ignores the folder as a whole, so
        that whoever names it wants what git does not.
        """
        files: IgnoreFiles = ()
        path = self._top(root)
        while path != root:
            files = enter(path, files)
            path = os.path.join(path, root[len(with_separator(path)) :].split(os.sep, 1)[0])
            if _verdict_of(files, path, is_folder=True):
                return None
        return files

    def leaves_out(
        self, path: str, ignore_files: IgnoreFiles | None, *, is_folder: bool = False
    ) -> bool:
        """Tell whether a file or folder is left out, assumed that the folder it is in is not.

        Args:
            ignore_files: What holds in the folder that ``path`` is in.
        """
        if path in self._own:
            return True
        verdict = self._verdict_of_user(path, is_folder=is_folder)
        if verdict is not None:
            return verdict
        name = os.path.basename(path)
        if name in IGNORED_FOLDERS if is_folder else _IGNORED_FILE.match(name):
            return True
        return bool(_verdict_of(ignore_files or (), path, is_folder=is_folder))

    def leaves_out_named(self, path: str) -> bool:
        """Tell whether a file that a rule names is left out: by the user or as devrun's own."""
        return path in self._own or bool(self._verdict_of_user(path, is_folder=False))

    def _verdict_of_user(self, path: str, *, is_folder: bool) -> bool | None:
        if self._patterns is None:
            return None
        inside = path.startswith(self._project)
        relative = path[len(self._project) :] if inside else os.path.basename(path)
        return self._patterns.check_file(relative + "/" * is_folder).include

    def _top(self, root: str) -> str:
        folder = root
        while not os.path.lexists(os.path.join(folder, ".git")):
            above = os.path.dirname(folder)
            if above == folder:
                inside = with_separator(root).startswith(self._project)
                return self._project.rstrip(os.sep) or os.sep if inside else root
            folder = above
        return folder


def enter(folder: str, above: IgnoreFiles) -> IgnoreFiles:
    """Return the ``.gitignore`` files that hold in a folder, given those that hold around it."""
    path = os.path.join(folder, ".gitignore")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return above
    return (IgnoreFile(with_separator(folder), _compiled(lines)), *above)


def with_separator(folder: str) -> str:
    """Return a folder's path with one separator at its end."""
    return folder.rstrip(os.sep) + os.sep


def _verdict_of(files: IgnoreFiles, path: str, *, is_folder: bool) -> bool | None:
    """Return whether ``.gitignore`` files leave a path out; the nearest with an opinion decides."""
    for file in files:
        relative = path[len(file.folder) :] + "/" * is_folder
        verdict = file.patterns.check_file(relative).include
        if verdict is not None:
            return verdict
    return None


def _compiled(lines: Iterable[str]) -> GitIgnoreSpec:
    """As in git, a line that is no pattern is passed over."""
    return GitIgnoreSpec.from_lines(filter(_is_pattern, lines))


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
