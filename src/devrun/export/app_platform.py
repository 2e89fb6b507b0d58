"""DigitalOcean's App Platform: one app specification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlsplit

from devrun.export.deployment import Deployment
from devrun.export.images import image_line, parse_image
from devrun.export.probes import LOOPBACK, health_probe, ready_probe
from devrun.export.process_type import ProcessType
from devrun.export.render import ExportFile, Renderer
from devrun.policies import HttpProbe, PortProbe, Probe

PROBES = frozenset(("port", "http"))
EXPRESSED = frozenset(f"{key}.{part}" for key in ("ready", "health") for part in PROBES) | {
    "cluster"
}
"""Settings that an app specification has something for."""

_LONGEST = 300
"""Seconds that App Platform takes at the most for times of health checks."""


@dataclass(frozen=True, slots=True)
class Check:
    """A health check of a service.

    Attributes:
        times: Whole seconds and counts, by their names.
    """

    port: int
    path: str | None
    times: dict[str, int]


def app_platform(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield an app specification: services for what listens, workers for the rest."""
    image = parse_image(deployment.image)
    release = () if deployment.release is None else (deployment.release,)
    staying = [kind for kind in deployment.processes if not kind.once]
    sections = [
        ("services", [kind for kind in staying if kind.listens]),
        ("workers", [kind for kind in staying if not kind.listens]),
        ("jobs", [*(kind for kind in deployment.processes if kind.once), *release]),
    ]
    kinds = (*deployment.processes, *release)
    text = render(
        "app.yaml",
        sections=[section for section in sections if section[1]],
        lines={kind.slug: image_line(kind) for kind in kinds},
        checks={kind.slug: health_check(kind) for kind in kinds},
        registry=image.registry,
        owner=image.owner,
        repository=image.repository,
        tag=image.tag,
    )
    yield ExportFile("app.yaml", text, private=deployment.options.include_secrets)


def health_check(kind: ProcessType) -> Check | None:
    """Return the check of a service: that of ``health``, else that of ``ready``.

    App Platform asks the service itself, and no other machine.
    """
    health, ready = kind.service.health, kind.service.ready
    probe = health_probe(kind, PROBES)
    if health is not None and probe is not None:
        times = {
            "initial_delay_seconds": ceil(health.start_period),
            "period_seconds": ceil(health.interval),
            "timeout_seconds": ceil(health.timeout),
            "failure_threshold": health.retries,
        }
        return _check(probe, times)
    probe = ready_probe(kind, PROBES)
    if ready is None or probe is None:
        return None
    return _check(probe, {"period_seconds": 2, "failure_threshold": ceil(ready.timeout / 2)})


def _check(probe: Probe, times: dict[str, int]) -> Check | None:
    bounded = {
        name: min(_LONGEST, value) if name.endswith("seconds") else min(50, max(1, value))
        for name, value in times.items()
        if value
    }
    match probe:
        case PortProbe(port, host) if host in LOOPBACK:
            return Check(port, None, bounded)
        case HttpProbe(url) if (parts := urlsplit(url)).hostname in LOOPBACK:
            path = parts.path or "/"
            query = f"?{parts.query}" if parts.query else ""
            return Check(parts.port or 80, path + query, bounded)
        case _:
            return None
