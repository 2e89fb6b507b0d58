"""Listening sockets that devrun holds, and how each generation of a service inherits them.

A socket that outlives the programs which accept on it refuses nobody: while one generation follows
another, and while a crashed one is started again, connections wait in its queue. Programs get it by
the protocol of sd_listen_fds(3): descriptors from 3 on, ``LISTEN_FDS``, ``LISTEN_FDNAMES`` and
``LISTEN_PID``.

Usable before the event loop exists, and best then: descriptors with small numbers are handed over
by a shell, others by Python, which takes ten milliseconds longer.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import pairwise

from devrun.errors import DevrunError, UsageError
from devrun.policies import HeldSocket
from devrun.process.command import SHELL
from devrun.process.ports import listener

FIRST = 3
"""Number of the first descriptor that is handed over (``SD_LISTEN_FDS_START``)."""

BACKLOG = 4096
"""Connections that wait while nobody accepts; Linux caps it at ``net.core.somaxconn``."""

_Address = tuple[str | int | bytes, ...]

_SHELL_LIMIT = 9
"""dash takes only descriptors of one digit in a redirection."""

_BY_SHELL = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'

_BY_PYTHON = """
import fcntl, os, sys
given = [int(number) for number in sys.argv[1].split(",")]
aside = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 1000) for number in given]
for number in given:
    os.close(number)
for place, number in enumerate(aside, 3):
    os.dup2(number, place)
