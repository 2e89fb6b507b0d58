"""Both readers against anything: no crash, and nothing that is read in silence as something else.

``make fuzz`` runs these for long.
"""

from __future__ import annotations

import io

from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from devrun.config import environment
from devrun.config.portability import portability
from devrun.config.procfile import parse
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings

WORDS = r""": # $PORT ' " \ = A export ${ } ${A} ${A:-b} . <<<<<<< web worker-1""".split()  # noqa: SIM905
BLANKS = ["é", "\0", "\ufeff", " ", ": ", "\t", "\n", "\r\n", "\\\n"]
PIECES = st.lists(st.sampled_from(WORDS + BLANKS) | st.text(max_size=4), max_size=25).map("".join)


def outcome(read, *arguments):
    """Return what a reader returns, or its message, which is one line."""
    try:
        return read(*arguments)
    except UsageError as error:
        message = str(error)
    assert "\n" not in message
    return message


@given(PIECES.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40))
def test_every_line_of_a_procfile_is_a_process_or_an_error(text):
    procfile = outcome(parse, text, "Procfile")
    if isinstance(procfile, str):
        assert procfile.startswith("Procfile:")
        return
    decoded = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    lines = [line.removesuffix("\r") for line in decoded.split("\n")]
    meant = [n for n, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"]
    assert [entry.line for entry in procfile.entries] == meant
    for entry in procfile.entries:
        name, _, command = lines[entry.line - 1].partition(":")
        assert (entry.name, entry.command) == (name.strip(" \t"), command.strip(" \t"))
    assert all(note.startswith("Procfile:") for note in portability(text, procfile))


@given(PIECES)
def test_an_env_file_is_what_python_dotenv_reads_or_an_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzzed.env"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = outcome(environment.layers, EnvironmentSettings(str(path)), {"A": "outer"})
    if isinstance(found, str):
        return
    known = path.read_bytes().decode("utf-8-sig")
    stream = io.StringIO(known, newline=None)
    expected = dotenv_values(stream=stream, interpolate=False)
    assert {name: found[name].origin for name in expected if name != "A"}.keys() == {
        name for name in expected if name != "A"
    }
    for name, value in expected.items():
        if name != "A" and value is not None and "${" not in value:
            assert found[name].value == value
    assert found["A"].value == "outer"
