"""What a command says: lines, JSON, and what has become of services."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from devrun.errors import DevrunError, ExitCode
from devrun.output.complaint import complain, escaped

VERSION = 1
"""Of the form of the JSON; what it has keeps its name and meaning, more may come."""

Result = Mapping[str, object]


class Unwritable(DevrunError):  # noqa: N818 - a state, not a defect
    """What stdout leads to takes nothing: a full disk, a terminal that has hung up."""

    exit_code = ExitCode.FAILURE

    def __init__(self, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        super().__init__(f"stdout cannot be written to: {reason}")


def put(text: str) -> None:
    """Write a line to stdout; bytes that are no UTF-8 are written as they were.

    Raises:
        Unwritable: That cannot be done.
    """
    put_bytes(text.encode("utf-8", "surrogateescape") + b"\n")


def put_bytes(data: bytes) -> None:
    """Write to stdout.

    Raises:
        BrokenPipeError: Nobody reads that any more.
        Unwritable: That cannot be done.
    """
    try:
        sys.stdout.buffer.write(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(error) from error


def flush() -> None:
    """Have what was written read.

    Raises:
        BrokenPipeError: Nobody reads that any more.
        Unwritable: That cannot be done.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(error) from error


def put_json(value: object) -> None:
    """Write a value as indented JSON."""
    import json

    put(json.dumps(value, indent=2, ensure_ascii=not _is_text(value)))


def put_json_line(value: object) -> None:
    """Write a value as one line of JSON."""
    import json

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    put(text if _is_encodable(text) else json.dumps(value, separators=(",", ":")))


def say_results(results: Sequence[Result], *, as_json: bool, words: Mapping[str, str]) -> ExitCode:
    """Say what has become of services; return the exit code.

    Args:
        words: What some outcomes are called, because of what was asked for.
    """
    bad = [each for each in results if each.get("outcome") in ("failed", "skipped")]
    if as_json:
        put_json({"version": VERSION, "results": list(results)})
    else:
        for each in results:
            if each not in bad:
                put(_sentence(each, words))
    flush()
    for each in bad:
        complain(_sentence(each, words))
    return ExitCode.FAILURE if bad else ExitCode.OK


def _sentence(result: Result, words: Mapping[str, str]) -> str:
    outcome, reason = str(result.get("outcome", "done")), result.get("reason")
    said = f"{result.get('name', '')}: {words.get(outcome, outcome)}"
    return escaped(f"{said}: {reason}" if reason else said)


def _is_text(value: object) -> bool:
    import json

    return _is_encodable(json.dumps(value, ensure_ascii=False))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
