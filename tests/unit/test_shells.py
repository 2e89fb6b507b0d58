"""Arguments in commands, and their quoting."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devrun.config.shells import chosen_shell, quoted, with_arguments
from devrun.errors import UsageError
from devrun.model import Shell, ShellKind

WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=3)


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        ("echo {1} {2}", ["a", "b"], "echo a b"),
        ("echo {@}", ["a", "b c"], "echo a 'b c'"),
        ("echo {*}", ["a", "b c"], "echo 'a b c'"),
        ("echo [{3}]", ["a"], "echo []"),
        ("echo [{@}{*}]", [], "echo []"),
        ("echo {0} {01} {x} { 1}", ["a"], "echo {0} {01} {x} { 1}"),
        ("echo \\{1} {1}", ["a"], "echo {1} a"),
        ("echo {1}", ["a;b"], "echo 'a;b'"),
        ("echo {1}", [""], "echo ''"),
        ("echo {1}", ["{2}"], "echo '{2}'"),
        ("echo {12}", [*"abcdefghijkl"], "echo l"),
    ],
)
def test_placeholders(command, arguments, expected):
    assert with_arguments(command, arguments, ShellKind.POSIX) == expected


@settings(max_examples=30)
@given(WORDS)
def test_a_shell_sees_every_argument_as_it_is(words):
    command = with_arguments("printf '%s\\0' x {@}", words, ShellKind.POSIX)
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == ["x", *words]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("a b", "'a b'"), ("it's", "'it''s'"), ("$x`", "'$x`'")],
)
def test_powershell_knows_only_its_own_quotes(word, expected):
    assert quoted(word, ShellKind.POWERSHELL) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a b", '^"a b^"'),
        ('a"b', '^"a\\^"b^"'),
        ("a\\", '^"a\\\\^"'),
        ("%PATH% & x", '^"^%PATH^% ^& x^"'),
    ],
)
def test_cmd_sees_nothing_in_a_quoted_word(word, expected):
    assert quoted(word, ShellKind.CMD) == expected


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("sh", ShellKind.POSIX),
        ("/usr/local/bin/fish", ShellKind.POSIX),
        ("pwsh", ShellKind.POWERSHELL),
        ("C:\\x\\powershell.exe", ShellKind.POWERSHELL),
        ("CMD.EXE", ShellKind.CMD),
    ],
)
def test_shells_are_known_by_their_names(tmp_path, program, kind):
    name = program.rpartition("/")[2]
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o755)
    environ = {"PATH": str(tmp_path)}
    assert chosen_shell(name, environ, cwd="/") == Shell(name, kind)


def test_npms_setting_is_taken_and_the_flag_beats_it():
    environ = {"npm_config_script_shell": "/bin/sh", "PATH": os.defpath}
    assert chosen_shell(None, environ, cwd="/") == Shell("/bin/sh")
    assert chosen_shell("sh", environ, cwd="/") == Shell("sh")
    assert chosen_shell(None, {}, cwd="/") is None


def test_a_shell_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match='--shell "nosuch": no such program'):
        chosen_shell("nosuch", {"PATH": "/bin"}, cwd="/")
    with pytest.raises(UsageError, match='npm_config_script_shell "nosuch"'):
        chosen_shell(None, {"npm_config_script_shell": "nosuch", "PATH": "/bin"}, cwd="/")
