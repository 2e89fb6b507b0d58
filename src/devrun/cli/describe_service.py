"""A service of a resolved project as rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devrun.cli.describe_words import (
    dependency_words,
    health_words,
    limit_words,
    log_words,
    memory_words,
    ready_words,
    restart_words,
    socket_words,
    span,
    stop_words,
)
from devrun.config.toml.texts import shown_path
from devrun.model import KillOthers, Project, Service, WatchSettings
from devrun.process.command import SHELL, argv_of


@dataclass(frozen=True, slots=True)
class Row:
    """One line.

    Attributes:
        keys: The keys of devrun.toml that it tells of.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()


def service_rows(
    project: Project, instances: Sequence[Service], *, show_values: bool
) -> Iterator[Row]:
    """Yield what is to be said of a service.

    Args:
        instances: Its instances, which differ in number and port.
        show_values: Show the values of its variables, which may be secrets.
    """
    service = instances[0]
    yield Row("command", service.command, ("command",))
    yield Row("runs", _way(service), ("shell",))
    yield Row("folder", shown_path(service.cwd, project.root), ("cwd",))
    if len(instances) > 1:
        yield Row("instances", _instances(instances), ("instances", "port"))
    elif service.port is not None:
        yield Row("PORT", str(service.port), ("port",))
    if service.shares_ports:
        yield Row("cluster", "Node's instances share the ports that they open", ("cluster",))
    if service.sockets:
        yield Row("sockets", socket_words(service.sockets, project.root), ("sockets",))
    yield from _gates(project, service)
    yield Row("stop", stop_words(service.stop), ("stop",))
    yield Row("restart", restart_words(service.restart), _RESTART)
    yield from _bounds(service)
    yield from _surroundings(project, service, show_values=show_values)


_RESTART = (
    "restart",
    "restart_on",
    "no_restart_on",
    "backoff",
    "max_restarts",
    "min_uptime",
    "restart_delay",
    "restart_limit",
)


def _way(service: Service) -> str:
    if service.argv is not None:
        return "without a shell"
    if service.shell is not None:
        return f"through {service.shell.program}"
    return "through sh -c" if argv_of(service)[:2] == [SHELL, "-c"] else "without a shell"


def _instances(instances: Sequence[Service]) -> str:
    ports = [service.port for service in instances]
    names = [
        service.label if service.port is None or len(set(ports)) == 1 else _with_port(service)
        for service in instances
    ]
    all_on = f", all with PORT {ports[0]}" if ports[0] is not None and len(set(ports)) == 1 else ""
    return f"{len(instances)}: {', '.join(names)}{all_on}"


def _with_port(service: Service) -> str:
    return f"{service.label} (PORT {service.port})"


def _gates(project: Project, service: Service) -> Iterator[Row]:
    if service.depends_on:
        words = ", ".join(map(dependency_words, service.depends_on))
        yield Row("depends_on", words, ("depends_on",))
    if service.start_delay:
        yield Row("start_delay", span(service.start_delay), ("start_delay",))
    if service.ready is not None:
        yield Row("ready", ready_words(service.ready, project.root), ("ready",))
    if service.health is not None:
        yield Row("health", health_words(service.health, project.root), ("health",))


def _bounds(service: Service) -> Iterator[Row]:
    match service.kill_others:
        case KillOthers.ALWAYS:
            yield Row("on_exit", "its end stops the others", ("on_exit",))
        case KillOthers.ON_FAILURE:
            yield Row("on_exit", "its failure stops the others", ("on_exit",))
        case KillOthers.NEVER:
            yield Row("on_exit", "its end stops nobody", ("on_exit",))
        case None:
            pass
    if service.max_memory is not None:
        yield Row("memory", memory_words(service.max_memory), ("max_memory",))
    if service.limits is not None:
        yield Row("limits", limit_words(service.limits), ("nice", "limits"))


def _watch_words(service: Service, settings: WatchSettings) -> Iterator[str]:
    own = settings.of(service.process)
    if own.ignore:
        yield f"not {', '.join(own.ignore)}"
    if own.quiet != WatchSettings().quiet:
        yield f"after {span(own.quiet)} of quiet"
    if own.poll:
        yield "by comparing file times"


def _surroundings(project: Project, service: Service, *, show_values: bool) -> Iterator[Row]:
    root = project.root
    name = service.process or service.label
    groups = [group for group in project.groups if name in group.members]
    if groups:
        words = ", ".join(f"{group.name} ({group.strategy.value})" for group in groups)
        yield Row("group", words, ("group",))
    if service.env_files:
        files = ", ".join(shown_path(path, root) for path in service.env_files)
        yield Row("env files", files, ("env_file",))
    if service.env:
        listed = [f"{key}={value}" if show_values else key for key, value in service.env]
        yield Row("variables", ", ".join(listed), ("env",))
    if service.watch:
        sources = dict.fromkeys(
            shown_path(service.cwd, root)
            if rule.pattern is None and rule.root == service.cwd
            else rule.source
            for rule in service.watch
        )
        said = [", ".join(sources), *_watch_words(service, project.watch)]
        yield Row("watch", "; ".join(said), ("watch",))
    if service.log is not None:
        yield Row("log", log_words(service.log, root), ("log",))
    if service.tty is not None:
        yield Row("tty", "a terminal of its own" if service.tty else "none", ("tty",))
    if service.raw:
        yield Row("raw", "devrun's own stdin and output", ("raw",))
    if service.hidden:
        yield Row("hidden", "its output is not shown", ("hidden",))
