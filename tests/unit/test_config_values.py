"""Single values: what is taken, and what each refusal says."""

from __future__ import annotations

import os
import re
import signal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config import values
from devrun.errors import UsageError


def refusal(function, text, **more):
    with pytest.raises(UsageError) as caught:
        function(text, "--flag", **more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10.0),
        ("5m", 300.0),
        ("5min", 300.0),
        ("1h", 3600.0),
        ("1.5s", 1.5),
        (".5s", 0.5),
        (" 2 S ", 2.0),
        ("0", 0.0),
        ("0ms", 0.0),
    ],
)
def test_times_have_units(text, seconds):
    assert values.duration(text, "--flag") == pytest.approx(seconds)


def test_a_bare_number_takes_the_unit_of_the_option():
    assert values.duration("250", "--kill-timeout", bare_unit="ms") == pytest.approx(0.25)
    assert values.duration("2s", "--kill-timeout", bare_unit="ms") == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10", '--flag "10": a unit is missing; write 10ms, 10s or 10m'),
        ("10x", '--flag "10x": no such unit "x"; there are ms, s, m and h'),
        ("", '--flag "": not a time; write for example 500ms, 10s or 5m'),
        ("-1s", '--flag "-1s": not a time'),
        ("1e3s", '--flag "1e3s": not a time'),
        ("nan", '--flag "nan": not a time'),
        ("inf", '--flag "inf": not a time'),
        ("1s2", '--flag "1s2": not a time'),
        ("٣s", '--flag "٣s": not a time'),
        ("9999h", '--flag "9999h": longer than a year'),
        ("9" * 400 + "s", "longer than a year"),
    ],
)
def test_what_is_no_time_is_refused(text, reason):
    assert reason in refusal(values.duration, text)


@given(st.integers(min_value=0, max_value=10**7), st.sampled_from(["ms", "s", "m", "h"]))
def test_printed_times_read_the_same(number, unit):
    seconds = number * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]
    text = f"{number}{unit}"
    if seconds <= values.LONGEST:
        assert values.duration(text, "--flag") == pytest.approx(seconds)
    else:
        assert "longer than a year" in refusal(values.duration, text)


@pytest.mark.parametrize("text", ["", "x", "1.5", "0x10", "1e3", "1_000", "--1", "9" * 5000, "٣"])
def test_only_whole_numbers_are_whole_numbers(text):
    assert refusal(values.whole_number, text, least=0, most=9) == (
        f'--flag "{text}": not a whole number'
    )


@pytest.mark.parametrize("text", ["0", "65536", "-1"])
def test_ports_are_those_of_tcp(text):
    assert refusal(values.port, text) == f'--flag "{text}": must be from 1 to 65535'


def test_the_bounds_themselves_are_ports():
    assert (values.port("1", "--port"), values.port(" 65535 ", "--port")) == (1, 65535)


@pytest.mark.parametrize(
    ("text", "processors", "count"),
    [("3", 8, 3), ("50%", 8, 4), ("100%", 8, 8), ("1%", 8, 1), ("25%", 1, 1), ("200%", 2, 4)],
)
def test_a_percentage_is_of_the_processors_and_at_least_one(text, processors, count):
    assert values.process_count(text, "-m", processors=processors) == count


@pytest.mark.parametrize("text", ["0", "0%", "-2", "abc", "abc%", "%", "1.5", ""])
def test_what_concurrently_takes_for_unlimited_is_refused(text):
    assert "--flag" in refusal(values.process_count, text, processors=4)


def test_this_machine_has_a_processor():
    assert 1 <= values.process_count("100%", "-m") == values.usable_processors()


@pytest.mark.parametrize("text", ["SIGTERM", "TERM", "sigterm", "term", "15", " Term "])
def test_a_signal_has_many_spellings(text):
    assert values.stop_signal(text, "--kill-signal") == signal.SIGTERM


def test_sigkill_may_stop():
    assert values.stop_signal("KILL", "--kill-signal") == signal.SIGKILL


NOT_TO_STOP = {"SIGSTOP", "SIGTSTP", "SIGCONT", "SIGTTIN", "SIGTTOU", "SIGCHLD"}


@pytest.mark.parametrize("name", sorted(signal.Signals.__members__))
def test_every_signal_is_a_number_or_a_reasoned_refusal(name):
    number = signal.Signals[name]
    spellings = (name, name.removeprefix("SIG").lower(), str(number.value))
    if number.name in NOT_TO_STOP:
        for spelling in spellings:
            assert "does not end a process" in refusal(values.stop_signal, spelling)
    else:
        found = {values.stop_signal(spelling, "--kill-signal") for spelling in spellings}
        assert found == {number.value}


@pytest.mark.parametrize("text", ["SIGSTOP", "tstp", "CONT", str(int(signal.SIGSTOP))])
def test_signals_that_only_suspend_are_refused(text):
    assert "does not end a process" in refusal(values.stop_signal, text)


def test_signal_zero_is_refused_with_its_reason():
    assert refusal(values.stop_signal, "0") == (
        '--flag "0": 0 only asks whether a process exists; write SIGTERM'
    )


@pytest.mark.parametrize("text", ["", "SIG", "-9", "999", "9" * 5000, "٩", "TERM INT"])
def test_what_is_no_signal_is_refused(text):
    assert f'--flag "{text}": no such signal' in refusal(values.stop_signal, text)


def test_a_misspelt_signal_gets_the_nearest():
    assert refusal(values.stop_signal, "SIGTREM") == (
        '--flag "SIGTREM": no such signal; did you mean "SIGTERM"?'
    )


READERS = {
    "duration": values.duration,
    "milliseconds": lambda text, flag: values.duration(text, flag, bare_unit="ms"),
    "port": values.port,
    "process_count": values.process_count,
    "stop_signal": values.stop_signal,
    "whole_number": lambda text, flag: values.whole_number(text, flag, least=-1, most=10**9),
}
LIKELY = st.from_regex(re.compile(r"[ -]?[0-9.%]{0,6}[A-Za-z]{0,8}[ %]?"), fullmatch=True)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@given(text=st.text() | LIKELY)
@example(text="9" * 5000)
@example(text="²")
@example(text="0\x1f")
def test_any_text_is_a_value_or_a_refusal_that_names_the_flag(reader, text):
    refused = "--flag"
    try:
        assert reader(text, "--flag") >= -1
    except UsageError as error:
        refused = str(error)
    assert refused.startswith("--flag")


@pytest.mark.parametrize(
    ("quota", "parent", "expected"),
    [
        ("max 100000", "max 100000", None),
        ("100000 100000", "max 100000", 1),
        ("50000 100000", "max 100000", 1),
        ("max 100000", "100000 100000", 1),
        ("99900000 100000", "max 100000", None),
        ("nonsense", "", None),
    ],
)
def test_processors_are_those_of_affinity_and_quota(tmp_path, quota, parent, expected):
    folder = tmp_path / "sys/fs/cgroup/app/web"
    folder.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("1:cpu:/x\n0::/app/web\n")
    (folder / "cpu.max").write_text(quota + "\n")
    (folder.parent / "cpu.max").write_text(parent + "\n")
    assert values.usable_processors(root=str(tmp_path)) == (
        expected or len(os.sched_getaffinity(0))
    )
