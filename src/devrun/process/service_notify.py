"""sd_notify(3) of devrun's own: what it says to whatever runs it, mostly systemd.

``NOTIFY_SOCKET`` and the watchdog's variables are for devrun alone and are taken out of its
environment: a service that inherited them would speak in devrun's name.

systemd starts the guardian, and the worker speaks: so a unit has to say ``NotifyAccess=all``, and
``MAINPID=`` names the guardian, which ends last and with the run's own status.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import MutableMapping

LARGEST = 4096
"""Bytes of a message; systemd ignores a longer one (``NOTIFY_BUFFER_MAX``)."""

PATIENCE = 1.0
"""Seconds for which a listener may be too busy to take a message."""

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """Whatever runs devrun and wants to be told how it is doing.

    Attributes:
        watchdog: Seconds within which it wants a sign of life again and again, or None.
        is_ready: It has been told that devrun is ready, and so may be told of a reload.
    """

    def __init__(self, address: str, *, watchdog: float | None) -> None:
        self.watchdog = watchdog
        self.is_ready = False
        # "@" stands for the NUL byte of an address that is no file (unix(7)).
        self._place = "\0" + address[1:] if address[0] == "@" else address
        self._sender: socket.socket | None = None

    async def tell(self, *fields: str) -> None:
        """Send a message; where nobody takes it, nothing is to be done."""
        import trio

        self.is_ready = self.is_ready or "READY=1" in fields
        data = "\n".join(fields).encode(errors="surrogateescape")[:LARGEST]
        await trio.lowlevel.checkpoint()
        with trio.move_on_after(PATIENCE):
            while not self._send(data) and self._sender is not None:
                await trio.lowlevel.wait_writable(self._sender)

    def _send(self, data: bytes) -> bool:
        """Send, and return whether that is done; without a socket nobody listens."""
        try:
            if self._sender is None:
                self._sender = _sender(self._place)
            self._sender.send(data)
        except BlockingIOError:
            return False
        except OSError:
            self.close()  # The next message may find somebody again.
            return False
        return True

    def close(self) -> None:
        """Give the socket up."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None


def take_manager(environ: MutableMapping[str, str]) -> ServiceManager | None:
    """Return who wants to be told, and take what says so out of the environment.

    Args:
        environ: devrun's own environment.
    """
    address, usec, pid = (environ.pop(name, "") for name in _VARIABLES)
    if sys.platform == "win32" or address[:1] not in ("/", "@"):
        return None
    watchdog = None
    # systemd names the process that it started, which is the guardian (sd_watchdog_enabled(3)).
    meant = not pid or pid in (str(os.getpid()), str(os.getppid()))
    if meant and usec.isascii() and usec.isdecimal() and int(usec):
        watchdog = int(usec) / 1_000_000
    return ServiceManager(address, watchdog=watchdog)


def reloading() -> tuple[str, ...]:
    """Return the fields that begin a reload; systemd wants the time with it."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def _sender(place: str) -> socket.socket:
    if sys.platform == "win32":
        raise NotImplementedError
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sender.settimeout(0)
        sender.connect(place)
    except OSError:
        sender.close()
        raise
    return sender
