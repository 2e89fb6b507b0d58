"""The protocol of Node's IPC with ``NODE_CHANNEL_SERIALIZATION_MODE=json``: data in, data out.

JSON texts, one per line, both ways. Objects whose ``cmd`` begins with ``NODE_`` are Node's own and
not for the program.
"""

from __future__ import annotations

from collections.abc import Iterator

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

LONGEST_LINE = 1024 * 1024
"""Bytes of one message."""


class ProtocolError(Exception):
    """What came is no message; the text says why, for a sentence's end."""


class MessageReader:
    """Cuts a stream of bytes into messages, one per line."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Json]:
        """Yield the messages that are complete with ``data``.

        Raises:
            ProtocolError: A line is too long or is no JSON; nothing after it can be trusted.
        """
        *lines, rest = data.split(b"\n")
        for line in lines:
            whole = bytes(self._rest + line) if self._rest else line
            self._rest.clear()
            yield decode(whole)
        self._rest += rest
        if len(self._rest) > LONGEST_LINE:
            raise ProtocolError("a message is longer than 1 MiB")


def decode(line: bytes) -> Json:
    """Return the message of one line.

    Raises:
        ProtocolError: It is none.
    """
    import json

    if len(line) > LONGEST_LINE:
        raise ProtocolError("a message is longer than 1 MiB")
    try:
        value: Json = json.loads(line.decode())
    except (ValueError, RecursionError):
        shown = line[:40].decode(errors="replace")
        raise ProtocolError(f"a message is no JSON: {shown!r}") from None
    return value


def encode(value: Json) -> bytes:
    """Return a message as one line of ASCII.

    Raises:
        ValueError: It holds a number that JSON does not have.
    """
    import json

    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def is_internal(value: Json) -> bool:
    """Whether a message is Node's own: not for, or not from, the program."""
    command = value.get("cmd") if isinstance(value, dict) else None
    return isinstance(command, str) and command.startswith("NODE_")
