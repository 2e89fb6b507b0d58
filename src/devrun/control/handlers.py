"""What answers each operation."""

from __future__ import annotations

import json
import re

from devrun.control.event_log import EventLog
from devrun.control.following import Followers
from devrun.control.log_lines import LineEncoder, Wanted
from devrun.control.metering import Meter
from devrun.control.operations import EVENTS, NDJSON, Answer, Asked, Flow, Put
from devrun.control.pace import Pace
from devrun.control.problems import Problem
from devrun.control.reading import Reading
from devrun.control.shapes import (
    Apply,
    LogsQuery,
    Scale,
    SendSignal,
    Shutdown,
    Some,
    Stream,
    WaitQuery,
)
from devrun.control.steering import Steering
from devrun.control.subject import Subject
from devrun.output.bounded_search import BoundedSearch, TookTooLong


class Handlers:
    """A method for each operation, by the name that its table has for it."""

    def __init__(self, subject: Subject, pace: Pace) -> None:
        self._subject = subject
        self._reading = Reading(subject, Meter(subject))
        self._steering = Steering(subject)
        self._followers = Followers(subject.history, LineEncoder(subject.services), pace)
        self._events = EventLog(subject.services)
        self._unsubscribe = subject.supervisor.news.subscribe(self._events.take)

    def finish(self) -> None:
        """Say that nothing more will happen."""
        self._unsubscribe()
        self._events.finish()

    # -- reading -----------------------------------------------------------------------------

    async def project(self, _asked: Asked) -> Answer:
        """The run itself."""
        return self._reading.project()

    async def services(self, _asked: Asked) -> Answer:
        """All services."""
        return self._reading.services()

    async def instances(self, _asked: Asked) -> Answer:
        """All instances."""
        return await self._reading.instances()

    async def instance(self, asked: Asked) -> Answer:
        """One instance."""
        indices = self._subject.orders.resolve(asked.name)
        if len(indices) > 1:
            names = ", ".join(self._subject.label(index) for index in indices)
            raise Problem(404, f"{asked.name} has several instances: {names}")
        return (await self._reading.some(indices))[0]

    async def service(self, asked: Asked) -> Answer:
        """All there is to say of a service."""
        return await self._reading.service(asked.name)

    async def stats(self, _asked: Asked) -> Answer:
        """What everything uses."""
        return await self._reading.stats()

    # -- streams -----------------------------------------------------------------------------

    async def events(self, asked: Asked) -> Answer:
        """What happens."""

        async def body(put: Put) -> None:
            await self._events.follow(asked.after, put)

        return Flow(
            EVENTS, body, lambda reason: b"event: cut_off\ndata: " + _cut_off(reason) + b"\n"
        )

    async def logs(self, asked: Asked) -> Answer:
        """Lines of the output."""
        query = asked.query_as(LogsQuery)
        for name in query.service:
            self._subject.orders.resolve(name)
        wanted = Wanted(
            self._subject.services,
            query.service,
            pattern=_pattern(query.grep),
            is_error=None if query.stream is None else query.stream is Stream.ERR,
            since=max(query.since or 0.0, 0.0),
        )

        async def body(put: Put) -> None:
            try:
                if query.follow:
                    await self._followers.follow(wanted, query.tail, put, mark=query.mark)
                else:
                    await self._followers.read(wanted, query.tail, put)
            except TookTooLong:
                await put(_cut_off("the regular expression takes too long"))

        return Flow(NDJSON, body, _cut_off)

    async def rise(self, _asked: Asked) -> Answer:
        """How the run comes up."""
        report = self._subject.report
        if report is None:
            raise Problem(409, "nobody knows how this run comes up")

        async def body(put: Put) -> None:
            await report(lambda what: put(json.dumps(what).encode() + b"\n")).run()

        return Flow(NDJSON, body, _cut_off)

    # -- orders ------------------------------------------------------------------------------

    async def start_one(self, asked: Asked) -> Answer:
        """Start a service."""
        return await self._steering.one(self._subject.orders.start, asked.name)

    async def stop_one(self, asked: Asked) -> Answer:
        """Stop a service."""
        return await self._steering.one(self._subject.orders.stop, asked.name)

    async def restart_one(self, asked: Asked) -> Answer:
        """Restart a service."""
        return await self._steering.one(self._subject.orders.restart, asked.name)

    async def reload_one(self, asked: Asked) -> Answer:
        """Reload a service."""
        return await self._steering.one(self._subject.orders.reload, asked.name)

    async def start_all(self, asked: Asked) -> Answer:
        """Start some, or everything."""
        return await self._steering.some(self._subject.orders.start, asked.body_as(Some).services)

    async def stop_all(self, asked: Asked) -> Answer:
        """Stop some, or everything."""
        return await self._steering.some(self._subject.orders.stop, asked.body_as(Some).services)

    async def restart_all(self, asked: Asked) -> Answer:
        """Restart some, or everything."""
        return await self._steering.some(self._subject.orders.restart, asked.body_as(Some).services)

    async def reload_all(self, asked: Asked) -> Answer:
        """Reload some, or everything."""
        return await self._steering.some(self._subject.orders.reload, asked.body_as(Some).services)

    async def scale(self, asked: Asked) -> Answer:
        """Have so many instances."""
        return await self._steering.scale(asked.name, asked.body_as(Scale).instances)

    async def signal(self, asked: Asked) -> Answer:
        """Send a signal."""
        return self._steering.signal(asked.name, asked.body_as(SendSignal).signal)

    async def apply(self, asked: Asked) -> Answer:
        """Make the run what a command line says."""
        return await self._steering.apply(asked.body_as(Apply))

    async def shutdown(self, asked: Asked) -> Answer:
        """End the run."""
        return self._steering.shutdown(kill=asked.body_as(Shutdown).kill)

    async def wait(self, asked: Asked) -> Answer:
        """Answer once services are as wanted."""
        query = asked.query_as(WaitQuery)
        return await self._steering.wait(query.service, query.what, query.timeout)


def _pattern(text: str | None) -> BoundedSearch | None:
    if text is None:
        return None
    try:
        return BoundedSearch(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise Problem(422, f'grep: "{text}" is no regular expression: {error}') from None


def _cut_off(reason: str) -> bytes:
    return json.dumps({"cut_off": reason}).encode() + b"\n"
