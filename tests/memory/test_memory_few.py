"""What is read at once, because it is little, gives the hits of the statements for what is much."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from memory_clock import START, Hand

from iaiflow_memory import dense, few
from iaiflow_memory.allowed import allowed
from iaiflow_memory.dense import Vector, meanings
from iaiflow_memory.engine import Engine
from iaiflow_memory.model import AsOf, Hit, New, Query, Scope

WORDS = ("river", "boat", "paint", "tea", "music", "garden", "chợ", "cho", "hiking", "pets")
MODEL = "made-up"
LIMITS = (
    {},
    {"scope": Scope(user="ann")},
    {"scope": Scope(user="ann", thread="x")},
    {"scope": Scope(user="nobody")},
    {"tags": ("green",)},
    {"kinds": ("semantic",)},
    {"scope": Scope(user="bob"), "subject": "tea"},
    {"as_of": AsOf(recorded=START + 40)},
    {"limit": 60},
)


def fill(engine: Engine, clock: Hand, random: Random, *, is_mixed: bool) -> None:
    """Tell of two people in three conversations each, taking turns or one after the other."""
    whose = [Scope(user=user, thread=thread) for user in ("ann", "bob") for thread in "xyz"]
    turns = [scope for scope in whose for _ in range(12)]
    if is_mixed:
        random.shuffle(turns)
    for scope in turns:
        clock.time += 1
        new = New(
            " ".join(random.choices(WORDS, k=random.randint(1, 6))),
            kind=random.choice(("episodic", "episodic", "semantic")),
            role=random.choice(("", "Ann", "Bob")),
            subject=random.choice(("", "tea")),
            tags=random.choice(((), ("green",))),
            once=False,
        )
        (added,) = engine.add(scope, [new])
        if random.random() < 0.1:
            engine.forget(added.id)
    waiting = engine.pending(MODEL, 1_000)
    engine.put_vectors(MODEL, {n: vector(random).data for n, _ in waiting})


def vector(random: Random) -> Vector:
    return Vector.of(MODEL, [random.gauss(0, 1) for _ in range(8)])


def found(hits: list[Hit]) -> list[object]:
    return [
        (hit.item, pytest.approx(hit.score), pytest.approx(hit.parts), hit.terms, hit.near)
        for hit in hits
    ]


@pytest.mark.parametrize("is_mixed", [False, True])
def test_little_is_searched_as_much_is(
    engine: Engine, clock: Hand, monkeypatch: pytest.MonkeyPatch, is_mixed: bool
) -> None:
    random, some = Random(5), 0
    fill(engine, clock, random, is_mixed=is_mixed)
    for limits in LIMITS:
        for by_meaning in (False, True):
            query = replace(Query(" ".join(("Ann", *random.sample(WORDS, 3)))), **limits)
            seen = vector(random) if by_meaning else None
            hits = engine.search(query, seen)
            with monkeypatch.context() as patch:
                patch.setattr(few, "MOST", 0)
                much = engine.search(query, seen)
            assert [(h.item, h.score, h.parts, h.terms, h.near) for h in hits] == found(much)
            some += len(hits)
    assert some > 100


def test_equal_vectors_are_equally_near_in_little_as_in_much(
    engine: Engine, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.add(Scope(), [New(f"note {n}", kind="semantic", once=False) for n in range(7)])
    clock.time += 1
    same = Vector.of(MODEL, [0.1, 0.7, 0.3])
    engine.put_vectors(MODEL, dict.fromkeys([n for n, _ in engine.pending(MODEL, 9)], same.data))
    for against, count in ((same, 7), (Vector.of(MODEL, [-0.1, -0.7, -0.3]), 0)):
        hits = engine.search(Query("far"), against)
        assert len(hits) == count
        with monkeypatch.context() as patch:
            patch.setattr(few, "MOST", 0)
            assert hits == engine.search(Query("far"), against)


def test_signs_look_at_what_may_be_seen(
    engine: Engine, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, some = Random(6), 0
    fill(engine, clock, random, is_mixed=True)
    for limits in LIMITS:
        with engine.store.read() as reader:
            seen, asked = allowed(reader, Query("", **limits), clock.time), vector(random)
            exact = set(meanings(reader, asked, seen, 1_000))
            with monkeypatch.context() as patch:
                patch.setattr(dense, "EXACT", 0)
                assert set(meanings(reader, asked, seen, 1_000)) == exact
        some += len(exact)
    assert some > 100


def test_who_spoke_in_what_is_forgotten_is_a_speaker_in_little_as_in_much(
    engine: Engine, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Scope(user="ann")
    told = [New("I like tea", role="Bob"), New("Bob came"), New("tea is ready", role="Ann")]
    bobs = engine.add(here, told)[0]
    engine.add(Scope(user="bob"), [New("nothing", role="Tea")])
    engine.forget(bobs.id)
    clock.time += 1
    hits = engine.search(Query("Bob and tea", scope=here))
    parts = {hit.item.body: hit.parts for hit in hits}
    assert "words" in parts["tea is ready"]
    assert "words" not in parts.get("Bob came", {})
    with monkeypatch.context() as patch:
        patch.setattr(few, "MOST", 0)
        assert engine.search(Query("Bob and tea", scope=here)) == hits
