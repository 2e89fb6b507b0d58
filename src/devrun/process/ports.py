"""Who listens on a TCP port."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from devrun.process.mark import MARK

_FORWARDERS = frozenset(
    {
        "com.docker.back",
        "com.docker.vpnk",
        "docker-proxy",
        "gvproxy",
        "pasta",
        "pasta.avx2",
        "rootlesskit",
        "rootlessport",
        "slirp4netns",
        "wslrelay.exe",
    }
)
"""Programs that listen for containers; the kernel keeps 15 bytes of a name (proc_pid_comm(5))."""

_CONTAINER_KEEPERS = frozenset({"conmon", "containerd-shim"})
"""Programs that containers run below, and that may hold their published ports. Neither they nor the
containers keep the environment or the session of the client that asked for them."""

_CONTAINER_CLIENTS = frozenset(
    {"docker", "docker-compose", "finch", "nerdctl", "podman", "podman-compose"}
)
"""Programs that have containers run by somebody else."""


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


def hides_its_owner(listener: Listener) -> bool:
    """Whether what listens stands for somebody else, as container engines do, or cannot be seen."""
    if listener.pid is None or _name(listener.pid) in _FORWARDERS:
        return True
    return any(_name(pid) in _CONTAINER_KEEPERS for pid in _ancestors(listener.pid))


def left_by(listener: Listener) -> str:
    """Return which devrun started what listens, for messages; empty if none did.

    A devrun that has ended leaves nothing, unless it and its guardian were killed at once.
    """
    marks = "" if listener.pid is None else _variable(listener.pid, MARK)
    runs = [mark.partition(":")[0] for mark in marks.split("/")]
    if str(os.getpid()) in runs:
        return "started by another service of this devrun"
    if listener.pid is None or not runs[-1].isdigit():
        return ""
    if int(runs[-1]) in _ancestors(listener.pid):
        return f"started by another devrun (pid {runs[-1]})"
    return "left by an earlier devrun"


def _ancestors(pid: int) -> set[int]:
    """Return a process and those that it descends from, all but the first of the machine."""
    from devrun.process.tree import look_up

    found: set[int] = set()
    while pid > 1 and pid not in found:
        found.add(pid)
        process = look_up(pid)
        pid = 0 if process is None else process.parent
    return found


if sys.platform == "linux":
    _LISTENING = "0A"
    """TCP_LISTEN in the column ``st`` (proc_net_tcp.txt of the kernel's documentation)."""

    def listener(port: int) -> Listener | None:
        """Return what listens on a TCP port of this machine, on any address; None: nothing."""
        sockets = {inode for table in ("tcp", "tcp6") for _, inode in _rows(table, port)}
        if not sockets:
            return None
        for name in os.listdir("/proc"):
            if name.isdigit() and _holds(name, sockets):
                return Listener(port, int(name), _command(name), _folder(name))
        return Listener(port)

    def holders(address: str, port: int, among: Iterable[int] | None = None) -> list[Listener]:
        """Return who would get a connection to an address of this machine; none: nobody is seen.

        A socket that processes share is there for each of them; one whose holder cannot be seen has
        no pid.

        Args:
            among: Look at these processes alone; what they do not hold is not there.
        """
        sockets = set(_accepting(address, port))
        if not sockets:
            return []
        found: list[Listener] = []
        seen: set[str] = set()
        pids = map(str, among) if among is not None else filter(str.isdigit, os.listdir("/proc"))
        for pid in pids:
            if held := sockets & _sockets_of(pid):
                seen |= held
                found.append(Listener(port, int(pid), _command(pid), _folder(pid)))
        if among is None and seen != sockets:
            found.append(Listener(port))
        return found

    def possible_owners() -> list[int]:
        """Return who may be behind a listener that hides its owner.

        These are container clients, and processes whose descriptors may not be seen (those of other
        users, and those that the kernel calls not dumpable, prctl(2)).
        """
        pids = filter(str.isdigit, os.listdir("/proc"))
        return [
            int(pid)
            for pid in pids
            if not os.access(f"/proc/{pid}/fd", os.R_OK) or _name(int(pid)) in _CONTAINER_CLIENTS
        ]

    def _accepting(address: str, port: int) -> list[str]:
        """Return the inodes of the sockets that accept connections to an address.

        The most specific ones get them; those of all IPv6 addresses get IPv4's too, by default
        (ipv6(7): IPV6_V6ONLY).
        """
        import socket

        wanted = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
        forms = [("tcp6", wanted), ("tcp6", bytes(16))]
        if len(wanted) == 4:
            mapped = bytes(10) + b"\xff\xff" + wanted
            forms = [("tcp", wanted), ("tcp6", mapped), ("tcp", bytes(4)), ("tcp6", bytes(16))]
        rows: dict[str, list[tuple[str, str]]] = {}
        for table, bound in forms:
            listening = rows[table] if table in rows else rows.setdefault(table, _rows(table, port))
            if found := [inode for local, inode in listening if local == _as_in_table(bound)]:
                return found
        return []

    def _as_in_table(address: bytes) -> str:
        """Write an address as the kernel's tables do: words of 32 bits in the host's byte order."""
        words = (address[place : place + 4] for place in range(0, len(address), 4))
        return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)

    def _rows(table: str, port: int) -> list[tuple[str, str]]:
        """Return local address and inode of the sockets that listen on a port."""
        try:
            with open(f"/proc/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            return []
        ends = f":{port:04X}"
        return [
            (row[1].removesuffix(ends), row[9])
            for row in rows
            if row[3] == _LISTENING and row[1].endswith(ends)
        ]

    def _holds(pid: str, sockets: set[str]) -> bool:
        return not sockets.isdisjoint(_sockets_of(pid))

    def _sockets_of(pid: str) -> set[str]:
        """Return the inodes of a process's sockets."""
        folder = f"/proc/{pid}/fd"
        found: set[str] = set()
        try:
            for number in os.listdir(folder):
                try:
                    kind, _, rest = os.readlink(f"{folder}/{number}").partition(":[")
                except FileNotFoundError:
                    continue  # Closed meanwhile.
                if kind == "socket":
                    found.add(rest[:-1])
        except OSError:
            return found  # Gone, or another user's.
        return found

    def _name(pid: int) -> str:
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                return file.read().rstrip("\n")
        except OSError:
            return ""

    def _variable(pid: int, name: str) -> str:
        """Return a variable of the environment that a process was started with."""
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                entries = file.read().split(b"\0")
        except OSError:
            return ""
        start = name.encode() + b"="
        values = (entry.removeprefix(start) for entry in entries if entry.startswith(start))
        return next(values, b"").decode(errors="replace")

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

    def holders(address: str, port: int, among: Iterable[int] | None = None) -> list[Listener]:
        """Return who would get a connection to an address of this machine; none: nobody is seen.

        Args:
            among: Look at these processes alone; what they do not hold is not there.
        """
        import psutil

        wildcards = {"0.0.0.0", "::", "*"}  # noqa: S104 - what they are bound to, not we
        pids = psutil.pids() if among is None else among
        bound = {pid: _listening_addresses(pid, port) for pid in pids}
        exact = [pid for pid, addresses in bound.items() if address in addresses]
        wide = [pid for pid, addresses in bound.items() if addresses & wildcards]
        who = [_look_at(pid, port) for pid in exact or wide]
        if not who and among is None and listener(port) is not None:
            return [Listener(port)]
        return who

    def possible_owners() -> list[int]:
        """Return who may be behind a listener that hides its owner.

        These are container clients, and processes whose descriptors may not be seen.
        """
        import psutil

        def is_one(pid: int) -> bool:
            try:
                process = psutil.Process(pid)
                if process.name().removesuffix(".exe") in _CONTAINER_CLIENTS:
                    return True
                process.net_connections("tcp")
            except psutil.AccessDenied:
                return True
            except psutil.Error:
                return False
            return False

        return [pid for pid in psutil.pids() if is_one(pid)]

    def _listening_addresses(pid: int, port: int) -> set[str]:
        import psutil

        try:
            connections = psutil.Process(pid).net_connections("tcp")
        except psutil.Error:
            return set()
        return {
            each.laddr.ip
            for each in connections
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port
        }

    def _look_at(pid: int, port: int) -> Listener:
        import psutil

        try:
            process = psutil.Process(pid)
            return Listener(port, pid, " ".join(process.cmdline()), process.cwd())
        except psutil.Error:
            return Listener(port, pid)

    def _name(pid: int) -> str:
        import psutil

        try:
            return psutil.Process(pid).name()[:15]
        except psutil.Error:
            return ""

    def _variable(pid: int, name: str) -> str:
        """Return a variable of the environment that a process was started with."""
        import psutil

        try:
            return psutil.Process(pid).environ().get(name, "")
        except psutil.Error:
            return ""
