"""What is compared: ports, names, formation, environment, exit codes, signals, ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHOW = "echo $PORT; exec sleep 60"
TWO = f"web: {SHOW}\nworker: {SHOW}\n"
THREE = TWO + f"db: {SHOW}\n"
FOO = "web: echo $FOO; exec sleep 60\n"


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        peer: Who is compared with: ``foreman`` or ``honcho``.
        words: What stands behind ``start``, for both.
        until: How many lines the processes say before both are stopped; 0: they end by themselves.
        differs: Names of the deliberate differences that show.
        said: What devrun's processes say, where that differs.
        code: devrun's exit code where both end by themselves, or by the signal.
        sends: The signal that both get then, to end by it.
    """

    name: str
    peer: str
    procfile: str
    words: tuple[str, ...] = ()
    until: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    said: Mapping[str, tuple[str, ...]] | None = None
    code: int = 0
    sends: str = ""


def both(name: str, procfile: str, *words: str, **more) -> list[Case]:
    """Return a case for each peer."""
    return [Case(name, peer, procfile, words, **more) for peer in ("foreman", "honcho")]


def only(peer: str, name: str, procfile: str, *words: str, differs: str = "", **more) -> list[Case]:
    return [Case(name, peer, procfile, words, differs=tuple(differs.split()), **more)]


PORTS = [
    *both("the first port", TWO, until=2),
    *both("ports of three", THREE, until=3),
    *both("a port inherited", TWO, until=2, env={"PORT": "4200"}),
    *both("a port in .env", TWO, until=2, files={".env": "PORT=4300\n"}),
    *both("a port by -p", TWO, "-p", "4400", until=2),
    *both("a port by --port", TWO, "--port", "4400", until=2),
    *both("-p beats the inherited one", TWO, "-p", "4400", until=2, env={"PORT": "4200"}),
    *only("foreman", "-p beats .env", TWO, "-p", "4400", until=2, files={".env": "PORT=4300\n"}),
    *only(
        "honcho",
        "-p beats .env",
        TWO,
        "-p",
        "4400",
        until=2,
        files={".env": "PORT=4300\n"},
        differs="port-flag",
        said={"web.1": ("4400",), "worker.1": ("4500",)},
    ),
    *both(
        ".env beats the inherited one",
        TWO,
        until=2,
        env={"PORT": "4200"},
        files={".env": "PORT=4300\n"},
        differs=("env-precedence",),
        said={"web.1": ("4200",), "worker.1": ("4300",)},
    ),
    *only("foreman", "one process keeps its port", TWO, "worker", until=1),
    *only(
        "honcho",
        "one process keeps its port",
        TWO,
        "worker",
        until=1,
        differs="port-of-one",
        said={"worker.1": ("5100",)},
    ),
    *both("PORT in braces", "web: echo ${PORT}x; exec sleep 60\n", until=1),
]

FORMATION = [
    *only("foreman", "two of one", TWO, "-m", "web=2,worker=1", until=3),
    *only("foreman", "formation in full", TWO, "--formation", "web=2,worker=1", until=3),
    *only("foreman", "all", TWO, "-m", "all=2", until=4),
    *only("foreman", "all and one of them", TWO, "-m", "all=1,worker=2", until=3),
    *only("foreman", "none of one", TWO, "-m", "web=1,worker=0", until=1),
    *only(
        "foreman",
        "what is not named",
        TWO,
        "-m",
        "web=2",
        until=2,
        differs="unnamed-runs-once",
        said={"web.1": ("5000",), "web.2": ("5001",), "worker.1": ("5100",)},
    ),
    *only("foreman", "none of the first keeps its ports", TWO, "-m", "web=0,worker=2", until=2),
    *only("honcho", "two of one", TWO, "-c", "web=2", until=3),
    *only("honcho", "concurrency in full", TWO, "--concurrency", "web=2,worker=2", until=4),
    *only("honcho", "one named", TWO, "-c", "web=3,worker=1", until=4),
    *only("honcho", "a formation of one that runs alone", TWO, "-c", "web=2", "web", until=2),
    *only("foreman", "PS", "web: echo $PS; exec sleep 60\n", "-m", "web=2", until=2),
    *only(
        "honcho",
        "HONCHO_PROCESS_NAME",
        "web: echo $HONCHO_PROCESS_NAME; exec sleep 60\n",
        "-c",
        "web=2",
        until=2,
    ),
]

