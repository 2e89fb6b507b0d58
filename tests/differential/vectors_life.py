"""Starting, ending, restarting; input and teardown."""

from __future__ import annotations

from vector import ANY, EACH, failing, refused, vector

EARLY = "echo $$ > pid; "
LATE = "while [ ! -s pid ] || kill -0 $(cat pid) 2> /dev/null; do sleep .02; done; "
"""Until the other command has ended, and that has been noticed: a zombie can be signalled."""

SUCCESS = [
    vector("all", "-s", "all", "true", "true", order=EACH),
    vector("first", "-s", "first", EARLY, LATE + "exit 1", order=ANY),
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
    refused("no such command", "-s", "command-x", "true", error="--success command-x: no service"),
]

KILLING = [
    vector(
        "kill others", "-k", "echo 1", "exec sleep 30", order=EACH, differs="stopped-is-no-failure"
    ),
    vector(
        "kill others in full",
        "--kill-others",
        "echo 1",
        "exec sleep 30",
        order=EACH,
        differs="stopped-is-no-failure",
    ),
    failing("kill others on failure", "-k", "exit 3", "exec sleep 30", code=3, order=EACH),
    vector(
        "kill others that end well",
        "-k",
        "echo 1; while [ ! -e on ]; do sleep .02; done",
        "trap 'exit 0' TERM; touch on; while :; do :; done",
        order=EACH,
    ),
    vector("on failure only", "--kill-others-on-fail", "echo 1", "sleep .3; echo 2", order=EACH),
    failing("on a failure", "--kill-others-on-fail", "exit 3", "exec sleep 30", code=3, order=EACH),
    failing("both", "-k", "--kill-others-on-fail", "exit 3", "exec sleep 30", code=3, order=EACH),
    vector(
        "a signal",
        "-k",
        "--kill-signal",
        "SIGINT",
        "echo 1",
        "exec sleep 30",
        order=EACH,
        differs="stopped-is-no-failure",
    ),
    vector(
        "a signal, short",
        "-k",
        "--ks",
        "SIGKILL",
        "echo 1",
        "exec sleep 30",
        order=EACH,
        differs="stopped-is-no-failure",
    ),
    vector(
        "a signal's number",
        "-k",
        "--ks",
        "15",
        "echo 1",
        "exec sleep 30",
        order=EACH,
        differs="signal-names",
        lines="[0] 1\n[0] echo 1 exited with code 0\n"
        "--> Sending SIGTERM to other processes..\n[1] exec sleep 30 exited with code SIGTERM",
    ),
    refused(
        "no signal",
        "-k",
        "--ks",
        "SIGTREM",
        "echo 1",
        "sleep 1",
        error='--kill-signal "SIGTREM": no such signal; did you mean "SIGTERM"?',
        differs="signal-names",
    ),
    vector(
        "a time to kill",
        "-k",
        "--kill-timeout",
        "200",
        "while [ ! -e on ]; do sleep .02; done; echo 1",
        "trap '' TERM; touch on; while :; do :; done",
        order=ANY,
        differs="kill-line stopped-is-no-failure",
        lines="--> 1 did not end within 0.2 s\n--> Sending SIGKILL to 1 processes..\n"
        "--> Sending SIGTERM to other processes..\n[0] 1\n"
        "[0] while [ ! -e on ]; do sleep .02; done; echo 1 exited with code 0\n"
        "[1] trap '' TERM; touch on; while :; do :; done exited with code SIGKILL",
    ),
    vector("one at a time", "-m", "1", "echo 1", "echo 2", "echo 3"),
    vector("two at a time", "--max-processes", "2", "echo 1", "echo 2", "echo 3", order=EACH),
    vector("at a time in percent", "-m", "100%", "echo 1", "echo 2", order=EACH),
    vector("those in the queue never start", "-k", "-m", "1", "echo 1", "echo 2"),
    refused(
        "none at a time", "-m", "0", "echo 1", error='--max-processes "0"', differs="max-processes"
    ),
    refused(
        "nonsense at a time",
        "-m",
        "abc",
        "echo 1",
        error='--max-processes "abc"',
        differs="max-processes",
    ),
    vector(
        "what a command leaves running",
        "sleep .5 & echo 1",
        order=ANY,
        differs="leftovers",
        lines="--> Stopped what was left running: <pid> sleep .5\n[0] 1\n"
        "[0] sleep .5 & echo 1 exited with code 0",
    ),
]

