"""The terms by which texts are found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_memory.dates import Date, dates, day_of
from iaiflow_memory.stems import stem
from iaiflow_memory.stopwords import STOPWORDS
from iaiflow_memory.terms import fold, query_tokens, shared_words, tokens


@pytest.mark.parametrize(
    "forms",
    [
        ("run", "running", "runs", "ran"),
        ("hope", "hoped", "hoping", "hopes"),
        ("agency", "agencies"),
        ("adopt", "adopted", "adopting", "adoption"),
        ("child", "children"),
        ("go", "went", "gone", "going"),
        ("buy", "bought", "buying"),
        ("paint", "painting", "painted", "paints"),
        ("happy", "happiness"),
    ],
)
def test_forms_of_a_word_are_one_term(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(("one", "other"), [("news", "new"), ("hop", "hope"), ("bring", "br")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=14))
def test_every_word_has_a_stem(word: str) -> None:
    assert stem(word)


def test_words_that_say_nothing_are_left_out_unless_there_are_no_others() -> None:
    assert tokens("The cat is on the mat") == ["cat", "mat"]
    assert tokens("to be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert tokens("") == []


def test_contractions_and_possessives_are_cut_off() -> None:
    assert tokens("Anna's mother doesn't know; they\u2019ve left") == [
        "anna",
        "mother",
        "know",
        "leav",
    ]


def test_vietnamese_is_found_with_and_without_diacritics() -> None:
    text = set(tokens("Tôi uống cà phê ở Đà Nẵng"))
    assert {"cà", "ca", "phê", "phe", "đà", "da", "nẵng", "nang", "ca_phe", "da_nang"} <= text
    assert {"ca", "phe", "ca_phe", "da", "nang", "da_nang"} <= set(query_tokens("ca phe Da Nang"))
    assert fold("đường") == "duong"


def test_the_one_with_the_right_diacritics_shares_more_terms() -> None:
    asked = set(query_tokens("má"))
    assert len(asked & set(tokens("má đi chợ"))) > len(asked & set(tokens("mà đi chợ xa")))


def test_english_gets_no_pairs_of_syllables() -> None:
    assert not [term for term in tokens("We can go to the cinema in May") if "_" in term]


@pytest.mark.parametrize(
    "text",
    [
        "on 2023-05-07",
        "on 7 May 2023",
        "May 7th, 2023",
        "the 7th of may 2023",
        "ngày 7 tháng 5 năm 2023",
        "7/5/2023",
    ],
)
def test_a_day_is_one_term_however_it_is_written(text: str) -> None:
    assert {"2023-05-07", "2023-05"} <= set(tokens(text))


def test_a_month_may_be_named_without_its_year() -> None:
    assert list(dates("what happened in july?")) == [Date(0, 7, 0)]
    assert list(dates("chuyện gì xảy ra tháng 7")) == [Date(0, 7, 0)]
    assert list(dates("on 31/13/2023")) == []
    assert Date(0, 7, 0).covers(1_688_200_000.0)  # 2023-07-01
    assert not Date(2022, 7, 0).covers(1_688_200_000.0)
    assert not Date(2022, 7, 0).covers(float("inf"))
    assert day_of(float("inf")) == "?"


def test_numbers_are_alike_with_and_without_grouping() -> None:
    assert tokens("1,000 or 1000")[0] == tokens("1000")[0]
    assert tokens("0.05 and 3.14") == ["0.05", "3.14"]


def test_scripts_without_spaces_give_pairs_of_characters() -> None:
    assert tokens("東京都") == ["東京", "京都"]


@given(st.text(max_size=60))
def test_composed_and_decomposed_texts_have_the_same_terms(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert tokens(composed) == tokens(unicodedata.normalize("NFD", text))


@given(st.text(max_size=60))
def test_a_text_is_found_by_itself(text: str) -> None:
    assert set(tokens(text)) <= set(query_tokens(text))


@given(st.lists(st.sampled_from([*sorted(STOPWORDS)[:40], "river", "boat"]), max_size=8))
def test_stopwords_are_terms_only_alone(words: list[str]) -> None:
    found = [term for term in tokens(" ".join(words)) if "_" not in term]
    if {"river", "boat"} & set(words):
        assert set(found) <= {"river", "boat"}


def test_shared_words_are_those_of_the_question_as_written() -> None:
    assert shared_words("Which agencies did she consider?", "I considered an agency") == (
        "agencies",
        "consider",
    )


def test_a_verb_is_found_though_a_noun_looks_like_it():
    assert tokens("she lives, he leaves") == tokens("she live, he leave")
