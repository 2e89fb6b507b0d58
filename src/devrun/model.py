"""What is to be run: the frozen types that every layer above speaks.

A *service* is a named thing to run, as configured. An *instance* is one running copy of it. A
*project* is the services and settings of one run. Nothing here does I/O or knows where the values
came from; ``devrun.config`` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from signal import SIGINT, SIGTERM, Signals


@dataclass(frozen=True, slots=True)
class StopPolicy:
    """How a process tree is asked to end, and how long it may take.

    Attributes:
        signal: Number of the signal that devrun's own stops send.
        interrupt: Number of the signal sent when the user interrupts with Ctrl+C.
        timeout: Seconds between the signal and SIGKILL.
    """

    signal: int = SIGTERM
    interrupt: int = SIGINT
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Whether and when a service that ended starts again.

    Attributes:
        tries: Further attempts after a failure; 0 is none, -1 is for ever.
        delay: Seconds before each attempt.
        exponential: Double the delay from one second at each attempt, up to ``cap`` seconds.
        after_success: An end with exit code 0 counts as a failure does.
    """

    tries: int = 0
    delay: float = 0.0
    exponential: bool = False
    cap: float = 30.0
    after_success: bool = False


@dataclass(frozen=True, slots=True)
class WatchRule:
    """Restart on a change below ``root`` whose path relative to it matches ``pattern``.

    Attributes:
        root: Absolute path of a folder, or of a single file.
        pattern: gitignore-style pattern relative to ``root``, or None for every file below it.
        source: What the user wrote, for messages.
    """

    root: str
    pattern: str | None
    source: str


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What holds for all watch rules of a project.

    Attributes:
        ignore: gitignore-style patterns, relative to the project folder, never watched.
        poll: Compare file times instead of asking the kernel (network and shared file systems).
        quiet: Seconds without a change before a burst counts as over.
        longest: Seconds after which a burst counts as over even if it goes on.
    """

    ignore: tuple[str, ...] = ()
    poll: bool = False
    quiet: float = 0.05
    longest: float = 1.0


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
class Style:
    """Terminal attributes as escape sequences: what begins them and what ends them."""

    open: str = ""
    close: str = ""


class PrefixStyle(Enum):
    """The named forms of ``--prefix``."""

    INDEX = "index"
    PID = "pid"
    TIME = "time"
    COMMAND = "command"
    NAME = "name"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How times are written.

    Attributes:
        strftime: A format of ``datetime.strftime``, or nothing.
        pieces: Otherwise what stands one behind the other: texts, and whether each is one of
            Unicode's date tokens.
    """

    strftime: str = ""
    pieces: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class PrefixSettings:
    """How lines are marked with the service they came from.

    Attributes:
        style: A named form, a template with ``{index} {pid} {time} {command} {name}``, or None:
            the name where there is one, else the index.
        styles: One style a service, by index; the colour of its prefix.
        length: Columns a shortened command may take.
        pad: Fill shorter prefixes up to the longest.
        timestamps: Put the time before every prefix.
        time_format: How times are written; ``yyyy-MM-dd HH:mm:ss.SSS`` if nothing is said.
    """

    style: PrefixStyle | str | None = None
    styles: tuple[Style, ...] = ()
    length: int = 10
    pad: bool = False
    timestamps: bool = False
    time_format: TimeFormat = TimeFormat(strftime="%Y-%m-%d %H:%M:%S.%f")


class ColorLevel(IntEnum):
    """How many colours the output may use."""

    NONE = 0
    BASIC = 1
    """The 16 colours of SGR 30-37 and 90-97."""
    EXTENDED = 2
    """The 256 colours of SGR 38;5."""
    TRUE = 3
    """24-bit colours of SGR 38;2."""


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What appears on devrun's stdout.

    Attributes:
        color: How many colours devrun itself uses.
        tty: Give children a pseudo-terminal: yes, no, or None for "where stdout is one".
        quiet: Leave out devrun's own lines.
        group: Show each service's output as one block, in the order of the services.
        timings: Say when each process started and stopped, with a table at the end.
        tail: How many of the last lines of each failed service the summary shows.
    """

    prefix: PrefixSettings = PrefixSettings()
    color: ColorLevel = ColorLevel.NONE
    tty: bool | None = None
    quiet: bool = False
    group: bool = False
    timings: bool = False
    tail: int = 10


@dataclass(frozen=True, slots=True)
class Teardown:
    """Commands that run one after another when all services have ended.

    Attributes:
        timeout: Seconds that each may take.
    """

    commands: tuple[str, ...] = ()
    timeout: float = 60.0
    shell: Shell | None = None


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
    """

    root: str
    source: str
    services: tuple[Service, ...]
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
