"""From one app of an ecosystem file to a service, and how its instances are told apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from devrun.config import values
from devrun.config.ecosystem.app import App, js_text
from devrun.config.ecosystem.environment import app_environment, filtered_names
from devrun.config.ecosystem.logs import log_of
from devrun.config.ecosystem.policies import Defaults, memory_of, ready_of, restart_of, stop_of
from devrun.config.ecosystem.program import Program, program_of
from devrun.config.ecosystem.watch import Watching, watching_of
from devrun.errors import UsageError
from devrun.model import Service

_INSTANCE_VARIABLE = "NODE_APP_INSTANCE"
_LONG_DELAY = 1.0


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for all apps of a file.

    Attributes:
        root: Absolute path of the folder devrun was started in.
        env_name: The NAME of ``env_NAME``, or None.
        deployed: What stands behind ``deploy.NAME.env``.
        node_version: Returns the version of ``node``, or None if there is none.
    """

    root: str
    defaults: Defaults
    env_name: str | None
    deployed: object
    node_version: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Numbering:
    """Variables that tell an app's instances apart.

    Attributes:
        variable: Its value is 0 for the first instance, 1 for the second.
        counted: Another, which begins at ``first``; or None.
    """

    variable: str = _INSTANCE_VARIABLE
    counted: str | None = None
    first: int = 0

    def variables(self, number: int) -> dict[str, str]:
        """Return the variables of an instance, the first of which has the number 1."""
        found = {self.variable: str(number - 1)}
        if self.counted is not None:
            found[self.counted] = str(self.first + number - 1)
        return found


@dataclass(frozen=True, slots=True)
class Read:
    """An app that has been read.

    Attributes:
        service: The app, with the variables of its first instance.
        instances: How many of it run.
        on_demand: It runs only if it is named.
        problem: Why it cannot be run, or None.
    """

    service: Service
    instances: int
    numbering: Numbering
    watching: Watching
    on_demand: bool
    problem: str | None


def read_app(app: App, context: Context) -> Read:
    """Return what an app of the file is here.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    program = program_of(app, node_version=context.node_version)
    watching = watching_of(app, context.root)
    for key in app.given.unknown:
        from devrun.config.ecosystem.attributes import attribute_names
        from devrun.config.nearest import hint

        app.warn(f'there is no attribute "{key}"{hint(key, attribute_names())}')
    _warn_of_what_is_different(app)
    count = _count(app)
    env = app_environment(app, context.env_name, context.deployed)
    numbering = _numbering(app, env, context.defaults)
    service = _service(app, program, {**env, **numbering.variables(1)}, count, context)
    return Read(
        replace(service, watch=watching.rules),
        count,
        numbering,
        watching,
        not app.flag("autostart", default=True),
        _problem(app) or program.problem,
    )


def _service(
    app: App, program: Program, env: Mapping[str, str], count: int, context: Context
) -> Service:
    filtered = filtered_names(app, env)
    # env(1) takes away what is inherited; it becomes the program, so that no process is added.
    without = ["env", *(word for name in filtered for word in ("-u", name))] if filtered else []
    shares_ports = _shares_ports(app, program, count)
    return Service(
        index=0,
        name=app.name,
        command=program.command,
        cwd=app.folder,
        env=tuple(env.items()),
        process=app.name,
        stop=stop_of(app, context.defaults),
        restart=restart_of(app),
        argv=(*without, *program.argv),
        ready=ready_of(app, context.defaults, shares_ports=shares_ports),
        max_memory=memory_of(app),
        log=log_of(app, several=count > 1),
        shares_ports=shares_ports,
    )


def _count(app: App) -> int:
    """Return how many instances run: a number, ``max`` or 0 for all processors, -1 for one less."""
    given = app.get("instances")
    if given is None:
        return 1
    if given == "max":
        return values.usable_processors()
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise app.wrong("instances", 'write a number or "max"')
    where = f'{app.place}: app "{app.name}": instances'
    number = values.whole_number(js_text(given), where, least=-1000, most=1000)
    return number if number > 0 else max(1, values.usable_processors() + number)


def _shares_ports(app: App, program: Program, count: int) -> bool:
    """Return whether an app is in PM2's cluster mode, which a number of instances brings, too."""
    mode = app.text("exec_mode")
    if mode is None:
        return program.is_node and app.has("instances")
    if mode not in ("cluster", "cluster_mode", "fork", "fork_mode"):
        raise app.wrong("exec_mode", "write cluster or fork")
    if mode.startswith("fork"):
        return False
    if not program.is_node and count > 1:
        app.warn("exec_mode cluster is for scripts that Node runs; these instances share no port")
    return program.is_node


def _numbering(app: App, env: Mapping[str, str], defaults: Defaults) -> Numbering:
    variable = defaults.instance_variable or app.text("instance_var") or _INSTANCE_VARIABLE
    counted = app.text("increment_var") or None
    try:
        first = int(env.get(counted or "", "") or "0")
    except ValueError:
        first = 0  # As PM2 has it.
    return Numbering(variable, counted, first)


def _warn_of_what_is_different(app: App) -> None:
    schedule = app.get("cron_restart")
    if schedule not in (None, False, 0, "0", ""):
        message = f'cron_restart "{schedule}" has no effect: devrun restarts nothing by the clock'
        app.warn(f'{message}; have cron or a systemd timer run "devrun reload"')
    if app.text("pid_file"):
        message = (
            "pid_file has no effect: devrun keeps the processes itself, and writes no such file"
        )
        app.warn(f"{message}; a command can: echo $$ > FILE; exec PROGRAM")
    if app.text("namespace"):
        app.warn("namespace has no effect: name the apps, as in devrun restart web worker")
    delay = app.seconds("restart_delay")
    if delay is not None and delay >= _LONG_DELAY:
        app.warn(f"restart_delay: {delay:g} s before each restart; no first start waits for it")


def _problem(app: App) -> str | None:
    for attribute in ("uid", "gid"):
        if app.has(attribute) and app.text(attribute) not in _own(attribute):
            message = f'{attribute} "{app.text(attribute)}": services run as the user that starts'
            return f"{message} devrun; start devrun as that user, or leave {attribute} out"
    if not os.path.isdir(app.folder):
        return f"cwd: there is no folder {app.folder}"
    return None


def _own(attribute: str) -> tuple[str, ...]:
    """Return what names the user or group that devrun itself runs as."""
    if attribute == "gid":
        return (str(os.getgid()),) if hasattr(os, "getgid") else ()
    from getpass import getuser

    try:
        name = getuser()
    except (OSError, KeyError, ImportError):
        name = ""
    return (name, str(os.getuid())) if hasattr(os, "getuid") else (name,)


def check_runnable(problems: Mapping[str, str], names: frozenset[str]) -> None:
    """Require that nothing keeps the named apps from being run.

    Raises:
        UsageError: Something does.
    """
    for name, problem in problems.items():
        if name in names:
            raise UsageError(problem)
