"""Values as the texts that a TOML file has for them; each reads back as exactly the same."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from math import inf
from signal import Signals

from devrun.appearance import TimeFormat
from devrun.config.time_format import ISO
from devrun.config.toml.values import ENDLESS, UNLIMITED
from devrun.model import ExitStatus
from devrun.policies import HeldSocket

_NO_TOKEN = re.compile(r"[^A-Za-z']+", re.ASCII)
_UNITS = (("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))
_DAY = 24 * 3600.0
_SIZES = (("G", 1024**3), ("M", 1024**2), ("K", 1024))


def duration_text(seconds: float) -> str:
    """Return ``5m`` for 300: the largest unit of which it is a whole number, else decimals."""
    if seconds == inf:
        return ENDLESS
    if seconds == 0:
        return "0s"
    for unit, length in _UNITS:
        count = round(seconds / length)
        if count and count * length == seconds:
            return f"{count}{unit}"
    from decimal import Decimal

    return f"{Decimal(repr(seconds)):f}s"


def age_text(seconds: float) -> str:
    """Return ``14d`` for whole days, else as ``duration_text``."""
    days = round(seconds / _DAY)
    return f"{days}d" if days and days * _DAY == seconds else duration_text(seconds)


def size_text(size: int) -> str:
    """Return ``500M`` for whole mebibytes, and so on; else bytes."""
    for unit, length in _SIZES:
        if size and size % length == 0:
            return f"{size // length}{unit}"
    return f"{size}B"


def time_format_text(form: TimeFormat) -> str:
    """Return a format of times: strftime's, date tokens and quoted words, or the named one."""
    if form.iso_utc:
        return ISO
    if form.strftime:
        return form.strftime
    return "".join(
        text if is_token or _NO_TOKEN.fullmatch(text) else _quoted(text)
        for text, is_token in form.pieces
    )


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def shown_path(path: str, root: str) -> str:
    """Return a path relative to the project's folder if it is inside."""
    relative = os.path.relpath(path, root)
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        return path
    return f"./{relative}" if relative.startswith("~") else relative


def address_text(host: str, port: int) -> str:
    """Return ``host:port``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def socket_text(socket: HeldSocket, root: str) -> str:
    """Return ``tcp:3000`` or ``unix:run/web.sock``."""
    if socket.port is None:
        return f"unix:{shown_path(socket.host, root)}"
    address = address_text(socket.host, socket.port) if socket.host else str(socket.port)
    return f"tcp:{address}"


def status_values(ranges: Sequence[tuple[int, int]]) -> list[int | str]:
    """Return codes and ``200-299`` for ranges of status codes."""
    return [first if first == last else f"{first}-{last}" for first, last in ranges]


def exit_values(ends: Iterable[ExitStatus]) -> list[int | str]:
    """Return codes, and then names of signals."""
    listed = list(ends)
    codes = sorted(end.code for end in listed if end.code is not None)
    signals = sorted(end.signal for end in listed if end.signal is not None)
    return [*codes, *map(signal_text, signals)]


def signal_text(number: int) -> str:
    """Return the name of a signal."""
    return Signals(number).name


def limit_value(number: int) -> int | str:
    """Return a resource limit; -1 is none."""
    return UNLIMITED if number == -1 else number
