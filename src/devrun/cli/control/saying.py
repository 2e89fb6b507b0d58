"""What a command says: lines, JSON, and what has become of services."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from devrun.errors import ExitCode
from devrun.output.complaint import complain

VERSION = 1
"""Of the form of the JSON; what it has keeps its name and meaning, more may come."""

Result = Mapping[str, object]


def put(text: str) -> None:
    """Write a line to stdout; bytes that are no UTF-8 are written as they were."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")


def flush() -> None:
    """Have what was written read."""
    sys.stdout.buffer.flush()


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
    return f"{said}: {reason}" if reason else said


def _is_text(value: object) -> bool:
    import json

    return _is_encodable(json.dumps(value, ensure_ascii=False))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
