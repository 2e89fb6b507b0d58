"""What is to be run: the frozen types that every layer above speaks.

A *service* is a named thing to run, as configured. An *instance* is one running copy of it. A
*project* is the services and settings of one run. Nothing here does I/O or knows where the values
came from; ``devrun.config`` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from signal import SIGINT, SIGTERM, Signals

from devrun.appearance import OutputSettings

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import (
        Dependency,
        Group,
        HealthCheck,
        HeldSocket,
        LogFile,
        MemoryLimit,
        ProcessLimits,
        Readiness,
    )


MASK = "********"
"""What is shown in the place of a variable's value."""


class StopScope(Enum):
    """Which of a service's processes get its stop signal; what is left is killed in the end."""

    GROUP = "group"
    """The main process and what stayed in its process group."""
    MAIN = "main"


@dataclass(frozen=True, slots=True)
class StopPolicy:
    """How a process tree is asked to end, and how long it may take.

    Attributes:
        signal: Number of the signal that devrun's own stops send.
        interrupt: Number of the signal sent when the user interrupts with Ctrl+C.
        timeout: Seconds between the signal and SIGKILL, with what comes before the signal.
        command: Runs first, in the service's folder and environment; or None.
        message: Node's IPC gets 'shutdown' in place of the signal, as PM2's
            ``shutdown_with_message`` has it; the signal follows only if there is no channel.
        scope: Which processes get the signal.
    """

    signal: int = SIGTERM
    interrupt: int = SIGINT
    timeout: float = 10.0
    command: str | None = None
    message: bool = False
    scope: StopScope = StopScope.GROUP


class RestartWhen(Enum):
    """Which ends of a main process are followed by another start."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Whether and when a service that ended starts again.

    A *fast* end is one sooner than ``min_uptime`` after the service became ready, or before it did.

    Attributes:
        tries: Restarts after fast ends in a row, before it has failed; -1 is for ever.
        delay: Seconds before the first of these.
        factor: What each further delay is longer by, up to ``cap`` seconds.
        jitter: Share of a delay that is added or taken away at random, from 0 to 1.
        min_uptime: Seconds; by default every end is a fast one.
        calm_delay: Seconds before a restart that follows no fast end.
        restart_on: Ends that are followed by a restart besides what ``when`` says.
        no_restart_on: Ends that never are.
        window: Restarts of any kind within so many seconds that are too many; or None.
    """

    when: RestartWhen = RestartWhen.NO
    tries: int = -1
    delay: float = 0.0
    factor: float = 1.0
    cap: float = 30.0
    jitter: float = 0.0
    min_uptime: float = inf
    calm_delay: float = 0.0
    restart_on: frozenset[ExitStatus] = frozenset()
    no_restart_on: frozenset[ExitStatus] = frozenset()
    window: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class WatchRule:
    """Restart on a change below ``root`` whose path relative to it matches ``pattern``.

    Attributes:
        root: Absolute path of a folder, or of a single file.
        pattern: gitignore-style pattern relative to ``root``, or None for every file below it.
        source: What the user wrote, for messages.
        place: Where that stands, and how messages about it begin; empty: ``--watch "source"``.
    """

    root: str
    pattern: str | None
    source: str
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What holds for the watch rules of a project, or of one of its services.

    Attributes:
        ignore: gitignore-style patterns, relative to the project folder, never watched.
        poll: Compare file times instead of asking the kernel (network and shared file systems); of
            one service, all are watched in that way.
        quiet: Seconds without a change before a burst counts as over.
        longest: Seconds after which a burst counts as over even if it goes on.
        services: What holds instead for services of these configured names, in full.
    """

    ignore: tuple[str, ...] = ()
    poll: bool = False
    quiet: float = 0.05
    longest: float = 1.0
    services: tuple[tuple[str, WatchSettings], ...] = ()

    def of(self, name: str | None) -> WatchSettings:
        """Return what holds for the service of a configured name (``Service.process``)."""
        return next((own for each, own in self.services if each == name), self)


class ShellKind(Enum):
    """How a shell takes a command line, and how a word is quoted for it."""

    POSIX = "posix"
    """``-c LINE``; every shell that is none of the others, as concurrently has it."""
    POWERSHELL = "powershell"
    CMD = "cmd"


@dataclass(frozen=True, slots=True)
class Shell:
    """What runs command lines."""

    program: str
    kind: ShellKind = ShellKind.POSIX


class KillOthers(Enum):
    """Whether the end of one service ends the rest."""

    NEVER = "never"
    ON_FAILURE = "on failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Service:
    """A named thing to run.

    Attributes:
        index: Position in the project, from 0.
        name: The configured name, or None for a bare command.
        command: One shell command line, as written.
        cwd: Absolute path of the folder it runs in.
        env: Variables of this service alone, over every file and over devrun's own environment.
        process: The process of a file that this is an instance of, or None for a command.
        number: Which instance of it, from 1.
        port: Value of ``PORT``, or None where none is assigned.
        shell: What runs every line, or None for ``/bin/sh`` where the line needs one.
        raw: The process inherits devrun's own stdin, stdout and stderr.
        hidden: Its output and its event lines are not shown.
        kill_others: Whether its end ends the rest, or None for what holds for the project.
        argv: The program and its arguments, where no shell is wanted; ``command`` is for show then.
        env_files: Absolute paths of files of this service alone, above the project's.
        tty: It has a pseudo-terminal: yes, no, or None for what holds for the project.
        ready: When it may be depended on; None: as soon as it runs.
        health: What is asked again and again once it is ready.
        depends_on: What it waits for before each start.
        start_delay: Seconds before the first start, when all it waits for is there.
        max_memory: What its tree may use.
        limits: What the kernel holds its processes to.
        sockets: Listening sockets that are handed to it.
        log: Where its output goes besides the terminal.
        shares_ports: It is a Node program whose instances share the ports that it opens itself.
        concealed: Values of variables in its gate and its probe, which no message shows.
    """

    index: int
    name: str | None
    command: str
    cwd: str
    env: tuple[tuple[str, str], ...] = ()
    process: str | None = None
    number: int = 1
    port: int | None = None
    shell: Shell | None = None
    stop: StopPolicy = StopPolicy()
    restart: RestartPolicy = RestartPolicy()
    watch: tuple[WatchRule, ...] = ()
    raw: bool = False
    hidden: bool = False
    kill_others: KillOthers | None = None
    argv: tuple[str, ...] | None = None
    env_files: tuple[str, ...] = ()
    tty: bool | None = None
    ready: Readiness | None = None
    health: HealthCheck | None = None
    depends_on: tuple[Dependency, ...] = ()
    start_delay: float = 0.0
    max_memory: MemoryLimit | None = None
    limits: ProcessLimits | None = None
    sockets: tuple[HeldSocket, ...] = ()
    log: LogFile | None = None
    shares_ports: bool = False
    concealed: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def label(self) -> str:
        """How messages call this service: its name, or its index."""
        return self.name or str(self.index)


class SuccessKind(Enum):
    """Which exits decide whether the run succeeded."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"
    COMMAND = "command"
    NOT_COMMAND = "not command"


