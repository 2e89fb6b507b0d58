"""Who ends whom, how many at a time, and restarts."""

from __future__ import annotations

from vector import ANY, EACH, failing, refused, vector

WAIT = "sleep 30 & wait"
"""In this the shell obeys its traps at once, and without a word about it."""

KILLING = [
    vector(
        "kill others",
        *("--kill-others", "echo 1", "exec sleep 30"),
        order=EACH,
        differs="stopped-is-no-failure",
    ),
    failing("kill others on failure", "-k", "exit 3", "exec sleep 30", code=3, order=EACH),
    vector(
        "kill others that end well",
        "-k",
        "echo 1; while [ ! -e on ]; do sleep .02; done",
        f"trap 'exit 0' TERM; touch on; {WAIT}",
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
        their_code=1,
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
        "trap '' TERM; touch on; exec sleep 30",
        order=ANY,
        differs="kill-line stopped-is-no-failure",
        lines="--> 1 did not end within 0.2 s\n--> Sending SIGKILL to 1 processes..\n"
        "--> Sending SIGTERM to other processes..\n[0] 1\n"
        "[0] while [ ! -e on ]; do sleep .02; done; echo 1 exited with code 0\n"
        "[1] trap '' TERM; touch on; exec sleep 30 exited with code SIGKILL",
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
        "sleep 5 & echo 1",
        order=ANY,
        differs="leftovers",
        lines="--> Stopped what was left running: <pid> sleep 5\n[0] 1\n"
        "[0] sleep 5 & echo 1 exited with code 0",
    ),
]

STOPPING = [
    vector(
        "no restart of what is stopped",
        "-k",
        "--restart-tries",
        "1",
        "while [ ! -e x ]; do sleep .02; done",
        "[ -e x ] && exit 0; touch x; exec sleep 30",
        order=EACH,
        differs="stopping-beats-starting",
        lines="[0] while [ ! -e x ]; do sleep .02; done exited with code 0\n"
        "--> Sending SIGTERM to other processes..\n"
        "[1] [ -e x ] && exit 0; touch x; exec sleep 30 exited with code SIGTERM",
    ),
    vector(
        "one that fails when it is stopped",
        *("-k", "--ks=SIGINT", "while [ ! -e on ]; do sleep .02; done"),
        f"trap 'echo bye; exit 5' INT; touch on; {WAIT}",
        order=EACH,
        differs="stopped-is-no-failure",
    ),
    failing("a queue behind a failure", "-k", "-m", "1", "exit 3", "echo 2", code=3, order=EACH),
    failing(
        "a failure only after the restarts",
        *("--killOthersOnFail", "--restartTries=1", "--killTimeout=9000"),
        "[ -e x ] && exit 3; touch x; exit 1",
        "trap 'exit 0' TERM; sleep 30 & wait",
        code=3,
        order=EACH,
    ),
    refused("a signal that ends nobody", "-k", "--ks", "SIGSTOP", "true", error="--kill-signal"),
    refused("no time to kill", "--kill-timeout", "abc", "echo 1", error='--kill-timeout "abc"'),
    vector("a time that is over", "--kill-timeout", "0", "echo 1"),
    refused("1.5 at a time", "-m", "1.5", "true", error="--max-proc", differs="max-processes"),
    refused("fewer than none", "-m", "-1", "true", error="--max-proc", differs="max-processes"),
    refused("no percentage", "-m", "0%", "true", error="--max-proc", differs="max-processes"),
]

RESTARTS = [
    failing("restarts", "--restart-tries", "2", "echo 1; exit 1", code=1),
    vector("a restart that helps", "--restart-tries", "2", "[ -e x ] || { touch x; exit 1; }"),
    vector("no restart of a success", "--restart-tries", "2", "echo 1"),
    failing("a restart after a death", "--restart-tries", "1", "kill -KILL $$", code=137),
    vector("no restarts", "--restart-tries", "0", "echo 1"),
    failing("restarts and a queue", "-m", "1", "--restart-tries", "1", "exit 1", "echo 2", code=1),
    vector("raw restarts", "-r", "--restart-tries", "1", "echo 1; [ -e x ] || >x false"),
    failing(
        "restarts that wait longer and longer",
        "--restart-tries",
        "1",
        "--restart-after",
        "exponential",
        "exit 1",
        code=1,
    ),
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

KILLING += [
    vector(
        "a stop of two that end one after the other",
        "-k",
        ENDS,
        f"trap 'exit 0' TERM; touch b; {WAIT}",
        f"trap 'sleep .3; exit 0' TERM; touch c; {WAIT}",
        order=ANY,
        differs="one-stop-line",
        lines="--> Sending SIGTERM to other processes..\n"
        f"[0] {ENDS} exited with code 0\n"
        f"[1] trap 'exit 0' TERM; touch b; {WAIT} exited with code 0\n"
        f"[2] trap 'sleep .3; exit 0' TERM; touch c; {WAIT} exited with code 0",
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

VECTORS = KILLING + STOPPING + RESTARTS
