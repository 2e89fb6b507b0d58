"""How descriptors get from devrun's numbers to 3 and what follows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.policies import HeldSocket
from devrun.process.held_sockets import Held, _moves


class _Fake:
    """A socket that has nothing but a number and an address."""

    def __init__(self, number: int, port: int) -> None:
        self._number = number
        self._port = port

    def fileno(self) -> int:
        return self._number

    def getsockname(self) -> tuple[str, int]:
        return ("", self._port)


def held(*numbers: int, unix: int = 0) -> Held:
    specs = [HeldSocket(f"s{n}", "/run/s" if n < unix else "", None if n < unix else 8000 + n)
             for n in range(len(numbers))]  # fmt: skip
    fakes = [_Fake(number, 8000 + n) for n, number in enumerate(numbers)]
    return Held(tuple(specs), tuple(fakes), (None,) * len(numbers))


def test_descriptors_that_are_in_place_are_not_moved():
    assert _moves([3, 4, 5]) == ""


def test_a_descriptor_is_moved_and_its_old_number_closed():
    assert _moves([7]) == "exec 3<&7; exec 7<&-; "


def test_a_number_that_is_also_a_place_stays_open():
    assert _moves([4, 5]) == "exec 3<&4; exec 4<&5; exec 5<&-; "


@pytest.mark.parametrize("numbers", [[10], [4, 3], [3, 12], [5, 5]])
def test_what_a_shell_cannot_move_is_not_given_to_it(numbers):
    assert _moves(numbers) is None


def test_python_moves_what_a_shell_cannot():
    argv, numbers = held(12, 11).wrapped(["/bin/prog", "a b"])
    assert argv[0] == sys.executable
    assert argv[-3:] == ["12,11", "/bin/prog", "a b"]
    assert numbers == (12, 11)


@given(st.sets(st.integers(3, 9), min_size=1).map(sorted))
def test_each_descriptor_arrives_in_its_place(numbers):
    """The shell's commands are followed by hand: who is where at the end."""
    table = {number: number for number in numbers}
    for command in (_moves(numbers) or "").split("; ")[:-1]:
        place, source = command.removeprefix("exec ").split("<&")
        if source == "-":
            del table[int(place)]
        else:
            table[int(place)] = table[int(source)]
    assert table == dict(enumerate(numbers, 3))


def test_names_are_in_the_order_of_the_descriptors():
    variables = held(3, 4).variables()
    assert variables["LISTEN_FDNAMES"] == "s0:s1"
    assert variables["LISTEN_FDS"] == variables["DEVRUN_LISTEN_FDS"] == "2"
    assert "LISTEN_PID" not in variables


def test_the_port_of_the_only_tcp_socket_is_told():
    assert held(3).variables()["PORT"] == "8000"
    assert held(3, 4, unix=1).variables()["PORT"] == "8001"


def test_several_ports_are_not_told_as_one():
    assert "PORT" not in held(3, 4).variables()
    assert "PORT" not in held(3, unix=1).variables()


def test_words_come_through_the_wrapper_as_they_are():
    words = ["", "a b", "$HOME", "'", '"', "*", "-n", "ä"]
    argv, _ = held(3).wrapped([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words])
    result = subprocess.run(argv, stdout=subprocess.PIPE, env=dict(os.environ), check=True)
    assert result.stdout.decode() == f"{words}\n"
