"""Procfiles: every line is a process, a comment, blank, or an error with its number."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config.procfile import Entry, parse, read
from devrun.errors import UsageError


def entries(text):
    found = parse(text if isinstance(text, bytes) else text.encode(), "Procfile")
    return [(entry.name, entry.command, entry.line) for entry in found.entries]


def refusal(text):
    with pytest.raises(UsageError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "Procfile")
    return str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "web: cmd",
        "web:cmd",
        "web:\tcmd",
        "web : cmd",
        "  web: cmd",
        "\tweb\t:\tcmd\t",
        "web: cmd  ",
        "web: cmd\r",
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_blanks_and_line_ends_are_free(line, end):
    if line.endswith("\r") and end != "\n":
        line = line[:-1]
    assert entries(line + end) == [("web", "cmd", 1)]


@pytest.mark.parametrize("name", ["a-b", "a_b", "A9", "9x", "-lead", "a.b", "a/b", "a@b"])
def test_names_of_all_the_peers_are_names(name):
    assert entries(f"{name}: x") == [(name, "x", 1)]


@pytest.mark.parametrize(
    "command",
    [
        "x && y | z; X=1 ${PORT} $PORT '$PORT' \\$PORT",
        "exec prog",
        "VAR=x prog # said to the shell",
        "curl http://x:80/a?b#c",
        "a: b: c",
        "echo \\\\",
        "`id` $(id) <(a) > b 2>&1 &",
        "echo ü …",
    ],
)
def test_a_command_is_kept_to_the_letter(command):
    assert entries(f"web: {command}\n") == [("web", command, 1)]


def test_bytes_that_are_no_utf8_are_kept():
    ((_, command, _),) = entries(b"web: printf \xe9\xff\n")
    assert os.fsencode(command) == b"printf \xe9\xff"


def test_a_byte_order_mark_is_left_out():
    assert entries(b"\xef\xbb\xbfweb: x\r\n") == [("web", "x", 1)]


def test_comments_and_blank_lines_count_as_lines():
    text = "# one\n\n \t\n  # four: no\nweb: a\n\nworker: b\n"
    assert entries(text) == [("web", "a", 5), ("worker", "b", 7)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "web: a\nnonsense\n",
            'Procfile:2: "nonsense" is no process; write name: command, or # before it',
        ),
        ("web = a", 'Procfile:1: "web = a" is no process'),
        ("\xa0web: a", "Procfile:1:"),
        (": a", "Procfile:1:"),
        ("a b: x", 'Procfile:1: "a b" is no name; use letters, digits and _ - . /'),
        ("ü: x", 'Procfile:1: "ü" is no name'),
        ('"web": x', 'Procfile:1: ""web"" is no name'),
        ("web:", 'Procfile:1: the process "web" has no command'),
        ("web:  \t\r\n", 'Procfile:1: the process "web" has no command'),
        ("web: \x0c\xa0", 'Procfile:1: the process "web" has no command'),
        ("web: a \\\n  b\n", "Procfile:1: ends with a backslash; Procfiles have no continued"),
        ("web: a \\  \r\n", "Procfile:1: ends with a backslash"),
        ("web: a \\\\\\\n", "put the command on one line or into a script"),
        ("web: a\rworker: b\n", "Procfile:1: a carriage return within the line"),
        ("web: a\0b", "Procfile:1: a NUL character in the command"),
        ("", "Procfile: no process in it; write lines like web: npm start"),
        ("# nothing\n\n", "Procfile: no process in it"),
        (
            "web: a\n\nworker: b\nweb: c\n",
            'Procfile:4: a second process named "web"; the first is in line 1',
        ),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(text, reason):
    assert reason in refusal(text)


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> topic", "||||||| base"])
def test_a_merge_conflict_is_called_that(mark):
    assert refusal(f"web: a\n{mark}\nweb: b\n") == (
        "Procfile:2: a merge conflict is left in the file"
    )


@pytest.mark.parametrize("command", ['"quoted whole"', "'quoted whole'"])
def test_a_command_all_in_quotes_is_warned_of(command):
    (warning,) = parse(f"# a\nweb: {command}\n".encode(), "Procfile").warnings
    assert warning.startswith("Procfile:2: the whole command is in quotes")


@pytest.mark.parametrize("command", ['"a b" "c d"', '"a"', '"a" b', "'a' 'b'", "npm run x"])
def test_other_quotes_are_not_warned_of(command):
    assert not parse(f"web: {command}\n".encode(), "Procfile").warnings


def test_a_file_is_read_from_the_current_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "P").write_text("web: x\n")
    assert read("sub/P", str(tmp_path)).entries == (Entry("web", "x", 1),)
    assert read(str(tmp_path / "sub" / "P"), "/").path == str(tmp_path / "sub" / "P")


def said_of(path, cwd):
    with pytest.raises(UsageError) as caught:
        read(path, str(cwd))
    return str(caught.value)


def test_a_missing_file_is_said_with_those_that_are_there(tmp_path):
    assert said_of("Procfil", tmp_path) == "Procfil: no such file"
    for name in ("Procfile.dev", "Procfile", "other"):
        (tmp_path / name).write_text("web: x\n")
    assert said_of("Procfil", tmp_path) == "Procfil: no such file; there is Procfile, Procfile.dev"
    assert said_of("no/Procfile", tmp_path) == "no/Procfile: no such file"


def test_what_is_no_readable_file_is_said(tmp_path):
    (tmp_path / "file").write_text("web: x\n")
    assert said_of(".", tmp_path) == ".: is a folder; name a file in it"
    assert said_of("file/P", tmp_path) == "file/P: cannot be read: not a directory"
    assert said_of("", tmp_path) == '-f "": a file name is missing'


NAME = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_./@-]*|-[A-Za-z0-9_-]+", fullmatch=True)


def _is_command(text):
    trailing = len(text) - len(text.rstrip("\\"))
    return bool(text.strip()) and trailing % 2 == 0 and not set(text) & set("\0\r\n")


COMMAND = (
    st.binary(min_size=1)
    .map(lambda data: data.decode("utf-8", "surrogateescape").strip(" \t"))
    .filter(_is_command)
)


@given(st.dictionaries(NAME, COMMAND, min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_printed_entries_read_the_same(processes, end):
    printed = "".join(f"{name}: {command}{end}" for name, command in processes.items())
    found = parse(printed.encode("utf-8", "surrogateescape"), "Procfile")
    expected = [Entry(n, c, line) for line, (n, c) in enumerate(processes.items(), 1)]
    assert list(found.entries) == expected


PIECE = st.sampled_from(
    [b"web", b":", b" ", b"\t", b"\n", b"\r", b"\\", b"#", b'"', b"\0", b"\xff", b"<<<<<<< ", b"x"]
)


@given(st.binary() | st.lists(PIECE).map(b"".join))
@example(b"\xef\xbb\xbf")
@example(b"\xc2\x85: x")
def test_any_bytes_are_processes_or_a_refusal_that_names_the_file(data):
    try:
        found = parse(data, "Procfile")
    except UsageError as error:
        refused = str(error)
    else:
        refused = "Procfile:"
        assert found.entries
        lines = data.count(b"\n") + 1
        assert all(1 <= entry.line <= lines for entry in found.entries)
    assert refused.startswith("Procfile:")
    assert "\n" not in refused
