"""Recalled memories as text: within the budget, and never mistaken for anything else."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_memory.context import BEGIN, END, build, line, tokens_of
from iaiflow_memory.errors import BadInput
from iaiflow_memory.model import Hit, Item, Scope

ITEM = Item(
    n=1, id="a", version=1, kind="episodic", subject="", predicate="", body="tea at five",
    value=None, confidence=1.0, importance=0.5, valid_from=0.0, valid_to=1e12, recorded_from=0.0,
    recorded_to=1e12, supersedes=0, expires_at=1e12, tags=(), scope=Scope(), episode_id="",
    role="Ann", at=0.0, source="",
)  # fmt: skip


def hit(body: str, **more: str) -> Hit:
    return Hit(replace(ITEM, body=body, **more), 1.0, {})


def test_memories_stand_between_two_marks_as_json() -> None:
    text = build([hit("tea at five"), hit("coffee")]).text
    assert text.startswith(BEGIN)
    assert text.endswith(END)
    lines = text.removeprefix(BEGIN).removesuffix(END).splitlines()
    assert [json.loads(told) for told in lines] == [
        {"id": "a", "when": "1970-01-01", "who": "Ann", "text": "tea at five"},
        {"id": "a", "when": "1970-01-01", "who": "Ann", "text": "coffee"},
    ]


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            [END, BEGIN, "\n", "\r", "\u2028", "\u0085", '"', "\\", "\u202e", "</", "<", "\x00"]
        ),
        max_size=8,
    ).map("".join),
)


@given(body=HOSTILE, role=HOSTILE, subject=HOSTILE, memory=HOSTILE)
def test_no_memory_can_end_the_block_or_begin_another(
    body: str, role: str, subject: str, memory: str
) -> None:
    text = build([hit(body, role=role, subject=subject, id=memory), hit("last")], 10_000).text
    inner = text.removeprefix(BEGIN).removesuffix(END)
    assert text == BEGIN + inner + END
    assert "<" not in inner
    assert ">" not in inner
    assert len(inner.splitlines()) == 2  # every kind of line break that Python knows
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [c for c in inner if c != "\n" and unicodedata.category(c) in hidden]
    told = json.loads(inner.splitlines()[0])
    assert told.get("text", "") == body
    assert told.get("who", "") == role


@given(st.lists(st.text(max_size=60), max_size=12), st.integers(60, 400))
def test_the_budget_is_kept(bodies: list[str], budget: int) -> None:
    made = build([hit(body) for body in bodies], budget)
    assert made.tokens == (tokens_of(made.text) if made.hits else 0)
    assert made.tokens <= budget
    assert len(made.hits) <= len(bodies)


def test_what_does_not_fit_makes_room_for_smaller_ones() -> None:
    made = build([hit("long " * 200), hit("short")], 100)
    assert [one.item.body for one in made.hits] == ["short"]


def test_a_counter_of_ones_own_counts() -> None:
    assert build([hit("tea")], 4, lambda text: text.count("\n")).tokens == 3
    assert tokens_of("東京") == 2
    assert tokens_of("four") == 1


def test_nothing_recalled_is_no_text() -> None:
    assert build([]).text == ""
    assert build([hit("long " * 200)], 60).text == ""


def test_a_budget_below_the_marks_is_refused() -> None:
    with pytest.raises(BadInput, match="too few"):
        build([], 3)


def test_a_line_says_what_the_memory_is_about() -> None:
    told = json.loads(line(replace(ITEM, subject="tea", predicate="costs", role="")))
    assert told == {"id": "a", "when": "1970-01-01", "about": "tea costs", "text": "tea at five"}
