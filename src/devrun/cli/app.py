"""The command line as Typer sees it: options to settings, help, completion, usage errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from devrun.cli import options as o
from devrun.cli.check.line import CHECK_FLAGS
from devrun.cli.control_help import add_commands
from devrun.cli.notify import HELP as NOTIFY_HELP
from devrun.cli.overview import COMMANDS, listed
from devrun.cli.subcommands import COMPLETION_OPTIONS, EXEC_COMMANDS
from devrun.config.exec_line import EXEC_FLAGS
from devrun.config.export_line import EXPORT_FLAGS
from devrun.config.nearest import choices
from devrun.config.settings import RunSettings, Value, with_values
from devrun.config.start_line import START_FLAGS
from devrun.config.startup_line import STARTUP_FLAGS
from devrun.config.up_line import UP_FLAGS
from devrun.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from typer._click.formatting import HelpFormatter

_INTRODUCTION = """Run all the processes of a project together.

Prefixed output, one Ctrl+C, and nothing left behind.
"""

HELP = (
    _INTRODUCTION
    + """
It is what is meant where no command is named; a program that is called like one of devrun's
commands is run by it: devrun run ps.
"""
)

OVERVIEW = f"""{_INTRODUCTION}
{listed("[bold]{}[/bold]", "[bold cyan]{}[/bold cyan]")}

The options of a command: devrun COMMAND --help. What follows are those of a run.
"""

EPILOG = """\b
Examples:
  devrun "web=pnpm dev:web" "worker=pnpm dev:worker"
  devrun -f Procfile.dev web worker
  devrun -f devrun.toml -f devrun.local.toml
  devrun -f ecosystem.config.js --env production
  devrun -k --names api,tests "node api.js" "npm test"
  devrun --watch web=src "web=node src/server.js"

Without a command and without -f it runs the first of these that is in this folder:
devrun.toml, pyproject.toml with a table \\[tool.devrun], Procfile.dev, Procfile.
"""

OVERVIEW_EPILOG = f"""{EPILOG}
Which devrun this is: devrun --version.
Completion of commands, options and services: devrun --install-completion.
"""

START_HELP = """Run a Procfile with the letters of foreman, honcho, overmind and hivemind."""

START_EPILOG = """\b
Examples:
  devrun start
  devrun start -f Procfile.dev -e .env,.env.local web worker
  devrun start -m web=2,worker=1 -p 3000
  devrun start --prod
"""

UP_HELP = """Run the project of this folder: once, and with -d in the background.

-d waits until all services are ready. Where the project runs already, what has changed since is
started anew, and that alone. Exit code 1: a service failed; the others go on.
"""

UP_EPILOG = """\b
Examples:
  devrun up
  devrun up -d
  devrun up -d --dry-run
  devrun up -d -f Procfile --name second
"""

STARTUP_HELP = """Have the project of this folder started with the machine, by systemd or launchd.

What is written holds no variables: .env files are read at each start.
"""

STARTUP_EPILOG = """\b
Examples:
  devrun startup
  devrun startup --print
  devrun startup --profile full
  devrun startup --remove
"""

EXEC_HELP = """Become one command, in the environment of the project."""

EXEC_EPILOG = """\b
Examples:
  devrun exec -- env
  devrun exec web
"""

EXPORT_HELP = """Write a project as files for what runs it elsewhere.

FORMAT is systemd, systemd-user, launchd, supervisord, runit, s6, compose, kubernetes or
app-platform. Values of .env files are not written unless asked for.
"""

EXPORT_EPILOG = """\b
Examples:
  devrun export systemd deploy/ -u app
  devrun export compose . --image ghcr.io/me/app:1
  devrun export kubernetes k8s/ -m web=3 --public NODE_ENV
"""

CHECK_HELP = """Check a project without starting anything, and show what would run.

Exit code 1: something is missing or in the way; 2: a file or the command line is wrong.
"""

CHECK_EPILOG = """\b
Examples:
  devrun check
  devrun check --profile full --origins
  devrun check --format json -f devrun.toml -f devrun.local.toml
  devrun check --env web
  devrun check --schema > devrun.schema.json
"""

INIT_HELP = (
    """Show how a package.json's scripts change from concurrently and npm-run-all to devrun."""
)

INIT_EPILOG = """\b
Examples:
  devrun init
  devrun init --from apps/web/package.json
  devrun init --write
"""

_CONTEXT = {"help_option_names": ["-h", "--help"]}


