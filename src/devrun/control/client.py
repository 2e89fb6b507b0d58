"""Ask a running project for something; without anything that takes time to import."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

from devrun.control.address import Running, running
from devrun.errors import DevrunError, ExitCode
from devrun.process.unix_socket import connect_to


class NotRunning(DevrunError):  # noqa: N818 - a state, not a defect
    """Nothing runs here that could be asked; ``str`` says so in one line."""

    exit_code = ExitCode.FAILURE


def ask(
    method: str, path: tuple[str, ...], *, root: str, environ: Mapping[str, str]
) -> tuple[int, Mapping[str, object]]:
    """Ask the run of a project; return the HTTP status and what it says.

    Args:
        path: Parts of the path behind ``/v1``, as they are.
        root: Absolute path of the project's folder, or of one below it.

    Raises:
        NotRunning: There is none, or it went away.
    """
    target = "/" + "/".join(quote(part, safe="") for part in ("v1", *path))
    for run in _nearest(root, environ):
        connection = _UnixConnection(run.socket)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (FileNotFoundError, ConnectionRefusedError):
            continue  # It was killed; the next run sweeps its folder.
        except (OSError, HTTPException, ValueError) as error:
            message = f"the devrun of {run.root} went away while it was asked"
            raise NotRunning(message) from error
        finally:
            connection.close()
    message = f"no devrun that could be asked runs in {root}"
    raise NotRunning(f"{message}; it has to run services of a devrun.toml or an ecosystem file")


def _nearest(root: str, environ: Mapping[str, str]) -> list[Running]:
    """Return the runs of the nearest folder from ``root`` up that has any."""
    known = [*running(environ)]
    folder = os.path.realpath(root)
    while True:
        if found := [run for run in known if os.path.realpath(run.root) == folder]:
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return []
        folder = above


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = connect_to(self._path)
