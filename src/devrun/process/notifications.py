"""What a service can say of itself with sd_notify(3): the messages, and reading them."""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST = 4096
"""Bytes of a message; a longer one is ignored, as by systemd (``NOTIFY_BUFFER_MAX``)."""


@dataclass(frozen=True, slots=True)
class Ready:
    """``READY=1``: it has started, or has finished reloading."""


@dataclass(frozen=True, slots=True)
class Status:
    """``STATUS=``: what it is doing, in words; without control characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Reloading:
    """``RELOADING=1``: it reads its configuration again; Ready follows."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """``STOPPING=1``: it is about to end."""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """``WATCHDOG=1``: a sign of life."""


@dataclass(frozen=True, slots=True)
class WatchdogTrigger:
    """``WATCHDOG=trigger``: to be treated as if the sign of life had not come in time."""


@dataclass(frozen=True, slots=True)
class WatchdogInterval:
    """``WATCHDOG_USEC=``: seconds between signs of life from now on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MainPid:
    """``MAINPID=``: another of its processes is the main one now."""

    pid: int


@dataclass(frozen=True, slots=True)
class ExtendTimeout:
    """``EXTEND_TIMEOUT_USEC=``: it needs so many seconds from now to start or to stop."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Errno:
    """``ERRNO=``: why it failed, as errno(3) has it."""

    number: int


@dataclass(frozen=True, slots=True)
class Barrier:
    """``BARRIER=1``: all that was sent before has been read."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A process that is not the service's sent something, or was named as its main one."""

    pid: int
    command: str


Notification = (
    Ready
    | Status
    | Reloading
    | Stopping
    | Watchdog
    | WatchdogTrigger
    | WatchdogInterval
    | MainPid
    | ExtendTimeout
    | Errno
    | Barrier
    | Stranger
)

_WORDS: dict[tuple[str, str], Notification] = {
    ("READY", "1"): Ready(),
    ("RELOADING", "1"): Reloading(),
    ("STOPPING", "1"): Stopping(),
    ("WATCHDOG", "1"): Watchdog(),
    ("WATCHDOG", "trigger"): WatchdogTrigger(),
    ("BARRIER", "1"): Barrier(),
}
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_USEC = 1e-6


def read_fields(data: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a message, one per line; nothing if it is malformed."""
    text = data.removesuffix(b"\0").decode(errors="replace")
    if "\0" in text or len(data) > LARGEST:
        return []
    pairs = (line.partition("=") for line in text.split("\n"))
    return [(name, value) for name, equals, value in pairs if equals]


def read_notifications(fields: list[tuple[str, str]]) -> list[Notification]:
    """Return what a message says, in its order; what is unknown or makes no sense is left out."""
    found = (_WORDS.get(field) or _with_value(*field) for field in fields)
    return [notification for notification in found if notification is not None]


def _with_value(name: str, value: str) -> Notification | None:
    if name == "STATUS":
        return Status(_CONTROL.sub(" ", value).strip())
    if not _NUMBER.fullmatch(value):
        return None
    number = int(value)
    match name:
        case "MAINPID" if 1 < number < 2**31:
            return MainPid(number)
        case "EXTEND_TIMEOUT_USEC":
            return ExtendTimeout(number * _USEC)
        case "WATCHDOG_USEC":
            return WatchdogInterval(number * _USEC)
        case "ERRNO" if number < 4096:
            return Errno(number)
        case _:
            return None
