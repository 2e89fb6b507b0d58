"""How long a new generation is on trial."""

from __future__ import annotations

from math import inf

import pytest

from devrun.model import RestartPolicy, Service
from devrun.policies import (
    DelayGate,
    ExecProbe,
    FileProbe,
    HeldSocket,
    HttpProbe,
    IpcGate,
    ListenGate,
    LogGate,
    NotifyGate,
    PortProbe,
    Readiness,
)
from devrun.supervise.trial import LONGEST, USUAL, seconds_of_trial

HELD = (HeldSocket("web", "", 3000),)


def service(gate=None, *, min_uptime=2.0, **fields):
    ready = None if gate is None else Readiness(gate)
    restart = RestartPolicy(min_uptime=min_uptime)
    return Service(0, "web", "web", "/", ready=ready, restart=restart, **fields)


@pytest.mark.parametrize(
    "gate", [LogGate("up"), DelayGate(3.0), NotifyGate(), IpcGate(), ListenGate(), FileProbe("/f")]
)
def test_what_only_the_generation_itself_can_say_is_proof(gate):
    assert seconds_of_trial(service(gate, sockets=HELD), is_apart=False) == 0.0


@pytest.mark.parametrize("gate", [PortProbe(3000), HttpProbe("http://localhost:3000/health")])
def test_a_probe_is_proof_where_it_reaches_the_new_generation_alone(gate):
    assert seconds_of_trial(service(gate, sockets=HELD), is_apart=True) == 0.0
    assert seconds_of_trial(service(gate, sockets=HELD), is_apart=False) == 2.0


@pytest.mark.parametrize(
    "url", ["http://localhost:80/", "unix:///run/web.sock:/health", "https://localhost/", "nothing"]
)
def test_a_probe_of_anything_else_is_none(url):
    assert seconds_of_trial(service(HttpProbe(url), sockets=HELD), is_apart=True) == 2.0


def test_a_command_may_have_asked_anybody():
    assert seconds_of_trial(service(ExecProbe("curl"), sockets=HELD), is_apart=True) == 2.0


def test_a_restarted_service_has_nobody_beside_it_who_could_answer():
    assert seconds_of_trial(service(HttpProbe("http://localhost/")), is_apart=True) == 0.0
    assert seconds_of_trial(service(PortProbe(3000)), is_apart=True) == 0.0


@pytest.mark.parametrize(
    ("uptime", "seconds"), [(0.0, 0.0), (0.5, 0.5), (60.0, LONGEST), (inf, USUAL)]
)
def test_without_a_gate_living_for_a_while_has_to_do(uptime, seconds):
    assert seconds_of_trial(service(min_uptime=uptime), is_apart=False) == seconds
