"""devrun against the real concurrently: the same words, line by line.

Whatever differs is a deliberate difference, has a name and a reason, and is in the documentation.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import vectors_arguments
import vectors_colors
import vectors_commands
import vectors_input
import vectors_killing
import vectors_life
import vectors_options
import vectors_output
import vectors_terminal
import vectors_times
from differences import DIFFERENCES
from sides import devrun, make_folder, run
from vector import Order

from this_run import is_of_this_run

VECTORS = [
    *vectors_commands.VECTORS,
    *vectors_arguments.VECTORS,
    *vectors_options.VECTORS,
    *vectors_output.VECTORS,
    *vectors_colors.VECTORS,
    *vectors_times.VECTORS,
    *vectors_life.VECTORS,
    *vectors_killing.VECTORS,
    *vectors_input.VECTORS,
    *vectors_terminal.VECTORS,
]
DOCS = Path(__file__).parents[2] / "docs/from-concurrently.md"

COMPARED = [vector for vector in VECTORS if is_of_this_run(vector.name)]

IN_THE_EXIT_CODE = {"exit-code", "stopped-is-no-failure", "interrupted"}
"""Differences that make concurrently's exit code 1, or what the vector says."""

BESIDE = {"variables", "signal-line"}
"""Differences that need not show in the other lines."""


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


def their_code(vector):
    """Return the exit code that concurrently ends with."""
    if vector.their_code is not None:
        return vector.their_code
    return 1 if IN_THE_EXIT_CODE.intersection(vector.differs) else vector.code


def run_both(vector, concurrently, tmp_path, mark):
    """Return what the two did with the same words, each in a folder of its own."""

    def one(name, command):
        folder = tmp_path / f"{name}-{minute}"
        folder.mkdir()
        make_folder(folder, vector.files)
        own = {"RUN_MARK": mark} if name == "ours" else {}
        return run(command, vector, folder=folder, env={"HOME": str(folder), **vector.env, **own})

    while True:
        minute = time.time() // 60
        with ThreadPoolExecutor(2) as pool:
            theirs = pool.submit(one, "theirs", [*concurrently, *vector.words])
            ours = pool.submit(one, "ours", devrun(vector.words))
            both = theirs.result(), ours.result()
        if not vector.clock or time.time() // 60 == minute:
            return both


@pytest.mark.parametrize("vector", COMPARED, ids=[vector.name for vector in COMPARED])
def test_the_same_words(vector, concurrently, tmp_path, mark):
    theirs, ours = run_both(vector, concurrently, tmp_path, mark)
    lines, has_summary = without_summary(ours.lines)
    differs = set(vector.differs)

    assert ours.code == vector.code, ours
    assert has_summary == ("summary" in differs), ours.lines
    assert ours.error.lstrip().startswith(vector.error), ours.error
    assert vector.error or not ours.error, ours.error
    if "help-text" in differs:
        assert (ours.lines, ours.error) != (theirs.lines, theirs.error)
        return
    if not differs:
        assert ours.error == theirs.error
    elif vector.error:
        assert ours.error != theirs.error

    if "signal-line" in differs:
        said = [line for line in lines if re.match("--> Sending SIG[A-Z]+ to [0-9]", line)]
        assert len(said) == 1, ours.lines
        lines = [line for line in lines if line not in said]

    both = ordered(lines, vector.order), ordered(theirs.lines, vector.order)
    if differs & IN_THE_EXIT_CODE:
        assert ours.code != theirs.code, "this is no difference any more"
    if vector.lines is None:
        assert differs <= IN_THE_EXIT_CODE | BESIDE | {"summary"}
        assert both[0] == both[1]
    else:
        assert both[0] == ordered(vector.lines, vector.order)
    if vector.lines == () and vector.code == 2:
        assert (both[0], ours.code) != (both[1], theirs.code), "this is no difference any more"
        return
    assert theirs.code == their_code(vector), theirs
    if differs - IN_THE_EXIT_CODE - BESIDE - {"summary"}:
        assert both[0] != both[1], "this is no difference any more"


def test_there_are_enough_of_them_and_each_has_its_name():
    assert len(VECTORS) >= 130
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)


def test_every_difference_has_a_reason_and_every_reason_a_difference():
    used = {name for vector in VECTORS for name in vector.differs}
    assert used == set(DIFFERENCES)


def rows_below(heading):
    """Return the rows of the first table below a heading of the documentation."""
    text = DOCS.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")]


def test_the_documentation_lists_the_same_differences():
    rows = rows_below("Deliberate differences")
    assert rows[0][0] == "name"
    assert rows[1:] == [[f"`{name}`", *text] for name, text in DIFFERENCES.items()]


def test_the_documentation_points_at_differences_that_exist():
    named = re.findall(r"\[`([^`]+)`\]\(#deliberate-differences\)", DOCS.read_text("utf-8"))
    assert named
    assert set(named) <= set(DIFFERENCES)


def test_every_flag_of_concurrently_is_compared_and_documented(concurrently):
    text = subprocess.run(
        [*concurrently, "--help"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    entries = re.findall(r"^ {2,6}(-.+?)(?:  |$)", text, re.MULTILINE)
    flags = {flag for entry in entries for flag in entry.split(", ")}
    assert len(flags) >= 40, text
    documented = {flag for row in rows_below("Flag by flag")[1:] for flag in row[0].split("`")}
    compared = {word.partition("=")[0] for vector in VECTORS for word in vector.words}
    assert flags <= documented
    assert flags <= compared
