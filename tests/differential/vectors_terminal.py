"""Terminals and signals."""

from __future__ import annotations

from vector import EACH, vector
from vectors_life import EARLY, LATE

WAIT = "touch ready; exec sleep 30"
BYE = "trap 'echo bye; exit {code}' INT TERM; touch ready; sleep 3 & wait"

TERMINAL = [
    vector("a terminal's colours", "-c", "red", "echo [$FORCE_COLOR]", terminal=True),
    vector("colours that nobody chose", "true", "true", terminal=True, order=EACH),
    vector("a terminal of few colours", "-c", "red", "true", terminal=True, env={"TERM": "xterm"}),
    vector("a terminal of none", "-c", "red", "true", terminal=True, env={"TERM": "dumb"}),
    vector(
        "a terminal of millions",
        "-c",
        "#f80",
        "true",
        terminal=True,
        env={"COLORTERM": "truecolor"},
    ),
    vector(
        "a terminal without colours",
        "--no-color",
        "-c",
        "red",
        "echo [$FORCE_COLOR]",
        terminal=True,
    ),
    vector("a terminal and raw", "-r", "[ -t 1 ] && echo tty", terminal=True),
    vector("a terminal and line ends", "-p", "none", "--no-color", "printf 'a\\nb'", terminal=True),
    vector(
        "NO_COLOR",
        "-c",
        "red",
        "echo 1",
        terminal=True,
        env={"NO_COLOR": "1"},
        differs="colour-variables",
        lines="[0] 1\n[0] echo 1 exited with code 0",
    ),
    vector(
        "a terminal for commands",
        "--no-color",
        "[ -t 1 ] && echo tty || echo none",
        terminal=True,
        differs="terminals",
        lines="[0] tty\n[0] [ -t 1 ] && echo tty || echo none exited with code 0",
    ),
    vector(
        "a cleared screen",
        "--no-color",
        "printf '\\033[2J\\033[31mred\\n'",
        terminal=True,
        differs="hygiene",
        lines="[0] \x1b[31mred\x1b[0m\n[0] printf '\\033[2J\\033[31mred\\n' exited with code 0",
    ),
]

SIGNALS = [
    vector(
        "SIGINT", WAIT, signal="SIGINT", code=-2, their_code=0, differs="interrupted signal-line"
    ),
    vector("SIGTERM", WAIT, signal="SIGTERM", code=-15, differs="interrupted signal-line"),
    vector(
        "SIGHUP",
        WAIT,
        signal="SIGHUP",
        code=-1,
        differs="interrupted signal-line hang-up",
        lines=f"[0] {WAIT} exited with code SIGTERM",
    ),
    vector(
        "SIGINT that is answered",
        BYE.format(code=0),
        signal="SIGINT",
        code=-2,
        their_code=0,
        differs="interrupted signal-line",
    ),
    vector(
        "SIGTERM that is answered",
        BYE.format(code=0),
        signal="SIGTERM",
        code=-15,
        their_code=0,
        differs="interrupted signal-line",
    ),
    vector(
        "SIGINT with a restart",
        "--restart-tries",
        "1",
        WAIT,
        signal="SIGINT",
        code=-2,
        their_code=0,
        differs="interrupted signal-line",
    ),
    vector(
        "SIGINT and a teardown",
        "--teardown",
        "echo bye",
        WAIT,
        signal="SIGINT",
        code=-2,
        their_code=0,
        differs="interrupted signal-line",
    ),
    vector(
        "SIGINT and a queue",
        "-m",
        "1",
        WAIT,
        "echo 2",
        signal="SIGINT",
        code=-2,
        their_code=0,
        differs="interrupted signal-line",
    ),
    vector(
        "SIGINT as it was",
        "--exit-zero-on-interrupt=true",
        WAIT,
        signal="SIGINT",
        differs="signal-line",
    ),
    vector(
        "SIGINT after a failure",
        EARLY + "exit 3",
        LATE + WAIT,
        signal="SIGINT",
        code=-2,
        differs="interrupted signal-line",
        order=EACH,
    ),
]

VECTORS = TERMINAL + SIGNALS
