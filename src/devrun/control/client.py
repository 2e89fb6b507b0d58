"""Ask a running devrun; without anything that takes time to import (see ``control.answer``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from devrun.control.answer import AnswerReader, BadAnswer, Query, request
from devrun.control.runs import Running
from devrun.errors import DevrunError, ExitCode
from devrun.process.unix_socket import connect_to

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    import socket
    from typing import Self

API = "v1"

PATIENCE = 20.0
"""Seconds that an answer may take where nothing has to be waited for."""

_AT_ONCE = 64 * 1024


class NotRunning(DevrunError):  # noqa: N818 - a state, not a defect
    """Nothing runs here that could be asked; ``str`` says so in one line.

    Args:
        what: Just that.
        hint: What can be done about it, or nothing.

    Attributes:
        what: The line without the hint.
    """

    exit_code = ExitCode.FAILURE

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what}; {hint}" if hint else what)
        self.what = what


class Unanswered(DevrunError):  # noqa: N818 - the same
    """A devrun that runs gave no answer: it ended, or it does not come to it."""

    exit_code = ExitCode.FAILURE


class Killed(DevrunError):  # noqa: N818 - the same
    """Nobody listens there any more; the next run sweeps the folder."""

    exit_code = ExitCode.FAILURE

    def __init__(self, run: Running) -> None:
        super().__init__(f"the devrun of {run.root} (pid {run.pid}) has ended")


class Refused(DevrunError):  # noqa: N818 - the same
    """The API says no, with a problem (RFC 9457).

    Attributes:
        status: HTTP's status.
        said: The problem, which may have more than its detail.
    """

    def __init__(self, status: int, said: Mapping[str, object]) -> None:
        super().__init__(str(said.get("detail") or said.get("title") or f"HTTP status {status}"))
        self.status = status
        self.said = said
        self.exit_code = ExitCode.USAGE if status in (400, 404, 422) else ExitCode.FAILURE


def ask(
    run: Running,
    method: str,
    path: Sequence[str],
    *,
    query: Query = (),
    body: Mapping[str, object] | None = None,
    patience: float | None = PATIENCE,
) -> Mapping[str, object]:
    """Ask a run for something, and return what it says.

    Args:
        path: Parts of the path behind ``/v1``, as they are.
        patience: Seconds without a word after which it is given up; None: wait for ever.

    Raises:
        Killed: Nothing listens there.
        Refused: It says no.
        Unanswered: It went away, or says nothing.
    """
    with Stream(run, method, path, query=query, body=body, patience=patience) as stream:
        return _said(run, b"".join(stream.pieces()))


class Stream:
    """An answer that may go on for ever; a context manager. It has arrived as far as its head.

    Raises:
        Killed: Nothing listens there.
        Refused: It says no.
        Unanswered: It went away, or says nothing.
    """

    def __init__(
        self,
        run: Running,
        method: str,
        path: Sequence[str],
        *,
        query: Query = (),
        body: Mapping[str, object] | None = None,
        patience: float | None = PATIENCE,
    ) -> None:
        self._run = run
        self._reader = AnswerReader()
        self._held = b""
        self._begun = b""
        self._connection = _connect(run, patience)
        try:
            self._connection.settimeout(patience)
            encoded = None if body is None else json.dumps(body).encode()
            self._send(request(method, (API, *path), query, encoded))
            self._receive_head()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hear no more of it; again is nothing."""
        self._connection.close()

    def fileno(self) -> int:
        """Return the descriptor, which can be read when there is more."""
        return self._connection.fileno()

    @property
    def has_more(self) -> bool:
        """Whether ``more_lines`` returns at once."""
        return bool(self._held) or self._reader.complete

    def pieces(self) -> Iterator[bytes]:
        """Yield what arrives, up to the end.

        Raises:
            Unanswered: It broke off.
        """
        held, self._held = self._held, b""
        yield held
        while not self._reader.complete:
            yield self._receive()

    def lines(self) -> Iterator[bytes]:
        """Yield line by line, without the line ends, up to the end; wait as long as it takes.

        Raises:
            Unanswered: It broke off.
        """
        while (found := self.more_lines()) is not None:
            yield from found

    def more_lines(self) -> list[bytes] | None:
        """Return the lines that have arrived since the last call; None if all have.

        It waits once for something to arrive, and may return no line nevertheless.

        Raises:
            Unanswered: It broke off.
        """
        self._connection.settimeout(None)
        data, self._held = self._held, b""
        if not data:
            if self._reader.complete:
                last, self._begun = self._begun, b""
                return [last] if last else None
            data = self._receive()
        *whole, self._begun = (self._begun + data).split(b"\n")
        return [line.removesuffix(b"\r") for line in whole]

    def _receive_head(self) -> None:
        while self._reader.status is None:
            self._held += self._receive()
        status = self._reader.status
        if status >= 400:
            raise Refused(status, _said(self._run, b"".join(self.pieces())))

    def _send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return  # Who refuses without listening has answered before, which can be read.
        except OSError as error:
            raise Unanswered(_went_away(self._run)) from error

    def _receive(self) -> bytes:
        try:
            data = self._connection.recv(_AT_ONCE)
            if data:
                return self._reader.feed(data)
            self._reader.finish()
        except TimeoutError:
            raise Unanswered(_says_nothing(self._run)) from None
        except (OSError, BadAnswer) as error:
            raise Unanswered(_went_away(self._run)) from error
        return b""


def _connect(run: Running, patience: float | None) -> socket.socket:
    try:
        return connect_to(run.socket, patience)
    except BlockingIOError:
        raise Unanswered(_says_nothing(run)) from None
    except (FileNotFoundError, ConnectionRefusedError):
        raise Killed(run) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"the devrun of {run.root} (pid {run.pid}) cannot be reached: {reason}"
        raise Unanswered(message) from error


def _says_nothing(run: Running) -> str:
    return f"the devrun of {run.root} (pid {run.pid}) does not answer"


def _went_away(run: Running) -> str:
    return f"the devrun of {run.root} (pid {run.pid}) went away while it was asked"


def _said(run: Running, body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body) if body else {}
    except ValueError:
        message = f"the devrun of {run.root} (pid {run.pid}) answers with what is no JSON"
        raise Unanswered(message) from None
    return said if isinstance(said, dict) else {}