ENVIRONMENT = [
    *both(".env is read", FOO, until=1, files={".env": "FOO=bar\n"}),
    *both("the inherited variable", FOO, until=1, env={"FOO": "own"}),
    *both(
        "who wins",
        FOO,
        until=1,
        env={"FOO": "own"},
        files={".env": "FOO=file\n"},
        differs=("env-precedence",),
        said={"web.1": ("own",)},
    ),
    *both("another file", FOO, "-e", "x.env", until=1, files={"x.env": "FOO=x\n"}),
    *both("another file in full", FOO, "--env", "x.env", until=1, files={"x.env": "FOO=x\n"}),
    *both(
        "it replaces .env",
        "web: echo [$FOO]; exec sleep 60\n",
        "-e",
        "x.env",
        until=1,
        files={"x.env": "BAR=x\n", ".env": "FOO=no\n"},
    ),
    *both(
        "two files, the later wins",
        FOO,
        "-e",
        "a.env,b.env",
        until=1,
        files={"a.env": "FOO=a\n", "b.env": "FOO=b\n"},
    ),
    *both("double quotes", FOO, until=1, files={".env": 'FOO="a b"\n'}),
    *both("single quotes", FOO, until=1, files={".env": "FOO='a b'\n"}),
    *both("a comment line", FOO, until=1, files={".env": "# x\nFOO=1\n"}),
    *both("an equals sign in a value", FOO, until=1, files={".env": "FOO=a=b\n"}),
    *both("CRLF in .env", FOO, until=1, files={".env": "FOO=a\r\n"}),
    *both(
        "another Procfile",
        TWO,
        "-f",
        "Procfile.dev",
        until=1,
        files={"Procfile.dev": f"other: {SHOW}\n"},
    ),
    *both(
        "another Procfile in full",
        TWO,
        "--procfile",
        "Procfile.dev",
        until=1,
        files={"Procfile.dev": f"other: {SHOW}\n"},
    ),
    *only(
        "foreman",
        "the folder of the Procfile",
        TWO,
        "-f",
        "sub/Procfile",
        until=1,
        files={"sub/Procfile": "web: basename $(pwd); exec sleep 60\n"},
    ),
    *only(
        "honcho",
        "the folder of the Procfile",
        TWO,
        "-f",
        "sub/Procfile",
        until=1,
        files={
            "sub/Procfile": "web: [ -e Procfile.here ] && echo here || echo beside;"
            " exec sleep 60\n",
            "Procfile.here": "",
        },
        differs="folder-of-processes",
        said={"web.1": ("beside",)},
    ),
    *only(
        "honcho",
        "the Procfile's variable",
        TWO,
        until=1,
        env={"PROCFILE": "P"},
        files={"P": f"other: {SHOW}\n"},
    ),
]

GRAMMAR = [
    *both("comments and blank lines", f"# x\n\nweb: {SHOW}\n", until=1),
    *both("CRLF in the Procfile", f"web: {SHOW}\r\nworker: {SHOW}\r\n", until=2),
    *both("no line end at the end", f"web: {SHOW}", until=1),
    *both("no blank behind the colon", f"web:{SHOW}\n", until=1),
    *both("a tab behind the colon", f"web:\t{SHOW}\n", until=1),
    *both("names of all kinds", f"a-b: {SHOW}\na_c: {SHOW}\nA9: {SHOW}\n", until=3),
    *both("shell characters", "web: echo a | tr a b && echo 'c; d'; exec sleep 60\n", until=2),
    *both("an assignment", "web: FOO=1 sh -c 'echo $FOO; exec sleep 60'\n", until=1),
    *only(
        "foreman",
        "a variable in single quotes",
        "web: echo '$PORT'; exec sleep 60\n",
        until=1,
        differs="no-substitution",
        said={"web.1": ("$PORT",)},
    ),
    *only("honcho", "a variable in single quotes", "web: echo '$PORT'; exec sleep 60\n", until=1),
]

