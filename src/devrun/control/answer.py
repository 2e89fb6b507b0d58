"""HTTP/1.1 as a client of devrun's API needs it: requests as bytes, answers as they arrive; pure.

``http.client`` imports ssl and email, which takes 22 ms: more than all else that ``devrun ps`` does
together, Python's own start included. h11 takes longer still. What is spoken here is one request a
connection and one answer, of a server whose kind is known; so a page of code does (RFC 9112).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from devrun import __version__

_LONGEST_HEAD = 64 * 1024
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

Query = Iterable[tuple[str, str]]


class BadAnswer(ValueError):  # noqa: N818 - an answer, not a defect
    """What arrived is no HTTP/1.1, or it broke off."""


def request(
    method: str, path: Sequence[str], query: Query = (), body: bytes | None = None
) -> bytes:
    """Return a request for one answer.

    Args:
        path: Its parts, as they are.
        query: Names and values, as they are.
        body: JSON, or None.
    """
    target = "/" + "/".join(map(quoted, path))
    asked = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query)
    head = [
        f"{method} {target}{'?' if asked else ''}{asked} HTTP/1.1",
        "Host: devrun",
        f"User-Agent: devrun/{__version__}",
        "Connection: close",
    ]
    if body is not None:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode("ascii") + (body or b"")


def quoted(text: str) -> str:
    """Return text as a part of a URL (RFC 3986 2.1)."""
    encoded = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in encoded)


class AnswerReader:
    """Reads one answer, in whatever pieces it arrives; not to be shared.

    Attributes:
        status: HTTP's status, or None before the head has arrived.
        complete: All of it has arrived.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.complete = False
        self._held = b""
        # Bytes of the body, or of the present chunk, that are still to come; None: up to the end.
        self._left: int | None = None
        self._chunked = False
        self._behind_chunk = False
        self._in_trailer = False

    def feed(self, data: bytes) -> bytes:
        """Take what has arrived; return what of the body is in it.

        Raises:
            BadAnswer: It is no answer.
        """
        self._held += data
        if self.status is None and not self._read_head():
            return b""
        if self.complete:
            return b""
        return self._read_chunks() if self._chunked else self._read_plain()

    def finish(self) -> None:
        """Take the end of the connection.

        Raises:
            BadAnswer: The answer broke off.
        """
        ends_here = self.status is not None and self._left is None
        if not self.complete and not ends_here:
            raise BadAnswer("the answer broke off")
        self.complete = True

    # -- head -------------------------------------------------------------------------------

    def _read_head(self) -> bool:
        while True:
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                if len(self._held) > _LONGEST_HEAD:
                    raise BadAnswer("the head of the answer does not end")
                return False
            head, self._held = self._held[:end], self._held[end + 4 :]
            status = self._take_head(head)
            if status >= 200:  # Others only announce the answer.
                self.status = status
                return True

    def _take_head(self, head: bytes) -> int:
        first, *lines = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        code = rest[:3]
        if not version.startswith(b"HTTP/1.") or not code.isdigit() or len(code) < 3:
            raise BadAnswer("no answer of an HTTP server")
        fields = [line.partition(b":") for line in lines]
        headers = {name.strip().lower(): value.strip().lower() for name, _, value in fields}
        self._chunked = headers.get(b"transfer-encoding") == b"chunked"
        if self._chunked:
            self._left = 0
        elif b"content-length" in headers:
            length = headers[b"content-length"]
            if not length.isdigit():
                raise BadAnswer("the answer has no right length")
            self._left = int(length)
            self.complete = not self._left and int(code) >= 200
        elif code in (b"204", b"304"):
            self._left, self.complete = 0, True
        return int(code)

    # -- body -------------------------------------------------------------------------------

    def _read_plain(self) -> bytes:
        if self._left is None:
            body, self._held = self._held, b""
            return body
        body, self._held = self._held[: self._left], self._held[self._left :]
        self._left -= len(body)
        self.complete = not self._left
        return body

    def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        while (self._left or self._begin_chunk()) and self._held:
            left = self._left or 0
            taken, self._held = self._held[:left], self._held[left:]
            self._left = left - len(taken)
            self._behind_chunk = not self._left
            parts.append(taken)
        return b"".join(parts)

    def _begin_chunk(self) -> bool:
        """Read the size of the next chunk; return False if it is not there, or is the last."""
        while (end := self._held.find(b"\r\n")) >= 0 and not self.complete:
            line, self._held = self._held[:end], self._held[end + 2 :]
            if self._behind_chunk:
                self._behind_chunk = False
            elif self._in_trailer:
                self.complete = not line
            else:
                self._left = _chunk_size(line)
                if self._left:
                    return True
                self._in_trailer = True
        if len(self._held) > _LONGEST_HEAD and end < 0:
            raise BadAnswer("a chunk of the answer does not begin")
        return False


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise BadAnswer("a chunk of the answer has no right size") from None
