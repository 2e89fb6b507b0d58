"""Rules on the source itself that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "devrun"
PLATFORM_DOORS = {
    "sources/signals.py",
    "sources/keyboard.py",
    "output/journal.py",
    "output/log_file.py",
    "output/screen.py",
    "output/bounded_search.py",
    "cli/notify.py",
}
"""Outside ``process``, only these: which signals there are, terminals, the writer's poll, old
consoles, how files are opened for appending, Unix sockets."""
PURE = [
    "devrun.config.resolve",
    "devrun.model",
    "devrun.events",
    "devrun.supervise.machine",
    "devrun.supervise.outcome",
    "devrun.output.lines",
    "devrun.output.ansi",
    "devrun.output.prefix",
]
HEAVY = {"trio", "typer", "subprocess", "socket", "threading", "dotenv", "watchfiles", "pathspec"}


@cache
def parsed(folder: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}


def attributes(tree: ast.Module) -> set[tuple[str, str]]:
    return {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_the_platform_is_asked_for_behind_one_door():
    asking = {
        path.relative_to(SOURCE).as_posix()
        for path, tree in parsed(SOURCE).items()
        if ("sys", "platform") in attributes(tree) or ("os", "name") in attributes(tree)
    }
    assert {path for path in asking if not path.startswith("process/")} <= PLATFORM_DOORS


def test_no_test_sleeps():
    sleeping = [
        str(path.relative_to(ROOT))
        for path, tree in parsed(ROOT / "tests").items()
        if "programs" not in path.parts
        and attributes(tree) & {("time", "sleep"), ("trio", "sleep")}
    ]
    assert sleeping == []


def test_every_source_module_says_what_it_is_for():
    assert [str(p) for p, tree in parsed(SOURCE).items() if not ast.get_docstring(tree)] == []


@pytest.mark.parametrize("module", PURE)
def test_the_pure_half_loads_nothing_heavy(module):
    """In a process of its own: the contracts see written imports, this sees what is loaded."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    words = [sys.executable, "-I", "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()
    assert "devrun" in loaded
