"""``devrun notify``: what a script says of itself to devrun, or to systemd, which ran it.

For scripts and for programs without sd_notify(3). It is answered before anything else is imported,
because a script may say many things.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun.errors import ExitCode, UsageError
from devrun.process.mark import MARK

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    import socket
    from typing import NoReturn

_PLAIN = {
    "ready": "READY=1",
    "reloading": "RELOADING=1",
    "stopping": "STOPPING=1",
    "watchdog": "WATCHDOG=1",
}
_WITH_VALUE = {"status": "TEXT", "extend": "TIME"}

HELP = """\
Usage: devrun notify WHAT

Tell devrun, or systemd, how the service that this is run by is doing.

  ready         it has started, or has finished reloading
  reloading     it reads its configuration again; ready follows
  stopping      it is about to end
  status TEXT   what it is doing, in words
  watchdog      it is alive
  extend TIME   it needs that long to start or to stop, from now: 500ms, 30s, 5m

Exit code: 0, or 2 if nobody is there to be told.

Examples:
  devrun notify ready
  devrun notify status "3 jobs are waiting"
"""

PATIENCE = 5.0
"""Seconds for which a listener may be too busy to take the message, as for systemd-notify."""


def notify(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Send what the words say, and end the process: with 0, or with 2 and a line why not.

    Args:
        words: What stands behind ``notify``.
    """
    if words[:1] in (["--help"], ["-h"]):
        sys.stdout.write(HELP)
        sys.exit(ExitCode.OK)
    try:
        _send(message_for(words, environ), environ)
    except UsageError as error:
        from devrun.output.complaint import complain

        complain(str(error))
        sys.exit(int(error.exit_code))
    sys.exit(ExitCode.OK)


def message_for(words: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """Return the message that the words mean, with the instance's mark in it.

    Raises:
        UsageError: They mean nothing.
    """
    fields = [_field(list(words))]
    if fields[0] == _PLAIN["reloading"]:
        import time  # Asked for with RELOADING=1 by systemd (sd_notify(3)).

        fields.append(f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
    if environ.get(MARK):
        fields.append(f"{MARK}={environ[MARK]}")
    return "\n".join(fields).encode(errors="surrogateescape")


def _field(words: list[str]) -> str:
    if not words:
        raise UsageError(f"notify: say what: {', '.join([*_PLAIN, *_WITH_VALUE])}")
    what, rest = words[0], words[1:]
    if what in _PLAIN:
        if rest:
            raise UsageError(f'notify {what}: nothing can follow; there is "{rest[0]}"')
        return _PLAIN[what]
    if what not in _WITH_VALUE:
        from devrun.config.nearest import choices

        every = [*_PLAIN, *_WITH_VALUE]
        raise UsageError(f'notify: there is no "{what}"{choices(what, every)}')
    if not rest or (what == "extend" and len(rest) > 1):
        raise UsageError(f"notify {what}: write devrun notify {what} {_WITH_VALUE[what]}")
    if what == "status":
        return f"STATUS={' '.join(' '.join(rest).split())}"
    from devrun.config.values import duration

    microseconds = round(duration(rest[0], "notify extend") * 1_000_000)
    return f"EXTEND_TIMEOUT_USEC={max(1, microseconds)}"


def _send(message: bytes, environ: Mapping[str, str]) -> None:
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        raise UsageError(
            "notify: NOTIFY_SOCKET is not set; this has to be run by a service that devrun "
            "(with ready = { notify = true }) or systemd started"
        )
    import socket

    if sys.platform == "win32" or address[0] not in "/@":
        raise UsageError(f'notify: NOTIFY_SOCKET is no address of a Unix socket: "{address}"')
    if len(message) > 4096:
        raise UsageError("notify: the text is too long; a message has up to 4096 bytes")
    # "@" stands for the NUL byte of an address that is no file (unix(7)).
    place = "\0" + address[1:] if address[0] == "@" else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(PATIENCE)
        try:
            sender.connect(place)
            sender.send(message)
            if not environ.get(MARK):
                _wait_until_read(sender)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f'notify: nobody takes it at "{address}": {reason}') from None


def _wait_until_read(sender: socket.socket) -> None:
    """Stay until the message has been read: systemd asks who sent it, and then looks for us.

    It closes the descriptor that comes with ``BARRIER=1`` when it has read so far (sd_notify(3)).
    """
    if sys.platform == "win32":
        return
    import select
    import socket

    reader, writer = os.pipe()
    try:
        socket.send_fds(sender, [b"BARRIER=1"], [writer])
    finally:
        os.close(writer)
    waiting = select.poll()
    waiting.register(reader)
    waiting.poll(PATIENCE * 1000)
    os.close(reader)
