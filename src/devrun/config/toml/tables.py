"""The tables that a service in devrun.toml may have; the schema is made from these structs.

Texts may hold ``${NAME}`` and ``${NAME:-default}``, which are replaced before anything here is
looked at (``toml_variables``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from devrun.config.toml.gates import VARIABLE


def said(text: str, *examples: object, **limits: int | str) -> Meta:
    """Return what the schema says of a key.

    Args:
        limits: What a validator is to check besides (``minimum``, ``pattern``); the reader itself
            does so where it can say what to write instead.
    """
    return Meta(description=text, examples=list(examples) or None, extra_json_schema=limits or None)


def _text(pattern: str, kind: str) -> Meta:
    """Return what holds for a text of some form; msgspec itself is not to check it.

    That is done where the text is understood, with a message that says what to write.
    """
    either = f"^(?:{pattern})$|{VARIABLE}"
    return Meta(extra_json_schema={"pattern": either}, extra={"kind": kind})


_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"

Time = Annotated[str, _text(rf"\s*{_NUMBER}\s*(?:[mM]?[sS]|[mM]|[mM][iI][nN]|[hH])\s*|0", "time")]
Uptime = Annotated[
    str, _text(rf"\s*{_NUMBER}\s*(?:[mM]?[sS]|[mM]|[mM][iI][nN]|[hH])\s*|0|inf", "time")
]
Age = Annotated[
    str, _text(rf"\s*{_NUMBER}\s*(?:[mM]?[sS]|[mM]|[mM][iI][nN]|[hH]|[dD]|[wW])\s*", "time")
]
Size = Annotated[str, _text(rf"\s*{_NUMBER}\s*(?:[kKmMgGtT](?:[iI]?[bB])?|[bB])\s*", "size")]
Digits = Annotated[str, _text(r"\s*\d+\s*", "number")]
Whole = int | Digits
"""A whole number, or a text with a variable that is one."""


class Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all tables have in common: a wrong key is an error."""


Condition = Literal["started", "ready", "healthy", "completed"]


class DependencyTable(Table, frozen=True):
    """A service that this one waits for."""

    condition: Annotated[
        Condition | None,
        said("What to wait for. Default: ready if it has a gate, else started.", "healthy"),
    ] = None
    on_restart: Annotated[
        Literal["ignore", "restart", "stop"] | None,
        said('What to do when it is started anew. Default: "ignore".', "restart"),
    ] = None
    required: Annotated[
        bool | None,
        said("Do not start at all if it fails or is not run. Default: true."),
    ] = None


class ProbeTable(Table, frozen=True):
    """What tells from outside that a service works: exactly one of port, http, exec and file."""

    port: Annotated[
        int | str | None,
        said(
            "A TCP port, or host:port. On this machine, the service itself has to listen on it; "
            "${PORT} is its own.",
            5432,
            "127.0.0.1:8080",
            minimum=1,
            maximum=65535,
            pattern=rf"^\s*(?:.*:)?\d{{1,5}}\s*$|{VARIABLE}",
        ),
    ] = None
    http: Annotated[
        str | None,
        said("A URL that answers.", "http://localhost:3000/health"),
    ] = None
    exec: Annotated[
        str | list[str] | None,
        said(
            "A command that exits with 0; variables in it are left to the shell.",
            "pg_isready",
            ["redis-cli", "ping"],
        ),
    ] = None
    file: Annotated[str | None, said("A file that is made after the start.", "tmp/ready")] = None
    status: Annotated[
        int | str | list[int | str] | None,
        said("Status codes that http accepts. Default: 200-399.", 200, "200-299", [200, 204]),
    ] = None
    body: Annotated[
        str | None,
        said("A regular expression that http has to find in the answer.", '"ok": *true'),
    ] = None
    timeout: Annotated[
        Time | None,
        said("For ready: from the start, default 60s. For health: for each probe, 1s.", "30s"),
    ] = None


class ReadyTable(ProbeTable, frozen=True):
    """When a service may be depended on: exactly one gate."""

    log: Annotated[
        str | None,
        said("A regular expression that is found in a line of the output.", "listening on"),
    ] = None
    notify: Annotated[
        bool | None,
        said("It says so itself: READY=1 of sd_notify, or `devrun notify ready`."),
    ] = None
    watchdog: Annotated[
        Time | None,
        said("For notify: WATCHDOG=1 has to come within that time, again and again.", "30s"),
    ] = None
    ipc: Annotated[
        bool | None,
        said("It says so itself: process.send('ready') in Node."),
    ] = None
    delay: Annotated[Time | None, said("It has been alive for so long.", "2s")] = None
    on_timeout: Annotated[
        Literal["fail", "continue"] | None,
        said('What the end of the timeout is: a failure, or a warning. Default: "fail".'),
    ] = None


