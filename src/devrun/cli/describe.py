"""A resolved project as text, for ``--dry-run`` and ``devrun check``."""

from __future__ import annotations

import os
import signal
from math import inf

from devrun.model import Project, RestartPolicy, RestartWhen, Service
from devrun.process.command import SHELL, argv_of


def describe(project: Project) -> str:
    """Return what would run and how, for people to read; values of variables are left out."""
    blocks = [_heading(project), *(_service(project, service) for service in project.services)]
    return "\n\n".join(blocks) + "\n"


def _heading(project: Project) -> str:
    files = [project.environment.root_file, *project.environment.files]
    read = ", ".join(_shown(project, path) for path in files if path) or "none"
    rows = [
        ("services", f"{len(project.services)}, from {project.source}"),
        (
            "env files",
            read + (" (win over the environment)" if project.environment.override else ""),
        ),
        ("kill others", project.kill_others.value),
        ("success", project.success.kind.value),
        ("at a time", str(project.max_processes or "all")),
    ]
    rows += [("teardown", command) for command in project.teardown.commands]
    if project.input_target is not None:
        rows.append(("input", f"lines go to {project.services[project.input_target].label}"))
    return _table(rows)


def _service(project: Project, service: Service) -> str:
    argv = argv_of(service)
    rows = [
        ("command", service.command),
        ("runs", _way(argv, service)),
        ("folder", _shown(project, service.cwd)),
    ]
    if service.port is not None:
        rows.append(("PORT", str(service.port)))
    stop = service.stop
    rows.append(("stop", f"{signal.Signals(stop.signal).name}, SIGKILL after {stop.timeout:g} s"))
    rows.append(("restart", _restart(service.restart)))
    if service.env:
        rows.append(("variables", ", ".join(name for name, _ in service.env)))
    if service.watch:
        rows.append(("watch", ", ".join(rule.source for rule in service.watch)))
    return f"[{service.label}]\n{_table(rows)}"


def _way(argv: list[str], service: Service) -> str:
    if service.shell is not None:
        return f"through {service.shell.program}"
    return "through sh -c" if argv[:2] == [SHELL, "-c"] else "without a shell"


def _restart(policy: RestartPolicy) -> str:
    if policy.when is RestartWhen.NO:
        return "no"
    when = "always" if policy.when is RestartWhen.ALWAYS else "on failure"
    if policy.min_uptime == inf:
        often = "for ever" if policy.tries < 0 else f"{policy.tries} times at most"
    else:
        most = "" if policy.tries < 0 else f", {policy.tries} times in a row at most"
        often = f"an end within {policy.min_uptime:g} s counts as a failure{most}"
    later = "exponentially later" if policy.factor > 1 else f"after {policy.delay:g} s"
    return f"{when}, {often}, {later}"


def _shown(project: Project, path: str) -> str:
    relative = os.path.relpath(path, project.root)
    return path if relative.startswith("..") else relative


def _table(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
