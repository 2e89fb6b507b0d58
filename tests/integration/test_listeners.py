"""Who gets a connection while instances of a service move from one generation to the next."""

from __future__ import annotations

import os
import select
import socket
import sys

import pytest

from devrun.model import Service
from devrun.policies import HeldSocket
from devrun.process.accepting import is_accepted
from devrun.process.listeners import Listeners

assert sys.platform == "linux", "elsewhere all generations accept on one socket"

HOSTS = {"127.0.0.1": "127.0.0.1", "": "127.0.0.1", "::1": "::1"}
"""Where to connect to, by what is listened on."""


@pytest.fixture
def listeners():
    found = Listeners()
    yield found
    found.close()


@pytest.fixture
def connect():
    kept: list[socket.socket] = []

    def make(held, count=1, host="127.0.0.1"):
        made = [socket.create_connection((host, held.ports[0]), timeout=20) for _ in range(count)]
        kept.extend(made)
        return made

    yield make
    for each in kept:
        each.close()


def instance(number=1, host="127.0.0.1"):
    sockets = (HeldSocket("web", host, 0),)
    return Service(number, f"web.{number}", "web", "/", process="web", sockets=sockets)


def accept_all(held) -> int:
    """Accept what waits, without waiting; return how many there were."""
    [listening] = held.sockets
    count = 0
    while select.select([listening], [], [], 0)[0]:
        listening.accept()[0].close()
        count += 1
    return count


def begin_reload(listeners, service, generation, *, together=None, alive=(1, 2, 3)):
    """Return the sockets of a generation that is to follow."""
    together = object() if together is None else together
    listeners.prepare(service, generation, reload=together, alive=alive)
    return listeners.of(service, generation)


def finish_reload(listeners, service, generation):
    listeners.hand_over(service, generation)
    listeners.retire(service, generation)


@pytest.mark.parametrize("host", HOSTS)
def test_connections_go_to_the_old_generation_until_they_are_handed_over(listeners, connect, host):
    web, there = instance(host=host), HOSTS[host]
    present = listeners.of(web, 1)
    for generation in (2, 3, 4):
        following = begin_reload(listeners, web, generation)
        connect(present, 30, there)
        listeners.hand_over(web, generation)
        connect(present, 20, there)
        assert not listeners.is_drained(web, generation)
        assert (accept_all(present), accept_all(following)) == (30, 20)
        assert listeners.is_drained(web, generation)
        listeners.retire(web, generation)
        connect(following, 10, there)
        assert accept_all(following) == 10
        present = following


def test_a_generation_that_is_given_up_takes_no_connection_with_it(listeners, connect):
    web = instance()
    held = listeners.of(web, 1)
    connect(held, 10)
    begin_reload(listeners, web, 2)
    connect(held, 10)
    listeners.give_up(web, 2)
    connect(held, 10)
    assert accept_all(held) == 30
    assert listeners.of(web, 3) is held


def test_a_leftover_that_has_inherited_the_old_socket_gets_nothing(listeners, connect):
    """It would wait for ever: a copy of a socket keeps that listening."""
    web = instance()
    old = listeners.of(web, 1)
    copy = os.dup(old.sockets[0].fileno())
    new = begin_reload(listeners, web, 2)
    finish_reload(listeners, web, 2)
    connect(new, 20)
    assert accept_all(new) == 20
    os.close(copy)


def test_instances_move_one_after_another_to_the_same_sockets(listeners, connect):
    instances = [instance(number) for number in (1, 2, 3)]
    [old] = {listeners.of(each, 1) for each in instances}
    together = object()
    for moved, each in enumerate(instances, 1):
        new = begin_reload(listeners, each, 2, together=together)
        listeners.hand_over(each, 2)
        connect(old, 40)
        assert (accept_all(old), accept_all(new)) == (0, 40)  # Nothing, while one goes.
        listeners.reopen(each, 2)
        connect(old, 300)
        shares = accept_all(old), accept_all(new)
        assert sum(shares) == 300
        # Binomial with p = 1/3 or 2/3: 40 off is five standard deviations.
        assert abs(shares[1] - 100 * moved) < 40
        listeners.retire(each, 2)
    connect(new, 30)
    assert accept_all(new) == 30


