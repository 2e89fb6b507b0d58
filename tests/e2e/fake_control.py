"""A run that only seems to be one: it has announced itself, and answers as it is told to.

The answers are those of the API; what was asked is remembered. It speaks HTTP by the standard
library's server, which has nothing in common with devrun's client.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class Problem:
    """An answer that says no."""

    def __init__(self, status, detail, **more):
        self.status = status
        self.said = {"type": "about:blank", "title": "No", "status": status, "detail": detail}
        self.said |= more


class Lines:
    """A streamed answer: what it holds now, and what is put into it; None ends it.

    ``instead_of_an_end`` breaks the connection off.
    """

    def __init__(self, *now, kind="application/x-ndjson", broken=False):
        self.kind = kind
        self.broken = broken
        self._queue = queue.SimpleQueue()
        for text in now:
            self.put(text)

    def put(self, text):
        self._queue.put(text if isinstance(text, str) else json.dumps(text) + "\n")

    def end(self):
        self._queue.put(None)
        return self

    def __iter__(self):
        while (text := self._queue.get()) is not None:
            yield text


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


class FakeRun:
    """One run.

    Attributes:
        answers: What is answered, by method and path: a value, a problem, a stream, or a function
            of the query (a list of pairs) and the body that returns one.
        asked: Method, path, query and body of each request so far.
    """

    def __init__(self, folder, root, *, services=None, listens=True, **announced):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, mode=0o700)
        self.asked = []
        self.answers = {}
        if services is not None:
            listed = [
                {"name": name, "instances": labels, "state": "ready"}
                for name, labels in services.items()
            ]
            self.answers["GET", "/v1/services"] = {"services": listed}
        said = {"root": str(root), "name": None, "source": "devrun.toml", "pid": 4711}
        said |= {"since": 1_700_000_000.0, "managed": True, "detached": False}
        (self.folder / "project").write_text(json.dumps(said | announced))
        self._lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._server = None
        if listens:
            self.listen()

    def listen(self):
        """Answer from now on."""
        self._server = _Server(str(self.folder / "control.sock"), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def close(self):
        """Stop listening, and leave the folder as a run that was killed does."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def paths(self):
        """Return method and path of each request so far."""
        return [(method, path) for method, path, _, _ in self.asked]

    def query(self, path):
        """Return the query of the last request for a path."""
        return [query for _, asked, query, _ in self.asked if asked == path][-1]

    def body(self, path):
        """Return the body of the last request for a path."""
        return [body for _, asked, _, body in self.asked if asked == path][-1]

    def _answer(self, method, target, body):
        parts = urlsplit(target)
        path, query = unquote(parts.path), parse_qsl(parts.query)
        self.asked.append((method, path, query, body))
        if (method, path) not in self.answers:
            return Problem(404, f"nothing is known of {method} {path}")
        found = self.answers[method, path]
        return found(query, body) if callable(found) else found

    def _handler(fake):  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def address_string(self):
                return "unix"

            def do_GET(self):
                self._do("GET")

            def do_POST(self):
                self._do("POST")

            def _do(self, method):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                answer = fake._answer(method, self.path, body)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    if isinstance(answer, Lines):
                        self._stream(answer)
                    elif isinstance(answer, Problem):
                        self._send(answer.status, answer.said, "application/problem+json")
                    else:
                        self._send(200, answer, "application/json")
                self.close_connection = True

            def _send(self, status, said, kind):
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _stream(self, lines):
                self.send_response(200)
                self.send_header("Content-Type", lines.kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for text in lines:
                    content = text.encode("utf-8", "surrogatepass")
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
                    self.wfile.flush()
                if lines.broken:
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self.wfile.write(b"0\r\n\r\n")

        return Handler


def instance(name, **said):
    """Return an instance as the API has it."""
    service = name.partition(".")[0]
    usual = {
        "name": name,
        "service": service,
        "number": 1,
        "state": "ready",
        "reason": None,
        "ready": True,
        "health": None,
        "pid": 4242,
        "generation": 1,
        "started_at": "2026-01-31T10:00:00+00:00",
        "uptime": 65.5,
        "restarts": 0,
        "last_exit": None,
        "next_retry_at": None,
        "cpu_percent": 1.5,
        "cpu_seconds": 3.25,
        "memory": 47_500_000,
        "processes": 2,
        "ports": [3000],
        "command": "node server.js",
    }
    return usual | said


def log_line(service, text, at, *, instance=None, stream="out"):
    """Return a line of the log as the API has it."""
    return {
        "at": at,
        "service": service,
        "instance": instance or service,
        "generation": 1,
        "stream": stream,
        "line": text,
    }


def run_folder(base, number):
    """Return the folder of a run's own, in the runtime folder."""
    return os.path.join(base, "devrun", f"run.{number}")
