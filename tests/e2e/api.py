"""A client of the API that has nothing in common with devrun's own: the standard library's."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path

from running import PATIENCE

_opened = []


def close_all():
    """Close all connections, with what is still read from them."""
    while _opened:
        _opened.pop().close()


class Api(http.client.HTTPConnection):
    """One connection to a run's socket."""

    def __init__(self, path, timeout=PATIENCE):
        super().__init__("devrun", timeout=timeout)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        _opened.append(self)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def ask(self, method, path, body=None, headers=None):
        """Return the status and what is said, as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.request(method, path, sent, headers or {})
        response = self.getresponse()
        said = response.read()
        kind = response.getheader("content-type")
        assert kind == ("application/json" if response.status < 400 else "application/problem+json")
        return response.status, json.loads(said)

    def get(self, path):
        """Return what is said where all is well."""
        status, said = self.ask("GET", path)
        assert status == 200, said
        return said

    def post(self, path, body=None):
        """The same for what is done."""
        status, said = self.ask("POST", path, body)
        assert status == 200, said
        return said

    def stream(self, path, headers=None):
        """Return an answer that comes in blocks."""
        self.request("GET", path, headers=headers or {})
        response = self.getresponse()
        _opened.append(response)
        assert response.status == 200
        return response

    def lines(self, path):
        """Return all lines of an answer that ends, as JSON."""
        return [json.loads(line) for line in self.stream(path)]


def sockets_in(runtime: Path) -> list[Path]:
    """Return the sockets of the runs that have one in a folder for all runs."""
    return sorted(runtime.glob("devrun*/run.*/control.sock"))


def can_be_asked(path: Path) -> bool:
    """Whether somebody listens there."""
    api = Api(path)
    try:
        api.connect()
    except OSError:
        return False
    finally:
        api.close()
    return os.path.exists(path.parent / "project")
