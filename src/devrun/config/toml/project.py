"""A project of TOML files: read, merged, checked, and with where each value is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from devrun.config.toml import run as toml_run
from devrun.config.toml.clashes import check_clashes
from devrun.config.toml.dependencies import with_dependencies
from devrun.config.toml.ending import ENDINGS
from devrun.config.toml.kinds import with_kinds
from devrun.config.toml.merge import merged, with_defaults
from devrun.config.toml.mistakes import Gathering, Mistakes, messages_of
from devrun.config.toml.own_port import GATES, OwnGates, mentions_port, own_port, with_port
from devrun.config.toml.owner import Owner, given
from devrun.config.toml.profiles import wanted_services
from devrun.config.toml.reader import Said, read
from devrun.config.toml.run import RunTexts
from devrun.config.toml.schema import ProjectTable, ServiceTable
from devrun.config.toml.service import files as named_files
from devrun.config.toml.service import folder_of, instances, service
from devrun.config.toml.tables import Table
from devrun.config.toml.values import seconds
from devrun.config.toml.variables import COMMANDS, TEARDOWN, Variables, replaced, values_in
from devrun.config.toml.warnings import warnings_of
from devrun.config.toml.watching import ignored, of_all, watching
from devrun.errors import UsageError
from devrun.model import KillOthers, Service, Teardown, WatchSettings

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import Group

DEFAULT = "default"
"""The origin of what no file says."""

PROJECT = ""
"""Stands for the project where origins are asked for by service."""

Layered = Callable[[tuple[str, ...] | None, bool | None], Mapping[str, str]]
"""Gives all variables for the project's files of variables (None: the shared root ``.env``) and
whether they win over devrun's own environment (None: nothing is said)."""

_T = TypeVar("_T", bound=Table)
_INSIDE = frozenset(("services", "defaults"))
_ABOUT_FILES = frozenset(("env_file", "env_override"))
"""What has to be known before all variables are."""


@dataclass(frozen=True, slots=True)
class TomlProject:
    """What TOML files say; None where they say nothing.

    Attributes:
        services: All services, in the order of the files, each once whatever its instances; those
            too that are disabled or of profiles that were not asked for.
        wanted: Names of the services that run if none is named.
        disabled: Names of the services that never run, and where that is said.
        instances: How many instances of each service run.
        own_gates: Services of which each instance has a gate or a probe of its own.
        places: File and line of each service.
        colors: Colours of prefixes by service, as ``--prefix-colors`` has them.
        env_files: Absolute paths that take the place of the shared root ``.env``.
        kill_others: What holds where a service says nothing itself.
        texts: What is said as the options of the command line say it.
        watch: What holds for all watching, and for that of each service.
        shutdown_timeout: Seconds.
        said: What is said of each service, and of the project under the name ``PROJECT``.
        warnings: What is allowed and likely wrong.
    """

    services: tuple[Service, ...]
    wanted: frozenset[str]
    disabled: Mapping[str, str]
    instances: Mapping[str, int]
    own_gates: Mapping[str, OwnGates]
    places: Mapping[str, str]
    groups: tuple[Group, ...]
    colors: Mapping[str, str]
    env_files: tuple[str, ...] | None
    env_override: bool | None
    kill_others: KillOthers | None
    texts: RunTexts
    teardown: Teardown | None
    shutdown_timeout: float | None
    watch: WatchSettings
    said: Mapping[str, Said]
    warnings: tuple[str, ...]

    def instance(self, service: Service, number: int) -> Service:
        """Return an instance of a service, which has its port already."""
        service = replace(service, number=number)
        gates = self.own_gates.get(service.process or "")
        if gates is None:
            return service
        ready, health = gates.of(service)
        return replace(service, ready=ready, health=health)

    def origins(self) -> dict[tuple[str, str], str]:
        """Return where each value is from, by service and key: ``file:line``, or ``DEFAULT``."""
        found: dict[tuple[str, str], str] = {}
        for name, said in self.said.items():
            fields = (ServiceTable if name else ProjectTable).__struct_fields__
            found |= {(name, key): DEFAULT for key in fields if key not in _INSIDE}
            for key, inside in (said.table or {}).items():
                found[name, key] = str(inside.place)
                for path, place in inside.leaves((key,)):
                    found[name, ".".join(path)] = str(place)
        return found


