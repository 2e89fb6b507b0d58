"""Which services run, how many instances of each, and on which ports.

Ports are those of foreman: from the first one, 100 more for each process of the file and 1 more for
each further instance, counted over the whole file whatever of it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.config import values
from devrun.config.environment import INHERITED, Variable
from devrun.config.formation import parse_formation
from devrun.config.own_port import alien_ports, with_port
from devrun.config.selection import Selection
from devrun.config.settings import RunSettings
from devrun.errors import UsageError
from devrun.model import Service

TYPE_CHECKING = False  # a type alone
if TYPE_CHECKING:
    from devrun.config.definitions import Definitions

FIRST_PORT = 5000
PORT_STEP = 100
MOST_PORTS = 65536
"""What foreman, honcho, hivemind and overmind assign: 5000, and 100 more for each process."""


def chosen_instances(
    settings: RunSettings, selection: Selection, variables: Mapping[str, Variable]
) -> tuple[Service, ...]:
    """Return the services to run, with their ports.

    These are counted over the whole file, so that a process keeps its port when it runs alone; the
    commands come after the file's processes, and get a port only if ``--port`` is given.

    Args:
        variables: The environment, whose ``PORT`` is the first port if nothing else is said.

    Raises:
        UsageError: A number is wrong, or a name; or nothing is left to run.
    """
    step = PORT_STEP
    if settings.port_step is not None:
        step = values.whole_number(settings.port_step, "--port-step", least=1, most=10_000)
    first = _first_port(settings, variables, from_file=selection.from_procfile)
    entries = list(selection.entries)
    commands = list(selection.commands)
    if settings.no_port:
        entries = [replace(entry, port=None) for entry in entries]
    if first is not None:
        numbered = [*entries, *commands] if settings.port is not None else entries
        _check_last_port(first, step, len(numbered))
        ports = [with_port(service, first + step * place) for place, service in enumerate(numbered)]
        entries, commands = ports[: len(entries)], ports[len(entries) :] or commands
    return _multiplied(settings, selection.chosen(entries, commands), selection, step)


def _multiplied(
    settings: RunSettings, services: Sequence[Service], selection: Selection, step: int
) -> tuple[Service, ...]:
    names = [entry.name for entry in selection.entries if entry.name]
    if not names:
        for said, option in ((settings.formation, "--formation"), (settings.excepted, "--except")):
            if said:
                raise UsageError(f"{option} is for the processes of a file; there is none")
        return tuple(services)
    defined = selection.defined
    usual = {} if defined is None else defined.instances
    counts = parse_formation(settings.formation, names, usual, option="--formation")
    chosen: list[Service] = []
    for service in services:
        if defined is None or not service.process:
            chosen.append(service)
            continue
        count = counts.get(service.name or "", 1)
        steps = step if selection.from_procfile or settings.port is not None else MOST_PORTS
        instances = [
            defined.instance(each, each.number)
            for each in _instances(service, count, steps, settings)
        ]
        if count > 1:
            _check_gates(instances[-1], count, defined)
        chosen += instances
    if not chosen:
        raise UsageError(f'--formation "{settings.formation}": nothing is left to run')
    return tuple(replace(service, index=index) for index, service in enumerate(chosen))


def _check_gates(last: Service, count: int, defined: Definitions) -> None:
    """Refuse a gate that asks for one port where there are several: all but one would fail it."""
    if last.sockets or last.shares_ports:
        return
    for key, kind, port in alien_ports(last):
        name = last.process or last.label
        place = f"{defined.places[name]}: {name}: {key}"
        if defined.toml is not None:
            said = defined.toml.said[name].at((key, kind)).place
            place = f"{said}: services.{name}: {key}.{kind}"
        message = f"{place}: port {port} cannot be that of {count} instances"
        own = 'port = "${PORT}"' if kind == "port" else 'http = "http://localhost:${PORT}/"'
        way = f"give the service a port and write {key} = {{ {own} }}"
        raise UsageError(f"{message}; {way}, or let them share it by sockets or cluster")


def _check_last_port(first: int, step: int, count: int) -> None:
    last = first + step * (count - 1)
    if last > 65535:
        message = f"first port {first}: {count} processes would need ports up to {last}"
        raise UsageError(f"{message}; the highest is 65535, and --no-port assigns none")


def _first_port(
    settings: RunSettings, variables: Mapping[str, Variable], *, from_file: bool
) -> int | None:
    if settings.no_port:
        if settings.port is not None:
            raise UsageError("--port and --no-port contradict each other; leave one out")
        return None
    if settings.port is not None:
        return values.port(settings.port, "--port")
    if not from_file:
        return None
    return first_port(variables)


def first_port(variables: Mapping[str, Variable]) -> int:
    """Return the port that the environment gives to the first process.

    Raises:
        UsageError: ``PORT`` is none.
    """
    given = variables.get("PORT")
    if given is None:
        return FIRST_PORT
    where = "the environment" if given.origin == INHERITED else given.origin
    return values.port(given.value, f"PORT of {where}")


def _instances(
    service: Service, count: int, step: int, settings: RunSettings
) -> tuple[Service, ...]:
    """Return the instances of a process: ``web``, or ``web.1``, ``web.2`` if there are several."""
    apart = 1
    if settings.formation_port_step is not None:
        text = settings.formation_port_step
        apart = values.whole_number(text, "--formation-port-step", least=1, most=10_000)
    if service.shares_ports or service.sockets:
        apart = 0  # They listen on the same one.
    last = (service.port or 0) + (count - 1) * apart
    if service.port is not None and last - service.port >= step:
        message = f'--formation: {count} of "{service.name}" would need the next process\'s ports'
        raise UsageError(f"{message}; at most {(step - 1) // apart + 1}, or --no-port")
    if last > 65535:
        message = f'{count} instances of "{service.name}" would need ports up to {last}'
        raise UsageError(f"{message}; the highest is 65535")
    numbered = settings.instance_names or count > 1
    return tuple(
        replace(
            service
            if service.port is None
            else with_port(service, service.port + apart * (number - 1)),
            name=f"{service.name}.{number}" if numbered else service.name,
            number=number,
        )
        for number in range(1, count + 1)
    )
