"""Single values: text to number, time or signal, or an error that shows the text.

Every function takes the option it is for, which the message names.
"""

from __future__ import annotations

import os
import re
import signal

from devrun.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)", re.ASCII)
_COUNT = re.compile(r"-?\d{1,9}", re.ASCII)

_NO_QUOTA = 1_000_000

LONGEST = 365 * 24 * 3600.0
"""Seconds; longer times are taken for mistakes."""


def duration(text: str, option: str, *, bare_unit: str | None = None) -> float:
    """Return seconds for ``500ms``, ``10s``, ``5m``, ``1h``.

    Args:
        bare_unit: The unit of a number without one, or None if that is refused.

    Raises:
        UsageError: It is no time.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f'{option} "{text}": not a time; write for example 500ms, 10s or 5m')
    number, unit = float(match[1]), match[2]
    if not unit:
        if bare_unit is None and number != 0:
            message = f'{option} "{text}": a unit is missing; write {text}ms, {text}s or {text}m'
            raise UsageError(message)
        unit = bare_unit or "s"
    if unit not in _UNITS:
        raise UsageError(f'{option} "{text}": no such unit "{unit}"; there are ms, s, m and h')
    seconds = number * _UNITS[unit]
    if seconds > LONGEST:
        raise UsageError(f'{option} "{text}": longer than a year')
    return seconds


def whole_number(text: str, option: str, *, least: int, most: int) -> int:
    """Return a whole number within bounds.

    Raises:
        UsageError: It is none, or out of bounds.
    """
    digits = text.strip()
    if not _COUNT.fullmatch(digits):
        raise UsageError(f'{option} "{text}": not a whole number')
    number = int(digits)
    if not least <= number <= most:
        raise UsageError(f'{option} "{text}": must be from {least} to {most}')
    return number


def port(text: str, option: str) -> int:
    """Return a TCP port number that a service may be given.

    Raises:
        UsageError: It is none.
    """
    return whole_number(text, option, least=1, most=65535)


def process_count(text: str, option: str, *, processors: int | None = None) -> int:
    """Return how many processes may run: a number, or ``N%`` of the processors, at least 1.

    Args:
        processors: How many there are; None for those that this process may use.

    Raises:
        UsageError: It is neither.
    """
    if not text.strip().endswith("%"):
        return whole_number(text, option, least=1, most=100_000)
    percent = whole_number(text.strip()[:-1], f"{option} in %", least=1, most=100_000)
    return max(1, round((processors or usable_processors()) * percent / 100))


def usable_processors(*, root: str = "/") -> int:
    """Return how many processors this process may use: by affinity, and by its cgroups' quota.

    Args:
        root: Where /proc and /sys are.
    """
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(able or 1, _quota(root)))


def _quota(root: str) -> int:
    """Return how many processors' time the cgroups above this process allow (cgroups(7), v2)."""
    least = _NO_QUOTA
    for line in _lines(os.path.join(root, "proc/self/cgroup")):
        if line.startswith("0::"):
            path = line[3:].strip().strip("/")
            while True:
                for limit in _lines(os.path.join(root, "sys/fs/cgroup", path, "cpu.max")):
                    most, _, period = limit.strip().partition(" ")
                    if most.isdigit() and period.isdigit() and int(period):
                        least = min(least, -(-int(most) // int(period)))
                if not path:
                    break
                path = os.path.dirname(path)
    return least


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.readlines()
    except OSError:
        return []  # No Linux, or no cgroup of version 2.


_NOT_TO_STOP = {"SIGSTOP", "SIGTSTP", "SIGCONT", "SIGTTIN", "SIGTTOU", "SIGCHLD"}
"""Signals that suspend, continue or only inform. SIGWINCH is not among them: it is how Apache's
httpd is asked to stop gracefully."""
_SIGNAL_NUMBER = re.compile(r"\d{1,3}", re.ASCII)


def stop_signal(text: str, option: str) -> int:
    """Return the number of a signal that can stop a process: ``SIGTERM``, ``term`` or ``15``.

    Raises:
        UsageError: There is no such signal, or it does not stop processes.
    """
    found = _signal(text.strip().upper(), text, option)
    if found.name in _NOT_TO_STOP:
        message = f'{option} "{text}": {found.name} does not end a process; write SIGTERM or SIGINT'
        raise UsageError(message)
    return found.value


def _signal(word: str, text: str, option: str) -> signal.Signals:
    if _SIGNAL_NUMBER.fullmatch(word):
        number = int(word)
        if number == 0:
            message = f'{option} "{text}": 0 only asks whether a process exists; write SIGTERM'
            raise UsageError(message)
        if number in set(signal.Signals):
            return signal.Signals(number)
    name = word if word.startswith("SIG") else f"SIG{word}"
    names = signal.Signals.__members__
    if name not in names:
        from devrun.config.nearest import nearest

        # Without SIG, which would make all of them alike.
        like = nearest(name[3:], [known[3:] for known in names])
        suggestion = f'; did you mean "SIG{like}"?' if like else ""
        raise UsageError(f'{option} "{text}": no such signal{suggestion}')
    return names[name]
