"""Waits until a run that was started in the background is there, and says how it comes up."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Mapping

from devrun.control.background import end_of_log
from devrun.errors import ExitCode
from devrun.output.complaint import complain
from devrun.process.detaching import exit_code_of
from devrun.process.ending import die_of

NEXT = "devrun ps and devrun logs show more, devrun down ends it"


def wait_until_up(child: int, reader: int, state: str) -> int:
    """Return the exit code: 0 if everything is there, 1 if something failed, or the run's own.

    Args:
        child: The process that was started, whose parent this is.
        reader: What it says, in lines of JSON.
        state: The project's state folder.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _wait(child, reader, state)
    except KeyboardInterrupt:
        complain(f"no longer waiting; the project goes on in the background: {NEXT}")
        sys.stdout.flush()
        die_of(signal.SIGINT)


def _wait(child: int, reader: int, state: str) -> int:
    standing: dict[str, Mapping[str, object]] = {}
    for said in _lines(reader):
        if "refused" in said:
            complain(str(said["refused"]))
            return exit_code_of(child)
        if "over" in said:
            return _say_end(standing, said)
        standing[str(said["service"])] = said
        _say(said)
    return _ended(child, state)


def _lines(reader: int) -> Iterator[Mapping[str, object]]:
    with open(reader, "rb") as pipe:
        for line in pipe:
            yield json.loads(line)


def _say(said: Mapping[str, object]) -> None:
    reason = f": {said['reason']}" if said["reason"] else ""
    text = f"{said['service']}: {said['state']}{reason}"
    if not said["failed"]:
        _put(text)
        return
    complain(text)
    lines = said["lines"]
    for line in lines if isinstance(lines, list) else ():
        sys.stderr.write(f"  | {line}".rstrip() + "\n")
    sys.stderr.flush()


def _say_end(standing: Mapping[str, Mapping[str, object]], said: Mapping[str, object]) -> int:
    waiting, pid = said["waiting"], said["pid"]
    bad = [name for name, each in standing.items() if each["failed"]]
    held_up = [str(name) for name in waiting] if isinstance(waiting, list) else []
    if not bad:
        count = "1 service is" if len(standing) == 1 else f"{len(standing)} services are"
        _put(f"{count} up (pid {pid}): {NEXT}")
        return ExitCode.OK
    waits = f"; waiting for what failed: {', '.join(held_up)}" if held_up else ""
    complain(f"failed: {', '.join(bad)}{waits}")
    complain(f"the rest goes on in the background (pid {pid}): {NEXT}")
    return ExitCode.FAILURE


def _ended(child: int, state: str) -> int:
    """Say that the run is over already, and why, as far as its own log tells."""
    code = exit_code_of(child)
    if code == ExitCode.OK:
        _put("everything has run, and ended well")
        return code
    for line in end_of_log(state):
        sys.stderr.write(f"  | {line}".rstrip() + "\n")
    complain(f"the project has ended with exit code {code}; its log is in {state}")
    return code


def _put(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
