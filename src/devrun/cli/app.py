"""The command line as Typer sees it: options to settings, help, completion, usage errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from devrun import __version__
from devrun.cli import options as o
from devrun.config.settings import RunSettings
from devrun.errors import ExitCode, UsageError

HELP = """Run all the processes of a project together.

Prefixed output, one Ctrl+C, and nothing left behind.
"""

EPILOG = """\b
Examples:
  devrun "web=pnpm dev:web" "worker=pnpm dev:worker"
  devrun -f Procfile.dev
  devrun -k --names api,tests "node api.js" "npm test"
  devrun --watch web=src "web=node src/server.js"

Without a command and without -f it runs Procfile.dev or Procfile of this folder.
"""

CHECK_HELP = """Check a project without starting anything, and show what would run."""

_COMPLETION = ("--install-completion", "--show-completion")
_CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DEVRUN"}


class DefaultRun(TyperGroup):
    """The commands, of which ``run`` is meant where none is named."""

    def parse_args(  # type: ignore[override]  # the supertype's Context has no public name
        self, ctx: typer.Context, args: list[str]
    ) -> list[str]:
        """Put ``run`` before words that do not begin with a command."""
        if not args or args[0] not in (*self.commands, *_COMPLETION):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultRun,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)


@app.command("run", help=HELP, epilog=EPILOG, context_settings=_CONTEXT)
def run_command(  # noqa: PLR0913, PLR0917 - Typer takes options from parameters
    commands: o.Commands = None,
    file: o.Files = None,
    names: o.Names = None,
    max_processes: o.MaxProcesses = None,
    env_file: o.EnvFiles = None,
    env_override: o.EnvOverride = False,
    no_env: o.NoEnv = False,
    port: o.Port = None,
    no_port: o.NoPort = False,
    kill_others: o.KillOthers = False,
    kill_others_on_fail: o.KillOthersOnFail = False,
    no_kill_others: o.NoKillOthers = False,
    success: o.Success = "all",
    kill_signal: o.KillSignal = None,
    stop_timeout: o.StopTimeout = None,
    kill_timeout: o.KillTimeout = None,
    restart_tries: o.RestartTries = None,
    restart_after: o.RestartAfter = None,
    watch: o.Watch = None,
    watch_ignore: o.WatchIgnore = None,
    watch_poll: o.WatchPoll = False,
    prefix: o.Prefix = None,
    prefix_colors: o.PrefixColors = None,
    prefix_length: o.PrefixLength = None,
    pad_prefix: o.PadPrefix = None,
    timestamps: o.Timestamps = False,
    timestamp_format: o.TimestampFormat = None,
    raw: o.Raw = False,
    hide: o.Hide = None,
    quiet: o.Quiet = False,
    tty: o.Tty = None,
    color: o.Color = None,
    dry_run: o.DryRun = False,
) -> RunSettings:
    """Collect the settings of a run."""
    return RunSettings(
        commands=tuple(commands or ()),
        files=tuple(file or ()),
        names=names,
        max_processes=max_processes,
        env_files=tuple(env_file or ()),
        env_override=env_override,
        no_env=no_env,
        port=port,
        no_port=no_port,
        kill_others=kill_others,
        kill_others_on_fail=kill_others_on_fail,
        no_kill_others=no_kill_others,
        success=success,
        kill_signal=kill_signal,
        stop_timeout=stop_timeout,
        kill_timeout=kill_timeout,
        restart_tries=restart_tries,
        restart_after=restart_after,
        watch=tuple(watch or ()),
        watch_ignore=tuple(watch_ignore or ()),
        watch_poll=watch_poll,
        prefix=prefix,
        prefix_colors=prefix_colors,
        prefix_length=prefix_length,
        pad_prefix=pad_prefix,
        timestamps=timestamps,
        timestamp_format=timestamp_format,
        raw=raw,
        hide=hide,
        quiet=quiet,
        tty=tty,
        color=color,
        dry_run=dry_run,
    )


@app.command("check", help=CHECK_HELP, context_settings=_CONTEXT)
def check_command(  # noqa: PLR0913, PLR0917 - Typer takes options from parameters
    commands: o.Commands = None,
    file: o.Files = None,
    env: o.EnvName = None,
    show_values: o.ShowValues = False,
    env_file: o.EnvFiles = None,
    env_override: o.EnvOverride = False,
    no_env: o.NoEnv = False,
    port: o.Port = None,
    no_port: o.NoPort = False,
) -> int:
    """Say whether a project can run, and what it would be."""
    from devrun.cli.check import check

    settings = RunSettings(
        commands=tuple(commands or ()),
        files=tuple(file or ()),
        env_files=tuple(env_file or ()),
        env_override=env_override,
        no_env=no_env,
        port=port,
        no_port=no_port,
    )
    return check(settings, env=env, show_values=show_values)


def main(argv: Sequence[str]) -> RunSettings | int:
    """Read a command line: the settings of a run, or the exit code of what has been done.

    Raises:
        UsageError: Something is wrong with it.
    """
    words = list(argv)
    if words[:1] in (["-v"], ["-V"], ["--version"]):
        sys.stdout.write(f"devrun {__version__}\n")
        return ExitCode.OK
    try:
        result: object = app(words, prog_name="devrun", standalone_mode=False)
    except typer.TyperException as error:
        raise UsageError(_one_line(error)) from error
    if isinstance(result, RunSettings):
        return result
    return result if isinstance(result, int) else ExitCode.OK


def _one_line(error: typer.TyperException) -> str:
    text = " ".join(error.format_message().split())
    return text[:1].lower() + text[1:].rstrip(".") + " (devrun --help lists all)"
