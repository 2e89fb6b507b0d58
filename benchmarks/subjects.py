"""The runners that are compared, as values: how each starts N commands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Start = Callable[[Sequence[str], Path], list[str]]
"""From shell command lines and a folder for files to the arguments that run them."""


@dataclass(frozen=True)
class Subject:
    """A runner.

    Attributes:
        pace: Lines that it is given in a throughput run, so that a run takes a few seconds.
        is_procfile_runner: It belongs to foreman's family.
        is_reference: Not a product, but what plain code reaches.
    """

    name: str
    start: Start
    pace: int
    is_procfile_runner: bool = False
    is_reference: bool = False


def _procfile(words: Sequence[str], option: Sequence[str]) -> Start:
    def start(commands: Sequence[str], folder: Path) -> list[str]:
        path = folder / "Procfile"
        lines = (f"p{number}: {command}\n" for number, command in enumerate(commands))
        path.write_text("".join(lines))
        return [*words, *(str(path) if word == "{}" else word for word in option)]

    return start


def _pm2(program: str) -> Start:
    def start(commands: Sequence[str], folder: Path) -> list[str]:
        apps = [
            {
                "name": f"p{n}",
                "script": "/bin/sh",
                "args": ["-c", f"exec {c}"],
                "autorestart": False,
            }
            for n, c in enumerate(commands)
        ]
        path = folder / "ecosystem.json"
        path.write_text(json.dumps({"apps": apps}))
        return [program, str(path), "--raw"]

    return start


def _direct(*words: str) -> Start:
    return lambda commands, _folder: [*words, *commands]


def _devrun(commands: Sequence[str], _folder: Path) -> list[str]:
    return [sys.executable, "-m", "devrun", *commands]


def devrun() -> Subject:
    """Return devrun itself, as the Python that runs this has it."""
    return Subject("devrun", _devrun, 3_000_000)


def installed(named: dict[str, str], reference: str | None) -> list[Subject]:
    """Return devrun, the peers that are found, and the references.

    Args:
        named: Programs by peer, where they are not on PATH.
        reference: The compiled C reference, if there is a compiler.
    """
    subjects = [devrun()]
    if reference is not None:
        subjects.append(Subject("C poll/writev", _direct(reference), 3_000_000, is_reference=True))

    def find(name: str) -> str | None:
        return named.get(name) or shutil.which(name)

    if program := find("concurrently"):
        subjects.append(Subject("concurrently", _direct(program), 3_000_000))
    if program := find("honcho"):
        start = _procfile([program], ["-f", "{}", "start"])
        subjects.append(Subject("honcho", start, 20_000, is_procfile_runner=True))
    if program := find("foreman"):
        start = _procfile([program], ["start", "-f", "{}"])
        subjects.append(Subject("foreman", start, 40_000, is_procfile_runner=True))
    if program := find("hivemind"):
        subjects.append(
            Subject("hivemind", _procfile([program], ["{}"]), 300_000, is_procfile_runner=True)
        )
    if program := find("overmind"):
        start = _procfile([program], ["start", "-f", "{}"])
        subjects.append(Subject("overmind", start, 100_000, is_procfile_runner=True))
    if program := find("goreman"):
        start = _procfile([program], ["-f", "{}", "start"])
        subjects.append(Subject("goreman", start, 200_000, is_procfile_runner=True))
    if program := find("pm2-runtime"):
        subjects.append(Subject("pm2-runtime", _pm2(program), 200_000))
    return subjects


def compiled(folder: Path) -> dict[str, str]:
    """Compile the programs beside this file; return their paths by name.

    Raises:
        SystemExit: There is no C compiler; the workloads would measure Python otherwise.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("benchmarks: a C compiler is needed for the programs that write the lines")
    paths: dict[str, str] = {}
    for source in (Path(__file__).parent / "programs").glob("*.c"):
        target = folder / source.stem
        subprocess.run([compiler, "-O3", "-o", str(target), str(source)], check=True)
        paths[source.stem] = str(target)
    return paths


def version(subject: Subject, folder: Path) -> str:
    """Return what a runner says of its version; empty if it says nothing useful."""
    if subject.is_reference:
        return ""
    program = subject.start(["true"], folder)
    words = program[: 3 if subject.name == "devrun" else 1]
    try:
        said = subprocess.run(
            [*words, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next((word for word in said.stdout.split() if word[:1].isdigit()), "")