def read_project(
    files: Sequence[str],
    *,
    cwd: str,
    environ: Mapping[str, str],
    profiles: frozenset[str] = frozenset(),
    layered: Layered | None = None,
) -> TomlProject:
    """Read TOML files; what later ones say wins.

    Args:
        files: devrun.toml or pyproject.toml files; relative to ``cwd``, or absolute.
        cwd: Absolute path of the project's folder.
        environ: What ``${NAME}`` is replaced by in the project's ``env_file``; and elsewhere, if
            ``layered`` is not given.
        profiles: Those that are asked for.
        layered: Gives what ``${NAME}`` is replaced by elsewhere; asked at most once, and only if
            there is such a text.

    Raises:
        Mistakes: A file cannot be read or something in it is wrong.
    """
    try:
        whole = merged([read(file, cwd) for file in files])
        return _Reading(whole, cwd, environ, layered).project(profiles, files)
    except UsageError as error:
        raise Mistakes([_printable(message) for message in messages_of(error)]) from None


class _Reading:
    """The state of reading one project: what is needed everywhere."""

    def __init__(
        self, whole: Said, cwd: str, environ: Mapping[str, str], layered: Layered | None
    ) -> None:
        self._whole = whole
        self._cwd = cwd
        self._environ = environ
        self._mistakes = Gathering()
        self._own_gates: dict[str, OwnGates] = {}
        self._concealed: dict[str, tuple[str, ...]] = {}
        inside = dict(whole.table or {})
        self._defaults = inside.pop("defaults", None)
        self._services = inside.pop("services", None)
        early = {key: said for key, said in inside.items() if key in _ABOUT_FILES}
        found = self._run(early, lambda: environ)
        table = self._converted(found, ProjectTable, "")
        owner = Owner(PROJECT, found, frozenset(early), environ)
        self._env_files = named_files(table.env_file, owner, "env_file")
        self._variables: Variables = lambda: environ
        if layered is not None:
            self._variables = _once(lambda: layered(self._env_files, table.env_override))
        late = {key: said for key, said in inside.items() if key not in _ABOUT_FILES}
        both = {**(found.table or {}), **(self._run(late, self._variables).table or {})}
        final = Said(both, whole.place)
        self._table = self._converted(final, ProjectTable, "")
        self._owner = Owner(PROJECT, final, frozenset(inside), environ)

    def project(self, profiles: frozenset[str], files: Sequence[str]) -> TomlProject:
        """Return the whole of it."""
        tables, owners = self._tables(files)
        built: list[Service] = []
        watch_of: dict[str, WatchSettings] = {}
        counts: dict[str, int] = {}
        colors: dict[str, str | None] = {}
        for name, table in tables.items():
            with self._mistakes.part():
                one, watch = self._service(table, owners[name], len(built))
                built.append(one)
                if one.watch:
                    watch_of[name] = watch
            with self._mistakes.part():
                counts[name] = instances(table, owners[name])
                colors[name] = toml_run.color(table.color, owners[name])
        self._mistakes.end()
        services = with_dependencies(built, tables, owners)
        wanted = wanted_services(services, tables, profiles)
        with self._mistakes.part():
            check_clashes([s for s in services if s.name in wanted], counts, owners)
        run, owner = self._table, self._owner
        listed = [run.watch_ignore] if isinstance(run.watch_ignore, str) else run.watch_ignore
        ignore = ignored(listed or [], owner, ("watch_ignore",), root=self._cwd)
        groups = toml_run.groups(run, owner, tables, owners)
        self._mistakes.end()
        return TomlProject(
            services=services,
            wanted=wanted,
            disabled={
                name: owners[name].at("disabled")
                for name, table in tables.items()
                if table.disabled
            },
            instances=counts,
            own_gates=self._own_gates,
            places={name: str(each.said.place) for name, each in owners.items()},
            groups=groups,
            colors={name: color for name, color in colors.items() if color is not None},
            env_files=self._env_files,
            env_override=run.env_override,
            kill_others=None if run.on_exit is None else ENDINGS[run.on_exit],
            texts=toml_run.run_texts(run, owner, list(tables)),
            teardown=toml_run.teardown(run.teardown, owner, cwd=self._cwd),
            shutdown_timeout=given(
                run.shutdown_timeout, None, seconds, owner.at("shutdown_timeout")
            ),
            watch=of_all(watch_of, ignore),
            said={PROJECT: owner.said, **{name: each.said for name, each in owners.items()}},
            warnings=warnings_of(services, wanted, tables, owners, groups),
        )

    def _tables(self, files: Sequence[str]) -> tuple[dict[str, ServiceTable], dict[str, Owner]]:
        """Return each service's table, with what it inherits, and who it is."""
        if self._defaults is not None:
            _check_table(self._defaults, "defaults")
            inherited = self._replaced(self._defaults, self._variables, "defaults: ")
            self._converted(inherited, ServiceTable, "defaults: ")
        if self._services is not None:
            _check_table(self._services, "services")
        found = {} if self._services is None else self._services.table or {}
        if not found:
            message = f"{', '.join(files)}: no services in it; write [services.web]"
            raise UsageError(f'{message} and command = "…"')
        tables: dict[str, ServiceTable] = {}
        owners: dict[str, Owner] = {}
        for name, said in found.items():
            with self._mistakes.part():
                tables[name], owners[name] = self._of_service(name, said)
        self._mistakes.end()
        return tables, owners

    def _of_service(self, name: str, said: Said) -> tuple[ServiceTable, Owner]:
        if not isinstance(said.value, str):
            _check_table(said, f"services.{name}")
        title = f"services.{name}: "
        own = frozenset(with_defaults(None, said).table or ())
        both = with_defaults(self._defaults, said)
        self._concealed[name] = self._hidden_in(both)
        if not mentions_port(both):
            both = self._replaced(both, self._variables, title)
            owner = Owner(name, both, own, self._environ)
            return self._converted(both, ServiceTable, title), owner
        inside = both.table or {}
        gates = Said({key: inside[key] for key in inside if key in GATES}, both.place)
        others = Said({key: inside[key] for key in inside if key not in GATES}, both.place)
        others = self._replaced(others, self._variables, title)

        def for_port(port: int | None) -> ServiceTable:
            found = self._replaced(gates, with_port(self._variables, port), title)
            whole = Said({**(others.table or {}), **(found.table or {})}, both.place)
            return self._converted(whole, ServiceTable, title)

        owner = Owner(
            name, Said({**inside, **(others.table or {})}, both.place), own, self._environ
        )
        table = self._converted(others, ServiceTable, title)
        self._own_gates[name] = OwnGates(for_port, owner)
        return for_port(own_port(table, owner)), owner

    def _hidden_in(self, said: Said) -> tuple[str, ...]:
        """Return what is not to be shown of what a service is asked, the longest first."""
        inside = said.table or {}
        gates = Said({key: inside[key] for key in inside if key in GATES}, said.place)
        values = values_in(gates, self._variables)
        if not values:
            return ()
        from urllib.parse import quote

        both = {*values, *map(quote, values)}  # In the path of a URL they are quoted.
        return tuple(sorted(both, key=len, reverse=True))

    def _service(
        self, table: ServiceTable, owner: Owner, index: int
    ) -> tuple[Service, WatchSettings]:
        folder = folder_of(table.cwd, owner)
        rules, settings = watching(table.watch, owner, cwd=folder, root=self._cwd)
        found = service(table, owner, index=index, cwd=folder, watch=rules)
        return replace(found, concealed=self._concealed.get(owner.name, ())), settings

    def _replaced(self, said: Said, variables: Variables, title: str) -> Said:
        commands = COMMANDS if title else TEARDOWN
        return replaced(said, variables, owner=title, commands=commands)

    def _run(self, inside: Mapping[str, Said], variables: Variables) -> Said:
        """Return some of what is said of the whole run, with the variables in it replaced."""
        return self._replaced(Said(dict(inside), self._whole.place), variables, PROJECT)

    def _converted(self, said: Said, table: type[_T], title: str) -> _T:
        try:
            return msgspec.convert(with_kinds(said.plain(), table), table)
        except msgspec.ValidationError as error:
            from devrun.config.toml.explain import explained

            raise UsageError(explained(said, table, title, str(error))) from None


def _printable(message: str) -> str:
    """Return a message with what texts of the files bring along: line ends, escape sequences."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in message
    )


def _once(read_variables: Variables) -> Variables:
    found: list[Mapping[str, str]] = []

    def variables() -> Mapping[str, str]:
        if not found:
            found.append(read_variables())
        return found[0]

    return variables


def _check_table(said: Said, name: str) -> None:
    if said.table is None:
        last = name.rpartition(".")[2]
        kind = "text or a table" if "." in name else "table"
        message = f"{said.place}: {name}: must be a {kind}"
        raise UsageError(f"{message}; write [{name}]" if last else message)
