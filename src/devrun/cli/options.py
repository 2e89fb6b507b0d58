"""What the options of ``devrun run`` mean, for its help; how they are spelled is said in ``flags``.

Values come as text: they are checked where they are understood, in ``devrun.config``, so that every
message is devrun's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, Signature
from typing import Annotated

import typer

from devrun.config.flags import FLAGS, Flag, Takes

Option = partial(typer.Option, show_envvar=False, show_default=False)

WHAT = "What to run"
ENVIRONMENT = "Environment"
ENDING = "Ending and restarting"
WATCHING = "Watching"
INPUT = "Input"
OUTPUT = "Output"
GENERAL = "General"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the help says of an option.

    Attributes:
        value: What stands behind it, or nothing for a switch.
        negative: The switch has an opposite that is worth showing.
    """

    panel: str
    text: str
    value: str = ""
    negative: bool = False


MEANINGS = {
    "files": Meaning(
        WHAT,
        "Run the services of a devrun.toml, pyproject.toml, Procfile or PM2 ecosystem file. "
        "Repeatable.",
        "FILE",
    ),
    "names": Meaning(
        WHAT, "Names of the commands, in their order; nothing is split at '=' then.", "A,B,…"
    ),
    "name_separator": Meaning(WHAT, "What stands between names instead of a comma.", "TEXT"),
    "max_processes": Meaning(
        WHAT, "How many may run at a time; a percentage is of the processors.", "N|N%"
    ),
    "shell": Meaning(
        WHAT, "What runs the command lines. Default: npm's script-shell, else /bin/sh.", "PROGRAM"
    ),
    "passthrough_arguments": Meaning(
        WHAT, "Words after -- take the places of {1}, {2}…, {@} and {*} in the commands."
    ),
    "allow_empty": Meaning(WHAT, "A wildcard such as npm:watch-* may match no script."),
    "root": Meaning(WHAT, "Act as if started in this folder.", "FOLDER"),
    "excepted": Meaning(WHAT, "Leave these processes of the file out.", "A,B,…"),
    "formation": Meaning(
        WHAT, "How many of each process of the file run; all=N is for the rest.", "A=N,B=N,…"
    ),
    "instance_names": Meaning(WHAT, "Call a single instance web.1 too, as foreman does."),
    "cwd": Meaning(
        WHAT, "Run this command in another folder; without NAME=, all. Repeatable.", "[NAME=]FOLDER"
    ),
    "env": Meaning(
        ENVIRONMENT,
        "Set a variable for this command; without NAME:, for all. Repeatable.",
        "[NAME:]KEY=VALUE",
    ),
    "env_files": Meaning(
        ENVIRONMENT, "Read variables from this file too. Repeatable; later files win.", "FILE"
    ),
    "env_override": Meaning(
        ENVIRONMENT, "Files win over the environment that devrun was started with."
    ),
    "no_env": Meaning(ENVIRONMENT, "Do not read the shared root .env."),
    "port": Meaning(
        ENVIRONMENT,
        "First PORT; each further process of a Procfile gets 100 more. Default: 5000.",
        "N",
    ),
    "port_step": Meaning(ENVIRONMENT, "From one process's port to the next. Default: 100.", "N"),
    "formation_port_step": Meaning(
        ENVIRONMENT, "From one instance's port to the next. Default: 1.", "N"
    ),
    "no_port": Meaning(ENVIRONMENT, "Assign no PORT."),
    "kill_others": Meaning(
        ENDING, "When one ends, stop the others; the default for Procfiles.", negative=True
    ),
    "kill_others_on_fail": Meaning(ENDING, "When one fails, stop the others."),
    "can_die": Meaning(ENDING, "These may end without stopping the others.", "A,B,…"),
    "success": Meaning(
        ENDING, "Whose exit decides: all, first, last, command-NAME, !command-NAME.", "WHICH"
    ),
    "kill_signal": Meaning(
        ENDING, "Signal that stops a process; Ctrl+C sends SIGINT. Default: SIGTERM.", "SIGNAL"
    ),
    "stop_signals": Meaning(ENDING, "The signals that stop some of them.", "A=SIGNAL,…"),
    "stop_timeout": Meaning(
        ENDING, "How long a process may take to stop before SIGKILL. Default: 10s.", "TIME"
    ),
    "kill_timeout": Meaning(ENDING, "The same in milliseconds, as concurrently has it.", "MS"),
    "restart_tries": Meaning(
        ENDING, "Start a process that failed again, N times at most; -1 for ever.", "N"
    ),
    "restart_after": Meaning(ENDING, "How long to wait before that.", "MS|exponential"),
    "auto_restart": Meaning(
        ENDING, "Start these again whenever they end, or all of them.", "A,B,…|all"
    ),
    "teardown": Meaning(
        ENDING, "Run this when all have ended. Repeatable; one after another.", "COMMAND"
    ),
    "teardown_timeout": Meaning(ENDING, "How long each of these may take. Default: 60s.", "TIME"),
    "exit_zero_on_interrupt": Meaning(
        ENDING, "Ctrl+C is exit code 0, as concurrently has it, unless something had failed."
    ),
    "watch": Meaning(
        WATCHING,
        "Restart when files change: all services, or NAME. Repeatable.",
        "[NAME=]PATH|GLOB",
    ),
    "watch_ignore": Meaning(
        WATCHING, "Never for these files (as in .gitignore). Repeatable.", "PATTERN"
    ),
    "watch_poll": Meaning(
        WATCHING, "Compare file times instead of asking the kernel (network file systems)."
    ),
    "handle_input": Meaning(
        INPUT, "Pass lines of stdin on: 'NAME:text' to NAME, all else to the first."
    ),
    "default_input_target": Meaning(INPUT, "Who gets lines that name nobody.", "NAME|INDEX"),
    "focus": Meaning(
        INPUT,
        "Keys go to this one's terminal; Ctrl+] holds the others' output back, and shows it.",
        "NAME|INDEX",
    ),
    "keys": Meaning(
        INPUT, "On a terminal keys are commands to devrun; ? shows them.", negative=True
    ),
    "prefix": Meaning(
        OUTPUT,
        "index, pid, time, command, name, none, or a template such as '{time} {name}:'.",
        "STYLE",
    ),
    "prefix_colors": Meaning(
        OUTPUT, "Colours of the prefixes: names, #hex, bold.blue, bgRed, rgb(…)…, auto.", "A,B,…"
    ),
    "prefix_length": Meaning(OUTPUT, "Characters of a command in a prefix. Default: 10.", "N"),
    "pad_prefix": Meaning(
        OUTPUT, "Make all prefixes equally wide. Default: for Procfiles.", negative=True
    ),
    "timestamps": Meaning(OUTPUT, "Begin every line with the time.", negative=True),
    "timestamp_format": Meaning(
        OUTPUT,
        "How times are written: HH:mm:ss.SSS (Unicode TR35), %H:%M:%S (strftime), or iso.",
        "FORMAT",
    ),
    "raw": Meaning(OUTPUT, "Pass output on as it is, without prefixes."),
    "raw_only": Meaning(OUTPUT, "Do so for these commands alone (names or indices).", "A,B,…"),
    "hide": Meaning(OUTPUT, "Show nothing of these commands (names or indices).", "A,B,…"),
    "only": Meaning(
        WHAT, "Of a file's services run only these; of commands show only these.", "A,B,…"
    ),
    "profiles": Meaning(WHAT, "Run services of this profile too (repeatable).", "NAME"),
    "group": Meaning(OUTPUT, "Show each command's output as one block, in the commands' order."),
    "timings": Meaning(
        OUTPUT, "Say when each command started and stopped, with a table at the end."
    ),
    "tail": Meaning(OUTPUT, "Last lines of what failed, in the summary. Default: 10.", "N"),
    "quiet": Meaning(OUTPUT, "Leave out devrun's own lines."),
    "tty": Meaning(
        OUTPUT, "Give processes a terminal. Default: where stdout is one.", negative=True
    ),
    "color": Meaning(
        OUTPUT, "Use colours. Default: as terminal and environment say.", negative=True
    ),
    "log_format": Meaning(
        OUTPUT, "text, or json: an object for every line, and for what devrun says.", "FORMAT"
    ),
    "name": Meaning(GENERAL, "What tells this run from others of the same folder.", "NAME"),
    "prod": Meaning(
        GENERAL, "For production and containers: no terminal, no colour, times, no watching."
    ),
    "dry_run": Meaning(GENERAL, "Show what would run, and run nothing."),
}


