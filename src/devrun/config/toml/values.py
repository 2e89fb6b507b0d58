"""Single values of a TOML file: sizes, ages, addresses, codes and what else has a form of its own.

Each function takes the place that its messages begin with: file, line, service and key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf

from devrun.config import values
from devrun.errors import UsageError
from devrun.model import ExitStatus

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import HeldSocket

_SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([kmgt]?)(?:i?b)?", re.ASCII)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_AGE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([dw])", re.ASCII)
_DAY = 24 * 3600.0
_CODES = re.compile(r"\s*(\d{3})\s*(?:-\s*(\d{3})\s*)?", re.ASCII)
_ADDRESS = re.compile(r"(?:(\[[^\]]*\]|[^:\[\]]*):)?(\d{1,5})", re.ASCII)
_LIMIT = re.compile(r"(\d{1,9})\s*/\s*(.+)", re.ASCII)

ENDLESS = "inf"
"""A ``min_uptime`` that no run reaches: every end is a fast one."""

RESOURCES = frozenset(
    """
    as core cpu data fsize memlock msgqueue nofile nproc rss rtprio rttime sigpending stack
    """.split()  # noqa: SIM905 - words
)
"""What setrlimit(2) limits; ``nice`` is a key of its own."""

UNLIMITED = "unlimited"


@contextmanager
def said_at(place: str, flag: str) -> Iterator[None]:
    """Let the reader of an option's value speak of a key of a file instead.

    Args:
        flag: How its messages begin.
    """
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{place}{str(error).removeprefix(flag)}") from None


def seconds(text: str, place: str) -> float:
    """Return a time in seconds.

    Raises:
        UsageError: It is none.
    """
    return values.duration(text, place)


def uptime(text: str, place: str) -> float:
    """Return a time in seconds, or infinity.

    Raises:
        UsageError: It is neither.
    """
    return inf if text == ENDLESS else seconds(text, place)


def age(text: str, place: str) -> float:
    """Return a time in seconds that may be in days and weeks.

    Raises:
        UsageError: It is none.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        return seconds(text, place)
    return float(found[1]) * (_DAY if found[2] == "d" else 7 * _DAY)


def size(text: str, place: str) -> int:
    """Return bytes for ``500M``, ``1.5G``, ``64KiB``; the units are powers of 1024.

    Raises:
        UsageError: It is no size.
    """
    folded = text.strip().lower()
    found = _SIZE.fullmatch(folded)
    if found is None:
        raise UsageError(f'{place} "{text}": not a size; write for example 500M or 2G')
    if folded[-1].isdigit() and float(folded) != 0:
        message = f'{place} "{text}": a unit is missing; write {folded}M or {folded}K'
        raise UsageError(message)
    return round(float(found[1]) * _UNITS[found[2]])


def whole(value: int | str, place: str, *, least: int, most: int) -> int:
    """Return a whole number within bounds.

    Raises:
        UsageError: It is none, or out of bounds.
    """
    if isinstance(value, int):
        if not least <= value <= most:
            raise UsageError(f"{place} = {value}: must be from {least} to {most}")
        return value
    return values.whole_number(value, place, least=least, most=most)


def share(value: float, place: str, *, least: float, most: float) -> float:
    """Return a number within bounds.

    Raises:
        UsageError: It is out of bounds, or no number at all.
    """
    if not least <= value <= most:
        raise UsageError(f"{place} = {value:g}: must be from {least:g} to {most:g}")
    return float(value)


def pattern(text: str, place: str) -> str:
    """Return a regular expression that is one.

    Raises:
        UsageError: It is none.
    """
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        message = f'{place} "{text}": not a regular expression: {error}'
        raise UsageError(message) from None
    return text


def status_range(value: int | str, place: str) -> tuple[int, int]:
    """Return first and last of ``200``, ``"200-299"``.

    Raises:
        UsageError: It is none.
    """
    found = _CODES.fullmatch(str(value))
    first = int(found[1]) if found else 0
    last = int(found[2] or found[1]) if found else 0
    if not 100 <= first <= last <= 599:
        raise UsageError(f'{place} "{value}": no status codes; write 200 or "200-299"')
    return first, last


def address(value: int | str, place: str) -> tuple[str, int]:
    """Return host and port of ``3000``, ``"host:3000"`` or ``"[::1]:3000"``; no host is empty.

    Raises:
        UsageError: It is none.
    """
    found = _ADDRESS.fullmatch(str(value).strip())
    if found is None:
        raise UsageError(f'{place} "{value}": no port; write 3000 or "host:3000"')
    return (found[1] or "").strip("[]"), whole(int(found[2]), place, least=1, most=65535)


def held_socket(text: str, name: str, place: str, folder: str) -> HeldSocket:
    """Return the socket of ``tcp:3000``, ``tcp:127.0.0.1:3000`` or ``unix:run/web.sock``.

    Args:
        folder: What paths are relative to.

    Raises:
        UsageError: It is none.
    """
    from devrun.policies import HeldSocket

    if not name or ":" in name or not name.isprintable():
        raise UsageError(f'{place}: "{name}" is no name of a socket; it cannot hold a colon')
    kind, _, rest = text.strip().partition(":")
    if kind == "unix" and rest:
        return HeldSocket(name, absolute(rest, folder), None)
    found = _ADDRESS.fullmatch(rest) if kind == "tcp" else None
    if found is None:
        message = f'{place} "{text}": no socket; write tcp:3000, tcp:127.0.0.1:3000 or unix:PATH'
        raise UsageError(message)
    port = whole(int(found[2]), place, least=0, most=65535)
    return HeldSocket(name, (found[1] or "").strip("[]"), port)


def absolute(path: str, folder: str) -> str:
    """Return a path that does not depend on the current folder."""
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def exit_status(value: int | str, place: str) -> ExitStatus:
    """Return the end that an exit code or the name of a signal stands for.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(value, int):
        return ExitStatus(code=whole(value, place, least=0, most=255))
    if value.strip().isdigit():
        message = f'{place} "{value}": write {value.strip()} without quotes for an exit code'
        raise UsageError(f"{message}, or the name of a signal")
    return ExitStatus(signal=values.stop_signal(value, place))


def restart_limit(text: str, place: str) -> tuple[int, float]:
    """Return count and seconds of ``5/60s``.

    Raises:
        UsageError: It is none.
    """
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise UsageError(f'{place} "{text}": write COUNT/TIME, for example 5/60s')
    return int(found[1]), seconds(found[2], f"{place} {text}:")


def resource_limit(
    name: str, value: int | str | Sequence[int | str], place: str
) -> tuple[str, int, int]:
    """Return name, soft and hard limit of a resource; -1 is none.

    Raises:
        UsageError: There is no such resource, or no such limit.
    """
    if name not in RESOURCES:
        from devrun.config.nearest import choices

        raise UsageError(f"{place}: no such limit{choices(name, sorted(RESOURCES))}")
    pair = [value, value] if isinstance(value, int | str) else list(value)
    if len(pair) != 2:
        raise UsageError(f"{place}: write one limit, or soft and hard as [1024, 4096]")
    soft, hard = (_limit(each, place) for each in pair)
    if hard != -1 and (soft == -1 or soft > hard):
        raise UsageError(f"{place}: the soft limit is above the hard one")
    return name, soft, hard


def _limit(value: int | str, place: str) -> int:
    if isinstance(value, str):
        if value == UNLIMITED:
            return -1
        return int(value) if value.strip().isdecimal() else size(value, place)
    return whole(value, place, least=0, most=2**63 - 1)
