"""How the output looks: prefixes, colours and times; frozen as in ``devrun.model``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


@dataclass(frozen=True, slots=True)
class Style:
    """Terminal attributes as escape sequences: what begins them and what ends them."""

    open: str = ""
    close: str = ""


class PrefixStyle(Enum):
    """The named forms of ``--prefix``."""

    INDEX = "index"
    PID = "pid"
    TIME = "time"
    COMMAND = "command"
    NAME = "name"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How times are written.

    Attributes:
        strftime: A format of ``datetime.strftime``, or nothing.
        pieces: Otherwise what stands one behind the other: texts, and whether each is one of
            Unicode's date tokens.
        iso_utc: As ``2026-11-20T22:35:01.123Z``, in UTC (ISO 8601), in place of both.
    """

    strftime: str = ""
    pieces: tuple[tuple[str, bool], ...] = ()
    iso_utc: bool = False


@dataclass(frozen=True, slots=True)
class PrefixSettings:
    """How lines are marked with the service they came from.

    Attributes:
        style: A named form, a template with ``{index} {pid} {time} {command} {name}``, or None:
            the name where there is one, else the index.
        styles: One style a service, by index; the colour of its prefix.
        length: Columns a shortened command may take.
        pad: Fill shorter prefixes up to the longest.
        timestamps: Put the time before every prefix.
        time_format: How times are written; ``yyyy-MM-dd HH:mm:ss.SSS`` if nothing is said.
    """

    style: PrefixStyle | str | None = None
    styles: tuple[Style, ...] = ()
    length: int = 10
    pad: bool = False
    timestamps: bool = False
    time_format: TimeFormat = TimeFormat(strftime="%Y-%m-%d %H:%M:%S.%f")


class ColorLevel(IntEnum):
    """How many colours the output may use."""

    NONE = 0
    BASIC = 1
    """The 16 colours of SGR 30-37 and 90-97."""
    EXTENDED = 2
    """The 256 colours of SGR 38;5."""
    TRUE = 3
    """24-bit colours of SGR 38;2."""


class LogFormat(Enum):
    """What a line of devrun's stdout is."""

    TEXT = "text"
    """A prefix, and what the service wrote."""
    JSON = "json"
    """An object, devrun's own lines too."""


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What appears on devrun's stdout.

    Attributes:
        color: How many colours devrun itself uses.
        tty: Give children a pseudo-terminal: yes, no, or None for "where stdout is one".
        quiet: Leave out devrun's own lines.
        group: Show each service's output as one block, in the order of the services.
        timings: Say when each process started and stopped, with a table at the end.
        tail: How many of the last lines of each failed service the summary shows.
        keys: A terminal's keys may be commands to devrun; nobody types in production.
    """

    prefix: PrefixSettings = PrefixSettings()
    color: ColorLevel = ColorLevel.NONE
    tty: bool | None = None
    quiet: bool = False
    group: bool = False
    timings: bool = False
    tail: int = 10
    log_format: LogFormat = LogFormat.TEXT
    keys: bool = True
