"""Who listens on a TCP port."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listener:
    """What listens on a port.

    Attributes:
        pid: Whose it is, or None if that cannot be seen: another user's, or another container's.
        command: Its command line.
        folder: Its current folder, or nothing.
    """

    port: int
    pid: int | None = None
    command: str = ""
    folder: str = ""

    def __str__(self) -> str:
        """Who it is, for messages."""
        if self.pid is None:
            return "a process of another user"
        where = f", in {self.folder}" if self.folder else ""
        return f"{self.command or 'a process'} (pid {self.pid}{where})"


if sys.platform == "linux":
    _LISTENING = "0A"
    """TCP_LISTEN in the column ``st`` (proc_net_tcp.txt of the kernel's documentation)."""

    def listener(port: int) -> Listener | None:
        """Return what listens on a TCP port of this machine, on any address; None: nothing."""
        sockets = {inode for path in ("tcp", "tcp6") for inode in _inodes(path, port)}
        if not sockets:
            return None
        for name in os.listdir("/proc"):
            if name.isdigit() and _holds(name, sockets):
                return Listener(port, int(name), _command(name), _folder(name))
        return Listener(port)

    def _inodes(table: str, port: int) -> list[str]:
        try:
            with open(f"/proc/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            return []
        ends = f":{port:04X}"
        return [row[9] for row in rows if row[3] == _LISTENING and row[1].endswith(ends)]

    def _holds(pid: str, sockets: set[str]) -> bool:
        folder = f"/proc/{pid}/fd"
        links = {f"socket:[{inode}]" for inode in sockets}
        try:
            return any(os.readlink(f"{folder}/{number}") in links for number in os.listdir(folder))
        except OSError:
            return False  # Gone, or another user's.

    def _command(pid: str) -> str:
        from devrun.process.tree import command_line

        return command_line(int(pid))

    def _folder(pid: str) -> str:
        try:
            return os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return ""

else:

    def listener(port: int) -> Listener | None:
        """Return what listens on a TCP port of this machine, on any address; None: nothing."""
        import psutil

        try:
            found = [
                each
                for each in psutil.net_connections("tcp")
                if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
            ]
        except psutil.AccessDenied:
            return _by_binding(port)
        if not found:
            return None
        pid = found[0].pid
        if pid is None:
            return Listener(port)
        try:
            process = psutil.Process(pid)
            return Listener(port, pid, " ".join(process.cmdline()), process.cwd())
        except psutil.Error:
            return Listener(port, pid)

    def _by_binding(port: int) -> Listener | None:
        """The same where the system tells only root (macOS)."""
        import socket

        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return Listener(port)
        return None
