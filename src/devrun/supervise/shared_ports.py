"""A generation of a Node program whose ports devrun holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import trio

from devrun.process.node.channel import Channel
from devrun.process.node.cluster import Listening, Message, Online, Unreadable, Unsupported
from devrun.process.node.primary import ClusterPrimary, Disconnected, Event


class SharedPorts:
    """One generation's part of its service's ports.

    Args:
        listening: Called when the program listens on one of them.
        notice: Shows a line.
    """

    def __init__(
        self,
        primary: ClusterPrimary,
        channel: Channel,
        *,
        listening: Callable[[], None],
        notice: Callable[[str], None],
    ) -> None:
        self._primary = primary
        self._channel = channel
        self._listening = listening
        self._notice = notice
        self.drained = trio.Event()
        """Set once a program has closed its servers and finished what was begun."""

    async def serve(self) -> None:
        """Answer the generation's programs, until they and the channel have ended."""
        await self._primary.serve(self._channel, self._take)

    def retire(self) -> None:
        """Keep what the programs close for those that follow: they are being stopped."""
        self._channel.retiring = True

    def drain(self) -> bool:
        """Have them finish what is begun and take nothing new; False if there is nobody to ask."""
        return self._primary.drain(self._channel)

    def release_unused(self) -> None:
        """Close ports that no generation uses any more."""
        self._primary.release_unused()

    def _take(self, said: Event) -> None:
        match said:
            case Listening():
                self._listening()
            case Unsupported():
                self._notice(f"its Node {said.version} opens its ports itself: none is shared")
            case Disconnected():
                self.drained.set()
            case Unreadable():
                self._notice(f"its channel for ports: {said.reason}")
            case Online() | Message():
                return
            case _:
                assert_never(said)
