"""The table of what can be asked for: what each takes, gives, and may refuse.

The app's routes and the OpenAPI document are both made of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import Struct

from devrun.control import shapes
from devrun.control.shapes import NoQuery

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"

S = TypeVar("S", bound=Struct)

Put = Callable[[bytes], Awaitable[bool]]
"""Sends a block of a stream; False if the client is to get no more."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An answer that comes in blocks.

    Attributes:
        body: Sends them.
        cut_off: Makes the last word for a client that is broken off, of the reason.
    """

    media_type: str
    body: Callable[[Put], Awaitable[None]]
    cut_off: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, understood.

    Attributes:
        name: Of the service or instance in its path; or nothing.
        after: Number of the last event that the client has, as ``Last-Event-ID`` says.
    """

    name: str
    query: Struct
    body: Struct | None
    after: int | None = None

    def query_as(self, kind: type[S]) -> S:
        """Return the query, as the operation says it is."""
        return _as(self.query, kind)

    def body_as(self, kind: type[S]) -> S:
        """Return the body, as the operation says it is."""
        return _as(self.body, kind)


Answer = Struct | Flow
"""What a handler returns."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be asked for.

    Attributes:
        path: With ``{name}`` where a service's or an instance's stands.
        handler: Name of the method that answers.
        gives: The answer's shape, or for a stream that of what it consists of.
        refuses: HTTP statuses that it may answer with, besides those that everything may.
    """

    method: str
    path: str
    handler: str
    summary: str
    gives: type[Struct] | tuple[type[Struct], ...]
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    refuses: frozenset[int] = field(default_factory=frozenset)
    media_type: str = JSON


_ONE = frozenset({404})
_ORDER = frozenset({404, 409})
_ALL = frozenset({409})

OPERATIONS = (
    Operation("GET", "/v1/project", "project", "The run itself.", shapes.Project),
    Operation("GET", "/v1/services", "services", "All services.", shapes.Services),
    Operation("GET", "/v1/instances", "instances", "All instances.", shapes.Instances),
    Operation(
        "GET", "/v1/instances/{name}", "instance", "One instance.", shapes.Instance, refuses=_ONE
    ),
    Operation(
        "GET",
        "/v1/services/{name}",
        "service",
        "All there is to say of a service.",
        shapes.ServiceDetail,
        refuses=_ONE,
    ),
    Operation("GET", "/v1/stats", "stats", "What everything uses.", shapes.Stats),
    Operation(
        "GET",
        "/v1/events",
        "events",
        "What happens, as it happens; Last-Event-ID gives what was missed.",
        (shapes.EventData, shapes.ExitedData, shapes.Gap, shapes.CutOff),
        media_type=EVENTS,
    ),
    Operation(
        "GET",
        "/v1/logs",
        "logs",
        "Lines of the output; a line of JSON for each.",
        (shapes.LogLine, shapes.Gap, shapes.Mark, shapes.CutOff),
        query=shapes.LogsQuery,
        refuses=_ONE,
        media_type=NDJSON,
    ),
    Operation(
        "GET",
        "/v1/wait",
        "wait",
        "Answers once services are as wanted.",
        shapes.Waited,
        query=shapes.WaitQuery,
        refuses=_ORDER,
    ),
    Operation(
        "GET",
        "/v1/rise",
        "rise",
        "How the run comes up, until all services are there or have failed; a line of JSON each.",
        (shapes.Arrival, shapes.AllThere, shapes.CutOff),
        media_type=NDJSON,
    ),
    *(
        Operation(
            "POST",
            f"/v1/services/{{name}}/{verb}",
            f"{verb}_one",
            f"{verb.capitalize()} a service or an instance; answers when that is done.",
            shapes.Results,
            refuses=_ORDER,
        )
        for verb in ("start", "stop", "restart", "reload")
    ),
    *(
        Operation(
            "POST",
            f"/v1/{verb}",
            f"{verb}_all",
            f"{verb.capitalize()} some services, or everything; answers when that is done.",
            shapes.Results,
            body=shapes.Some,
            refuses=_ORDER,
        )
        for verb in ("start", "stop", "restart", "reload")
    ),
    Operation(
        "POST",
        "/v1/services/{name}/scale",
        "scale",
        "Have so many instances of a service.",
        shapes.Results,
        body=shapes.Scale,
        refuses=_ORDER,
    ),
    Operation(
        "POST",
        "/v1/services/{name}/signal",
        "signal",
        "Send a signal to the programs of a service.",
        shapes.SignalResults,
        body=shapes.SendSignal,
        refuses=_ORDER,
    ),
    Operation(
        "POST",
        "/v1/apply",
        "apply",
        "Make the run what a command line says.",
        shapes.Applied,
        body=shapes.Apply,
        refuses=_ALL,
    ),
    Operation(
        "POST",
        "/v1/shutdown",
        "shutdown",
        "End the run, as SIGTERM does.",
        shapes.Accepted,
        body=shapes.Shutdown,
    ),
)


def _as(value: Struct | None, kind: type[S]) -> S:
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value
