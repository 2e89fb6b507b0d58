"""Which lines need a shell, and what a missing program is called."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.errors import SpawnError
from devrun.process.command import argv_for, find_program


@pytest.mark.parametrize(
    "line",
    ["node server.js", "pnpm  dev:web", "./run --port=80 a,b", "/usr/bin/env A=1 b", " x "],
)
def test_plain_programs_need_no_shell(line):
    assert argv_for(line) == line.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a 'b c'", ["a", "b c"]),
        ('a "b  c" d', ["a", "b  c", "d"]),
        ("node -e 'console.log(\"$x\")'", ["node", "-e", 'console.log("$x")']),
        ("a b'c'\"d\"e", ["a", "bcde"]),
        ("a ''", ["a", ""]),
        ("'my tool' x", ["my tool", "x"]),
        ("a 'two\nlines'", ["a", "two\nlines"]),
    ],
)
def test_quotes_alone_need_no_shell_either(line, words):
    assert argv_for(line) == words


@pytest.mark.parametrize(
    "line",
    [
        "a && b",
        "a | b",
        "echo $HOME",
        "ls *.py",
        "A=1 node x",
        "cd x",
        "exit 3",
        "echo hi",
        'a "$b"',
        'a "`b`"',
        'a "b\\\\c"',
        "a 'b",
        "a 'b'(c)",
        "'A=1' b",
        "a; b",
        "a > f",
        "~/bin/x",
        "a # b",
        "a\nb",
        "{ a; }",
        "! a",
        "a \\b",
        "naïve",
        "a?",
    ],
)
def test_everything_else_is_the_shells(line):
    assert argv_for(line) == ["/bin/sh", "-c", line]


def write(path, mode):
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_programs_are_found_in_the_path_of_the_service(tmp_path):
    program = write(tmp_path / "tool", 0o755)
    assert find_program("tool", cwd="/", env={"PATH": f"/nowhere:{tmp_path}"}) == str(program)


def test_a_name_with_a_slash_is_relative_to_the_services_folder(tmp_path):
    write(tmp_path / "tool", 0o755)
    assert find_program("./tool", cwd=str(tmp_path), env={}) == "./tool"


def test_a_missing_program_is_127(tmp_path):
    with pytest.raises(SpawnError, match='no such program: "tool"') as caught:
        find_program("tool", cwd="/", env={"PATH": str(tmp_path)})
    assert caught.value.exit_code == 127


@pytest.mark.parametrize("name", ["tool", "./tool"])
def test_a_program_that_may_not_be_executed_is_126(tmp_path, name):
    write(tmp_path / "tool", 0o644)
    with pytest.raises(SpawnError, match="permission denied") as caught:
        find_program(name, cwd=str(tmp_path), env={"PATH": str(tmp_path)})
    assert caught.value.exit_code == 126


def test_a_folder_is_126(tmp_path):
    with pytest.raises(SpawnError, match="it is a folder") as caught:
        find_program(str(tmp_path), cwd="/", env=dict(os.environ))
    assert caught.value.exit_code == 126


@given(st.text(alphabet="ab'\" $\\`=;\n", max_size=12))
def test_what_needs_no_shell_is_what_a_shell_would_make_of_it(line):
    words = argv_for(f"printf_ {line}")
    if words[0] == "printf_":
        script = f"printf_() {{ for word; do printf '%s\\0' \"$word\"; done; }}; printf_ {line}"
        said = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
        assert said.decode().split("\0")[:-1] == words[1:]