START_MEANINGS = MEANINGS | {
    "only_files": Meaning(ENVIRONMENT, "Read these files instead of .env.", "A,B,…"),
    "processes": Meaning(WHAT, "Run these processes alone.", "A,B,…"),
    "seconds": Meaning(ENDING, "How long a process may take to stop. Default: 10.", "SECONDS"),
    "silent": Meaning(OUTPUT, "Show nothing of these processes.", "A,B,…"),
    "no_prefix": Meaning(OUTPUT, "Put nothing before the lines."),
    "any_can_die": Meaning(ENDING, "Whoever ends, the others go on."),
    "palette": Meaning(OUTPUT, "Colours of the prefixes, of the terminal's 256.", "N,N,…"),
    "title": Meaning(GENERAL, "Taken, and without effect.", "TITLE"),
}


EXEC_MEANINGS = START_MEANINGS | {
    "files": Meaning(WHAT, "The file that has the process, if it is one's name.", "FILE"),
}

UP_MEANINGS = MEANINGS | {
    "detach": Meaning(GENERAL, "In the background; return when all is ready, or has failed."),
    "dry_run": Meaning(GENERAL, "Show what would run, or be changed, and do nothing."),
}

STARTUP_MEANINGS = MEANINGS | {
    "remove": Meaning(GENERAL, "Take away what an earlier call has written."),
    "print": Meaning(GENERAL, "Show what would be written."),
}

