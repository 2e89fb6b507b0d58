"""The options of ``devrun run``, each said once: names, help text, help panel.

Values come as text: they are checked where they are understood, in ``devrun.config``, so that every
message is devrun's own.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from devrun.config import procfile
from devrun.errors import UsageError

Option = partial(typer.Option, show_envvar=False)

WHAT = "What to run"
ENVIRONMENT = "Environment"
ENDING = "Ending and restarting"
WATCHING = "Watching"
OUTPUT = "Output"
GENERAL = "General"


def _complete_process(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the processes that the line's files, or the folder's, have."""
    from devrun.config.selection import DISCOVERED

    names: list[str] = []
    for path in ctx.params.get("file") or DISCOVERED:
        try:
            names += [entry.name for entry in procfile.read(path, os.getcwd()).entries]
        except UsageError:
            continue
    return [name for name in names if name.startswith(incomplete)]


Commands = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COMMAND]...",
        help="A shell command line, or NAME=COMMAND; after -f also the name of a process.",
        show_default=False,
        autocompletion=_complete_process,
    ),
]
Files = Annotated[
    list[str] | None,
    Option(
        "--file",
        "-f",
        "--procfile",
        metavar="FILE",
        help="Run the processes of a Procfile. Repeatable.",
        rich_help_panel=WHAT,
    ),
]
Names = Annotated[
    str | None,
    Option(
        "--names",
        "-n",
        metavar="A,B,…",
        help="Names of the commands, in their order; nothing is split at '=' then.",
        rich_help_panel=WHAT,
    ),
]
MaxProcesses = Annotated[
    str | None,
    Option(
        "--max-processes",
        "-m",
        metavar="N|N%",
        help="How many may run at a time; a percentage is of the processors.",
        rich_help_panel=WHAT,
    ),
]
EnvFiles = Annotated[
    list[str] | None,
    Option(
        "--env-file",
        metavar="FILE",
        help="Read variables from this file too. Repeatable; later files win.",
        rich_help_panel=ENVIRONMENT,
    ),
]
EnvOverride = Annotated[
    bool,
    Option(
        "--env-override",
        help="Files win over the environment that devrun was started with.",
        rich_help_panel=ENVIRONMENT,
    ),
]
NoEnv = Annotated[
    bool,
    Option("--no-env", help="Do not read the shared root .env.", rich_help_panel=ENVIRONMENT),
]
Port = Annotated[
    str | None,
    Option(
        "--port",
        metavar="N",
        help="First PORT; each further process of a Procfile gets 100 more. Default: 5000.",
        rich_help_panel=ENVIRONMENT,
    ),
]
NoPort = Annotated[bool, Option("--no-port", help="Assign no PORT.", rich_help_panel=ENVIRONMENT)]
KillOthers = Annotated[
    bool,
    Option(
        "--kill-others",
        "-k",
        help="When one ends, stop the others.",
        rich_help_panel=ENDING,
    ),
]
KillOthersOnFail = Annotated[
    bool,
    Option(
        "--kill-others-on-fail",
        help="When one fails, stop the others.",
        rich_help_panel=ENDING,
    ),
]
NoKillOthers = Annotated[
    bool,
    Option(
        "--no-kill-others",
        help="Whoever ends, the others go on; a Procfile's would be stopped.",
        rich_help_panel=ENDING,
    ),
]
Success = Annotated[
    str,
    Option(
        "--success",
        "-s",
        metavar="WHICH",
        help="Whose exit decides: all, first, last, command-NAME, !command-NAME.",
        rich_help_panel=ENDING,
    ),
]
KillSignal = Annotated[
    str | None,
    Option(
        "--kill-signal",
        "--ks",
        metavar="SIGNAL",
        help="Signal that stops a process; Ctrl+C sends SIGINT. Default: SIGTERM.",
        rich_help_panel=ENDING,
    ),
]
StopTimeout = Annotated[
    str | None,
    Option(
        "--stop-timeout",
        metavar="TIME",
        help="How long a process may take to stop before SIGKILL. Default: 10s.",
        rich_help_panel=ENDING,
    ),
]
KillTimeout = Annotated[
    str | None,
    Option(
        "--kill-timeout",
        metavar="MS",
        help="The same in milliseconds, as concurrently has it.",
        rich_help_panel=ENDING,
    ),
]
RestartTries = Annotated[
    str | None,
    Option(
        "--restart-tries",
        metavar="N",
        help="Start a process that failed again, N times at most; -1 for ever.",
        rich_help_panel=ENDING,
    ),
]
RestartAfter = Annotated[
    str | None,
    Option(
        "--restart-after",
        metavar="MS|exponential",
        help="How long to wait before that.",
        rich_help_panel=ENDING,
    ),
]
Watch = Annotated[
    list[str] | None,
    Option(
        "--watch",
        "-w",
        metavar="[NAME=]PATH|GLOB",
        help="Restart when files change: all services, or NAME. Repeatable.",
        rich_help_panel=WATCHING,
    ),
]
WatchIgnore = Annotated[
    list[str] | None,
    Option(
        "--watch-ignore",
        metavar="PATTERN",
        help="Never for these files (as in .gitignore). Repeatable.",
        rich_help_panel=WATCHING,
    ),
]
WatchPoll = Annotated[
    bool,
    Option(
        "--watch-poll",
        help="Compare file times instead of asking the kernel (network file systems).",
        rich_help_panel=WATCHING,
    ),
]
Prefix = Annotated[
    str | None,
    Option(
        "--prefix",
        "-p",
        metavar="STYLE",
        help="index, pid, time, command, name, none, or a template such as '{time} {name}:'.",
        rich_help_panel=OUTPUT,
    ),
]
PrefixColors = Annotated[
    str | None,
    Option(
        "--prefix-colors",
        "-c",
        metavar="A,B,…",
        help="Colours of the prefixes: names, #hex, bold.blue, bgRed…, auto.",
        rich_help_panel=OUTPUT,
    ),
]
PrefixLength = Annotated[
    str | None,
    Option(
        "--prefix-length",
        "-l",
        metavar="N",
        help="Characters of a command in a prefix. Default: 10.",
        rich_help_panel=OUTPUT,
    ),
]
PadPrefix = Annotated[
    bool | None,
    Option(
        "--pad-prefix/--no-pad-prefix",
        help="Make all prefixes equally wide. Default: for Procfiles.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Timestamps = Annotated[
    bool,
    Option("--timestamps", help="Begin every line with the time.", rich_help_panel=OUTPUT),
]
TimestampFormat = Annotated[
    str | None,
    Option(
        "--timestamp-format",
        "-t",
        metavar="FORMAT",
        help="How times are written (strftime).",
        rich_help_panel=OUTPUT,
    ),
]
Raw = Annotated[
    bool,
    Option(
        "--raw", "-r", help="Pass output on as it is, without prefixes.", rich_help_panel=OUTPUT
    ),
]
Hide = Annotated[
    str | None,
    Option(
        "--hide",
        metavar="A,B,…",
        help="Show nothing of these commands (names or indices).",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[
    bool,
    Option("--quiet", "-q", help="Leave out devrun's own lines.", rich_help_panel=OUTPUT),
]
Tty = Annotated[
    bool | None,
    Option(
        "--tty/--no-tty",
        help="Give processes a terminal. Default: where stdout is one.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Color = Annotated[
    bool | None,
    Option(
        "--color/--no-color",
        help="Use colours. Default: as terminal and environment say.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
DryRun = Annotated[
    bool,
    Option("--dry-run", help="Show what would run, and run nothing.", rich_help_panel=GENERAL),
]
EnvName = Annotated[
    str | None,
    Option(
        "--env",
        metavar="NAME",
        help="Show the variables of this service and where each comes from.",
        rich_help_panel=GENERAL,
    ),
]
ShowValues = Annotated[
    bool,
    Option("--show-values", help="With --env: show the values too.", rich_help_panel=GENERAL),
]
