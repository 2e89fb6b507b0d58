"""``--handle-input``: lines of devrun's stdin to the services that they are for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable, Sequence

import trio

from devrun.events import Event, Notice
from devrun.model import Project, Service
from devrun.process.spawn import Child, close_input
from devrun.supervise.launch import Launcher


def addressed(line: bytes, services: Sequence[Service]) -> tuple[int | None, bytes]:
    """Return the index of the service that a line is for, and what it is to get.

    ``web:text`` is for the instance or service of that name (its first instance), else of that
    index; ``text`` is what it gets. None stands for the default target, which gets the whole line.
    """
    word, colon, rest = line.partition(b":")
    if not colon or not rest:
        return None, line
    target = word.decode("utf-8", "surrogateescape")
    for service in services:
        if service.name == target:
            return service.index, rest
    for service in services:
        if service.process == target or str(service.index) == target:
            return service.index, rest
    return None, line


class InputRouter:
    """Passes lines on.

    Args:
        child: Returns the present process of a service, by index, or None.
        publish: Takes what devrun has to say.
    """

    def __init__(
        self,
        project: Project,
        *,
        launcher: Launcher,
        child: Callable[[int], Child | None],
        publish: Callable[[Event], None],
    ) -> None:
        self._project = project
        self._launcher = launcher
        self._child = child
        self._publish = publish

    async def run(self, lines: AsyncIterable[bytes]) -> None:
        """Pass lines on until there are no more; then every service's stdin ends too."""
        default = self._project.input_target
        if default is None:
            return
        async for line in lines:
            target, data = addressed(line, self._project.services)
            await self._pass_on(default if target is None else target, data)
        self._launcher.end_input()
        for service in self._project.services:
            if (child := self._child(service.index)) is not None:
                close_input(child)

    async def _pass_on(self, target: int, data: bytes) -> None:
        child = self._child(target)
        label = self._project.services[target].label
        if child is None or child.input is None:
            text = f'Unable to find command "{label}", or it has no stdin open'
            self._publish(Notice(text))
            return
        try:
            await write_all(child.input, data)
        except OSError as error:
            reason = (error.strerror or "").lower()
            self._publish(Notice(f'Unable to send input to command "{label}": {reason}'))
        except trio.ClosedResourceError:
            self._publish(Notice(f'Unable to send input to command "{label}": it has ended'))


async def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, waiting while the process does not read.

    Raises:
        OSError: The process has gone.
        ClosedResourceError: The descriptor was closed meanwhile.
    """
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(descriptor)
