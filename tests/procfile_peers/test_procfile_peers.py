"""devrun against the real foreman and the real honcho: the same words, process by process."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from cases import CASES, DIFFERENCES
from peers import program, run
from running import no_survivors

DOCS = Path(__file__).parents[2] / "docs/from-foreman.md"


@pytest.mark.parametrize("case", CASES, ids=[f"{case.peer}: {case.name}" for case in CASES])
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
        result = run(command, folder=folder, env=case.env, until=case.until, mark=mark)
        if name == "devrun":
            no_survivors(mark)
        results.append(result)
    theirs, ours = results
    expected = theirs.said if case.said is None else case.said
    assert ours.said == expected, (ours.output, theirs.output)
    if not case.until:
        assert ours.code == case.code, ours.output
    same = ours.said == theirs.said and (case.until or ours.code == theirs.code)
    assert bool(same) == (not case.differs), (ours, theirs)


def test_there_are_enough_of_them():
    assert len(CASES) >= 60
    assert len({(case.peer, case.name) for case in CASES}) == len(CASES)


def test_every_difference_is_used_and_documented():
    assert {name for case in CASES for name in case.differs} == set(DIFFERENCES)
    text = DOCS.read_text(encoding="utf-8").partition("## Deliberate differences")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    expected = [(f"`{name}`", *difference) for name, difference in DIFFERENCES.items()]
    assert [tuple(row) for row in rows[1:]] == expected
