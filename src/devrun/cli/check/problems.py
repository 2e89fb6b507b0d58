"""What is wrong with a project before anything starts, and what likely is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from devrun.cli.check.files import log_problems
from devrun.cli.check.ports import port_problems
from devrun.cli.check.programs import command_doubts, command_problems, lines_of, teardown_lines
from devrun.cli.describe import by_process
from devrun.config.environment import layers, service_environment
from devrun.errors import SpawnError, UsageError
from devrun.model import Project, Service
from devrun.policies import HttpProbe, LogGate
from devrun.process.command import argv_of, find_program


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        service: Whose it is, by label; empty for the project.
    """

    service: str
    text: str

    def __str__(self) -> str:
        """As it is said to the user."""
        return f"{self.service}: {self.text}" if self.service else self.text


@dataclass(slots=True)
class Findings:
    """All that was found.

    Attributes:
        problems: What keeps something from working.
        doubts: What is likely not what was meant.
    """

    problems: list[Finding] = field(default_factory=list)
    doubts: list[Finding] = field(default_factory=list)


def findings_of(
    project: Project,
    environ: Mapping[str, str],
    *,
    left_out: Mapping[str, str],
    unreadable: Iterable[str] = (),
) -> Findings:
    """Look at everything that a run would need; start nothing of it, and change nothing.

    Args:
        left_out: Services that are not part of the run, and why.
        unreadable: Why files of variables could not be read.
    """
    found = Findings([Finding("", text) for text in unreadable])
    found.problems += [Finding(label, text) for label, text in port_problems(project)]
    shared = {name: each.value for name, each in layers(project.environment, environ).items()}
    for name, instances in by_process(project).items():
        found.problems += [
            Finding(name, text) for text in _dependency_problems(project, instances[0], left_out)
        ]
        each = [_of_service(project, service, environ, shared) for service in instances]
        labels = [service.label for service in instances]
        found.problems += _together(name, labels, [problems for problems, _ in each])
        found.doubts += _together(name, labels, [doubts for _, doubts in each])
    for line in teardown_lines(project):
        found.problems += [Finding("teardown", text) for text in command_problems(line, shared)]
    return found


def _together(
    name: str, labels: Sequence[str], found: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    """Yield what was found of instances; what is true of all of them once, of the service."""
    for label, texts in zip(labels, found, strict=True):
        for text in texts:
            if len(labels) == 1 or not all(text in others for others in found):
                yield Finding(label, text)
            elif label == labels[0]:
                yield Finding(name, text)


def _of_service(
    project: Project, service: Service, environ: Mapping[str, str], shared: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    problems: list[str] = []
    variables = shared
    try:
        variables = service_environment(project, service, environ)
    except UsageError as error:
        problems.append(str(error))
    doubts = [*_stop_doubts(project, service)]
    if not os.path.isdir(service.cwd):
        problems.append(f"no such folder: {service.cwd}")
    else:
        for line in lines_of(service):
            problems += command_problems(line, variables)
            doubts += command_doubts(line, variables)
        problems += _cluster_problems(service, variables)
    problems += [*_limit_problems(service), *_pattern_problems(service), *log_problems(service)]
    return problems, doubts


def _dependency_problems(
    project: Project, service: Service, left_out: Mapping[str, str]
) -> Iterator[str]:
    running = by_process(project).keys()
    for each in service.depends_on:
        if each.required and each.service not in running:
            why = f" ({left_out[each.service]})" if each.service in left_out else ""
            message = f"waits for {each.service}, which is not run{why}, so that it will not start"
            yield f"{message}; run it too, or write required = false"


def _limit_problems(service: Service) -> Iterator[str]:
    if service.limits is not None:
        from devrun.process.limits import problem_with

        problem = problem_with(service.limits)
        if problem is not None:
            yield problem


def _pattern_problems(service: Service) -> Iterator[str]:
    """Yield regular expressions that are none."""
    patterns: dict[str, str | None] = {}
    if service.ready is not None and isinstance(service.ready.gate, LogGate):
        patterns["ready: log"] = service.ready.gate.pattern
    for what, asked in (
        ("ready: body", service.ready and service.ready.gate),
        ("health: body", service.health and service.health.probe),
    ):
        if isinstance(asked, HttpProbe):
            patterns[what] = asked.body
    for what, pattern in patterns.items():
        try:
            re.compile(pattern or "")
        except re.error as error:
            yield f'{what} "{pattern}": not a regular expression: {error}'


def _stop_doubts(project: Project, service: Service) -> Iterator[str]:
    most = project.shutdown_timeout
    if most is not None and service.stop.timeout > most:
        yield (
            f"may take {service.stop.timeout:g} s to stop, but shutdown_timeout ends all "
            f"after {most:g} s"
        )


def _cluster_problems(service: Service, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield why the instances of a Node program would not share its ports."""
    if not service.shares_ports:
        return
    from devrun.process.node.program import KNOWN_MAJORS, is_node_program, node_major

    argv = argv_of(service)
    name = argv[0] if is_node_program(argv) else "node"
    try:
        program = find_program(name, cwd=service.cwd, env=variables)
    except SpawnError:
        return  # It is said of the command, or the command brings its own.
    major = node_major(program, cwd=service.cwd, env=variables)
    if major not in KNOWN_MAJORS:
        known = ", ".join(map(str, sorted(KNOWN_MAJORS)))
        which = f"{program} tells no version" if major is None else f"{program} is Node {major}"
        yield f"cluster: {which}; ports are shared with Node {known} only"
