"""Success, teardown and shells."""

from __future__ import annotations

from vector import ANY, EACH, failing, refused, vector

EARLY = "echo $$ > pid; "
LATE = "while [ ! -s pid ] || kill -0 $(cat pid) 2> /dev/null; do sleep .02; done; "
"""Until the other command has ended, and that has been noticed: a zombie can be signalled."""

SUCCESS = [
    vector("all", "-s", "all", "true", "true", order=EACH),
    vector("first", "-s", "first", EARLY, LATE + "exit 1", order=ANY),
    vector(
        "first, and the others are killed",
        *("-k", "-s", "first", "exit 0", "exec sleep 30"),
        order=EACH,
    ),
    vector(
        "a stopped one that has to succeed",
        *("-k", "-s", "command-1", "exit 0", "exec sleep 30"),
        code=1,
        order=EACH,
    ),
    vector(
        "the last restart counts", "-s", "first", "--restart-tries", "1", "[ -e x ] || >x false"
    ),
    failing("first, that fails", "--success", "first", EARLY + "exit 3", LATE, code=3, order=ANY),
    vector("last", "-s", "last", EARLY + "exit 1", LATE, order=ANY),
    failing("last, that fails", "-s", "last", EARLY, LATE + "exit 6", code=6, order=ANY),
    vector("command by index", "-s", "command-1", "exit 1", "true", order=EACH),
    vector("command by name", "-s", "command-b", "-n", "a,b", "exit 1", "true", order=EACH),
    failing(
        "command that fails", "-s", "command-a", "-n", "a,b", "exit 7", "true", code=7, order=EACH
    ),
    vector("not a command", "-s", "!command-a", "-n", "a,b", "exit 1", "true", order=EACH),
    failing(
        "not a command, but another",
        "-s",
        "!command-b",
        "-n",
        "a,b",
        "exit 8",
        "true",
        code=8,
        order=EACH,
    ),
    refused(
        "no condition",
        "-s",
        "bogus",
        "exit 1",
        error='--success "bogus": not a condition',
        differs="success-errors",
    ),
    refused(
        "no condition in capitals",
        "-s",
        "FIRST",
        "true",
        error="--success",
        differs="success-errors",
    ),
    refused("no such command", "-s", "command-x", "true", error="--success command-x: no service"),
]

TEARDOWN = [
    vector("teardown", "--teardown=echo bye", "echo 1"),
    vector("two teardowns", "--teardown", "echo a", "--teardown", "echo b", "echo 1"),
    vector("a teardown that fails", "--teardown", "exit 3", "--teardown", "echo b", "echo 1"),
    failing("a teardown after a failure", "--teardown", "echo bye", "exit 2", code=2),
    vector("a teardown between commands", "echo 1", "--teardown", "echo bye", "-m1", "echo 2"),
    vector("a teardown that dies", "--teardown", "kill -KILL $$", "echo 1"),
    vector("a teardown without a line end", "--teardown", "printf x", "printf 1"),
    vector("a teardown with an empty stdin", "--teardown", "cat", "echo 1"),
    vector("a teardown on stderr", "--teardown", "echo x >&2", "echo 1", error="x\n"),
    vector(
        "a teardown by another shell",
        "--shell",
        "bash",
        "--teardown",
        "echo ${BASH_VERSION:+bash}",
        "echo 1",
    ),
    failing(
        "a teardown after a kill",
        "-k",
        "--teardown",
        "echo bye",
        "exit 3",
        "exec sleep 30",
        code=3,
        order=EACH,
    ),
    vector(
        "a teardown that is not found",
        "--teardown",
        "nosuch",
        "echo 1",
        differs="spawn-failure",
        lines='[0] 1\n[0] echo 1 exited with code 0\n--> Running teardown command "nosuch"\n'
        '--> Teardown command "nosuch" errored: no such program: "nosuch" is in no folder of PATH',
    ),
    refused("an empty teardown", "--teardown", "", "echo 1", error="--teardown: the command"),
    vector("a teardown and the timings", "--teardown", "echo bye", "--timings", "echo 1"),
    vector(
        "a teardown by a shortcut",
        "--teardown",
        "npm:x",
        "echo 1",
        differs="teardown-shortcuts",
        lines="[0] 1\n[0] echo 1 exited with code 0\n"
        '--> Running teardown command "npm run x"\nnpm run x\n'
        '--> Teardown command "npm run x" exited with code 0',
    ),
]

SHELLS = [
    vector("a shell", "--shell", "bash", "echo ${BASH_VERSION:+bash}"),
    vector("a shell by its path", "--shell", "/bin/sh", "echo $0"),
    vector("npm's shell", "echo ${BASH_VERSION:+bash}", env={"npm_config_script_shell": "bash"}),
    refused("no shell", "--shell", "nosuch", "echo 1", error='--shell "nosuch": no such program'),
]

VECTORS = SUCCESS + TEARDOWN + SHELLS
