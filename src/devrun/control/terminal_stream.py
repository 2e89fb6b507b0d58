"""A WebSocket to an instance's terminal, as a client of a running devrun has it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from devrun.control.answer import quoted
from devrun.control.client import API, PATIENCE, Killed, Refused, Unanswered
from devrun.control.runs import Running
from devrun.process.unix_socket import connect_to

ENOUGH = 64 * 1024
"""Bytes that wait to be sent, beyond which nothing should be added."""

_AT_ONCE = 64 * 1024
_LONGEST = 16 * 1024
"""Bytes of a message; the API takes four times as many."""

News = Mapping[str, object]


class TerminalStream:
    """What is shown and typed; to be closed.

    Raises:
        Killed: Nothing listens there.
        Refused: It says no.
        Unanswered: It went away, or says nothing.
    """

    def __init__(self, run: Running, label: str, size: tuple[int, int] | None) -> None:
        self._run = run
        self._web = WSConnection(ConnectionType.CLIENT)
        self._out = b""
        self._text = ""
        self._held: list[Event] = []
        self._is_closed = False
        self._socket = _connected(run)
        try:
            self._socket.settimeout(PATIENCE)
            self._ask(Request("devrun", _target(label, size)))
            self._shake_hands()
            self._socket.settimeout(0)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Leave; again is nothing."""
        self._socket.close()

    @property
    def is_closed(self) -> bool:
        """Whether the other side has said that nothing more comes."""
        return self._is_closed

    @property
    def waiting(self) -> int:
        """Bytes that are to be sent as soon as there is room: ``flush`` does that."""
        return len(self._out)

    def send(self, data: bytes) -> None:
        """Send what was typed."""
        for start in range(0, len(data), _LONGEST):
            self._put(BytesMessage(data[start : start + _LONGEST]))
        self.flush()

    def tell(self, news: News) -> None:
        """Send what is no key."""
        self._put(TextMessage(json.dumps(news)))
        self.flush()

    @property
    def has_more(self) -> bool:
        """Whether ``receive`` has something at once."""
        return bool(self._held)

    def flush(self) -> None:
        """Send what there is room for.

        Raises:
            Unanswered: It went away.
        """
        if not self._out:
            return
        try:
            self._out = self._out[self._socket.send(self._out) :]
        except BlockingIOError:
            return
        except OSError as error:
            raise Unanswered(_went_away(self._run)) from error

    def receive(self) -> Iterator[bytes | News]:
        """Yield what has arrived.

        Raises:
            Unanswered: It went away.
        """
        if not self._held:
            try:
                self._receive()
            except BlockingIOError:
                return
        while self._held:
            event = self._held.pop(0)
            if isinstance(event, BytesMessage):
                yield bytes(event.data)
            elif isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    text, self._text = self._text, ""
                    yield json.loads(text)
            elif isinstance(event, Ping):
                self._put(event.response())
            elif isinstance(event, CloseConnection):
                self._is_closed = True

    def _put(self, event: Event) -> None:
        if self._web.state is ConnectionState.OPEN:
            self._out += self._web.send(event)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_AT_ONCE)
            if not data:
                raise Unanswered(_went_away(self._run))
            self._web.receive_data(data)
            self._held += self._web.events()
        except (BlockingIOError, TimeoutError):
            raise
        except (OSError, RemoteProtocolError) as error:
            raise Unanswered(_went_away(self._run)) from error

    def _ask(self, request: Request) -> None:
        try:
            self._socket.sendall(self._web.send(request))
        except (BrokenPipeError, ConnectionResetError):
            return  # Who refuses without listening has answered before, which can be read.
        except OSError as error:
            raise Unanswered(_went_away(self._run)) from error

    def _shake_hands(self) -> None:
        """Wait until the other side agrees; what it says then is kept."""
        body = b""
        status: int | None = None
        while True:
            while self._held:
                event = self._held.pop(0)
                if isinstance(event, AcceptConnection):
                    self._held += self._web.events()  # What came with it.
                    return
                if isinstance(event, RejectConnection):
                    status = event.status_code
                    if not event.has_body:
                        raise Refused(status, {})
                elif isinstance(event, RejectData):
                    body += event.data
                    if event.body_finished and status is not None:
                        raise Refused(status, _said(body))
            try:
                self._receive()
            except TimeoutError:
                message = f"the devrun of {self._run.root} (pid {self._run.pid}) does not answer"
                raise Unanswered(message) from None


def _target(label: str, size: Sequence[int] | None) -> str:
    query = "" if size is None else f"?rows={size[0]}&columns={size[1]}"
    return f"/{API}/instances/{quoted(label)}/attach{query}"


def _connected(run: Running) -> socket.socket:
    try:
        return connect_to(run.socket)
    except (FileNotFoundError, ConnectionRefusedError):
        raise Killed(run) from None
    except OSError as error:
        raise Unanswered(_went_away(run)) from error


def _went_away(run: Running) -> str:
    return f"the devrun of {run.root} (pid {run.pid}) went away"


def _said(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
