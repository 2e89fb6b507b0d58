"""What of a shell line can be known without running it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.shell_check import programs, unset_variables


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bundle exec rails s -p $PORT", ["bundle"]),
        ("A=1 B='x y' node server.js > log 2>&1", ["node"]),
        ("cat a | grep b && (wc -l; sort) &", ["cat", "grep", "wc", "sort"]),
        ("cd app && ./serve && node x", ["cd", "node"]),
        ("$SHELL -c x; 'quoted' y; `z`; a*b", []),
        ("if a; then b; fi", []),
        ("which a && a", []),
        ("a || b", []),
        ("PATH=x:$PATH a", []),
        ("f() { a; }", []),
        ("echo 'unfinished", []),
        ("echo 'if x' a", ["echo"]),
        ("a < file", ["a"]),
    ],
)
def test_programs_that_certainly_run(line, expected):
    assert [name for name in programs(line) if name not in ("{", "}")] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a $PORT ${HOST} $HOST", ["PORT", "HOST"]),
        ("a '$PORT' \\$PORT \"'$HOST'\"", ["HOST"]),
        ("a ${PORT:-1} ${PORT-1} ${#PORT}", []),
        ("for x in 1 2; do echo $x; done", []),
        ("read a; echo $a", []),
        ("X=1; echo $X", []),
        ("echo $1 $@ $$ $?", []),
        ("echo $KNOWN", []),
    ],
)
def test_variables_that_nobody_sets(line, expected):
    assert unset_variables(line, {"KNOWN"}) == expected


@given(st.text("ab$ {}'\"\\;|&()<>=:-#\n"))
def test_any_line_can_be_looked_at(line):
    assert all(" " not in name for name in programs(line))
    assert all(name.isidentifier() for name in unset_variables(line, ()))
