"""devrun against the real foreman and the real honcho: the same words, process by process."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from cases import CASES, DIFFERENCES
from peers import program, run
from running import no_survivors

from this_run import is_of_this_run

DOCS = Path(__file__).parents[2] / "docs/from-foreman.md"


COMPARED = [case for case in CASES if is_of_this_run(f"{case.peer}: {case.name}")]


@pytest.mark.parametrize("case", COMPARED, ids=[f"{case.peer}: {case.name}" for case in COMPARED])
def test_the_same_words(case, tmp_path):
    results = []
    for name in (case.peer, "devrun"):
        folder = tmp_path / name
        folder.mkdir()
        for path, text in {"Procfile": case.procfile, **case.files}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, newline="")
        mark = uuid.uuid4().hex
        command = [*program(name), *case.words]
        result = run(command, case, folder=folder, mark=mark)
        if result.code is None and case.sends and "hangs" not in case.differs:
            # honcho hangs at a stop now and then; never devrun, of which run() demands an end.
            result = run(command, case, folder=folder, mark=uuid.uuid4().hex)
        if name == "devrun":
            no_survivors(mark)
        results.append(result)
    theirs, ours = results
    expected = theirs.said if case.said is None else case.said
    assert ours.said == expected, (ours.output, theirs.output)
    if not case.until or case.sends:
        assert ours.code == case.code, ours.output
    assert (theirs.left > 0) == bool(case.sends and {"orphans", "hangs"} & {*case.differs}) or (
        not case.sends
    ), theirs
    looked_at = not case.until or bool(case.sends)
    same = ours.said == theirs.said and (
        not looked_at or in_a_shell(ours.code) == in_a_shell(theirs.code)
    )
    same = same and not (looked_at and theirs.left)
    assert bool(same) == (not case.differs), (ours, theirs)


def in_a_shell(code):
    """Return the exit code that a shell shows; a death by a signal is 128 and its number."""
    return 128 - code if code is not None and code < 0 else code


def test_there_are_enough_of_them():
    assert len(CASES) >= 60
    assert len({(case.peer, case.name) for case in CASES}) == len(CASES)


def test_every_difference_is_used_and_documented():
    assert {name for case in CASES for name in case.differs} == set(DIFFERENCES)
    text = DOCS.read_text(encoding="utf-8").partition("## Deliberate differences")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    expected = [(f"`{name}`", *difference) for name, difference in DIFFERENCES.items()]
    assert [tuple(row) for row in rows[1:]] == expected
