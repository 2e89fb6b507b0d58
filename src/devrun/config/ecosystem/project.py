"""PM2 ecosystem files: the services that one says, ready to run.

An ecosystem file is a program or data, with a list of apps. It belongs to PM2: what PM2 accepts is
accepted, and where devrun does something else, a warning says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from devrun.config.ecosystem.app import App, absolute
from devrun.config.ecosystem.attributes import Sorted, sort_out
from devrun.config.ecosystem.file import JSON, YAML, looks_like_ecosystem, read_file
from devrun.config.ecosystem.names import line_of, own_name, unique, whole_name
from devrun.config.ecosystem.policies import defaults_of
from devrun.config.ecosystem.runtime import Exported, node_version
from devrun.config.ecosystem.service import (
    Context,
    Numbering,
    check_runnable,
    read_app,
)
from devrun.config.ecosystem.watch import settings_for
from devrun.errors import UsageError
from devrun.model import Service, WatchSettings

TYPE_CHECKING = False  # a type alone
if TYPE_CHECKING:
    from devrun.config.ecosystem.reading import ReadOnce

__all__ = [
    "EcosystemProject",
    "Numbering",
    "check_runnable",
    "looks_like_ecosystem",
    "read_ecosystem",
]


@dataclass(frozen=True, slots=True)
class EcosystemProject:
    """What an ecosystem file says.

    Attributes:
        services: Every app once, whatever its instances, with the variables of the first.
        instances: How many instances of each app run.
        numbering: The variables that tell the instances of each app apart.
        places: The file, or file and line, of each app.
        warnings: What the user should know, one line each.
        ignored: Attributes in the file that have no effect.
        on_demand: Apps that run only if they are named (``autostart: false``).
        problems: Apps that cannot be run, and why: an error if one is to run.
        watch: Settings for all watching of the file's.
    """

    services: tuple[Service, ...]
    instances: Mapping[str, int]
    numbering: Mapping[str, Numbering]
    places: Mapping[str, str]
    warnings: tuple[str, ...]
    ignored: tuple[str, ...]
    on_demand: frozenset[str]
    problems: Mapping[str, str]
    watch: WatchSettings

    def instance(self, service: Service, number: int) -> Service:
        """Return an instance of one of the services, the first of which has the number 1."""
        env = {**dict(service.env), **self.numbering[service.process or ""].variables(number)}
        return replace(service, number=number, env=tuple(env.items()))


@dataclass(frozen=True, slots=True)
class _Content:
    apps: tuple[Mapping[str, object], ...]
    deploy: object
    ignored: tuple[str, ...]


def read_ecosystem(
    path: str,
    *,
    cwd: str,
    environ: Mapping[str, str],
    env_name: str | None,
    reader: ReadOnce | None = None,
) -> EcosystemProject:
    """Read an ecosystem file.

    Args:
        path: Relative to ``cwd``, or absolute.
        cwd: Absolute path of the folder devrun was started in.
        environ: devrun's own environment; a script sees it as ``process.env``.
        env_name: As PM2's ``--env NAME``: ``env_NAME`` goes over ``env``.
        reader: What the file is read with; ``read_file`` if nothing is said.

    Raises:
        UsageError: It cannot be read, has no apps, or something in it is wrong.
    """
    try:
        found, text = (reader or read_file)(path, cwd=cwd, environ=environ)
        return _project(path, found, text, cwd=cwd, environ=environ, env_name=env_name)
    except UsageError as error:
        raise UsageError(_one_line(str(error))) from None


def _one_line(text: str) -> str:
    """Return a text in which what cannot be printed, such as a line end, is written out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _project(
    path: str,
    found: Exported,
    text: str,
    *,
    cwd: str,
    environ: Mapping[str, str],
    env_name: str | None,
) -> EcosystemProject:
    content = _content(found.value, path)
    given = [sort_out(app) for app in content.apps]
    _check_env_name(env_name, given, content.deploy, path)
    apps = _apps(given, path, text, cwd=cwd, environ=environ, env_name=env_name)
    deployed = _member(_member(content.deploy, env_name), "env")
    versions = _node_version(found, environ)
    context = Context(cwd, defaults_of(environ), env_name, deployed, versions)
    read = {app.name: read_app(app, context) for app in apps}
    ignored = (*content.ignored, *(key for each in given for key in each.ignored))
    warnings = [*_lost(found, path), *_warnings(apps, path)]
    named = [key for key in dict.fromkeys(ignored) if key != "deploy" or deployed is None]
    if named:
        warnings.append(f"{path}: about PM2 itself, and without effect: {', '.join(named)}")
    return EcosystemProject(
        tuple(replace(each.service, index=n) for n, each in enumerate(read.values())),
        {name: each.instances for name, each in read.items()},
        {name: each.numbering for name, each in read.items()},
        {app.name: app.place for app in apps},
        tuple(map(_one_line, warnings)),
        tuple(dict.fromkeys(ignored)),
        frozenset(name for name, each in read.items() if each.on_demand),
        {
            app.name: _one_line(f'{app.place}: app "{app.name}": {problem}')
            for app in apps
            if (problem := read[app.name].problem) is not None
        },
        settings_for({name: each.watching for name, each in read.items()}),
    )


