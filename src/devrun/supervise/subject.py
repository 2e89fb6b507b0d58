"""What probes are told of a generation."""

from __future__ import annotations

import time

from devrun.model import Service
from devrun.process.exits import ChildExits
from devrun.process.notify_socket import is_of
from devrun.supervise.launch import Launcher
from devrun.supervise.probes.answers import Subject


def subject_of(
    service: Service,
    generation: int,
    *,
    launcher: Launcher,
    exits: ChildExits,
    started_at: float,
) -> Subject:
    """Return what probes are told of a generation of a service.

    Args:
        started_at: ``time.monotonic()`` when it was started.
    """
    return Subject(
        label=service.label,
        cwd=service.cwd,
        env=launcher.environment_of(service),
        started_at=time.time() - (time.monotonic() - started_at),
        is_ours=lambda pid: is_of(launcher.ownership(service, generation), pid),
        exits=exits,
        shell=service.shell,
        shares_ports=service.shares_ports,
        sockets=launcher.listeners.approach(service, generation),
    )
