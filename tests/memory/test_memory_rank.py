"""Ranking, as a pure function."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_memory.dates import Date
from iaiflow_memory.rank import Candidate, Question, ask, names_in, neighbours, rank

NOW = 1_800_000_000.0
NOBODY = Question(frozenset(), (), NOW)


def candidate(n: int, words: float = 0.0, **other: object) -> Candidate:
    plain = Candidate(
        n=n, scope=1, at=NOW - 1e9, role="", subject="", episodic=True, asks=False,
        importance=0.5, words=words, meaning=0.0,
    )  # fmt: skip
    return plain._replace(**other)


def order(candidates: list[Candidate], question: Question = NOBODY, **threads: float) -> list[int]:
    fits = {int(name[1:]): fit for name, fit in threads.items()}
    return [one.candidate.n for one in rank(candidates, question, fits)]


def test_what_fits_best_comes_first() -> None:
    assert order([candidate(1, 2.0), candidate(40, 5.0), candidate(80, 3.0)]) == [40, 80, 1]


def test_an_answer_is_lent_the_fit_of_the_question_before_it() -> None:
    asked, answer, other = candidate(1, 5.0, asks=True), candidate(2), candidate(60, 2.5)
    assert order([asked, answer, other]) == [1, 2, 60]
    assert order([asked, answer._replace(scope=2), other])[1] == 60  # another conversation
    assert order([asked, answer._replace(at=NOW), other])[1] == 60  # another day
    assert order([asked, answer._replace(episodic=False), other])[1] == 60  # no sequence


def test_neighbours_are_those_just_before_and_after() -> None:
    near = neighbours([candidate(1), candidate(2), candidate(4), candidate(40)])
    assert near == {1: (2,), 2: (1, 4), 4: (2,)}


def test_meaning_counts_beside_words() -> None:
    assert order([candidate(1, 5.0), candidate(40, 4.0, meaning=3.0)]) == [40, 1]
    assert order([candidate(1, 5.0), candidate(40, 4.0, meaning=-3.0)]) == [1, 40]


def test_a_conversation_that_fits_lifts_what_is_in_it() -> None:
    both = [candidate(1, 5.0, scope=1), candidate(40, 4.5, scope=2)]
    assert order(both, t1=1.0, t2=9.0) == [40, 1]
    assert order(both, t2=9.0) == [1, 40]  # one conversation only: nothing to prefer


def test_somebody_who_is_named_and_a_time_that_is_named_are_preferred() -> None:
    both = [candidate(1, 5.0), candidate(40, 4.5, role="Thúy", at=1_688_200_000.0)]
    assert order(both, ask("What did thuy say?", ["Thúy"], NOW)) == [40, 1]
    assert order(both, Question(frozenset(), (Date(2023, 7, 0),), NOW)) == [40, 1]


def test_what_matters_and_what_is_young_are_preferred() -> None:
    assert order([candidate(1, 5.0), candidate(40, 4.8, importance=1.0)]) == [40, 1]
    assert order([candidate(1, 5.0), candidate(40, 4.9, at=NOW)]) == [40, 1]


def test_a_question_about_two_people_shows_both() -> None:
    said = [candidate(n, 9.0 - n / 100, role="Ann", scope=n) for n in range(100, 600, 100)]
    other = candidate(900, 1.0, role="Bob")
    assert order([*said, other], ask("Ann and Bob?", ["Ann", "Bob"], NOW)).index(900) <= 1
    assert order([*said, other], ask("Ann?", ["Ann", "Bob"], NOW))[-1] == 900


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("what does ANN like", {"Ann"}),
        ("anne likes tea", set()),
        ("ask john smith", {"John Smith"}),
        ("smith", set()),
        ("", set()),
    ],
)
def test_names_are_found_whole(text: str, found: set[str]) -> None:
    assert names_in(text, ["Ann", "John Smith", ""]) == found


def test_nothing_to_rank_is_fine() -> None:
    assert rank([], NOBODY, {}) == []


ANY = st.builds(
    Candidate,
    n=st.integers(0, 300),
    scope=st.integers(1, 3),
    at=st.floats(-1e12, 1e12),
    role=st.sampled_from(["", "Ann", "Bob"]),
    subject=st.sampled_from(["", "tea"]),
    episodic=st.booleans(),
    asks=st.booleans(),
    importance=st.floats(0, 1),
    words=st.floats(0, 50, width=16),
    meaning=st.floats(-5, 5, width=16),
)


@given(
    st.lists(ANY, max_size=30, unique_by=lambda one: one.n),
    st.sets(st.sampled_from(["Ann", "Bob", "tea"])),
    st.dictionaries(st.integers(1, 3), st.floats(0, 20)),
)
def test_the_parts_make_the_score(
    candidates: list[Candidate], names: set[str], threads: dict[int, float]
) -> None:
    ranked = rank(candidates, Question(frozenset(names), (), NOW), threads)
    told = {one.n for one in candidates if one.words > 0 or one.meaning > 0}
    assert told <= {one.candidate.n for one in ranked} <= {one.n for one in candidates}
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    for one in ranked:
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=0.01)
        assert all(one.parts.values())