# -- the file ------------------------------------------------------------------------------------


def _no_apps(value: object, path: str) -> str:
    """Return what is said of a file that is no ecosystem file, or an empty one."""
    if isinstance(value, dict) and isinstance(value.get("services"), dict):
        example = f"docker compose -f {path} up"
        return f'{path}: a file of docker compose; write a service whose command is "{example}"'
    if path.endswith(JSON):
        return f'{path}: no apps in it; write {{ "apps": [{{ "script": "app.js" }}] }}'
    if path.endswith(YAML):
        return f"{path}: no apps in it; write apps: [{{ script: app.js }}]"
    return f'{path}: no apps in it; write module.exports = {{ apps: [{{ script: "app.js" }}] }}'


def _content(value: object, path: str) -> _Content:
    """Return the apps of a file: its ``apps`` or ``pm2``, itself as a list, or itself as an app."""
    deploy: object = None
    ignored: list[str] = []
    apps = value
    if isinstance(value, dict):
        deploy = value.get("deploy")
        ignored = [key for key in ("deploy", "static") if value.get(key)]
        apps = value.get("apps") or value.get("pm2")
        if apps is None:
            others = {key: item for key, item in value.items() if key not in ("deploy", "static")}
            apps = others if others.keys() & {"script", "exec", "cmd", "command"} else None
    items = apps if isinstance(apps, list) else [apps] if apps else []
    if not items:
        raise UsageError(_no_apps(value, path))
    checked: list[Mapping[str, object]] = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise UsageError(f"{path}: app {number} is not an object with attributes")
        checked.append(item)
    return _Content(tuple(checked), deploy, tuple(ignored))


def _member(value: object, key: str | None) -> object:
    return value.get(key) if isinstance(value, dict) and key is not None else None


def _check_env_name(
    env_name: str | None, given: Sequence[Sorted], deploy: object, path: str
) -> None:
    """Require that some app has ``env_NAME``, if there are any such environments."""
    known = list(dict.fromkeys(name for each in given for name in each.environments))
    if env_name is None or not known or env_name in known or _member(deploy, env_name):
        return
    from devrun.config.nearest import choices

    there = choices(f"env_{env_name}", [f"env_{name}" for name in known])
    raise UsageError(f'--env "{env_name}": no app of {path} has env_{env_name}{there}')


def _node_version(found: Exported, environ: Mapping[str, str]) -> Callable[[], str | None]:
    @cache
    def version() -> str | None:
        return found.node_version or node_version(environ)

    return version


# -- the apps ------------------------------------------------------------------------------------


def _apps(
    given: Sequence[Sorted],
    path: str,
    text: str,
    *,
    cwd: str,
    environ: Mapping[str, str],
    env_name: str | None,
) -> list[App]:
    apps: dict[str, App] = {}
    line = 0
    for number, each in enumerate(given, 1):
        name = own_name(each, number, path)
        found = line_of(name, text, behind=line)
        line = found or line
        place = f"{path}:{found}" if found else path
        wanted = whole_name(each, name, env_name)
        whole = unique(wanted, apps)
        folder, warning = _folder(each, os.path.dirname(os.path.join(cwd, path)), cwd)
        app = App(whole, place, each, folder, environ)
        if whole != wanted:
            app.warn(f'a further app named "{wanted}"; PM2 has them by one name')
        if warning:
            app.warn(warning)
        if env_name is not None and env_name not in each.environments:
            app.warn(f"no env_{env_name}")
        apps[whole] = app
    return list(apps.values())


def _folder(given: Sorted, folder: str, cwd: str) -> tuple[str, str | None]:
    """Return the folder of an app, and a warning if PM2 would take another.

    ``cwd`` is relative to the file. PM2 has it relative to the current folder; that is taken where
    the script is there and not below the file's folder.
    """
    said = given.values.get("cwd")
    relative = said if isinstance(said, str) else "."
    ours, theirs = absolute(relative, folder), absolute(relative, cwd)
    if ours == theirs:
        return ours, None
    script = given.values.get("script")
    is_there = isinstance(script, str) and os.path.exists(absolute(script, theirs))
    if is_there and not os.path.exists(absolute(str(script), ours)):
        message = f"its folder is {theirs}, where the script is, and not that of the file"
        return theirs, f"{message}; write cwd to make it independent of the current folder"
    return ours, f"its folder is {ours}; PM2, started here, would take {theirs}"


# -- the result ----------------------------------------------------------------------------------


def _lost(found: Exported, path: str) -> list[str]:
    """Return warnings of functions and the like within the apps."""
    return [
        f"{path}: {place} is a {kind}, and is left out"
        for place, kind in found.lost
        if place.startswith(("apps", "pm2", "["))
    ]


def _warnings(apps: Sequence[App], path: str) -> list[str]:
    """Return the apps' warnings, of those that are alike a single one."""
    by_message: dict[str, list[str]] = {}
    for app in apps:
        for message in dict.fromkeys(app.warnings):
            by_message.setdefault(message, []).append(f'"{app.name}"')
    return [
        f"{path}: app{'s' if len(names) > 1 else ''} {', '.join(names)}: {message}"
        for message, names in by_message.items()
    ]
