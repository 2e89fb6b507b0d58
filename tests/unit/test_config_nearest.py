"""Did you mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.nearest import choices, hint, nearest

NAMES = ("web", "worker", "Redis")


@pytest.mark.parametrize(
    ("word", "found"),
    [("wrker", "worker"), ("WEB", "web"), ("redsi", "Redis"), ("xyz", None), ("", None)],
)
def test_the_nearest_is_found_whatever_the_case(word, found):
    assert nearest(word, NAMES) == found


def test_a_hint_is_the_end_of_a_sentence_or_nothing():
    assert hint("wb", NAMES) == '; did you mean "web"?'
    assert not hint("zzz", NAMES)


def test_choices_are_listed_with_and_without_a_nearest():
    assert choices("wb", NAMES) == '; did you mean "web"? There are web, worker, Redis'
    assert choices("zzz", NAMES) == "; there are web, worker, Redis"


@given(st.text(), st.lists(st.text()))
def test_the_nearest_is_one_of_the_candidates(word, candidates):
    assert nearest(word, candidates) in (None, *candidates)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_right_word_is_its_own_nearest_but_for_case(candidates):
    for candidate in candidates:
        found = nearest(candidate, candidates)
        assert found is not None
        assert found.casefold() == candidate.casefold()
