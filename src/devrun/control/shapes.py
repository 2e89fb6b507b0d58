"""What the API says and takes: the only description of its JSON, from which the schema is made.

What is here keeps its name and its meaning within ``/v1``; more may come.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from msgspec import Meta, Raw, Struct

Seconds = Annotated[float, Meta(ge=0)]
Unix = Annotated[float, Meta(description="seconds since the epoch")]
Moment = Annotated[
    str, Meta(description="ISO 8601, in UTC", extra_json_schema={"format": "date-time"})
]


class Project(Struct, frozen=True):
    """The run itself."""

    name: str | None
    root: str
    source: str
    pid: int
    since: Unix
    version: str
    managed: bool
    detached: bool
    stopping: bool
    services: list[str]


class LastExit(Struct, frozen=True):
    """How a generation ended."""

    generation: int
    code: int | None
    signal: str | None
    at: Moment
    uptime: float
    reason: str | None
    stopped: bool


class Health(Enum):
    """What a health check says."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Instance(Struct, frozen=True):
    """One running copy of a service."""

    name: str
    service: str
    number: int
    state: str
    reason: str | None
    ready: Annotated[bool | None, Meta(description="null where nothing says when it is ready")]
    health: Health | None
    pid: int | None
    generation: int
    started_at: Moment | None
    uptime: float | None
    restarts: int
    last_exit: LastExit | None
    next_retry_at: Moment | None
    cpu_percent: float
    cpu_seconds: float
    memory: Annotated[int, Meta(description="bytes, of the whole process tree")]
    processes: int
    ports: list[int]
    command: str


class Instances(Struct, frozen=True):
    """All instances."""

    instances: list[Instance]


class ServiceOverview(Struct, frozen=True):
    """A service; its state is that of all its instances, or "mixed"."""

    name: str
    instances: list[str]
    state: str


class Prefix(Struct, frozen=True):
    """What stands before an instance's lines on the terminal, and what sets its colour."""

    text: str
    open: str
    close: str


class Services(Struct, frozen=True):
    """All services."""

    services: list[ServiceOverview]
    prefixes: Annotated[dict[str, Prefix], Meta(description="by the names of instances")]


class Probe(Struct, frozen=True):
    """A change of what is known of an instance from outside."""

    instance: str
    generation: int
    at: Moment
    healthy: bool
    reason: str


class NamedExit(LastExit, frozen=True, kw_only=True):
    """How a generation of an instance ended."""

    instance: str


class ServiceDetail(Struct, frozen=True):
    """Everything about one service; values of its variables are masked."""

    name: str
    instances: list[Instance]
    config: Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
    origins: Annotated[dict[str, str], Meta(description="by the keys of config, joined by dots")]
    unread: Annotated[
        str | None,
        Meta(description="why the files of the configuration cannot be read now; null if they can"),
    ]
    exits: list[NamedExit]
    probes: list[Probe]


class OwnUsage(Struct, frozen=True):
    """What devrun itself uses."""

    memory: int
    cpu_seconds: float


class InstanceUsage(Struct, frozen=True):
    """What an instance's process tree uses."""

    name: str
    cpu_percent: float
    cpu_seconds: float
    memory: int
    processes: int
    threads: int


class Stats(Struct, frozen=True):
    """What everything uses."""

    at: Unix
    devrun: OwnUsage
    instances: list[InstanceUsage]


class Result(Struct, frozen=True):
    """What became of an order, for one instance."""

    name: str
    outcome: str
    reason: str | None


class Results(Struct, frozen=True):
    """What became of an order."""

    results: list[Result]


class Signalled(Struct, frozen=True):
    """Which processes of an instance got a signal; ``pid`` is the first of them."""

    name: str
    pid: int | None
    pids: list[int]
    reason: str | None


class SignalResults(Struct, frozen=True):
    """Which processes got a signal."""

    results: list[Signalled]


class Change(Struct, frozen=True):
    """A service whose configuration is another now."""

    name: str
    what: list[str]


class Applied(Struct, frozen=True):
    """How the configuration differed from what ran, and what became of it."""

    added: list[str]
    removed: list[str]
    changed: list[Change]
    results: list[Result]
    later: Annotated[
        list[str], Meta(description="settings of the whole run that differ, and wait for the next")
    ]