class DefaultRun(TyperGroup):
    """The commands, of which ``run`` is meant where none is named."""

    def format_help(self, ctx: typer.Context, formatter: HelpFormatter) -> None:  # type: ignore[override]  # as above
        """Write the commands, and the options of the one that is meant where none is named."""
        overview = copy(self.commands["run"])
        overview.help, overview.epilog = OVERVIEW, OVERVIEW_EPILOG
        overview.format_help(ctx, formatter)

    def parse_args(  # type: ignore[override]  # the supertype's Context has no public name
        self, ctx: typer.Context, args: list[str]
    ) -> list[str]:
        """Put ``run`` before words that do not begin with a command."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultRun,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
)


def _run(**said: object) -> RunSettings:
    """Collect the settings of a run, as Typer reads them."""
    given: dict[str, Value] = {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in said.items()
        if isinstance(value, list | str | bool)
    }
    return with_values(RunSettings(), given)


# The table of flags is where the options of a run are said; Typer reads a signature.
_run.__signature__ = o.signature()  # type: ignore[attr-defined]
app.command("run", help=HELP, epilog=EPILOG, context_settings=_CONTEXT)(_run)


def _start(**_said: object) -> None:
    """Nothing: ``devrun start`` is read without Typer, which has its help and its completion."""


_start.__signature__ = o.signature(START_FLAGS, o.START_MEANINGS)  # type: ignore[attr-defined]
app.command("start", help=START_HELP, epilog=START_EPILOG, context_settings=_CONTEXT)(_start)


def _up(**_said: object) -> None:
    """Nothing: ``devrun up`` is read without Typer, with the options of a run."""


_up.__signature__ = o.signature(UP_FLAGS, o.UP_MEANINGS)  # type: ignore[attr-defined]
app.command("up", help=UP_HELP, epilog=UP_EPILOG, context_settings=_CONTEXT)(_up)


def _startup(**_said: object) -> None:
    """Nothing: it is read without Typer as well."""


_startup.__signature__ = o.signature(STARTUP_FLAGS, o.STARTUP_MEANINGS)  # type: ignore[attr-defined]
app.command("startup", help=STARTUP_HELP, epilog=STARTUP_EPILOG, context_settings=_CONTEXT)(
    _startup
)


def _exec(**_said: object) -> None:
    """Nothing: ``devrun exec`` is read without Typer as well, and ends in another program."""


_exec.__signature__ = o.signature(EXEC_FLAGS, o.EXEC_MEANINGS)  # type: ignore[attr-defined]
for _name in EXEC_COMMANDS:
    app.command(_name, help=EXEC_HELP, epilog=EXEC_EPILOG, context_settings=_CONTEXT)(_exec)


def _export(**_said: object) -> None:
    """Nothing: ``devrun export`` has the grammar of ``devrun start``."""


_export.__signature__ = o.signature(  # type: ignore[attr-defined]
    EXPORT_FLAGS, o.EXPORT_MEANINGS, (("format", o.ExportFormat), ("folder", o.ExportFolder))
)
app.command("export", help=EXPORT_HELP, epilog=EXPORT_EPILOG, context_settings=_CONTEXT)(_export)


def _check(**_said: object) -> None:
    """Nothing: ``devrun check`` is read without Typer, with the options of a run."""


_check.__signature__ = o.signature(CHECK_FLAGS, o.CHECK_MEANINGS)  # type: ignore[attr-defined]
app.command("check", help=CHECK_HELP, epilog=CHECK_EPILOG, context_settings=_CONTEXT)(_check)


add_commands(app)


@app.command("init", help=INIT_HELP, epilog=INIT_EPILOG, context_settings=_CONTEXT)
def init_command(source: o.InitFrom = "package.json", write: o.InitWrite = False) -> int:
    """Change the scripts of a package.json from concurrently and npm-run-all to devrun."""
    from devrun.cli.init import init

    return init(source, write=write)


def main(words: Sequence[str]) -> int:
    """Do what a command line says that is not a run; return the exit code.

    Raises:
        UsageError: Something is wrong with it.
    """
    if words and words[0].partition("=")[0] in COMPLETION_OPTIONS:
        from devrun.cli.completion.install import completion

        return completion(words, os.environ)
    if words[:1] == ["help"]:
        words = _asked_for(words[1:])
    if words[:1] == ["notify"]:
        sys.stdout.write(NOTIFY_HELP)
        return ExitCode.OK
    try:
        result: object = app(list(words), prog_name="devrun", standalone_mode=False)
    except typer.TyperException as error:
        raise UsageError(_one_line(error)) from error
    return result if isinstance(result, int) else ExitCode.OK


def _asked_for(words: Sequence[str]) -> list[str]:
    """Return the line that shows the help which ``devrun help`` is asked for.

    Raises:
        UsageError: There is no such command.
    """
    if not words or words[0] in ("help", "-h", "--help"):
        return ["--help"]
    if len(words) > 1:
        raise UsageError(f'help: one command at a time; there is "{words[1]}" too')
    if words[0] not in (*COMMANDS, *EXEC_COMMANDS):
        raise UsageError(f'help: no command "{words[0]}"{choices(words[0], [*COMMANDS])}')
    return [words[0], "--help"]


def _one_line(error: typer.TyperException) -> str:
    text = " ".join(error.format_message().split())
    return text[:1].lower() + text[1:].rstrip(".") + " (devrun --help lists all)"
