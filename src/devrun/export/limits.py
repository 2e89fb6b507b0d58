"""What the formats can hold: characters of texts, and names of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from devrun.errors import UsageError
from devrun.export.deployment import Deployment
from devrun.export.process_type import Variables
from devrun.export.render import ExportFile

NOTHING = re.compile(r"(?!)")
NOT_UTF_8 = re.compile(r"[\ud800-\udfff]")
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may have, not even as a reference (XML 1.0, 2.2)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one format can hold.

    Attributes:
        lacks: Characters that none of its files can have.
        lacks_in_lines: The same for a command and its variables, or None for no difference.
        names: What the name of a variable has to be like.
    """

    lacks: re.Pattern[str] = NOTHING
    lacks_in_lines: re.Pattern[str] | None = None
    names: re.Pattern[str] = re.compile(".*", re.DOTALL)


def check_processes(deployment: Deployment, style: str, limits: Limits) -> None:
    """Refuse what a format cannot hold of the processes and the variables.

    Raises:
        UsageError: There is such a thing; the message names the process.
    """
    lacks = limits.lacks if limits.lacks_in_lines is None else limits.lacks_in_lines
    for what, text in _texts(deployment):
        found = lacks.search(text)
        if found:
            message = f"{what} has {_described(found[0])}, which {style} cannot hold"
            raise UsageError(f"{message}; put it into a script or a file of the project's own")


def check_files(
    files: Sequence[ExportFile], deployment: Deployment, style: str, limits: Limits
) -> None:
    """Refuse files that have what the format cannot hold.

    What runs before a release has brought it, which not every format has, or a path, or a name.

    Raises:
        UsageError: There is such a file.
    """
    release = deployment.release
    for file in files:
        found = limits.lacks.search(file.text)
        if found:
            what = f"{file.path}: a path or a name in it"
            if release is not None and limits.lacks.search(release.line):
                what = f'process "{release.name}": its command'
            raise UsageError(f"{what} has {_described(found[0])}, which {style} cannot hold")


def without_lost_variables(
    deployment: Deployment, style: str, limits: Limits
) -> tuple[Deployment, list[str]]:
    """Return the deployment without variables that a format cannot pass on, and notes on these."""
    own = [pair for kind in deployment.processes for pair in kind.public + kind.secrets]
    every = dict.fromkeys(name for name, _ in (*deployment.public, *deployment.secrets, *own))
    lost = [name for name in every if not limits.names.fullmatch(name)]
    if not lost:
        return deployment, []

    def kept_of(variables: Variables) -> Variables:
        return tuple(pair for pair in variables if pair[0] not in lost)

    kept = replace(
        deployment,
        public=kept_of(deployment.public),
        secrets=kept_of(deployment.secrets),
        processes=tuple(
            replace(kind, public=kept_of(kind.public), secrets=kept_of(kind.secrets))
            for kind in deployment.processes
        ),
    )
    names = ", ".join(lost)
    return kept, [f"variables with such names do not reach the processes of {style}: {names}"]


def _texts(deployment: Deployment) -> Iterator[tuple[str, str]]:
    for kind in deployment.processes:
        yield f'process "{kind.name}": its command', kind.line
        for name, value in kind.variables:
            yield f'process "{kind.name}": its variable {name}', f"{name}={value}"
        if deployment.options.include_secrets:
            for name, value in deployment.written_for(kind):
                yield f"the variable {name}", value


def _described(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # How Python keeps a byte that is no UTF-8 (PEP 383).
        return f"the byte 0x{code & 0xFF:02x}, which is no UTF-8"
    return f"the character U+{code:04X}"