CHECKED = "What is shown"
CHECK_MEANINGS = MEANINGS | {
    "style": Meaning(CHECKED, "Form of the project; env: the variables of --env.", "FORMAT"),
    "origins": Meaning(CHECKED, "Show where each value is from; JSON always has it."),
    "show_values": Meaning(CHECKED, "Show the values of variables, too; they may be secrets."),
    "schema": Meaning(CHECKED, "Show the JSON Schema of devrun.toml alone, for editors."),
    "env": Meaning(
        CHECKED,
        "Show this service's variables and where each comes from; or set one, as for a run.",
        "NAME",
    ),
}

EXPORTED = "What is written"
EXPORT_MEANINGS = START_MEANINGS | {
    "application": Meaning(EXPORTED, "Name of the whole. Default: that of the folder.", "NAME"),
    "user": Meaning(EXPORTED, "Who runs the processes.", "USER"),
    "logs": Meaning(EXPORTED, "Folder for log files. Default: as the target does it.", "FOLDER"),
    "template": Meaning(EXPORTED, "Folder of templates that replace devrun's own.", "FOLDER"),
    "image": Meaning(EXPORTED, "Container image. Default: the application's name.", "IMAGE"),
    "public": Meaning(EXPORTED, "Variables of .env files that are no secrets.", "A,B,…"),
    "include_secrets": Meaning(EXPORTED, "Write the values of all others too, for you alone."),
}


def signature(
    flags: Sequence[Flag] = FLAGS,
    meanings: Mapping[str, Meaning] = MEANINGS,
    first: Sequence[tuple[str, object]] = (),
) -> Signature:
    """Return the parameters of a function that Typer is to make a command of.

    Args:
        flags: Its options.
        meanings: What they mean, by field.
        first: Names and types of what stands before the commands.
    """
    words = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in (*first, ("commands", Commands))
    ]
    return Signature([*words, *(parameter(flag, meanings[flag.field]) for flag in flags)])


def parameter(flag: Flag, meaning: Meaning) -> Parameter:
    """Return the parameter that Typer is to make an option of."""
    names = list(flag.names)
    kind: object = bool | None if meaning.negative else bool
    if meaning.negative:
        names[0] += "/--no-" + names[0][2:]
    if flag.takes is not Takes.NOTHING:
        kind = str | None if flag.takes is Takes.VALUE else list[str] | None
    option = Option(
        *names,
        metavar=meaning.value or None,
        help=meaning.text,
        rich_help_panel=meaning.panel,
    )
    default = False if kind is bool else None
    annotation = Annotated[kind, option]  # type: ignore[valid-type]  # made here, for Typer alone
    return Parameter(flag.field, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


Commands = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COMMAND]...",
        help="A shell command line, or NAME=COMMAND; after -f also the name of a process.",
        show_default=False,
    ),
]
ExportFormat = Annotated[
    str | None,
    typer.Argument(
        metavar="FORMAT",
        help="What the files are for.",
        show_default=False,
    ),
]
ExportFolder = Annotated[
    str | None,
    typer.Argument(metavar="FOLDER", help="Where they go; - shows them.", show_default=False),
]
KillOthers = Annotated[
    bool,
    Option(
        "--kill-others",
        "-k",
        help="When one ends, stop the others.",
        rich_help_panel=ENDING,
    ),
]
InitFrom = Annotated[
    str,
    Option("--from", metavar="FILE", help="The package.json.", rich_help_panel=GENERAL),
]
InitWrite = Annotated[
    bool,
    Option("--write", help="Make the change instead of showing it.", rich_help_panel=GENERAL),
]
