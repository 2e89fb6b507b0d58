"""What other programs read differently in a ``.env`` file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.env_dialect_readers import Refusal
from devrun.config.env_dialects import DIALECTS, differences, read_as_devrun, sentence
from devrun.config.env_text import env_text

DOCS = Path(__file__).parents[2] / "docs/environment.md"
_HEADER = "| line | devrun | foreman | honcho | node dotenv | node --env-file | docker run |"


def table() -> list[list[str]]:
    """Return the rows of the table in the documentation, cell by cell."""
    lines = DOCS.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(_HEADER))
    rows = [line.strip("|").split(" |") for line in lines[start + 2 :] if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows]


def cell(reading, name: str) -> str:
    if reading is None or isinstance(reading, Refusal):
        return "refused"
    found = {assignment.name: assignment.value for assignment in reading}
    if name not in found:
        return "-"
    shown = found[name].replace("\n", "⏎").replace("\t", "⇥")
    return f"`{shown}`" if shown else "empty"


@pytest.mark.parametrize("row", table(), ids=lambda row: row[0])
def test_the_documented_table_is_what_is_read(row):
    text = row[0].strip("`").replace("⏎", "\n") + "\n"
    name = "a.b" if "a.b" in text else "X"
    own = row[1]
    assert cell(read_as_devrun(text), name) == own
    for (dialect, reader), expected in zip(DIALECTS, row[2:], strict=True):
        assert (dialect, cell(reader(text), name)) == (dialect, expected or own)


def test_the_documented_table_is_long():
    assert len(table()) > 20


def sentences(text: str, *, show_values: bool = False) -> list[str]:
    return [
        f"{difference.line}: {sentence(difference, show_values=show_values)}"
        for difference in differences(text)
    ]


def test_no_value_is_said_without_being_asked_for():
    text = "TOKEN=s3cret#more\nOTHER=s3cret's\nTHIRD='s3cret${X}'\nFOURTH=\"s3cret\ns3cret\"\n"
    assert len(sentences(text)) == 4
    assert "s3cret" not in "".join(sentences(text))
    assert "s3cret" in "".join(sentences(text, show_values=True))


def test_programs_that_do_the_same_are_named_together():
    assert sentences("A=1\nTOKEN=ab#cd\n") == [
        "2: TOKEN is read differently by honcho, node dotenv, node --env-file (cut at #)"
    ]
    assert sentences("TOKEN=ab#cd\n", show_values=True) == [
        (
            "1: TOKEN is 'ab#cd' here, read differently by "
            "honcho, node dotenv, node --env-file ('ab')"
        )
    ]


def test_a_refusal_is_said_once_where_it_happens():
    assert sentences("A=1\nB=it's\nC=a b\n") == [
        "2: B is read differently by honcho (refuses the file)"
    ]


def test_only_the_last_assignment_of_a_name_counts():
    assert sentences("A=x#y\nA=1\n") == []


def test_a_file_that_devrun_refuses_has_no_differences():
    assert differences("what is this\nA=x#y\n") == ()


_PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="_-./:"))


@given(st.lists(_PLAIN.filter(bool), min_size=1))
def test_plain_values_are_the_same_for_all(values):
    text = env_text({f"NAME_{number}": value for number, value in enumerate(values)})
    assert differences(text) == ()


@given(st.text())
def test_any_text_has_readings(text):
    for difference in differences(text):
        assert 1 <= difference.line <= text.count("\n") + text.count("\r") + 1
        assert sentence(difference)