ENDS = [
    *both("all end with 0", "web: true\n"),
    *both("a failure", "web: exit 3\n", code=3),
    *both("the first failure ends all", "web: sleep .3; exit 4\nworker: exec sleep 60\n", code=4),
    *both("the first success ends all", "web: sleep .3\nworker: exec sleep 60\n"),
    *both("lines before the end", "web: echo a; echo b; sleep .3\n"),
    *both("stderr", "web: echo a >&2; sleep .3\n"),
    *only(
        "foreman",
        "a death by a signal",
        "web: sleep .3; kill -KILL $$\n",
        code=137,
        differs="signal-exit-code",
    ),
    *only(
        "honcho",
        "a death by a signal",
        "web: sleep .3; kill -KILL $$\n",
        code=137,
        differs="signal-exit-code",
    ),
    *only(
        "honcho",
        "not found",
        "web: nosuch\n",
        code=127,
        differs="not-found",
        said={"web.1": ('no such program: "nosuch" is in no folder of PATH',)},
    ),
    *only(
        "foreman",
        "a stop of one that takes its time",
        "web: trap 'echo bye; exit 0' TERM; echo here; while :; do :; done\nworker: sleep .6\n",
    ),
    *only(
        "honcho",
        "a stop of one that takes its time",
        "web: trap 'echo bye; exit 0' TERM; echo here; while :; do :; done\nworker: sleep .6\n",
    ),
    *only(
        "foreman",
        "a time to stop",
        "web: trap '' TERM; echo here; while :; do :; done\nworker: sleep .6\n",
        "-t",
        "1",
    ),
]

# honcho may miss a signal that comes as soon as its first process has begun.
LOOP = "sleep .5; echo up; while :; do :; done\n"
ANSWERS = f"trap 'echo TERM; exit 0' TERM; trap 'echo INT; exit 0' INT; {LOOP}"
SPEAKS = f"web: {ANSWERS}"
BOTH_SPEAK = SPEAKS + f"worker: {ANSWERS}"
FAILS = f"web: trap 'echo bye; exit 7' TERM; {LOOP}"
USR1 = f"web: {sys.executable} {Path(__file__).parents[1] / 'e2e/programs/says_signals.py'}\n"
UP = "web: sleep .5; echo up; exec sleep 60\n"
BEHIND = "web: sleep .5; echo up; sleep 60; true\n"
DETACHED = "web: setsid sleep 60 & sleep .5; echo up; wait\n"
LEFT_RUNNING = "web: setsid sleep 60 & echo up; sleep .3\n"


def stopped(
    peer: str, name: str, procfile: str, sends: str = "SIGTERM", differs: str = "", **more
) -> list[Case]:
    """Return a case in which both get a signal once the processes are up."""
    code = -signal.Signals[sends]
    return only(
        peer,
        name,
        procfile,
        **{"until": 1, "sends": sends, "differs": differs, "code": code, **more},
    )


TOLD_INT = {"web.1": ("up", "INT")}
TOLD_TERM = {"web.1": ("up", "TERM")}