RESTARTS = [
    failing("restarts", "--restart-tries", "2", "echo 1; exit 1", code=1),
    vector("a restart that helps", "--restart-tries", "2", "[ -e x ] || { touch x; exit 1; }"),
    vector("no restart of a success", "--restart-tries", "2", "echo 1"),
    vector("restarts for ever", "--restart-tries", "-1", "echo x >> n; [ $(wc -l < n) = 4 ]"),
    failing("restarts later", "--restart-tries", "1", "--restart-after", "50", "exit 1", code=1),
    refused(
        "no number of restarts",
        "--restart-tries",
        "abc",
        "exit 1",
        error='--restart-tries "abc"',
        differs="restart-errors",
    ),
    refused(
        "no time",
        "--restart-after",
        "abc",
        "--restart-tries",
        "1",
        "exit 1",
        error='--restart-after "abc"',
        differs="restart-errors",
    ),
    failing("a restart and the timings", "--restart-tries", "1", "--timings", "exit 1", code=1),
]

ENDS = "while [ ! -e b ] || [ ! -e c ]; do sleep .02; done"
LOOP = "while :; do :; done"

KILLING += [
    vector(
        "a stop of two that end one after the other",
        "-k",
        ENDS,
        f"trap 'exit 0' TERM; touch b; {LOOP}",
        f"trap 'sleep .3; exit 0' TERM; touch c; {LOOP}",
        order=ANY,
        differs="one-stop-line",
        lines="--> Sending SIGTERM to other processes..\n"
        f"[0] {ENDS} exited with code 0\n"
        f"[1] trap 'exit 0' TERM; touch b; {LOOP} exited with code 0\n"
        f"[2] trap 'sleep .3; exit 0' TERM; touch c; {LOOP} exited with code 0",
    ),
    vector(
        "group and kill others",
        "-g",
        "-k",
        "while [ ! -e b ]; do sleep .02; done; echo 1",
        "echo x; touch b; exec sleep 30",
        differs="stopped-is-no-failure",
    ),
]

INPUT = [
    vector(
        "stdin without -i",
        "timeout 1 cat; echo $?",
        stdin="x\n",
        differs="empty-stdin",
        lines="[0] 0\n[0] timeout 1 cat; echo $? exited with code 0",
    ),
    vector(
        "the end of the input",
        "-i",
        "timeout 1 cat; echo $?",
        stdin="x\n",
        differs="input-end",
        lines="[0] x\n[0] 0\n[0] timeout 1 cat; echo $? exited with code 0",
    ),
    vector(
        "lines for two that come together",
        "-i",
        "timeout 1 head -1",
        "timeout 1 head -1",
        stdin="1:x\n0:y\n",
        order=EACH,
        differs="input-by-line",
        lines="[0] y\n[0] timeout 1 head -1 exited with code 0\n"
        "[1] x\n[1] timeout 1 head -1 exited with code 0",
    ),
    vector("input to the first", "-i", "read a; echo got $a", stdin="hi\n"),
    vector("input in full", "--handle-input", "read a; echo got $a", stdin="hi\n"),
    vector("input by index", "-i", "echo 0", "read a; echo got $a", stdin="1:hi\n", order=EACH),
    vector(
        "input by name",
        "-i",
        "-n",
        "a,b",
        "echo 0",
        "read a; echo got $a",
        stdin="b:hi\n",
        order=EACH,
    ),
    vector(
        "a default target",
        "-i",
        "--default-input-target",
        "1",
        "echo 0",
        "read a; echo got $a",
        stdin="hi\n",
        order=EACH,
    ),
    vector(
        "a default target by name",
        "-i",
        "--default-input-target",
        "b",
        "-n",
        "a,b",
        "echo 0",
        "read a; echo got $a",
        stdin="hi\n",
        order=EACH,
    ),
    vector("a colon in the text", "-i", "read a; echo got $a", stdin="x:y\n"),
    vector("colons in the text", "-i", "read a; echo got $a", stdin="0:y:z\n"),
    refused(
        "no such default target",
        "-i",
        "--default-input-target",
        "x",
        "echo 0",
        error='--default-input-target: no service "x"',
        differs="input-target",
    ),
]

TEARDOWN = [
    vector("teardown", "--teardown", "echo bye", "echo 1"),
    vector("two teardowns", "--teardown", "echo a", "--teardown", "echo b", "echo 1"),
    vector("a teardown that fails", "--teardown", "exit 3", "--teardown", "echo b", "echo 1"),
    failing("a teardown after a failure", "--teardown", "echo bye", "exit 2", code=2),
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

VECTORS = SUCCESS + KILLING + RESTARTS + INPUT + TEARDOWN + SHELLS
