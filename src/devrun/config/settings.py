"""The words of one invocation, before they have been understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

Value = bool | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user said, as text; None and empty tuples where nothing was said.

    Numbers, times and names are checked in ``resolve``, so that every message is devrun's own. The
    fields are those that ``devrun.config.flags`` names, and the words that are no options.

    Attributes:
        commands: The words that are no options.
        arguments: The words after ``--`` where they are the commands' arguments.
        env_below: Paths of files whose variables are below all others.
        with_release: A file's ``release`` is wanted too, where no process is named.
    """

    commands: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    names: str | None = None
    name_separator: str | None = None
    max_processes: str | None = None
    shell: str | None = None
    passthrough_arguments: bool = False
    with_release: bool = False
    allow_empty: bool = False
    cwd: tuple[str, ...] = ()
    root: str | None = None
    excepted: str | None = None
    profiles: tuple[str, ...] = ()
    formation: str | None = None
    instance_names: bool = False
    env: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    env_below: tuple[str, ...] = ()
    env_override: bool = False
    no_env: bool = False
    port: str | None = None
    port_step: str | None = None
    formation_port_step: str | None = None
    no_port: bool = False
    kill_others: bool | None = None
    kill_others_on_fail: bool = False
    can_die: str | None = None
    success: str | None = None
    kill_signal: str | None = None
    stop_signals: str | None = None
    stop_timeout: str | None = None
    kill_timeout: str | None = None
    restart_tries: str | None = None
    restart_after: str | None = None
    auto_restart: str | None = None
    teardown: tuple[str, ...] = ()
    teardown_timeout: str | None = None
    exit_zero_on_interrupt: bool = False
    watch: tuple[str, ...] = ()
    watch_ignore: tuple[str, ...] = ()
    watch_poll: bool = False
    handle_input: bool = False
    default_input_target: str | None = None
    focus: str | None = None
    keys: bool | None = None
    prefix: str | None = None
    prefix_colors: str | None = None
    prefix_length: str | None = None
    pad_prefix: bool | None = None
    timestamps: bool | None = None
    timestamp_format: str | None = None
    raw: bool = False
    raw_only: str | None = None
    hide: str | None = None
    only: str | None = None
    group: bool = False
    timings: bool = False
    tail: str | None = None
    quiet: bool = False
    tty: bool | None = None
    color: bool | None = None
    log_format: str | None = None
    name: str | None = None
    prod: bool = False
    dry_run: bool = False


def with_values(settings: RunSettings, values: Mapping[str, Value]) -> RunSettings:
    """Return the settings with these fields; their types are those of the table of flags."""
    return replace(settings, **values)  # type: ignore[arg-type]  # what a field holds is in the table
