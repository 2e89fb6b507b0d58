"""Which TCP ports processes listen on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

if sys.platform == "linux":
    _LISTENING = "0A"
    """TCP_LISTEN in the kernel's tables (proc_net_tcp(5))."""

    def listening_ports(groups: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the ports of each group of processes, by pid; what cannot be seen is not there."""
        by_socket = _listening_sockets()
        if not by_socket:
            return [[] for _ in groups]
        return [
            sorted(
                {by_socket[inode] for pid in group for inode in _sockets(pid) & by_socket.keys()}
            )
            for group in groups
        ]

    def _listening_sockets() -> dict[str, int]:
        """Return the port of each listening socket, by the number of its inode."""
        found: dict[str, int] = {}
        for table in ("tcp", "tcp6"):
            try:
                with open(f"/proc/net/{table}", encoding="ascii") as file:
                    rows = [line.split() for line in file][1:]
            except OSError:
                continue  # No IPv6, for one.
            for row in rows:
                if row[3] == _LISTENING:
                    found[row[9]] = int(row[1].rpartition(":")[2], 16)
        return found

    def _sockets(pid: int) -> set[str]:
        """Return the numbers of the inodes of a process's sockets."""
        folder = f"/proc/{pid}/fd"
        found: set[str] = set()
        try:
            for name in os.listdir(folder):
                kind, _, rest = _target(f"{folder}/{name}").partition(":[")
                if kind == "socket":
                    found.add(rest[:-1])
        except OSError:
            pass  # It has ended, or is another user's.
        return found

    def _target(link: str) -> str:
        try:
            return os.readlink(link)
        except FileNotFoundError:
            return ""  # Closed meanwhile.

else:

    def listening_ports(groups: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the ports of each group of processes, by pid; what cannot be seen is not there."""
        return [sorted({port for pid in group for port in _ports(pid)}) for group in groups]

    def _ports(pid: int) -> set[int]:
        import psutil

        try:
            connections = psutil.Process(pid).net_connections(kind="tcp")
        except psutil.Error:
            return set()
        return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
