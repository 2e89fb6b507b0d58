"""``--success`` and the words that name a service."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config.success import find_service, parse_success
from devrun.errors import UsageError
from devrun.model import SuccessCondition, SuccessKind

NAMES = ("web", None, "worker", "1")


@pytest.mark.parametrize(
    ("text", "kind", "targets"),
    [
        ("all", SuccessKind.ALL, set()),
        ("first", SuccessKind.FIRST, set()),
        ("last", SuccessKind.LAST, set()),
        ("command-web", SuccessKind.COMMAND, {0}),
        ("command-2", SuccessKind.COMMAND, {2}),
        ("!command-worker", SuccessKind.NOT_COMMAND, {2}),
        ("!command-0", SuccessKind.NOT_COMMAND, {0}),
    ],
)
def test_conditions_have_their_targets_by_index(text, kind, targets):
    assert parse_success(text, NAMES) == SuccessCondition(kind, frozenset(targets))


def test_a_name_goes_before_an_index():
    assert parse_success("command-1", NAMES).targets == {3}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "fist",
            (
                '--success "fist": not a condition; did you mean "first"? '
                "There are all, first, last, command-NAME, !command-NAME"
            ),
        ),
        ("FIRST", 'did you mean "first"?'),
        ("", '--success "": not a condition; there are all'),
        ("all,first", "not a condition"),
        (
            "command-wrker",
            (
                '--success command-wrker: no service "wrker"; did you mean "worker"? '
                "There are web, 1, worker, 1"
            ),
        ),
        ("!command-4", 'no service "4"'),
        ("command-", 'no service ""'),
        ("command--1", 'no service "-1"'),
        ("command-" + "9" * 5000, "no service"),
    ],
)
def test_everything_else_is_refused(text, reason):
    with pytest.raises(UsageError) as caught:
        parse_success(text, NAMES)
    assert reason in str(caught.value)


NAME = st.none() | st.text(min_size=1)


@given(
    st.text() | st.tuples(st.sampled_from(["command-", "!command-"]), st.text()).map("".join),
    st.lists(NAME),
)
@example("command-²", [None])
@example("command-٠", [None])
def test_any_text_is_a_condition_or_a_refusal(text, names):
    try:
        condition = parse_success(text, names)
    except UsageError:
        return
    assert all(0 <= target < len(names) for target in condition.targets)


@given(st.lists(NAME, unique=True, min_size=1))
def test_every_service_is_found_by_its_name_else_its_index(names):
    for index, name in enumerate(names):
        if name is not None:
            assert find_service(name, names, "--hide") == index
        elif str(index) not in names:
            assert find_service(str(index), names, "--hide") == index
