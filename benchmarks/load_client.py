"""A closed-loop HTTP client: so many connections, each of which asks again once it was answered.

One thread and epoll: some 12,000 requests a second with a new connection each and 70,000 without,
beside a server on two cores; that is several times what the servers of
``reload.py`` answer. It runs until its stdin is closed, and then prints counts as JSON:

    ok         answered with status 200 and the body "ok"
    refused    nobody listened
    reset      the connection was reset
    eof        it was closed before the answer was complete
    wrong      another answer
    repeated   with keep-alive: closed before the first byte of an answer, though it had answered
               before; a client then asks once more on a new connection (RFC 9112, 9.3.1), and so
               does this one. What becomes of that counts as above.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

PATIENCE = 10.0
"""Seconds for answers on their way when the client is to end; what has not come then is lost."""

PAUSE = 0.01
"""Seconds before a question that could not be asked is asked again."""


@dataclass(slots=True, eq=False)
class Connection:
    """One of the connections.

    Attributes:
        answers: How many came on the present socket.
        asked_at: When the present question was asked.
    """

    socket: socket.socket | None = None
    received: bytes = b""
    answers: int = 0
    asked_at: float = 0.0


@dataclass(slots=True)
class Load:
    """All connections, and what became of their questions."""

    address: tuple[str, int]
    keep_alive: bool
    counts: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    ending: bool = False
    _poll: select.epoll = field(default_factory=select.epoll)
    _open: dict[int, Connection] = field(default_factory=dict)
    _again: list[Connection] = field(default_factory=list)

    def run(self, connections: int) -> None:
        self._poll.register(sys.stdin, select.EPOLLIN)
        for _ in range(connections):
            self._ask(Connection())
        deadline = float("inf")
        while (self._open or self._again) and time.monotonic() < deadline:
            for number, _ in self._poll.poll(PAUSE if self._again else 0.5):
                if number == sys.stdin.fileno():
                    if not os.read(number, 4096):
                        self.ending = True
                        deadline = time.monotonic() + PATIENCE
                        self._poll.unregister(number)
                elif (connection := self._open.get(number)) is not None:
                    self._receive(connection)
            turned_away, self._again = self._again, []
            for connection in turned_away:
                self._ask(connection)
        self.counts["unanswered"] += len(self._open)

    def _ask(self, connection: Connection) -> None:
        """Ask on the present socket or on a new one; what cannot be asked is asked a bit later."""
        if self.ending:
            return
        connection.asked_at = time.perf_counter()
        if (problem := self._try_to_ask(connection)) is not None:
            self._lose(connection, problem)
            self._again.append(connection)

    def _try_to_ask(self, connection: Connection) -> str | None:
        close = "" if self.keep_alive else "Connection: close\r\n"
        question = f"GET / HTTP/1.1\r\nHost: localhost\r\n{close}\r\n".encode()
        try:
            if connection.socket is None:
                # On the loopback interface a connection is there at once, or there is none.
                connection.socket = socket.create_connection(self.address, timeout=PATIENCE)
                connection.socket.settimeout(0)
                self._open[connection.socket.fileno()] = connection
                self._poll.register(connection.socket, select.EPOLLIN)
            connection.socket.send(question)
        except ConnectionRefusedError:
            return "refused"
        except (ConnectionError, TimeoutError):
            return "reset"
        return None

    def _receive(self, connection: Connection) -> None:
        assert connection.socket is not None
        try:
            piece = connection.socket.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            self._lose(connection, "reset")
            self._ask(connection)
            return
        connection.received += piece
        head, end, body = connection.received.partition(b"\r\n\r\n")
        if end and len(body) >= length_of(head):
            self._answered(connection, head, body)
        elif piece:
            return
        else:
            self._lose(connection, "eof")
        self._ask(connection)

    def _answered(self, connection: Connection, head: bytes, body: bytes) -> None:
        right = head.startswith(b"HTTP/1.1 200") and body == b"ok"
        self.counts["ok" if right else "wrong"] += 1
        self.times.append(time.perf_counter() - connection.asked_at)
        connection.received = b""
        connection.answers += 1
        if self.ending or not self.keep_alive or b"\nconnection: close" in head.lower():
            self._close(connection)

    def _lose(self, connection: Connection, problem: str) -> None:
        stale = connection.answers > 0 and not connection.received and problem != "refused"
        self.counts["repeated" if stale else problem] += 1
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        if connection.socket is not None:
            del self._open[connection.socket.fileno()]
            connection.socket.close()
        connection.socket = None
        connection.received = b""
        connection.answers = 0


def length_of(head: bytes) -> int:
    """Return the length of the body that a response's head announces."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--keep-alive", action="store_true")
    given = parser.parse_args()
    load = Load(("127.0.0.1", given.port), given.keep_alive)
    began = time.perf_counter()
    load.run(given.connections)
    times = sorted(load.times)
    result = {**load.counts, "seconds": time.perf_counter() - began}
    if times:
        result |= {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}
        result["longest"] = times[-1]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
