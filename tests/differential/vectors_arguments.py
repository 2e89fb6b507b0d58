"""Arguments that are passed through."""

from __future__ import annotations

from vector import EACH, vector
from vectors_commands import SCRIPTS

SHOW = "printf '<%s>' {@}; echo"
NASTY = (
    "a'b",
    'a"b',
    "a b",
    "a\nb",
    "a\\b",
    "",
    "*",
    "~",
    "#x",
    "!x",
    "$HOME",
    "$(id)",
    "`id`",
    "a&b;c|d>e<f",
    "{1}",
    "[a](b)?",
    "-n",
    "=x",
    "%s",
    "\t",
    "\\",
    "'",
    "ä日",
)

PLACEHOLDERS = [
    vector("{1}", "-P", "echo {1}-{2}", "--", "a", "b"),
    vector("{@}", "-P", "echo {@}", "--", "a", "b"),
    vector("{*}", "--passthrough-arguments", "printf '<%s>' {*}", "--", "a", "b"),
    vector(
        "in camel case and for two",
        "--passthroughArguments",
        "echo {1}",
        "echo {2}",
        "--",
        "a",
        "b",
        order=EACH,
    ),
    vector(
        "placeholders in words, and what is none",
        "printf '<%s>' x{*}y {@}{1} {10} {11} {12} {01} {0} {1 } {} {a} \\{1} \"{1}\"",
        "-P",
        "--",
        *"abcdefghijk",
    ),
    vector("an argument is missing", "-P", "echo [{3}]", "--", "a"),
    vector("no arguments", "-P", "echo [{1}{@}{*}]", "--"),
    vector("without -P braces stay", "echo {1}", "--", "echo 2", order=EACH),
    vector("options behind -- are arguments", "-P", "echo {@}", "--", "-k", "--x"),
    vector("-- behind -- is an argument", "-P", "echo {@}", "--", "a", "--", "b"),
    vector(
        "numbers among arguments",
        "-P",
        "echo {@}",
        "--",
        "5",
        "1e3",
        "true",
        differs="numbers-as-commands",
        lines="[0] 5 1e3 true\n[0] echo 5 1e3 true exited with code 0",
    ),
]

PLACES = [
    vector("the name and -p command", "-P", "-p", "command", "-l", "30", "echo {1}", "--", "a"),
    vector("not in names", "-P", "-n", "{1}", "echo {1}", "--", "a"),
    vector("not in teardown", "-P", "--teardown", "echo {1}", "echo {1}", "--", "a"),
    vector("behind a shortcut", "-P", "npm:dev -- {1}", "--", "x y"),
    vector(
        "behind a wildcard", "-P", "npm:w-*(!:) -- {@}", "--", "x", "y z", files=SCRIPTS, order=EACH
    ),
    vector("in quotes around the command", "-P", '"echo {1}"', "--", "a"),
]

QUOTING = [
    vector("nothing in an argument is the shell's", "-r", "-P", SHOW, "--", *NASTY),
    vector("nor in all of them together", "-r", "-P", "printf '<%s>' {*}; echo", "--", *NASTY),
    vector(
        "how they are quoted",
        "-P",
        "echo {@}",
        "--",
        "$HOME",
        "`id`",
        "a'b",
        differs="quoting",
        lines="[0] $HOME `id` a'b\n[0] echo '$HOME' '`id`' 'a'\"'\"'b' exited with code 0",
    ),
]

VECTORS = PLACEHOLDERS + PLACES + QUOTING
