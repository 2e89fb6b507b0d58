"""The argument vector of one instance for supervisors that know no more than that."""

from __future__ import annotations

import shlex

from devrun.export.deployment import Deployment
from devrun.export.process_type import ProcessType, Variables, shell_line
from devrun.process.command import SHELL

UNLIMITED = -1

_ULIMITS = {
    "as": ("v", 1024),
    "core": ("c", 512),
    "cpu": ("t", 1),
    "data": ("d", 1024),
    "fsize": ("f", 512),
    "memlock": ("l", 1024),
    "nofile": ("n", 1),
    "rss": ("m", 1024),
    "stack": ("s", 1024),
}
"""Options of ``ulimit`` that dash and bash have in common, and what they count (bash(1) in POSIX
mode, dash(1)); ``nproc`` has another letter in each."""


def shell_limits(kind: ProcessType) -> tuple[str, list[str]]:
    """Return what sets a process's limits in a shell's line, and the names of those that cannot be.

    Both limits become the hard one first: it may not be less than the soft one.
    """
    limits = kind.service.limits
    said: list[str] = []
    unknown: list[str] = []
    for name, soft, hard in () if limits is None else limits.resources:
        if name == "nproc":
            said.append(_nproc(soft, hard))
        elif name in _ULIMITS:
            letter, unit = _ULIMITS[name]
            said.append(_ulimit(letter, _count(soft, unit), _count(hard, unit)))
        else:
            unknown.append(name)
    return "".join(f"{{ {each}; }} || exit 1; " for each in said), unknown


def _count(limit: int, unit: int) -> str:
    return "unlimited" if limit == UNLIMITED else str(-(-limit // unit))


def _ulimit(letter: str, soft: str, hard: str) -> str:
    both = f"ulimit -{letter} {hard}"
    return both if soft == hard else f"{both} && ulimit -S -{letter} {soft}"


def _nproc(soft: int, hard: int) -> str:
    bash, dash = (_ulimit(letter, _count(soft, 1), _count(hard, 1)) for letter in "up")
    return f'if [ -n "${{BASH_VERSION:-}}" ]; then {bash}; else {dash}; fi'


def instance_words(
    deployment: Deployment,
    kind: ProcessType,
    number: int,
    *,
    values: str = "",
    limited: bool = True,
    line: str | None = None,
) -> tuple[str, ...]:
    """Return the argument vector of one instance, which sets its variables itself.

    Values that are written never stand in a command line, which everybody may read; where they are
    not written, ``devrun exec`` reads the ``.env`` files at each start.

    Args:
        values: What the shell's line begins with to take values that are written.
        limited: The line sets the limits and the niceness of the process.
        line: What is run in place of the process, or None.
    """
    # A devrun.toml's services are not told PS by devrun either.
    assignments = [] if kind.declared else [("PS", shlex.quote(f"{kind.name}.{number}"))]
    port = kind.port_of(number)
    if port is not None:
        assignments.insert(0, ("PORT", str(port)))
    own = own_variables(deployment, kind, number)
    text = kind.line if line is None else line
    limits = kind.service.limits
    nice: tuple[str, ...] = ()
    if limited and limits is not None:
        text = f"{shell_limits(kind)[0]}{text}"
        nice = ("nice", "-n", str(limits.nice)) if limits.nice else ()
    text = shell_line(kind, assignments, variables=own, line=text)
    files = deployment.files_of(kind)
    if not files:
        return *nice, SHELL, "-c", text
    if deployment.options.include_secrets:
        return *nice, SHELL, "-c", values + text
    named = [word for file in files for word in ("--env-file", file)]
    reader = (*deployment.options.devrun, "exec", "--root", deployment.root, "--no-env", *named)
    return *nice, *reader, "--", SHELL, "-c", f"cd {shlex.quote(kind.folder)} && {text}"


def own_variables(deployment: Deployment, kind: ProcessType, number: int) -> Variables:
    """Return the variables that an instance's line sets."""
    path = () if deployment.path is None else (("PATH", deployment.path),)
    return (*path, *kind.variables_of(number))


def instance_log(kind: ProcessType, number: int) -> tuple[str, str | None] | None:
    """Return the paths of an instance's log files, or None: the one for stderr may be None."""
    log = kind.service.log
    if log is None:
        return None
    error = None if log.error_path is None else log.error_path.replace("{instance}", str(number))
    return log.path.replace("{instance}", str(number)), error
