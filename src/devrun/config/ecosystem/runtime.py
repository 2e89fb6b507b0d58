"""What a JavaScript or TypeScript file exports: ask Node, Bun or Deno.

This is the one place of this package where a program is run, because there is no other way to
read such a file. The answer is not kept anywhere: a start of Node takes 50 ms, and what files like
these export has secrets in it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devrun.config.ecosystem.app import Regex
from devrun.errors import UsageError

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from subprocess import Popen

_LOADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loader.mjs")

LONGEST = 10.0
"""Seconds after which a file is taken for one that never ends."""

_NODE = ("node",)
_BUN = ("bun",)
_DENO = ("deno", "run", "--allow-all", "--no-lock", "--quiet")
_TYPESCRIPT = (".ts", ".mts", ".cts")
_STRIP_TYPES = "--experimental-strip-types"
_STRIPS_TYPES = (22, 6)
"""Node can from this version on; from 22.18 and 23.6 on it needs no flag for it."""

_UNSETTLED = 13
"""Exit code of Node where an ``await`` at the top never ends."""
_SIGKILL = 9
"""Windows has no such name, nor process groups."""

_OF_A_PARENT = ("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID")
"""With these, Node takes a file descriptor for a channel that is not there, and aborts."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file exports.

    Attributes:
        value: Dictionaries, lists, texts, numbers, truth values, ``Regex`` and None.
        lost: What could not be taken over: where it stands, and what it is.
        node_version: The version of the ``node`` in PATH, if that was asked.
    """

    value: object
    lost: tuple[tuple[str, str], ...] = ()
    node_version: str | None = None


def exported(
    path: str, *, shown: str, environ: Mapping[str, str], longest: float = LONGEST
) -> Exported:
    """Return what a file exports: functions called, promises awaited.

    Args:
        path: Absolute path of the file.
        shown: What messages call it.
        environ: Its ``process.env``.
        longest: Seconds it may take.

    Raises:
        UsageError: There is nothing to run it with, it fails, or it does not end.
    """
    runtime = _runtime(path, shown, environ)
    answer = _ask(runtime, path, shown, environ, longest)
    if answer.code == "ERR_UNKNOWN_FILE_EXTENSION" and path.endswith(_TYPESCRIPT):
        if version_of(answer.node_version) < _STRIPS_TYPES:
            message = f"{shown}: TypeScript needs bun, deno or Node 22.6 or later"
            raise UsageError(f"{message}; this is Node {answer.node_version}")
        answer = _ask((*runtime, _STRIP_TYPES), path, shown, environ, longest)
    if answer.error is not None:
        at = f"{shown}:{answer.line}" if answer.line else shown
        raise UsageError(f"{at}: {answer.error}")
    return Exported(answer.value, answer.lost, answer.node_version)


def version_of(text: str | None) -> tuple[int, ...]:
    """Return the numbers of a version such as ``22.6.0``; none for None."""
    return tuple(int(part) for part in (text or "").split(".") if part.isdigit())


def node_version(environ: Mapping[str, str]) -> str | None:
    """Return the version of the ``node`` in PATH, or None if there is none."""
    import subprocess
    from shutil import which

    node = which("node", path=environ.get("PATH", os.defpath))
    if node is None:
        return None
    try:
        answer = subprocess.run(
            [node, "--version"],
            capture_output=True,
            env=_clean(environ),
            timeout=LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.decode("ascii", "replace").strip().removeprefix("v") or None


def _runtime(path: str, shown: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    from shutil import which

    is_typescript = path.endswith(_TYPESCRIPT)
    candidates = (_BUN, _DENO, _NODE) if is_typescript else (_NODE, _BUN, _DENO)
    for program, *options in candidates:
        found = which(program, path=environ.get("PATH", os.defpath))
        if found is not None:
            return (found, *options)
    message = f"{shown}: to read it takes node, bun or deno, and none is in PATH"
    raise UsageError(f"{message}; install one, or write the file as .json or .yaml")


@dataclass(frozen=True, slots=True)
class _Answer:
    value: object = None
    lost: tuple[tuple[str, str], ...] = ()
    node_version: str | None = None
    error: str | None = None
    line: int | None = None
    code: str | None = None


def _ask(
    runtime: Sequence[str], path: str, shown: str, environ: Mapping[str, str], longest: float
) -> _Answer:
    reader, writer = os.pipe()
    try:
        try:
            process = _started(runtime, path, shown, environ, writer)
        finally:
            os.close(writer)
        try:
            text = _line(reader, longest)
        finally:
            status = _end(process)
    finally:
        os.close(reader)
    if text is None:
        raise UsageError(f"{shown}: does not end within {longest:g} s; something in it waits")
    if not text.endswith(b"\n"):
        how = "waits for what never comes" if status == _UNSETTLED else "ends the program"
        raise UsageError(f"{shown}: {how} before it exports anything (exit code {status})")
    return _decoded(text, path)


def _started(
    runtime: Sequence[str], path: str, shown: str, environ: Mapping[str, str], writer: int
) -> Popen[bytes]:
    import subprocess

    try:
        return subprocess.Popen(
            [*runtime, _LOADER, os.path.realpath(path), str(writer)],
            cwd=os.path.dirname(path),
            env=_clean(environ),
            stdin=subprocess.DEVNULL,
            stdout=2,  # What the file says is not what it exports.
            pass_fds=(writer,),
            start_new_session=True,
        )
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"{shown}: cannot run {runtime[0]}: {reason}") from None


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in _OF_A_PARENT}


def _line(reader: int, longest: float) -> bytes | None:
    """Return what comes up to a line end or the end of the file, or None if neither does."""
    from select import select
    from time import monotonic

    deadline = monotonic() + longest
    text = bytearray()
    while not text.endswith(b"\n"):
        left = deadline - monotonic()
        if left <= 0 or not select([reader], [], [], left)[0]:
            return None
        chunk = os.read(reader, 65536)
        if not chunk:
            break
        text += chunk
    return bytes(text)


def _end(process: Popen[bytes]) -> int:
    """Kill what the file has started and left, and return how the program ended.

    It is waited for last, so that its number cannot be another's when the group is killed. A
    program that has closed its files keeps its own exit code.
    """
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, _SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()  # Nothing is left of it but its exit code, which macOS forbids to kill.
    else:
        process.kill()
    return process.wait()


def _decoded(text: bytes, path: str) -> _Answer:
    import json

    answer = json.loads(text, object_hook=_special)
    error = answer.get("error")
    if error is None:
        lost = tuple((place, kind) for place, kind in answer["lost"])
        return _Answer(answer["value"], lost, answer["version"])
    said = error["text"].removesuffix(f" imported from {os.path.realpath(path)}")
    return _Answer(
        node_version=answer["version"], error=said, line=error["line"], code=error["code"]
    )


def _special(found: dict[str, object]) -> object:
    """Return what an object stands for that JSON has no form for."""
    match found:
        case {"$regex": str(source), "$flags": str(flags)}:
            return Regex(source, flags)
        case {"$number": str(text)} if len(found) == 1:
            return float(text)
        case _:
            return found
