"""What may stand in the place of a word that is begun."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping

from devrun.cli.completion.before import Before
from devrun.cli.completion.names import defined, instances_too, run_names, running, scripts
from devrun.cli.overview import COMMANDS
from devrun.cli.subcommands import COMPLETION_OPTIONS, CONTROL_COMMANDS, EXEC_COMMANDS
from devrun.config.flags import Takes

FORMATS = (
    "systemd",
    "systemd-user",
    "launchd",
    "supervisord",
    "runit",
    "s6",
    "compose",
    "kubernetes",
    "app-platform",
)
"""Those of ``devrun export``, whose own table takes long to be imported."""

NOTIFICATIONS = ("ready", "reloading", "stopping", "status", "watchdog", "extend")

_LISTS_OF_SERVICES = frozenset(
    ("only", "excepted", "hide", "raw_only", "can_die", "auto_restart", "silent", "processes")
)
FIXED = {
    "what": ("ready", "running", "healthy", "stopped", "exited"),
    "style": ("text", "toml", "json", "procfile", "env"),
    "prefix": ("index", "pid", "time", "command", "name", "none"),
    "log_format": ("text", "json"),
    "lines": ("all",),
    "detach_keys": ("none",),
    "restart_after": ("exponential",),
}


def candidates(before: Before, word: str, *, first: bool, environ: Mapping[str, str]) -> list[str]:
    """Return what may stand there instead of a word that is begun; nothing if it is a file.

    Args:
        first: It is the first word of the line.
    """
    found = _all(before, word, first=first, environ=environ)
    return [each for each in dict.fromkeys(found) if each.startswith(word)]


def _all(before: Before, word: str, *, first: bool, environ: Mapping[str, str]) -> Iterable[str]:
    if before.pending is not None:
        return _values(before, before.pending.field, word, environ)
    if word.startswith("-") and not before.only_words:
        option, equals, value = word.partition("=")
        flag = before.flag(option)
        if equals and flag is not None:
            return (f"{option}={each}" for each in _values(before, flag.field, value, environ))
        return (*_options(before, word), *(COMPLETION_OPTIONS if first else ()))
    if first:
        return (*COMMANDS, *_words(before, word, environ))
    return _words(before, word, environ)


def _options(before: Before, word: str) -> Iterable[str]:
    """Return the long options; those that turn a switch off only where one is begun."""
    for flag in before.flags:
        once = flag.takes in (Takes.NOTHING, Takes.VALUE)
        if not (once and flag.field in before.values):
            yield from [name for name in flag.names if name.startswith("--")][:1]
            if flag.takes is Takes.NOTHING and word.startswith("--no"):
                yield "--no-" + flag.name[2:]
    yield from ("--help", "--version")


def _words(before: Before, word: str, environ: Mapping[str, str]) -> Iterable[str]:
    """Return what a command takes besides its options."""
    command, said = before.command, before.said
    if command in CONTROL_COMMANDS:
        return _of_what_runs(before, word, environ)
    if command == "help":
        return () if said else COMMANDS
    if command == "notify":
        return () if said else NOTIFICATIONS
    if command == "export" and len(said) < 2:
        return () if said else FORMATS
    if command in EXEC_COMMANDS and said:
        return ()
    if command in ("start", "export", *EXEC_COMMANDS) or before.values.get("files"):
        return (name for name in _services(before, environ) if name not in said)
    return scripts(word)


def _of_what_runs(before: Before, word: str, environ: Mapping[str, str]) -> Iterable[str]:
    command, said = before.command, before.said
    if command == "down":
        return ()
    said_run = before.values.get("project")
    services = running(environ, said_run[-1] if said_run else None)
    if command == "logs" and not services:
        return defined([], environ)  # Those of an earlier run have logs, too.
    if command == "scale":
        return (f"{service}=" for service in services)
    names = [each for each in instances_too(services, word) if each not in said]
    if command == "signal" and said:
        return (*names, *_signals(word))
    return names


def _services(before: Before, environ: Mapping[str, str]) -> list[str]:
    return defined(before.values.get("files", []), environ)


def _signals(word: str) -> list[str]:
    names = [name for name in signal.Signals.__members__ if not name.startswith("SIGRT")]
    return names if word.startswith("SIG") else [name.removeprefix("SIG") for name in names]


def _values(before: Before, field: str, word: str, environ: Mapping[str, str]) -> Iterable[str]:
    """Return what an option takes; nothing if that is a file, or anything."""
    if field in FIXED:
        return FIXED[field]
    if field in _LISTS_OF_SERVICES:
        head, comma, _ = word.rpartition(",")
        said = head.split(",")
        return (f"{head}{comma}{name}" for name in _services(before, environ) if name not in said)
    wanted: dict[str, Callable[[], Iterable[str]]] = {
        "project": lambda: run_names(environ),
        "focus": lambda: _services(before, environ),
        "formation": lambda: (f"{name}=" for name in _services(before, environ)),
        "kill_signal": lambda: _signals(word),
        "success": lambda: _conditions(before, environ),
    }
    if before.command == "check":
        wanted["env"] = lambda: _services(before, environ)
    return wanted[field]() if field in wanted else ()


def _conditions(before: Before, environ: Mapping[str, str]) -> Iterable[str]:
    yield from ("all", "first", "last")
    for name in _services(before, environ):
        yield from (f"command-{name}", f"!command-{name}")