os.environ["LISTEN_PID"] = str(os.getpid())
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Sockets that listen, in the order in which they are handed over.

    They are blocking, as systemd's are: a program that waits in ``accept`` has no need to expect
    them to be otherwise, and every event loop makes them non-blocking itself.
    """

    specs: tuple[HeldSocket, ...]
    sockets: tuple[socket.socket, ...]
    files: tuple[tuple[int, int] | None, ...]
    """Device and inode of what each Unix socket is bound to."""

    @property
    def ports(self) -> tuple[int | None, ...]:
        """The TCP port of each, which the system chose where 0 was asked for."""
        return tuple(
            None if spec.port is None else int(held.getsockname()[1])
            for spec, held in zip(self.specs, self.sockets, strict=True)
        )

    def variables(self) -> dict[str, str]:
        """Return what the programs find in their environment.

        ``LISTEN_PID`` is not among it, for only the process itself can know it: ``wrapped`` sees to
        that. ``DEVRUN_LISTEN_FDS`` is the count for programs that are not the main process, say
        below ``sh -c``, where ``LISTEN_PID`` is another's. ``PORT`` is the port of the only TCP
        socket, for programs that tell their users where to look; with several it is not set.
        """
        count = str(len(self.sockets))
        variables = {
            "LISTEN_FDS": count,
            "LISTEN_FDNAMES": ":".join(spec.name for spec in self.specs),
            "DEVRUN_LISTEN_FDS": count,
        }
        ports = [port for port in self.ports if port is not None]
        if len(ports) == 1:
            variables["PORT"] = str(ports[0])
        return variables

    def wrapped(self, argv: Sequence[str]) -> tuple[list[str], tuple[int, ...]]:
        """Return a command that hands the sockets over and becomes ``argv``.

        Args:
            argv: The program's path, with a slash, and its arguments.

        Returns:
            The argument vector, whose first word is the path of a program, and the descriptors
            that the process is to inherit under the numbers that they have here.
        """
        numbers = tuple(held.fileno() for held in self.sockets)
        moves = _moves(numbers)
        if moves is None:
            given = ",".join(map(str, numbers))
            return [sys.executable, "-I", "-S", "-c", _BY_PYTHON, given, *argv], numbers
        return [SHELL, "-c", moves + _BY_SHELL, argv[0], *argv], numbers

    def close(self) -> None:
        """Stop listening, and remove the files of Unix sockets that are still the same."""
        for spec, held, file in zip(self.specs, self.sockets, self.files, strict=True):
            if file is not None and _file_at(spec.host) == file:
                with suppress(OSError):
                    os.unlink(spec.host)
            held.close()


def _moves(numbers: Sequence[int]) -> str | None:
    """Return the shell commands that move descriptors to 3 and what follows, in order.

    None if a shell cannot: a number has two digits, or a move would overwrite one yet to be moved.
    """
    places = range(FIRST, FIRST + len(numbers))
    if list(numbers) == list(places):
        return ""
    rising = all(a < b for a, b in pairwise(numbers))
    if not rising or numbers[0] < FIRST or numbers[-1] > _SHELL_LIMIT:
        return None
    commands = [
        f"exec {place}<&{number}; "
        for place, number in zip(places, numbers, strict=True)
        if place != number
    ]
    commands += [f"exec {number}<&-; " for number in numbers if number not in places]
    return "".join(commands)


def open_sockets(specs: Sequence[HeldSocket]) -> Held:
    """Bind the sockets and listen on them.

    Raises:
        UsageError: There is no such address.
        DevrunError: One cannot be had; the message names who has it, where that can be seen.
    """
    with ExitStack() as on_failure:
        sockets = []
        for spec in specs:
            held = _open_unix(spec.host) if spec.port is None else _open_tcp(spec.host, spec.port)
            on_failure.callback(held.close)
            sockets.append(_above_standard_streams(held))
            on_failure.callback(sockets[-1].close)
        on_failure.pop_all()
    files = tuple(_file_at(spec.host) if spec.port is None else None for spec in specs)
    return Held(tuple(specs), tuple(sockets), files)


# -- TCP ----------------------------------------------------------------------------------------


def _open_tcp(host: str, port: int) -> socket.socket:
    family, address = _resolved(host, port)
    try:
        return _listening_tcp(family, address)
    except OSError as error:
        if not host and family == socket.AF_INET6 and error.errno != errno.EADDRINUSE:
            return _open_tcp("0.0.0.0", port)  # noqa: S104 - all addresses are what was asked for
        raise _tcp_error(error, host, port) from error


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, _Address]:
    """Return the address to bind: IPv6 and IPv4 together where no host is named."""
    if not host:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        return family, ("", port)
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except (socket.gaierror, UnicodeError) as error:
        message = f'cannot listen on "{_shown(host, port)}": no such host: "{host}"'
        raise UsageError(message) from error
    family, _, _, _, (address, number, *more) = found[0]
    return family, (address, number, *more)


def _listening_tcp(family: socket.AddressFamily, address: _Address) -> socket.socket:
    # SO_REUSEPORT is for a successor's twin (see socket_succession). As a socket with it may also
    # bind a port that another program of this user shares, one without it has to succeed first.
    with _bound_tcp(family, address) as exclusive:
        if sys.platform != "linux":
            exclusive.listen(BACKLOG)
            return exclusive.dup()
        address = (address[0], exclusive.getsockname()[1], *address[2:])
    held = _bound_tcp(family, address, socket.SO_REUSEPORT)
    held.listen(BACKLOG)
    return held


def _bound_tcp(family: socket.AddressFamily, address: _Address, *options: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        if family == socket.AF_INET6:
            only = 1 if address[0] else 0
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        bound.bind(address)
    except (OSError, ValueError, DevrunError):
        bound.close()
        raise
    return bound


def _tcp_error(error: OSError, host: str, port: int) -> DevrunError:
    shown = _shown(host, port)
    if error.errno == errno.EADDRINUSE:
        holder = listener(port)
        by = f"used by {holder}" if holder is not None else "in use"
        return DevrunError(f"cannot listen on {shown}: the port is {by}")
    if error.errno == errno.EACCES:
        message = f"cannot listen on {shown}: ports below 1024 are for root; take a higher one"
        return DevrunError(message)
    if error.errno == errno.EADDRNOTAVAIL:
        message = f'cannot listen on {shown}: "{host}" is no address of this machine'
        return UsageError(message)
    return DevrunError(f"cannot listen on {shown}: {(error.strerror or str(error)).lower()}")


def _shown(host: str, port: int) -> str:
    if not host:
        return f"port {port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# -- Unix sockets -------------------------------------------------------------------------------

if sys.platform != "win32":

    def _open_unix(path: str) -> socket.socket:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _bind_unix(held, path)
            # Nobody can connect before ``listen``, so that no wider mode is ever of use to anyone.
            os.chmod(path, 0o600)
            held.listen(BACKLOG)
        except OSError as error:
            held.close()
            reason = (error.strerror or str(error)).lower()
            raise DevrunError(f'cannot listen on "{path}": {reason}') from error
        except (ValueError, DevrunError):
            held.close()
            raise
        return held

    def _bind_unix(held: socket.socket, path: str) -> None:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        try:
            held.bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _remove_stale(path)
            held.bind(path)

    def _remove_stale(path: str) -> None:
        """Remove the file of a Unix socket that nobody listens on, as a killed program leaves it.

        Raises:
            DevrunError: Somebody does, or it is no socket.
        """
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise DevrunError(f'cannot listen on "{path}": the file exists and is no socket')
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
                return
        raise DevrunError(f'cannot listen on "{path}": another program listens on it')

    def _above_standard_streams(held: socket.socket) -> socket.socket:
        """Give a socket another number if it is one of 0 to 2, which devrun may lack."""
        if held.fileno() >= FIRST:
            return held
        import fcntl

        number = fcntl.fcntl(held, fcntl.F_DUPFD_CLOEXEC, FIRST)
        held.close()
        return socket.socket(fileno=number)

else:

    def _open_unix(path: str) -> socket.socket:
        raise UsageError(f'cannot listen on "{path}": there are no Unix sockets on Windows')

    def _above_standard_streams(held: socket.socket) -> socket.socket:
        return held


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
