"""What an export is made from: a project's processes, apart from how devrun itself runs them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config.environment import INHERITED, layers
from devrun.errors import UsageError
from devrun.export.origins import Origins
from devrun.export.process_type import (
    Need,
    ProcessType,
    Variables,
    check_slugs,
    process_type,
    slug,
)
from devrun.export.project_notes import project_notes
from devrun.model import EnvironmentSettings, Project, Service


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the words of ``devrun export`` say beside the project.

    Attributes:
        application: Name of the whole, or None for that of the project's folder.
        user: Who runs the processes, or None.
        logs: Folder for log files, or None for what the target does by itself.
        image: Container image, or None for one that is called like the application.
        public: Names of variables of the ``.env`` files that are no secrets.
        include_secrets: Write the values of all others too.
        devrun: Words that start devrun, for targets that cannot read ``.env`` files.
    """

    application: str | None = None
    user: str | None = None
    logs: str | None = None
    image: str | None = None
    public: tuple[str, ...] = ()
    include_secrets: bool = False
    devrun: tuple[str, ...] = ("devrun",)


@dataclass(frozen=True, slots=True)
class Deployment:
    """All that a template may say.

    Attributes:
        application: Name of the whole.
        slug: The same for systems that take lower-case letters, digits and dashes.
        processes: What runs all the time, and what others wait for until it has ended.
        release: What runs once before, if there is such a process.
        env_files: Absolute paths of the project's ``.env`` files, lowest layer first.
        public: Variables of these files that are no secrets, with their values.
        secrets: All others, with values that are empty unless they are to be written.
        path: ``PATH`` of whoever exports, for targets on the same machine.
        notes: What is different from a run with devrun.
    """

    application: str
    slug: str
    root: str
    processes: tuple[ProcessType, ...]
    release: ProcessType | None
    env_files: tuple[str, ...]
    public: Variables
    secrets: Variables
    path: str | None
    options: ExportOptions
    notes: tuple[str, ...]

    @property
    def image(self) -> str:
        """The container image."""
        return self.options.image or f"{self.slug}:latest"

    @property
    def written(self) -> Variables:
        """Variables of the ``.env`` files whose values are written."""
        return self.public + (self.secrets if self.options.include_secrets else ())

    def written_for(self, kind: ProcessType) -> Variables:
        """Return the same with those of a process's own files, which take their place."""
        own = kind.public + (kind.secrets if self.options.include_secrets else ())
        return tuple((dict(self.written) | dict(own)).items())

    def files_of(self, kind: ProcessType) -> tuple[str, ...]:
        """Return all ``.env`` files of a process, lowest layer first."""
        return self.env_files + kind.env_files


def make_deployment(
    project: Project,
    options: ExportOptions,
    environ: Mapping[str, str],
    origins: Origins | None = None,
) -> Deployment:
    """Return what of a project can be exported.

    Args:
        origins: Tells which values may be secrets; None: none of the services' own is.

    Raises:
        UsageError: A name is none that other systems could take, or two would become the same; or a
            variable that is called public is in no file.
    """
    name = options.application or os.path.basename(project.root.rstrip("/")) or "app"
    found = _from_files(project.environment, environ)
    groups: dict[str, list[Service]] = {}
    for service in project.services:
        groups.setdefault(service.process or service.label, []).append(service)
    types = [process_type(name, services, project) for name, services in groups.items()]
    check_slugs(types)
    own = {kind.slug: _own_values(kind, project, environ, found) for kind in types}
    _check_public(options, [found, *own.values(), environ if origins else {}])
    types = [_with_variables(kind, own[kind.slug], options) for kind in types]
    if origins is not None and not options.include_secrets:
        every = {**found, **{key: text for each in own.values() for key, text in each.items()}}
        secret = {key: text for key, text in every.items() if key not in options.public}
        types = [_without_secrets(kind, origins, secret) for kind in types]
    types = _with_needs(types)
    environment = project.environment
    files = [environment.root_file, *environment.files]
    return Deployment(
        application=name,
        slug=slug(name, "--app"),
        root=project.root,
        processes=tuple(kind for kind in types if not kind.is_release),
        release=next((kind for kind in types if kind.is_release), None),
        env_files=tuple(os.path.abspath(file) for file in files if file),
        public=tuple((name, found[name]) for name in options.public if name in found),
        secrets=_secrets(found, options),
        path=None if "PATH" in found or "PATH" not in environ else _once(environ["PATH"]),
        options=options,
        notes=tuple(project_notes(project, types)),
    )


def _check_public(options: ExportOptions, files: Sequence[Mapping[str, str]]) -> None:
    for wanted in options.public:
        if not any(wanted in found for found in files):
            raise UsageError(f'--public: "{wanted}" is in none of the .env files')


def _own_values(
    kind: ProcessType, project: Project, environ: Mapping[str, str], found: Mapping[str, str]
) -> dict[str, str]:
    """Return what a process's own files say that the project's do not."""
    if not kind.env_files:
        return {}
    settings = project.environment
    settings = replace(settings, files=(*settings.files, *kind.env_files))
    with_own = _from_files(settings, environ)
    return {name: value for name, value in with_own.items() if found.get(name) != value}


def _with_variables(
    kind: ProcessType, own: Mapping[str, str], options: ExportOptions
) -> ProcessType:
    public = tuple((name, value) for name, value in own.items() if name in options.public)
    return replace(kind, public=public, secrets=_secrets(own, options))


def _without_secrets(
    kind: ProcessType, origins: Origins, secrets: Mapping[str, str]
) -> ProcessType:
    """Return a process without what may be secret of its own variables and URLs."""
    withheld = [
        name for name, value in kind.variables if origins.may_be_secret(kind, name, value, secrets)
    ]
    service = kind.service
    if origins.url_may_be_secret(kind, "ready", secrets):
        service = replace(service, ready=None)
        withheld.append("ready.http")
    if origins.url_may_be_secret(kind, "health", secrets):
        service = replace(service, health=None)
        withheld.append("health.http")
    if not withheld:
        return kind

    def kept(variables: Iterable[tuple[str, str]]) -> Variables:
        return tuple(pair for pair in variables if pair[0] not in withheld)

    return replace(
        kind,
        variables=kept(kind.variables),
        further=tuple(map(kept, kind.further)),
        service=service,
        withheld=tuple(withheld),
    )


def _with_needs(types: Sequence[ProcessType]) -> list[ProcessType]:
    by_name = {kind.name: kind for kind in types}
    return [
        replace(
            kind,
            needs=tuple(
                Need(by_name[each.service], each)
                for each in kind.service.depends_on
                if each.service in by_name
            ),
        )
        for kind in types
    ]


def _once(path: str) -> str:
    """Return a ``PATH`` in which no folder stands twice."""
    return ":".join(dict.fromkeys(path.split(":")))


def _from_files(settings: EnvironmentSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the ``.env`` files say, ``${…}`` replaced, whatever is in the environment."""
    variables = layers(replace(settings, override=True), environ)
    return {
        name: variable.value for name, variable in variables.items() if variable.origin != INHERITED
    }


def _secrets(found: Mapping[str, str], options: ExportOptions) -> Variables:
    return tuple(
        (name, value if options.include_secrets else "")
        for name, value in found.items()
        if name not in options.public
    )
