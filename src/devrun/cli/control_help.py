"""The help of the commands that ask a running devrun."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated

import typer

from devrun.cli.control.options import TABLES
from devrun.cli.options import GENERAL, OUTPUT, Meaning, parameter

_CONTEXT = {"help_option_names": ["-h", "--help"]}
_WHICH = "Which lines"

MEANINGS = {
    "watch": Meaning(OUTPUT, "Draw the table anew every second, in place, until Ctrl+C."),
    "all": Meaning(GENERAL, "All projects of this user, in whatever folders."),
    "json": Meaning(OUTPUT, "For programs; the shapes are part of the documentation."),
    "project": Meaning(
        GENERAL, "Which run, by its name or pid, if several are in this folder.", "NAME"
    ),
    "color": Meaning(
        OUTPUT, "Use colours. Default: as terminal and environment say.", negative=True
    ),
    "follow": Meaning(_WHICH, "Go on with what is written from now on, until Ctrl+C."),
    "lines": Meaning(_WHICH, "So many lines, the last ones of all together. Default: 50.", "N|all"),
    "since": Meaning(_WHICH, "Written since: 10m ago, 14:30 today, or 2026-01-31T14:30.", "TIME"),
    "grep": Meaning(_WHICH, "Those in which this is found (a regular expression).", "REGEX"),
    "err": Meaning(_WHICH, "Those written to stderr."),
    "timestamps": Meaning(OUTPUT, "Begin every line with the time."),
    "what": Meaning(
        GENERAL, "ready, running, healthy, stopped or exited. Default: ready.", "STATE"
    ),
    "kill_after": Meaning(GENERAL, "Kill what has not stopped by then: 500ms, 30s, 5m.", "TIME"),
    "detach_keys": Meaning(
        GENERAL, "Keys that end it, the service goes on. Default: ctrl-].", "KEY[,KEY]|none"
    ),
    "no_stdin": Meaning(GENERAL, "Show the output, and pass nothing on."),
    "timeout": Meaning(GENERAL, "How long at most: 500ms, 30s, 5m. Default: for ever.", "TIME"),
}

_PS = """Show the services of the project that runs here: state, processes, what they use.

Exit code 1: nothing runs here.
"""
_LOGS = """Show what services wrote last; -f goes on with what they write now.

Where nothing runs, the log files of an earlier run are shown.
"""
_RESTART = """Restart services, also those that are stopped, and wait until they are ready.

Without a name: all. Several names: one after another, in their order. Exit code 1: one failed.
"""
_STOP = """Stop services, and wait until they are gone; the others go on.

What does not run is no failure. devrun restart NAME starts them again.
"""
_DOWN = """End the project that runs here, and wait until nothing is left of it.

Services stop in their order, each within its own time. What does not run is no failure.
"""
_RELOAD = """Replace services of the running project by new generations, without a gap.

A new generation is ready before the old one is stopped; if it fails, the old one goes on, and the
exit code is 1.
"""
_SCALE = """Have so many instances of services."""
_SIGNAL = """Send a signal to the programs of services.

Where a shell runs a command line, the signal goes to what it runs just now, not to the shell.
"""
_SHOW = """Show all that is known of a service: instances, last exits, probes, configuration.

Every value says where it is from. Values of variables are masked.
"""
_EVENTS = """Show what happens to the services, as it happens, until Ctrl+C or the run's end."""
_WAIT = """Wait until services are ready, running, healthy, stopped or have exited.

Without a name: all. Exit code 1: not in time, or it can never be.
"""

_ATTACH = """Have a service's terminal here: its output, its whole screen, and what is typed.

For debuggers, consoles and full-screen programs; the others go on. Typing needs tty = true in the
service's table, or --tty. Exit code: the service's if it ends.
"""

_TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ps": (_PS, ("devrun ps", "devrun ps --watch", "devrun ps --all", "devrun ps --json")),
    "logs": (
        _LOGS,
        (
            "devrun logs -f",
            "devrun logs web worker --lines 200",
            "devrun logs web --since 10m --grep 'ERROR|WARN'",
        ),
    ),
    "restart": (_RESTART, ("devrun restart web", "devrun restart db web", "devrun restart")),
    "stop": (_STOP, ("devrun stop worker",)),
    "down": (_DOWN, ("devrun down", "devrun down --timeout 5s", "devrun down --name second")),
    "reload": (_RELOAD, ("devrun reload web",)),
    "scale": (_SCALE, ("devrun scale web=3 worker=2",)),
    "signal": (_SIGNAL, ("devrun signal web HUP", "devrun signal web worker USR1")),
    "show": (_SHOW, ("devrun show web", "devrun show web --json")),
    "events": (_EVENTS, ("devrun events", "devrun events web --json")),
    "attach": (_ATTACH, ("devrun attach web", "devrun attach web.2 --detach-keys ctrl-p,ctrl-q")),
    "wait": (
        _WAIT,
        ("devrun wait db web --timeout 30s", "devrun wait migrate --for exited"),
    ),
}

_ARGUMENTS = {
    "attach": ("NAME", "A service, or one of its instances."),
    "scale": ("NAME=N...", "How many instances of each."),
    "signal": ("NAME... SIGNAL", "Services or instances, and what they get."),
    "reload": ("NAME...", "Services, or single instances."),
    "stop": ("NAME...", "Services, or single instances."),
    "show": ("NAME...", "Services, or single instances."),
}
_WITHOUT_NAMES = ("down",)
_ANY = ("[NAME]...", "Services, or single instances. Default: all.")


def add_commands(app: typer.Typer) -> None:
    """Give an application the commands; they do nothing, because they are read without Typer."""
    for name, (text, examples) in _TEXTS.items():
        epilog = "\n".join(["\b", "Examples:", *(f"  {example}" for example in examples)]) + "\n"
        app.command(name, help=text, epilog=epilog, context_settings=_CONTEXT)(_command(name))


def _command(name: str) -> Callable[..., None]:
    def do(**_said: object) -> None:
        """Nothing."""

    metavar, text = _ARGUMENTS.get(name, _ANY)
    words = Annotated[
        list[str] | None,
        typer.Argument(metavar=metavar, help=text, show_default=False),
    ]
    names = Parameter("names", Parameter.KEYWORD_ONLY, default=None, annotation=words)
    parameters = [
        *(() if name in _WITHOUT_NAMES else (names,)),
        *(parameter(flag, MEANINGS[flag.field]) for flag in TABLES[name]),
    ]
    do.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # as Typer reads it
    return do
