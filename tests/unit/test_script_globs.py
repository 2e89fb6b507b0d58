"""npm-run-all's patterns for names of scripts; the expectations are minimatch's own answers."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config.script_globs import is_glob, matching_scripts

SCRIPTS = (
    "build",
    "build:js",
    "build:css",
    "build:css:min",
    "build:a.b",
    "build:.hidden",
    "watch:js",
    "watch:css:min",
    "lint",
    "a/b",
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("build", ["build"]),
        ("*", ["build", "lint", "a/b"]),
        ("build:*", ["build:js", "build:css", "build:a.b"]),
        ("build:**", ["build:js", "build:css", "build:css:min", "build:a.b"]),
        ("build:*:*", ["build:css:min"]),
        ("**:min", ["build:css:min", "watch:css:min"]),
        ("*:js", ["build:js", "watch:js"]),
        ("b*", ["build"]),
        ("b**", ["build"]),
        ("*:?s", ["build:js", "watch:js"]),
        ("build:{js,css}", ["build:js", "build:css"]),
        ("{build,watch}:{css:min,js}", ["build:js", "build:css:min", "watch:js", "watch:css:min"]),
        ("build:@(js|css)", ["build:js", "build:css"]),
        ("build:!(js)", ["build:css", "build:a.b"]),
        ("build:!(js|css)", ["build:a.b"]),
        ("build:[!j]*", ["build:css", "build:a.b"]),
        ("build:+(c|s)", ["build:css"]),
        ("build:.h*", ["build:.hidden"]),
        ("!build:js", []),
        ("build:", []),
        ("(", []),
        ("[", []),
    ],
)
def test_a_pattern_matches(pattern, expected):
    assert matching_scripts(pattern, SCRIPTS) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("build:js", False), ("!build", False), ("a/b", False), ("a:*", True), ("{a,b}", True)],
)
def test_a_name_is_no_glob(pattern, expected):
    assert is_glob(pattern) is expected


NAMES = st.text("ab:.-_", min_size=1, max_size=8)


@given(NAMES, st.lists(NAMES, max_size=6, unique=True))
def test_a_name_matches_itself_alone(name, others):
    scripts = [*(other for other in others if other != name), name]
    assert matching_scripts(name, scripts) == [name]


@given(st.text("ab:*?[]{}(),!@+|\\.^-", max_size=10))
@example("[^]")
@example("[b-a]")
@example("[a--b]")
@example("[[a]")
@example("!(a|")
def test_no_pattern_is_too_strange_to_be_read(pattern):
    assert set(matching_scripts(pattern, SCRIPTS)) <= set(SCRIPTS)
