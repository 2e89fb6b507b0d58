"""The words of one invocation, before they have been understood."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user said, as text; None and empty tuples where nothing was said.

    Numbers, times and names are checked in ``resolve``, so that every message is devrun's own. The
    fields are named like the options of ``devrun run``.
    """

    commands: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    names: str | None = None
    max_processes: str | None = None
    env_files: tuple[str, ...] = ()
    env_override: bool = False
    no_env: bool = False
    port: str | None = None
    no_port: bool = False
    kill_others: bool = False
    kill_others_on_fail: bool = False
    no_kill_others: bool = False
    success: str = "all"
    kill_signal: str | None = None
    stop_timeout: str | None = None
    kill_timeout: str | None = None
    restart_tries: str | None = None
    restart_after: str | None = None
    watch: tuple[str, ...] = ()
    watch_ignore: tuple[str, ...] = ()
    watch_poll: bool = False
    prefix: str | None = None
    prefix_colors: str | None = None
    prefix_length: str | None = None
    pad_prefix: bool | None = None
    timestamps: bool = False
    timestamp_format: str | None = None
    raw: bool = False
    hide: str | None = None
    quiet: bool = False
    tty: bool | None = None
    color: bool | None = None
    dry_run: bool = False


_SINGULAR = {"files": "file", "env_files": "env_file"}


def option_variables() -> frozenset[str]:
    """Return the ``DEVRUN_*`` variables that set options; services do not inherit them."""
    names = (_SINGULAR.get(field.name, field.name) for field in fields(RunSettings))
    return frozenset(f"DEVRUN_{name.upper()}" for name in names)