class Waited(Struct, frozen=True):
    """That what was waited for is so."""

    services: list[str]
    state: str


class Arrival(Struct, frozen=True):
    """In the stream of ``/v1/rise``: an instance is there, or has failed."""

    service: str
    failed: bool
    state: str
    reason: str | None
    lines: Annotated[list[str], Meta(description="the last that it wrote, where it has failed")]
    before: Annotated[bool, Meta(description="that was so when it was asked")]


class AllThere(Struct, frozen=True):
    """The last of them: nothing more is to be waited for."""

    over: bool
    pid: int
    stopping: Annotated[bool, Meta(description="the run ends, or has ended")]
    waiting: Annotated[list[str], Meta(description="what is not there, and has not failed")]


class Accepted(Struct, frozen=True):
    """That it will be done."""

    accepted: bool = True


class ProblemBody(Struct, frozen=True):
    """What is wrong (RFC 9457); some problems say more, as ``results``."""

    type: str
    title: str
    status: int
    detail: str


class LogLine(Struct, frozen=True, gc=False):
    """A line of the stream of ``/v1/logs``."""

    at: Unix
    service: str
    instance: str
    generation: int
    stream: str
    line: str


class Gap(Struct, frozen=True):
    """In a stream: so many lines, or events, were lost to this reader, who was too slow."""

    gap: int


class Mark(Struct, frozen=True):
    """In a stream that is followed: what stands before it was there when it was asked for."""

    mark: Unix


class CutOff(Struct, frozen=True):
    """At the end of a stream: why this reader gets no more."""

    cut_off: str


class EventData(Struct, frozen=True):
    """The data of an event; what else there is depends on its type."""

    type: str
    at: Unix
    service: str | None
    instance: str | None


class HowEnded(Struct, frozen=True):
    """How a process ended: by itself, or by a signal."""

    code: int | None
    signal: Annotated[str | None, Meta(description='a name, such as "SIGTERM"')]


class ExitedData(EventData, frozen=True, kw_only=True):
    """The data of an event of type "exited"; it says more than that."""

    status: HowEnded


# -- what is taken -------------------------------------------------------------------------------


class Some(Struct, frozen=True, forbid_unknown_fields=True):
    """Which services or instances, in one order; null: all."""

    services: Annotated[list[str], Meta(min_length=1, max_length=1000)] | None = None


class Scale(Struct, frozen=True, forbid_unknown_fields=True):
    """How many instances are to run."""

    instances: Annotated[int, Meta(ge=0, le=1000)]


class SendSignal(Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a signal, with or without SIG, or its number."""

    signal: Annotated[str, Meta(max_length=20)] | int


class Apply(Struct, frozen=True, forbid_unknown_fields=True):
    """The words of a command line that says what is to run; those of ``devrun`` itself."""

    words: Annotated[list[str], Meta(max_length=10_000)]
    folder: Annotated[
        str | None, Meta(description="where they were said; null is the folder of the run")
    ] = None
    dry_run: Annotated[bool, Meta(description="only say how the run would differ")] = False
    others_stay: Annotated[
        bool, Meta(description="services that the words do not name stay as they are")
    ] = False
    wait: Annotated[
        bool, Meta(description="answer when what is started anew is there or has failed")
    ] = True


class Shutdown(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether to kill at once."""

    kill: bool = False


class Stream(Enum):
    """Of a process."""

    OUT = "out"
    ERR = "err"


class LogsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines."""

    service: list[str] = []
    tail: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    since: (
        Annotated[float, Meta(le=1e12, description="seconds since the epoch, or before it")] | None
    ) = None
    follow: bool = False
    mark: Annotated[bool, Meta(description="have a mark where what was there already ends")] = False
    grep: Annotated[str, Meta(max_length=1000)] | None = None
    stream: Stream | None = None


class WaitFor(Enum):
    """What can be waited for."""

    READY = "ready"
    RUNNING = "running"
    HEALTHY = "healthy"
    STOPPED = "stopped"
    EXITED = "exited"


class WaitQuery(Struct, frozen=True, forbid_unknown_fields=True, rename={"what": "for"}):
    """For what, of which services (all without a name), and how long in seconds."""

    service: list[str] = []
    what: WaitFor = WaitFor.READY
    timeout: Annotated[float, Meta(ge=0, le=1e9)] | None = None


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be asked for."""