@dataclass(frozen=True, slots=True)
class SuccessCondition:
    """``--success``: ``all``, ``first``, ``last``, ``command-NAME`` or ``!command-NAME``.

    Attributes:
        kind: Which exits count.
        targets: Indices of the services that ``NAME`` stands for (COMMAND and NOT_COMMAND).
    """

    kind: SuccessKind = SuccessKind.ALL
    targets: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """Where variables come from, lowest layer first.

    Attributes:
        root_file: The shared root ``.env``, or None.
        files: Further files, in the order of precedence.
        override: Files beat devrun's own environment.
    """

    root_file: str | None = None
    files: tuple[str, ...] = ()
    override: bool = False


@dataclass(frozen=True, slots=True)
class Teardown:
    """Commands that run one after another when all services have ended.

    Attributes:
        timeout: Seconds that each may take.
    """

    commands: tuple[str, ...] = ()
    timeout: float = 60.0
    shell: Shell | None = None


class Roster(list[Service]):
    """The services of a run, by index: those it began with, and those that were added since.

    Everything that shows or asks a service by its index holds this one list. A place is never
    given to a service of another name.
    """


@dataclass(frozen=True, slots=True)
class Project:
    """The services and settings of one run, complete and checked.

    Attributes:
        root: Absolute path of the folder devrun was started in.
        source: Where the services came from, for messages: "the command line" or a file name.
        max_processes: How many services may run at a time, or None for all.
        input_target: Index of the service that gets the lines of devrun's stdin which name no
            other, or None if stdin is not read.
        focus: Index of the service that gets the terminal's keys, or None.
        exit_zero_on_interrupt: Ctrl+C is no failure: exit code 0 if nothing had failed before.
        procfile: The services are a Procfile's, and are told what foreman's are.
        groups: Services that are restarted together.
        shutdown_timeout: Seconds after which a stop of all kills what is left, whatever the
            services' own times; or None.
        name: What tells this run from others of the same folder, or None.
    """

    root: str
    source: str
    services: Sequence[Service]
    environment: EnvironmentSettings = EnvironmentSettings()
    kill_others: KillOthers = KillOthers.NEVER
    success: SuccessCondition = SuccessCondition()
    max_processes: int | None = None
    watch: WatchSettings = WatchSettings()
    teardown: Teardown = Teardown()
    input_target: int | None = None
    focus: int | None = None
    exit_zero_on_interrupt: bool = False
    output: OutputSettings = field(default_factory=OutputSettings)
    procfile: bool = False
    groups: tuple[Group, ...] = ()
    shutdown_timeout: float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: with a code, or by a signal; never both, never one as the other.

    Attributes:
        code: Exit code from 0 to 255, or None if a signal ended it.
        signal: Number of the signal that ended it, or None.
    """

    code: int | None = None
    signal: int | None = None

    @property
    def ok(self) -> bool:
        """True for exit code 0 alone."""
        return self.code == 0

    @property
    def shell_code(self) -> int:
        """The code a shell would report: the exit code, or 128 + the signal's number."""
        return self.code if self.code is not None else 128 + (self.signal or 0)

    def __str__(self) -> str:
        """As concurrently words it: the code, or the signal's name."""
        if self.code is not None:
            return str(self.code)
        try:
            return Signals(self.signal or 0).name
        except ValueError:
            return f"signal {self.signal}"
