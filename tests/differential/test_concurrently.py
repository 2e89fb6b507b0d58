"""devrun against the real concurrently: the same words, line by line.

Whatever differs is a deliberate difference, has a name and a reason, and is in the documentation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
import vectors_commands
import vectors_life
import vectors_output
from differences import DIFFERENCES
from sides import Result, devrun, make_folder, run
from vector import Order

VECTORS = vectors_commands.VECTORS + vectors_output.VECTORS + vectors_life.VECTORS
DOCS = Path(__file__).parents[2] / "docs/from-concurrently.md"


def ordered(lines, order):
    """Return what of the lines has to be equal."""
    match order:
        case Order.EXACT:
            return list(lines)
        case Order.NONE:
            return sorted(lines)
        case Order.PER_COMMAND:
            found = defaultdict(list)
            for line in lines:
                found[line.partition(" ")[0]].append(line)
            return dict(found)


def without_summary(lines):
    """Return the lines, and whether there was a summary behind them."""
    for place, line in enumerate(lines):
        if line == "--> Failed:":
            return lines[:place], True
    return lines, False


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_the_same_words(vector, concurrently, tmp_path, mark):
    sides: list[Result] = []
    for name, command in (
        ("theirs", [*concurrently, *vector.words]),
        ("ours", devrun(vector.words)),
    ):
        folder = tmp_path / name
        folder.mkdir()
        make_folder(folder, vector.files)
        env = {"HOME": str(folder), **vector.env}
        if name == "ours":
            env["RUN_MARK"] = mark
        sides.append(run(command, folder=folder, env=env, stdin=vector.stdin))
    theirs, ours = sides
    lines, has_summary = without_summary(ours.lines)

    assert ours.code == vector.code, ours
    assert has_summary == ("summary" in vector.differs), ours.lines
    assert ours.error.lstrip().startswith(vector.error), ours.error
    assert vector.error or not ours.error, ours.error

    if "help-text" in vector.differs:
        assert (ours.lines, ours.error) != (theirs.lines, theirs.error)
        return
    both = ordered(lines, vector.order), ordered(theirs.lines, vector.order)
    if vector.lines is None:
        assert both[0] == both[1]
        if {"exit-code", "stopped-is-no-failure"}.intersection(vector.differs):
            assert ours.code != theirs.code
        else:
            assert ours.code == theirs.code
    else:
        assert both[0] == ordered(vector.lines, vector.order)
        assert (both[0], ours.code) != (both[1], theirs.code), "this is no difference any more"


def test_there_are_enough_of_them_and_each_has_its_name():
    assert len(VECTORS) >= 120
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)


def test_every_difference_has_a_reason_and_every_reason_a_difference():
    used = {name for vector in VECTORS for name in vector.differs}
    assert used == set(DIFFERENCES)


def test_the_documentation_lists_the_same_differences():
    text = DOCS.read_text(encoding="utf-8").partition("## Deliberate differences")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert rows[0][0] == "name"
    expected = [(f"`{name}`", *difference) for name, difference in DIFFERENCES.items()]
    assert [tuple(row) for row in rows[1:]] == expected