SIGNALS = [
    *stopped("foreman", "SIGTERM", SPEAKS, differs="stop-exit-code"),
    *stopped("honcho", "SIGTERM", SPEAKS),
    *stopped(
        "foreman", "SIGINT", SPEAKS, "SIGINT", "stop-exit-code interrupt-signal", said=TOLD_INT
    ),
    *stopped("honcho", "SIGINT", SPEAKS, "SIGINT", "interrupt-signal", said=TOLD_INT),
    *stopped("foreman", "SIGHUP", SPEAKS, "SIGHUP", "stop-exit-code"),
    *stopped("honcho", "SIGHUP", SPEAKS, "SIGHUP", "orphans", said=TOLD_TERM),
    *stopped("foreman", "SIGTERM for two", BOTH_SPEAK, differs="stop-exit-code", until=2),
    *stopped("honcho", "SIGTERM for two", BOTH_SPEAK, until=2),
    *stopped("foreman", "one that fails when it is stopped", FAILS, differs="stop-exit-code"),
    *stopped("honcho", "one that fails when it is stopped", FAILS),
    *stopped("foreman", "one that just dies", UP, differs="stop-exit-code"),
    *stopped("foreman", "a process behind a shell", BEHIND, differs="stop-exit-code orphans"),
    *stopped("foreman", "one in its own session", DETACHED, differs="stop-exit-code orphans"),
    *stopped("honcho", "one in its own session", DETACHED, differs="hangs"),
    *stopped("foreman", "SIGKILL", UP, "SIGKILL", "orphans"),
    *stopped("honcho", "SIGKILL", UP, "SIGKILL", "orphans"),
    *stopped("foreman", "SIGUSR1", USR1, "SIGUSR1", code=0),
    *only("foreman", "what one that ends has left running", LEFT_RUNNING, differs="orphans"),
    *only("honcho", "what one that ends has left running", LEFT_RUNNING, differs="hangs"),
]

CASES = PORTS + FORMATION + ENVIRONMENT + GRAMMAR + ENDS + SIGNALS

DIFFERENCES = {
    "env-precedence": (
        "`.env` beats the environment",
        "the environment beats `.env`; `--env-override` turns it round",
        "what is said at the prompt is meant",
    ),
    "port-flag": (
        "honcho: `PORT` of `.env` beats `-p`",
        "`-p` beats everything",
        "as honcho's own documentation has it",
    ),
    "port-of-one": (
        "honcho: ports are counted over the processes that run",
        "over the whole file",
        "a process keeps its port when it runs alone",
    ),
    "unnamed-runs-once": (
        "foreman: a process that `-m` does not name does not run",
        "it runs once; `all=0` says otherwise",
        "as honcho and overmind have it",
    ),
    "folder-of-processes": (
        "honcho: processes run in the current folder",
        "in the folder of the Procfile",
        "as with all others",
    ),
    "no-substitution": (
        "foreman: `$NAME` is replaced in the text, in single quotes too",
        "the shell does it",
        "a command means what it means in a shell",
    ),
    "signal-exit-code": (
        "a death by a signal is exit code 0 (foreman) or 247 (honcho)",
        "128 + N",
        "a process that was killed has failed",
    ),
    "not-found": (
        "the shell's message about a missing program",
        "devrun's own, where no shell is needed to run the line",
        "plain commands run without a shell between, so that signals reach them",
    ),
    "stop-exit-code": (
        "foreman: exit code 0 after a signal, or that of a process that failed when it was stopped",
        "dies of the signal, once everything has stopped",
        "`&&` must not go on; honcho has 143 and 130 as well",
    ),
    "interrupt-signal": (
        "Ctrl+C and SIGINT become SIGTERM for the processes",
        "they get SIGINT, once",
        "programs have an answer of their own to Ctrl+C",
    ),
    "orphans": (
        "processes are left: foreman's behind shells and in other sessions, honcho's after SIGHUP",
        "nothing is left",
        "a port that is taken tomorrow is what one remembers of today",
    ),
    "hangs": (
        "honcho: waits for ever for a process in another session",
        "it is stopped, and said",
        "a stop has to end",
    ),
}
"""Name of a difference: what the peers do, what devrun does, and why."""
