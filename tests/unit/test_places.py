"""Whether enough services may run at a time for the dependencies among them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from devrun.config.places import too_few_places
from devrun.model import Service
from devrun.policies import Condition, Dependency


def services(*said, instances=None, conditions=None):
    """Make services of texts such as ``web>api,db``."""
    found = []
    for text in said:
        name, _, needs = text.partition(">")
        depends_on = tuple(
            Dependency(need, (conditions or {}).get(need, Condition.READY))
            for need in needs.split(",")
            if need
        )
        for number in range(1, (instances or {}).get(name, 1) + 1):
            label = name if name not in (instances or {}) else f"{name}.{number}"
            found.append(Service(len(found), label, "x", "/", process=name, depends_on=depends_on))
    return found


@pytest.mark.parametrize(
    ("said", "enough"),
    [
        (["web", "api"], 1),
        (["web>db", "db"], 2),
        (["web>api", "api>db", "db"], 3),
        (["web>api,db", "api>db", "db"], 3),
        (["a>db", "b>db", "c>db", "db"], 2),
        (["web>elsewhere"], 1),
    ],
)
def test_a_chain_needs_as_many_places_as_it_has_services(said, enough):
    assert too_few_places(services(*said), enough, "-m") is None
    if enough > 1:
        warning = too_few_places(services(*said), enough - 1, "-m")
        assert warning.endswith(f"write {enough} or more")


def test_the_chain_is_named_the_nearest_first():
    found = services("db", "api>db", "web>api,mail", "mail")
    assert too_few_places(found, 2, "x.toml:1: max_processes") == (
        'x.toml:1: max_processes: too few: "web" waits for "api", "mail" and "db", which go on '
        "running meanwhile; write 4 or more"
    )
    assert too_few_places(services("web>db", "db"), 1, "--max-processes 1") == (
        '--max-processes 1: too few: "web" waits for "db", which goes on running meanwhile; '
        "write 2 or more"
    )


def test_a_long_chain_is_cut():
    names = [f"s{n}" for n in range(9)]
    found = services(*(f"{one}>{other}" for one, other in pairwise(names)), "s8")
    assert '"s1", "s2", "s3", "s4", "s5" and 3 more, which' in too_few_places(found, 8, "-m")


def test_what_completes_takes_no_place_and_what_it_needs_does():
    found = services("web>migrate", "migrate>db", "db", conditions={"migrate": Condition.COMPLETED})
    assert too_few_places(found, 2, "-m") is None
    warning = too_few_places(found, 1, "-m")
    assert '"web" waits for "db"' in warning or '"migrate" waits for "db"' in warning


def test_every_instance_of_what_is_waited_for_takes_a_place():
    found = services("web>db", "db", instances={"db": 3, "web": 2})
    assert too_few_places(found, 4, "-m") is None
    assert too_few_places(found, 3, "-m").endswith("write 4 or more")
