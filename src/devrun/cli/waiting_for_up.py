"""Waits until a run is there, whoever has begun it, and says how it comes up."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

from devrun.cli.control.saying import flush, put
from devrun.control.background import end_of_log
from devrun.errors import ExitCode
from devrun.output.complaint import complain, escaped
from devrun.process.detaching import exit_code_of
from devrun.process.ending import die_of

NEXT = "devrun ps and devrun logs show more, devrun down ends it"

IN_THE_BACKGROUND = " in the background"

Said = Mapping[str, object]
"""What a run says of how it comes up (see ``control.detached``)."""


def waiting(wait: Callable[[], int], *, where: str = IN_THE_BACKGROUND) -> int:
    """Return what waiting returns; Ctrl+C ends that, and says that the project goes on.

    Args:
        where: The last words of how it goes on.
    """
    former = signal.getsignal(signal.SIGINT)
    if former is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return wait()
    except KeyboardInterrupt:
        complain(f"no longer waiting; the project goes on{where}: {NEXT}")
        flush()
        die_of(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)


def wait_until_up(child: int, reader: int, state: str) -> int:
    """Return the exit code: 0 if everything is there, 1 if something failed, or the run's own.

    Args:
        child: The process that was started, whose parent this is.
        reader: What it says, in lines of JSON.
        state: The project's state folder.
    """
    return waiting(lambda: _wait(child, reader, state))


def _wait(child: int, reader: int, state: str) -> int:
    rising = Rising()
    for said in _lines(reader):
        if "refused" in said:
            complain(str(said["refused"]))
            return exit_code_of(child)
        if "over" not in said:
            rising.take(said)
        elif not said["stopping"]:
            return _say_that_it_goes_on(rising, said)
        else:
            rising.never = _texts(said["waiting"])
    return _ended(child, state, rising)


def _lines(reader: int) -> Iterator[Said]:
    with open(reader, "rb") as pipe:
        for line in pipe:
            yield json.loads(line)


class Rising:
    """What a run has said so far of how it comes up, which is shown.

    Attributes:
        never: What was ended before it was there.

    Args:
        outcomes: What those are that were begun just now, if others are there since long: only
            what is new is shown of these.
    """

    def __init__(self, outcomes: Mapping[str, str] | None = None) -> None:
        self._outcomes = None if outcomes is None else {**outcomes}
        self._standing: dict[str, Said] = {}
        self.never: list[str] = []

    def take(self, said: Said) -> None:
        """Hear of an instance that is there, or has failed."""
        name = str(said["service"])
        self._standing[name] = said
        state = str(said["state"])
        if self._outcomes is not None and not said["failed"]:
            begun = self._outcomes.pop(name, None)
            if begun is None and said["before"]:
                return
            state = begun or state
        reason = f": {said['reason']}" if said["reason"] else ""
        if not said["failed"]:
            say(f"{name}: {state}{reason}")
            return
        flush()
        complain(f"{name}: {state}{reason}")
        show(_texts(said["lines"]))

    @property
    def count(self) -> int:
        """How many are there, or have failed."""
        return len(self._standing)

    @property
    def failed(self) -> list[str]:
        """What those are called that have failed."""
        return [name for name, each in self._standing.items() if each["failed"]]

    def in_state(self, *states: str) -> list[str]:
        """Return what those are called that are in a state, with it."""
        found = ((name, str(each["state"])) for name, each in self._standing.items())
        return [f"{name} ({state})" for name, state in found if state in states]


def say_what_failed(rising: Rising, said: Said) -> bool:
    """Say what has failed, and what waits for that; return whether there is any.

    Args:
        said: The last that the run has said.
    """
    held_up = _texts(said["waiting"])
    if rising.failed:
        waits = f"; waiting for what failed: {', '.join(held_up)}" if held_up else ""
        complain(f"failed: {', '.join(rising.failed)}{waits}")
    elif held_up:
        complain(f"not up: {', '.join(held_up)}; what they wait for does not run")
    return bool(rising.failed or held_up)


def _say_that_it_goes_on(rising: Rising, said: Said) -> int:
    pid = said["pid"]
    if say_what_failed(rising, said):
        complain(f"the rest goes on{IN_THE_BACKGROUND} (pid {pid}): {NEXT}")
        return ExitCode.FAILURE
    count = "1 service is" if rising.count == 1 else f"{rising.count} services are"
    say(f"{count} up (pid {pid}): {NEXT}")
    return ExitCode.OK


def _ended(child: int, state: str, rising: Rising) -> int:
    """Say that the run is over already, and why, as far as its own log tells."""
    code = exit_code_of(child)
    if code == ExitCode.OK:
        return say_that_it_is_over(rising)
    flush()
    show(end_of_log(state))
    complain(f"the project has ended with exit code {code}; its log is in {state}")
    return code


def say_that_it_is_over(rising: Rising) -> ExitCode:
    """Say that a run is over whose own exit code is 0, or is not known; return the exit code."""
    flush()
    if rising.failed:
        complain(f"the project has ended; failed: {', '.join(rising.failed)}")
        return ExitCode.FAILURE
    if rising.never:
        them = "it was" if len(rising.never) == 1 else "they were"
        complain(f"the project was ended before {them} up: {', '.join(rising.never)}")
        return ExitCode.FAILURE
    say("everything has run, and ended well")
    return ExitCode.OK


def show(lines: Iterable[str]) -> None:
    """Show what somebody else has written."""
    for line in lines:
        sys.stderr.write(f"  | {escaped(line)}".rstrip() + "\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """Write a line to stdout, now."""
    put(escaped(text))
    flush()


def _texts(found: object) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []
