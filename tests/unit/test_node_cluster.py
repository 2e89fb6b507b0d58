"""The cluster protocol as values, without a process."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.process.node.channel import SHIM, node_options
from devrun.process.node.cluster import (
    LONGEST_LINE,
    Address,
    AddressType,
    Closing,
    Conversation,
    Leaving,
    Listening,
    Message,
    Online,
    Query,
    Unreadable,
    Unsupported,
)
from devrun.process.node.program import KNOWN_MAJORS, is_node_program, major_version

TCP = Address("127.0.0.1", 80, AddressType.TCP4)
QUERY = Query(TCP, 5)


def line(**fields) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def worker(act: str, **fields) -> bytes:
    return line(cmd="NODE_CLUSTER", act=act, **fields)


def hear(data: bytes) -> list[object]:
    return Conversation().receive(data)


# -- hearing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (worker("online", seq=0), Online()),
        (worker("close", key="a:1"), Closing("a:1")),
        (worker("exitedAfterDisconnect", seq=3), Leaving(3)),
        (worker("unsupported", version="v99.0.0"), Unsupported("v99.0.0")),
        (
            worker("queryServer", seq=1, address=None, port=80, addressType=4, index=0, data="x"),
            Query(Address(None, 80, AddressType.TCP4), 1, "x"),
        ),
        (
            worker("queryServer", seq=1, address="/s", port=-1, addressType=-1, fd=-1, flags=None),
            Query(Address("/s", -1, AddressType.PATH), 1),
        ),
        (
            worker("queryServer", seq=1, port=9, addressType="udp4", address="::", fd=-1, flags=4),
            Query(Address("::", 9, AddressType.UDP4, flags=4), 1),
        ),
        (
            worker("queryServer", seq=1, fd=3, address=None, port=None, addressType=None),
            Query(Address(None, 0, AddressType.TCP4, fd=3), 1),
        ),
        (
            worker("listening", address="::1", port=80, addressType=6),
            Listening("::1", 80, AddressType.TCP6),
        ),
        (
            worker("listening", address="/s", port=-1, addressType=-1),
            Listening("/s", None, AddressType.PATH),
        ),
        (b'"ready"\n', Message("ready")),
        (b"null\n", Message(None)),
        (b'{"cmd":"mine"}\n', Message({"cmd": "mine"})),
    ],
)
def test_what_a_worker_says_is_understood(data, said):
    assert hear(data) == [said]


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        worker("something new"),
        worker("close", key=7),
        line(cmd="NODE_SOMETHING"),
        line(cmd="NODE_HANDLE_ACK"),
    ],
)
def test_what_is_nodes_own_business_is_passed_over(data):
    assert hear(data) == []


@pytest.mark.parametrize("data", [b"{\n", b"\xff\n", b"[" * 100_000 + b"\n",
                                  worker("queryServer", seq=1, addressType="ipx")])  # fmt: skip
def test_garbage_is_said_and_passed_over(data):
    said, after = hear(data + b'"after"\n')
    assert isinstance(said, Unreadable)
    assert after == Message("after")


@given(st.data())
def test_however_the_bytes_are_cut_the_same_is_said(data):
    whole = worker("online") + b'"\xc3\xa4"\n' + worker("close", key="k") + b'{"a":[1,2]}\n'
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    talk = Conversation()
    said = []
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        said += talk.receive(whole[begin:end])
    assert said == [Online(), Message("ä"), Closing("k"), Message({"a": [1, 2]})]


def test_a_line_without_end_takes_no_memory_and_is_said_once():
    talk = Conversation()
    piece = b"x" * 65536
    said = [each for _ in range(100) for each in talk.receive(piece)]
    assert len(said) == 1
    assert len(talk._lines._rest) <= LONGEST_LINE
    assert talk.receive(b'\n"after"\n') == [Message("after")]


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    hear(data + b"\n")


# -- answering ----------------------------------------------------------------------------------


def taken(talk) -> list[tuple[object, int | None]]:
    out = []
    while (outgoing := talk.take()) is not None:
        assert outgoing.line.endswith(b"\n")
        out.append((json.loads(outgoing.line), outgoing.handle))
    return out


def test_a_descriptor_is_answered_with_what_node_expects():
    talk = Conversation()
    talk.hand_over(QUERY, 9, "tickets")
    message = {
        "cmd": "NODE_CLUSTER", "errno": 0, "key": TCP.key, "ack": 5, "data": "tickets"
    }  # fmt: skip
    assert taken(talk) == [({"cmd": "NODE_HANDLE", "type": "net.Native", "msg": message}, 9)]


def test_a_datagram_socket_is_called_so():
    talk = Conversation()
    talk.hand_over(Query(Address("::", 9, AddressType.UDP6), 1), 9, None)
    assert taken(talk)[0][0]["type"] == "dgram.Native"


def test_an_error_number_is_negative():
    talk = Conversation()
    talk.refuse(QUERY, 98)
    [(message, handle)] = taken(talk)
    assert (message["errno"], message["ack"], handle) == (-98, 5, None)


def test_nothing_follows_a_descriptor_before_it_has_arrived():
    talk = Conversation()
    talk.hand_over(QUERY, 9, None)
    talk.send("next")
    assert len(taken(talk)) == 1
    assert talk.waiting == len(b'"next"\n')
    talk.receive(line(cmd="NODE_HANDLE_ACK"))
    assert taken(talk) == [("next", None)]


def test_a_descriptor_that_did_not_arrive_is_sent_again_three_times():
    talk = Conversation()
    talk.hand_over(QUERY, 9, None)
    talk.send("next")
    for _ in range(4):
        [(_, handle)] = taken(talk)
        assert handle == 9
        talk.receive(line(cmd="NODE_HANDLE_NACK"))
    assert taken(talk) == [("next", None)]


def test_a_socket_of_the_programs_own_is_acknowledged_before_all_else():
    talk = Conversation()
    talk.hand_over(QUERY, 9, None)
    taken(talk)
    talk.send("later")
    assert talk.receive(line(cmd="NODE_HANDLE", type="net.Server", msg="x")) == [Message("x")]
    assert taken(talk) == [({"cmd": "NODE_HANDLE_ACK"}, None)]


def test_servers_that_ask_for_any_port_are_told_apart_and_others_are_not():
    first, second = (Address(None, 0, AddressType.TCP4, index=index) for index in (0, 1))
    assert first.key != second.key
    first, second = (Address(None, 80, AddressType.TCP4, index=index) for index in (0, 1))
    assert first.key == second.key


# -- programs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["node app.js", "/usr/bin/node --inspect app.js", "nodejs -r x app.js", "node . --test"],
)
def test_a_node_program_is_recognised(line):
    assert is_node_program(line.split())


@pytest.mark.parametrize(
    "line",
    ["", "node", "npm start", "sh -c node", "node -e 1", "node --watch app.js", "node --run dev",
     "node --run=dev", "node --test", "deno run app.ts", "nodemon app.js", "node -i"],
)  # fmt: skip
def test_what_starts_other_programs_or_none_is_no_node_program(line):
    assert not is_node_program(line.split())


@pytest.mark.parametrize(("text", "major"), [("v20.20.2\n", 20), ("18.0.0", 18), ("", None),
                                             ("node: not found", None)])  # fmt: skip
def test_the_version_is_read(text, major):
    assert major_version(text) == major


def test_both_sides_know_the_same_versions():
    with open(SHIM, encoding="utf-8") as file:
        [listed] = re.findall(r"KNOWN_MAJORS = \[(.*?)\]", file.read())
    assert {int(major) for major in listed.split(",")} == KNOWN_MAJORS


def test_options_of_the_users_own_are_kept_and_the_script_comes_once():
    once = node_options("--max-old-space-size=100")
    assert once == f'--require "{SHIM}" --max-old-space-size=100'
    assert node_options(once) == once
    assert node_options("") == f'--require "{SHIM}"'