def test_one_instance_can_be_reloaded_alone_again_and_again(listeners, connect):
    first, second = instance(1), instance(2)
    stays = listeners.of(first, 1)
    listeners.of(second, 1)
    for generation in (2, 3, 4):
        moves = begin_reload(listeners, second, generation)
        finish_reload(listeners, second, generation)
        connect(stays, 200)
        shares = accept_all(stays), accept_all(moves)
        assert sum(shares) == 200
        assert min(shares) > 50
        assert listeners.of(first, 1) is stays


def test_who_does_not_run_gets_nothing_while_others_do(listeners, connect):
    first, second = instance(1), instance(2)
    stays = listeners.of(first, 1)
    listeners.of(second, 1)
    moved = begin_reload(listeners, second, 2)
    finish_reload(listeners, second, 2)
    listeners.is_running(second, runs=False)
    connect(stays, 30)
    assert (accept_all(stays), accept_all(moved)) == (30, 0)
    listeners.is_running(first, runs=False)
    connect(stays, 60)  # All of them wait for who comes back first.
    assert accept_all(stays) + accept_all(moved) == 60
    listeners.is_running(second, runs=True)
    connect(stays, 30)
    assert (accept_all(stays), accept_all(moved)) == (0, 30)


def test_who_has_ended_for_good_leaves_everything_to_the_others(listeners, connect):
    first, second = instance(1), instance(2)
    stays = listeners.of(first, 1)
    listeners.of(second, 1)
    moved = begin_reload(listeners, second, 2)
    finish_reload(listeners, second, 2)
    listeners.is_over(first)
    connect(moved, 30)
    assert accept_all(moved) == 30
    assert listeners.of(first, 2) is moved  # When it is started again.
    assert stays is not moved


def test_who_had_ended_before_a_reload_does_not_keep_the_old_sockets(listeners, connect):
    first, second = instance(1), instance(2)
    listeners.of(first, 1)
    listeners.of(second, 1)
    new = begin_reload(listeners, second, 2, alive={2})
    finish_reload(listeners, second, 2)
    connect(new, 30)
    assert accept_all(new) == 30


@pytest.mark.parametrize("host", HOSTS)
def test_a_probe_reaches_its_own_generation(listeners, host):
    web = instance(host=host)
    old = listeners.of(web, 1)
    new = begin_reload(listeners, web, 2)
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    for generation, there, elsewhere in ((1, old, new), (2, new, old)):
        approach = listeners.approach(web, generation)
        assert approach.holds(old.ports[0])
        assert not approach.holds(old.ports[0] + 1)
        with socket.socket(family) as probe:
            probe.bind(("", 0))
            with approach.steered(probe.getsockname()[1]):
                probe.connect((HOSTS[host], old.ports[0]))
            assert (accept_all(elsewhere), accept_all(there)) == (0, 1)


def test_a_connection_that_waits_is_told_from_one_that_was_accepted(listeners, connect):
    held = listeners.of(instance(host=""), 1)
    [waiting] = connect(held)
    source = waiting.getsockname()[1]
    assert not is_accepted(held.ports[0], source)
    peer, _ = held.sockets[0].accept()
    assert is_accepted(held.ports[0], source)
    peer.close()
    assert is_accepted(held.ports[0], source)


def test_a_service_that_is_configured_otherwise_has_other_sockets(listeners):
    before = listeners.of(instance(), 1).ports[0]
    after = listeners.of(instance(host="::1"), 2).ports[0]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", before), timeout=20)
    socket.create_connection(("::1", after), timeout=20).close()


def test_a_unix_socket_is_the_same_one_for_all_generations(listeners, tmp_path):
    path = str(tmp_path / "s")
    web = Service(1, "web", "web", "/", sockets=(HeldSocket("s", path, None),))
    old = listeners.of(web, 1)
    new = begin_reload(listeners, web, 2)
    assert not listeners.is_apart(web, 2)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        assert listeners.is_drained(web, 2)
        finish_reload(listeners, web, 2)
        assert accept_all(new) == 1
    assert old is not new
    listeners.close()
    assert not os.path.exists(path)
