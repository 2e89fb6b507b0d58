"""The shared root ``.env``: which file that is, for the folder devrun is started in."""

from __future__ import annotations

import os
from collections.abc import Iterator

_ROOT_MARKERS = (".git", "pnpm-workspace.yaml")


def find_root_file(cwd: str) -> str | None:
    """Return the shared root ``.env`` for a folder, or None if there is none.

    That is the nearest ``.env`` from the folder up to the repository's root, which is where
    ``.git`` is, or a workspace: pnpm-workspace.yaml, a package.json with ``workspaces``, a
    pyproject.toml with ``[tool.uv.workspace]``. A workspace inside a repository ends the search
    like the repository itself. Without any of them, only the folder's own ``.env`` counts, so
    that a stray one in a home folder does not.
    """
    first: str | None = None
    for folder in _upwards(cwd):
        path = os.path.join(folder, ".env")
        if first is None and _is_file(path):
            first = path
        if _is_root(folder):
            return first
    own = os.path.join(cwd, ".env")
    return own if _is_file(own) else None


def _is_file(path: str) -> bool:
    """Whether there is something to read: a link to nothing is, so that reading it complains.

    A folder is not: that is what many a Python virtual environment is called.
    """
    return os.path.lexists(path) and not os.path.isdir(path)


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _is_root(folder: str) -> bool:
    if any(os.path.exists(os.path.join(folder, marker)) for marker in _ROOT_MARKERS):
        return True
    return _has_npm_workspaces(folder) or _has_uv_workspace(folder)


def _has_npm_workspaces(folder: str) -> bool:
    text = _text(os.path.join(folder, "package.json"))
    if '"workspaces"' not in text:
        return False
    import json

    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "workspaces" in content


def _has_uv_workspace(folder: str) -> bool:
    text = _text(os.path.join(folder, "pyproject.toml"))
    if "workspace" not in text:
        return False
    import tomllib

    content: object
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    for key in ("tool", "uv", "workspace"):
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True


def _text(path: str) -> str:
    """Return a file's text, nothing if it cannot be read: then it marks no root."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
