"""sd_notify(3): what services say of themselves with one datagram.

Each generation of an instance has a socket of its own, whose path stands in its environment and
nowhere else. So a message from a former generation, or from a sibling, cannot be taken for one of
this generation, and there is no question of which instance a message is for.

Whose message it is, in this order:

* Its text has the instance's mark (the field ``DEVRUN_INSTANCE``, which ``devrun notify`` sends):
  it is the service's.
* The sender, whose pid the kernel tells (``SCM_CREDENTIALS``, unix(7)), runs or has not been
  reaped: the caller says whether it is a process of the service. If not, it is a stranger, who is
  named once and not heard. This is systemd's ``NotifyAccess=all``.
* The sender is gone: it is believed. A script's one-line helper has often ended before its message
  is read, above all while devrun itself is starting, and nothing is left then by which it could be
  told whose it was. systemd drops such messages now and then (systemd-notify(1) on
  ``NotifyAccess``); here the path is known to the service's processes alone, so that a stranger
  would have to have searched for it.

``systemd-notify`` sends with the pid of the shell that called it, if it may, and then a second
message, ``BARRIER=1``, with a descriptor that it waits to see closed. Every descriptor received is
closed at once, from whomever.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

from devrun.process import tree
from devrun.process.group import Ownership
from devrun.process.mark import MARK, marks
from devrun.process.notifications import (
    LARGEST,
    MainPid,
    Notification,
    Stranger,
    read_fields,
    read_notifications,
)

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    import socket

    from devrun.process.private_folder import PrivateFolder

_AT_ONCE = 64
"""Messages that are read before others have their turn."""

_MOST_DESCRIPTORS = 253
"""That many a message can carry (``SCM_MAX_FD``, unix(7))."""


_CREDENTIALS = struct.Struct("iII")
"""pid, uid and gid (``struct ucred``, unix(7))."""


def is_of(ownership: Ownership, pid: int) -> bool:
    """Whether a process belongs to an instance: by its session, its mark or its ancestors."""
    me = os.getpid()
    while pid > 1 and pid != me:
        if pid in ownership.sessions:
            return True
        process = tree.look_up(pid)
        if process is None:
            return False
        if process.session in ownership.sessions:
            return True
        if ownership.mark in marks(pid):
            return True
        pid = process.parent
    return False


class NotifySocket:
    """One generation's socket. Use ``NotifySocket.open``, which needs no event loop.

    Args:
        mark: The instance's part of ``DEVRUN_INSTANCE``.
        watchdog: Seconds between the signs of life that are asked for, or None.
    """

    def __init__(
        self, receiver: socket.socket, path: str, *, mark: str, watchdog: float | None
    ) -> None:
        self.path = path
        self._receiver = receiver
        self._mark = mark
        self._watchdog = watchdog
        self._asked: tuple[int, float] | None = None
        self._answer = False
        self._told_of_stranger = False
        self._waiting = False

    @classmethod
    def open(
        cls, folder: PrivateFolder, name: str, *, mark: str, watchdog: float | None = None
    ) -> NotifySocket:
        """Bind a socket in ``folder``; what is sent before anybody reads waits in it.

        Raises:
            OSError: There are no more descriptors, or the folder is full.
        """
        import socket

        if sys.platform == "win32":
            raise NotImplementedError
        path = folder.path_for(name)
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            receiver.settimeout(0)
            if sys.platform == "linux":
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            receiver.bind(path)
            os.chmod(path, 0o600)
        except OSError:
            receiver.close()
            raise
        return cls(receiver, path, mark=mark, watchdog=watchdog)

    def variables(self) -> dict[str, str]:
        """Return what the service's environment is to have."""
        found = {"NOTIFY_SOCKET": self.path}
        if self._watchdog is not None:
            found["WATCHDOG_USEC"] = str(round(self._watchdog * 1_000_000))
        return found

    async def hear(self, belongs: Callable[[int], bool]) -> list[Notification]:
        """Wait until the service says something, and return it; nothing once it is closed.

        Args:
            belongs: Whether a process is the service's.
        """
        import trio

        await trio.lowlevel.checkpoint()
        while self._receiver.fileno() >= 0:
            if found := self.receive(belongs):
                return found
            self._waiting = True
            try:
                await trio.lowlevel.wait_readable(self._receiver)
            except trio.ClosedResourceError:
                break
            finally:
                self._waiting = False
        return []

    def receive(self, belongs: Callable[[int], bool]) -> list[Notification]:
        """Return what has been sent since the last call, without waiting; of a flood, a part."""
        found: list[Notification] = []
        for _ in range(_AT_ONCE):
            datagram = _read_one(self._receiver)
            if datagram is None:
                break
            found += self._heard(*datagram, belongs)
        return found

    def close(self) -> None:
        """Remove the socket; who sends from now on is refused."""
        if self._receiver.fileno() < 0:
            return
        if self._waiting:
            import trio

            trio.lowlevel.notify_closing(self._receiver)
        self._receiver.close()
        with suppress(FileNotFoundError):  # The folder may have gone first.
            os.unlink(self.path)

    def _heard(
        self, data: bytes, sender: int, belongs: Callable[[int], bool]
    ) -> list[Notification]:
        fields = read_fields(data)
        if not self._has_mark(fields) and not self._is_ours(sender, belongs):
            return self._stranger(sender)
        found: list[Notification] = []
        for notification in read_notifications(fields):
            if isinstance(notification, MainPid) and not belongs(notification.pid):
                found += self._stranger(notification.pid)
            else:
                found.append(notification)
        return found

    def _has_mark(self, fields: list[tuple[str, str]]) -> bool:
        return any(name == MARK and self._mark in value.split("/") for name, value in fields)

    def _is_ours(self, sender: int, belongs: Callable[[int], bool]) -> bool:
        process = tree.look_up(sender) if sender > 0 else None
        if process is None:
            return True  # Gone, or in a container whose pids have no meaning here.
        asked = (process.pid, process.start)
        if self._asked != asked:
            answer = belongs(sender)
            if not answer and not _is_there(process):
                return True  # It has ended while it was looked at: a barrier is all it waited for.
            self._asked, self._answer = asked, answer
        return self._answer

    def _stranger(self, pid: int) -> list[Notification]:
        if self._told_of_stranger:
            return []
        self._told_of_stranger = True
        return [Stranger(pid, tree.command_line(pid))]


def _is_there(process: tree.Process) -> bool:
    now = tree.look_up(process.pid)
    return now is not None and now.start == process.start


def _read_one(receiver: socket.socket) -> tuple[bytes, int] | None:
    """Return a message and its sender's pid, 0 if unknown; None if there is none."""
    import socket

    if sys.platform == "win32":
        raise NotImplementedError
    room = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(4 * _MOST_DESCRIPTORS)
    flags = 0
    if sys.platform == "linux":
        flags = socket.MSG_CMSG_CLOEXEC
    try:
        data, ancillary, _, _ = receiver.recvmsg(LARGEST + 1, room, flags)
    except OSError:  # Nothing there, or closed.
        return None
    sender = 0
    for level, kind, content in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            _close_all(content)
        elif sys.platform == "linux" and kind == socket.SCM_CREDENTIALS:
            sender, _, _ = _CREDENTIALS.unpack_from(content)
    return data, sender


def _close_all(content: bytes) -> None:
    """Close the descriptors that came with a message: waiting for that is what a barrier is."""
    for place in range(0, len(content) - 3, 4):
        os.close(int.from_bytes(content[place : place + 4], sys.byteorder))
