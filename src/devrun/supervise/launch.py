"""Start a generation of a service, with the environment and streams it is to have.

Usable before trio is imported, because the first generation starts before that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from devrun.appearance import LogFormat
from devrun.config.environment import service_environment
from devrun.errors import ExitCode, SpawnError, UsageError
from devrun.model import EnvironmentSettings, Project, Service
from devrun.output.screen import Size
from devrun.process.channels import ChannelOpener
from devrun.process.command import argv_of
from devrun.process.listeners import Listeners
from devrun.process.mark import LASTING_MARK, MARK, mark_for
from devrun.process.spawn import Child, Inherits, Input, Stdio, spawn

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.process.group import Ownership
    from devrun.process.node.primary import ClusterPrimary
    from devrun.process.private_folder import PrivateFolder

NO_SIZE = (0, 0)
"""Rows and columns of what is no terminal."""


def is_for_keys(service: Service, project: Project) -> bool:
    """Whether a service is given a terminal because somebody said so, who may want to type there.

    Where it has one because devrun's stdout is one, nobody has.
    """
    said = project.output.tty if service.tty is None else service.tty
    return bool(said) and (not service.raw or service.hidden)


class Launcher:
    """Starts processes for one run.

    Args:
        environ: devrun's own environment.
        tty: Give children a pseudo-terminal.
        size_for: Rows and columns for a service's pseudo-terminal.
        notice: Called with a line to be shown, and the service's index.
        detached: The run outlives the session of who has started it.
    """

    def __init__(
        self,
        project: Project,
        *,
        environ: Mapping[str, str],
        tty: bool,
        size_for: Callable[[int], Size],
        notice: Callable[[str, int], None],
        detached: bool = False,
    ) -> None:
        self._project = project
        self._environ = environ
        self._tty = tty
        self._size_for = size_for
        self._notice = notice
        self._takes_input = project.input_target is not None
        self._last_environment: dict[int, dict[str, str]] = {}
        self._sessions: dict[tuple[int, int], int] = {}
        self._channels = ChannelOpener(environ, lasting=detached)
        self._primaries: dict[str, ClusterPrimary] = {}
        self.listeners = Listeners()
        self.began_at = self._defined_at = time.time()
        """Wall-clock time at which the first process was about to be started."""

    def launch(self, service: Service, generation: int) -> Child:
        """Start a generation of the service.

        Raises:
            SpawnError: It cannot be started.
        """
        env = dict(self._environment(service))
        mark, env[MARK] = mark_for(service.index, generation, self._environ.get(MARK))
        env[LASTING_MARK] = env[MARK]
        held = self.listeners.of(service, generation)
        if held is not None:
            own = dict(service.env)
            env |= {name: text for name, text in held.variables().items() if name not in own}
        channels = self._channels.open(service, mark, env)
        try:
            child = self._spawn(service, env, Inherits(held, service.limits))
        except SpawnError:
            if channels is not None:
                channels.close()
            raise
        child.channels = channels
        self._sessions[service.index, generation] = child.pid
        return child

    def _spawn(self, service: Service, env: Mapping[str, str], inherits: Inherits) -> Child:
        stdio = self._stdio(service)
        return spawn(
            argv_of(service),
            cwd=service.cwd,
            env=env,
            stdio=stdio,
            size=self._size_for(service.index) if stdio is Stdio.PTY else NO_SIZE,
            takes=self._input_of(service),
            inherits=inherits,
        )

    def environment_of(self, service: Service) -> Mapping[str, str]:
        """Return what the service's latest generation was started with, channels aside."""
        return self._last_environment.get(service.index, self._environ)

    def environment_in(self, project: Project, service: Service) -> Mapping[str, str]:
        """Return what a service of another configuration would be started with.

        Raises:
            UsageError: A file of it cannot be read.
        """
        return service_environment(project, service, self._environ)

    @property
    def environment_settings(self) -> EnvironmentSettings:
        """Where the variables come from of what is started from now on."""
        return self._project.environment

    @environment_settings.setter
    def environment_settings(self, settings: EnvironmentSettings) -> None:
        self._project = replace(self._project, environment=settings)
        self._defined_at = time.time()

    def newer_definition(self) -> str | None:
        """Return the file of the project's services that has changed since it was read, if any."""
        for name in self._project.source.split(", "):
            with suppress(OSError):
                if os.stat(os.path.join(self._project.root, name)).st_mtime > self._defined_at:
                    return name
        return None

    def private_folder(self) -> PrivateFolder:
        """Return the run's folder for sockets.

        Raises:
            SpawnError: There is no place for it.
        """
        return self._channels.folder()

    def keep_only(self, services: Sequence[Service]) -> None:
        """Give up what was held for services that are no part of the run any more."""
        self.listeners.keep_only(services)
        wanted = {service.process or service.label for service in services if service.shares_ports}
        for name in self._primaries.keys() - wanted:
            self._primaries.pop(name).close()

    def close(self) -> None:
        """Give up what the run held for its services."""
        for primary in self._primaries.values():
            primary.close()
        self.listeners.close()
        self._channels.close()

    def primary_of(self, service: Service) -> ClusterPrimary:
        """Return what holds the ports of a Node service's instances and generations."""
        name = service.process or service.label
        if name not in self._primaries:
            from devrun.process.node.primary import ClusterPrimary

            self._primaries[name] = ClusterPrimary()
        return self._primaries[name]

    def _input_of(self, service: Service) -> Input:
        if service.index == self._project.focus:
            return Input.KEYS
        if self._takes_input and service.index >= 0:
            return Input.LINES
        # Keys come by ``devrun attach``.
        return Input.KEYS if is_for_keys(service, self._project) else Input.NOTHING

    def end_input(self) -> None:
        """Say that devrun's own stdin has ended: what starts from now on has an empty one."""
        self._takes_input = False

    def ownership(self, service: Service, generation: int) -> Ownership:
        """Return how processes of a generation are recognised."""
        from devrun.process.group import Ownership

        mark, _ = mark_for(service.index, generation, None)
        session = self._sessions.get((service.index, generation))
        return Ownership(frozenset(() if session is None else (session,)), mark.encode())

    def forget_session(self, service: Service, generation: int) -> None:
        """Say that no process of a generation is left, so that its number may be used again."""
        self._sessions.pop((service.index, generation), None)

    def _stdio(self, service: Service) -> Stdio:
        if service.raw and not service.hidden:
            return Stdio.INHERIT
        if self._tty if service.tty is None else service.tty:
            return Stdio.PTY
        apart = self._project.output.log_format is LogFormat.JSON or (
            service.log is not None and (service.log.json or service.log.error_path is not None)
        )
        return Stdio.SPLIT if apart else Stdio.PIPE

    def _environment(self, service: Service) -> Mapping[str, str]:
        """Read the service's environment afresh; a file broken since then keeps the former one."""
        try:
            env = service_environment(self._project, service, self._environ)
        except UsageError as error:
            former = self._last_environment.get(service.index)
            if former is None:
                raise SpawnError(str(error), ExitCode.USAGE) from error
            self._notice(f"{error}; it restarts with the environment it had", service.index)
            return former
        self._last_environment[service.index] = env
        return env