class HealthTable(ProbeTable, frozen=True):
    """What is asked again and again once a service is ready."""

    interval: Annotated[Time | None, said("From one probe to the next. Default: 10s.", "30s")] = (
        None
    )
    retries: Annotated[
        Whole | None,
        said(
            "Failures in a row after which it is unhealthy and restarted. Default: 3.",
            5,
            minimum=1,
            maximum=1000,
        ),
    ] = None
    start_period: Annotated[
        Time | None, said("After the start, in which failures do not count. Default: 0s.", "20s")
    ] = None


class WatchTable(Table, frozen=True):
    """Which changes restart a service."""

    paths: Annotated[
        bool | str | list[str] | None,
        said(
            "Folders, files and patterns, relative to this file; true: the service's own folder.",
            ["src", "config/**/*.json"],
        ),
    ] = None
    ignore: Annotated[
        str | list[str] | None,
        said("What does not count, as a .gitignore beside this file has it.", ["**/*.test.ts"]),
    ] = None
    debounce: Annotated[
        Time | None, said("Quiet after which a burst is over. Default: 50ms.", "200ms")
    ] = None
    poll: Annotated[
        bool | None, said("Compare file times, for all services: for network and shared folders.")
    ] = None


class BackoffTable(Table, frozen=True):
    """How long to wait before a restart after fast ends in a row."""

    initial: Annotated[Time | None, said("Before the first. Default: 100ms.", "1s")] = None
    factor: Annotated[
        float | None,
        said("What each further wait is longer by. Default: 2.", 1.5, minimum=1, maximum=100),
    ] = None
    max: Annotated[Time | None, said("The longest wait. Default: 30s.", "15s")] = None
    jitter: Annotated[
        float | None,
        said("Share that is added or taken away at random. Default: 0.2.", 0, minimum=0, maximum=1),
    ] = None


class MemoryTable(Table, frozen=True):
    """How much memory the process tree of an instance may use."""

    size: Annotated[Size | None, said("The limit; K, M and G are powers of 1024.", "500M")] = None
    action: Annotated[
        Literal["restart", "reload"] | None,
        said('What happens to an instance that is above it. Default: "restart".', "reload"),
    ] = None


class LogTable(Table, frozen=True):
    """Where a service's output goes besides the terminal."""

    file: Annotated[
        str | None,
        said("{name} is the service's name, {instance} an instance's.", "logs/{name}.log"),
    ] = None
    error_file: Annotated[
        str | None, said("Where stderr goes, if elsewhere.", "logs/web.err.log")
    ] = None
    max_size: Annotated[Size | None, said("Larger files are rotated.", "50M")] = None
    keep: Annotated[
        int | Age | list[int | Age] | None,
        said("For how long rotated files are kept, or how many of them, or both.", "14d", 30),
    ] = None
    compress: Annotated[bool | None, said("Rotated files are compressed (gzip).")] = None
    timestamps: Annotated[bool | None, said("Every line begins with the time.")] = None
    time_format: Annotated[
        str | None, said("How times are written (strftime).", "%Y-%m-%d %H:%M:%S")
    ] = None
    json: Annotated[
        bool | None, said("Every line is a JSON object: time, service, stream, text.")
    ] = None


class StopTable(Table, frozen=True):
    """How a service is asked to end: command, then message or signal, then SIGKILL."""

    signal: Annotated[
        str | None,
        said("Sent once; also on Ctrl+C, unless interrupt is set. Default: SIGTERM.", "SIGINT"),
    ] = None
    interrupt: Annotated[
        str | None,
        said("Sent on Ctrl+C instead. Default: signal if it is set, else SIGINT.", "SIGTERM"),
    ] = None
    timeout: Annotated[Time | None, said("Before SIGKILL. Default: 10s.", "30s")] = None
    command: Annotated[
        str | None,
        said("Runs first; variables in it are left to the shell.", "docker compose down"),
    ] = None
    message: Annotated[
        bool | None, said("Send Node 'shutdown' over its channel in place of the signal.")
    ] = None
    scope: Annotated[
        Literal["group", "main"] | None,
        said('Who gets the signal: the process group, or its main process. Default: "group".'),
    ] = None


class TeardownTable(Table, frozen=True):
    """What runs when all services have ended."""

    commands: Annotated[
        str | list[str] | None,
        said(
            "One after another; variables in them are left to the shell.", ["docker compose down"]
        ),
    ] = None
    timeout: Annotated[Time | None, said("For each. Default: 60s.", "2m")] = None
    shell: Annotated[str | None, said("What runs them. Default: /bin/sh.", "bash")] = None


Ready = bool | ReadyTable
Health = bool | HealthTable
Memory = bool | Size | MemoryTable
Log = bool | str | LogTable
Watch = bool | str | list[str] | WatchTable
"""What may stand for a table; false is for none, so that a service can do without the defaults'."""
