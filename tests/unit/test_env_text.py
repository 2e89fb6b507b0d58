"""Any variables can be written as a ``.env`` file that says the same."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config import environment
from devrun.config.env_text import env_text
from devrun.model import EnvironmentSettings

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]*", fullmatch=True)
VALUES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")) | st.text(
    "a${}:-\\'\"#= \n\r\t"
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
@example({"A": "${B}", "B": "$(id)", "C": "a\\"})
def test_what_is_written_is_read_again(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "round-trip.env"
    path.write_bytes(env_text(values).encode())
    read = environment.layers(EnvironmentSettings(str(path)), {"B": "outer"})
    assert {name: read[name].value for name in values if name != "B"} == {
        name: value for name, value in values.items() if name != "B"
    }


def test_names_that_no_line_begins_with_are_left_out():
    assert env_text({"BASH_FUNC_a%%": "x", "a b": "y", "": "z"}) == "BASH_FUNC_a%%=x\n"
