"""``devrun reload``: a new generation of services, without a gap."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun.control.client import ask
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain


def reload(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Reload services of the project that runs in this folder; return the exit code.

    Args:
        words: Names of services or instances.

    Raises:
        NotRunning: No project runs here that could be asked.
        UsageError: There is no such service, or no name.
    """
    if not words or words[0].startswith("-"):
        raise UsageError("reload needs the name of a service: devrun reload web")
    code = ExitCode.OK
    for name in words:
        status, said = ask("POST", ("services", name, "reload"), root=os.getcwd(), environ=environ)
        if status == 404:
            raise UsageError(str(said.get("detail", "there is no such service")))
        for line in _lines(said):
            sys.stdout.write(line)
        if status != 200:
            complain(f"{name}: {said.get('detail', 'it could not be reloaded')}")
            code = ExitCode.FAILURE
    return code


def _lines(said: Mapping[str, object]) -> Sequence[str]:
    services = said.get("services")
    if not isinstance(services, list):
        return ()
    return [f"{each['name']}: {each['outcome']}\n" for each in services]
