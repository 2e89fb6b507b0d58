"""Whose a process is, what several use together, and the share of a core between two samples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.process.group import Ownership
from devrun.process.usage import Reading, Usage, assign, cpu_percent, parse_stat, total

ROOT = 10
WEB = Ownership(frozenset({100}), b"10:0")
API = Ownership(frozenset({200}), b"10:1")


def reading(pid, parent=ROOT, session=0, *, threads=1, rss=0, cpu=0.0):
    return Reading(pid, parent, session, 1.0, threads, rss, cpu)


def pids_of(below, marks=None, owners=(WEB, API)):
    found = assign(below, ROOT, owners, lambda each: (marks or {}).get(each.pid, b""))
    return [[each.pid for each in members] for members in found]


def used(cpu):
    return Usage(1, 1, 0, cpu)


def test_a_process_belongs_to_the_instance_whose_session_it_is_in():
    below = [reading(100, session=100), reading(201, session=200), reading(300, session=300)]
    assert pids_of(below) == [[100], [201]]


def test_a_child_belongs_to_its_parents_instance_whatever_its_session():
    below = [reading(103, 102, 103), reading(102, 100, 102), reading(100, session=100)]
    assert pids_of(below) == [[100, 102, 103], []]


def test_an_orphan_that_left_the_session_is_known_by_its_mark():
    assert pids_of([reading(300, session=300)], {300: b"5:5/10:1"}) == [[], [300]]


def test_a_mark_that_only_begins_alike_is_another():
    assert pids_of([reading(300, session=300)], {300: b"10:11"}) == [[], []]


def test_the_mark_is_asked_for_only_where_neither_parent_nor_session_tells():
    below = [reading(100, session=100), reading(102, 100, 102), reading(300, session=300)]
    asked = []
    assign(below, ROOT, [WEB], lambda each: asked.append(each.pid) or b"")
    assert asked == [300]


def test_what_is_not_below_devrun_is_nobodys():
    assert pids_of([reading(100, parent=1, session=100)]) == [[], []]


def test_without_instances_there_is_nothing_to_say():
    assert pids_of([reading(100, session=100)], owners=()) == []


def test_zombies_count_with_their_time_but_not_as_processes():
    usage = total([reading(100, threads=3, rss=500, cpu=1.5), reading(101, threads=0, cpu=0.5)])
    assert (usage.processes, usage.threads, usage.rss, usage.cpu_seconds) == (1, 3, 500, 2.0)


def test_memory_is_what_is_known_best():
    assert Usage(1, 1, 500, 0.0).memory == 500
    assert Usage(1, 1, 500, 0.0, pss=0).memory == 0


@pytest.mark.parametrize(
    ("before", "after", "seconds", "percent"),
    [
        (1.0, 2.0, 2.0, 50.0),
        (0.0, 6.0, 2.0, 300.0),
        (5.0, 0.1, 2.0, 0.0),
        (0.0, 1.0, 0.0, 0.0),
        (0.0, 1.0, -1.0, 0.0),
    ],
)
def test_cpu_is_the_time_used_between_two_samples(before, after, seconds, percent):
    assert cpu_percent(used(before), used(after), seconds) == percent


def stat_line(name, state=b"S"):
    numbers = b"7 8 9 0 -1 0 0 0 0 0 150 50 25 75 20 0 4 0 12345 99999 10 18446744073709551615"
    return b"42 (" + name + b") " + state + b" " + numbers + b" 0 0\n"


@given(st.binary(max_size=64))
def test_a_name_may_hold_anything(name):
    reading = parse_stat(42, stat_line(name))
    assert (reading.pid, reading.parent, reading.session) == (42, 7, 9)
    assert (reading.threads, reading.start) == (4, 12345.0)


def test_the_time_is_the_processs_own_and_its_childrens():
    import os

    assert parse_stat(42, stat_line(b"x")).cpu_seconds == 300 / os.sysconf("SC_CLK_TCK")
    assert parse_stat(42, stat_line(b"x")).rss == 10 * os.sysconf("SC_PAGE_SIZE")


def test_a_zombie_has_no_threads():
    assert parse_stat(42, stat_line(b"x", b"Z")).threads == 0


trees = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([0, 100, 200]), st.booleans()), max_size=30
)


@given(trees)
def test_every_process_has_one_owner_at_most_and_its_children_have_the_same(shape):
    """Processes are numbered from 0, whose parent is devrun; each has a parent before it."""
    below = [
        reading(1000 + place, ROOT if parent >= place else 1000 + parent, session)
        for place, (parent, session, _) in enumerate(shape)
    ]
    marks = {1000 + place: b"10:1" for place, (_, _, marked) in enumerate(shape) if marked}
    owner = {}
    for name, members in zip("wa", pids_of(below, marks), strict=True):
        for pid in members:
            assert pid not in owner
            owner[pid] = name
    for each in below:
        if each.parent in owner:
            assert owner[each.pid] == owner[each.parent]
