"""What is kept of one question for the next is what would be read anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from memory_clock import Hand

from iaiflow_memory import search as searching
from iaiflow_memory.dense import Vector
from iaiflow_memory.engine import Engine
from iaiflow_memory.grown import Grown
from iaiflow_memory.kept import Kept
from iaiflow_memory.model import Hit, New, Query, Scope
from iaiflow_memory.store import Reader

WORDS = ("river", "boat", "paint", "tea", "music", "garden", "chợ", "cho", "hiking", "pets")
SCOPES = tuple(Scope(user=user, thread=thread) for user in ("ann", "bob") for thread in "xyz")
MODEL = "made-up"


def vector(random: Random) -> Vector:
    return Vector.of(MODEL, [random.gauss(0, 1) for _ in range(8)])


def change(engine: Engine, random: Random, told: list[str]) -> None:
    """Write something, of any kind."""
    what = random.choice(("add", "add", "add", "supersede", "forget", "undo", "erase", "vectors"))
    text = " ".join(random.choices(WORDS, k=random.randint(1, 5)))
    if what == "add" or not told:
        new = New(text, role=random.choice(("", "Ann", "Bob")), once=False)
        (added,) = engine.add(random.choice(SCOPES), [new])
        told.append(added.id)
    elif what == "supersede":
        engine.supersede(told[-1], {"text": text})
    elif what == "forget":
        engine.forget(told.pop())
    elif what == "undo":
        (added,) = engine.add(random.choice(SCOPES), [New(text, role="Cy", once=False)])
        engine.undo(added.batch)
    elif what == "erase":
        engine.erase([told.pop(0)])
    else:
        waiting = engine.pending(MODEL, 1_000)
        engine.put_vectors(MODEL, {n: vector(random).data for n, _ in waiting})


def found(hits: list[Hit]) -> list[object]:
    return [(hit.item, pytest.approx(hit.score), hit.near) for hit in hits]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_search_finds_what_it_finds_when_nothing_is_kept(
    engine: Engine, clock: Hand, soak: Callable[[int, int], int], seed: int
) -> None:
    random, told = Random(seed), list[str]()
    for _ in range(soak(12, 200)):
        change(engine, random, told)
        clock.time += 1
        scope = random.choice((Scope(), Scope(user="ann"), *SCOPES))
        query = Query(" ".join(("Ann", *random.sample(WORDS, 3))), scope=scope)
        seen = random.choice((None, vector(random)))
        for asked in (query, replace(query, limit=3)):  # the second finds much of it kept
            hits = engine.search(asked, seen)
            with engine.store.read() as reader:
                anew = Reader(reader.connection, {}, Kept(), Grown())
                expected = searching.search(anew, asked, now=clock.time, vector=seen)
            assert [(hit.item, hit.score, hit.near) for hit in hits] == found(expected)


def test_readers_beside_a_writer_never_see_another_state(
    engine: Engine, soak: Callable[[int, int], int]
) -> None:
    wrong: list[object] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            with engine.store.read() as reader:
                kept = reader.kept("corpus"), reader.kept_each("known_terms", ["tea", "boat"])
                known = {row[0]: row for row in reader.rows("known_terms", [["tea", "boat"]])}
                if kept != (reader.rows("corpus"), known):
                    wrong.append(kept)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(soak(30, 1_000)):
            engine.add(Scope(), [New(f"tea {number}", once=False)])
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_a_writer_sees_what_it_has_written(engine: Engine) -> None:
    engine.add(Scope(), [New("tea")])
    with engine.store.read() as reader:
        assert reader.kept("corpus")[0][0] == 1
    with engine.store.write() as writer:
        writer.run("UPDATE totals SET docs = 5")
        assert writer.kept("corpus")[0][0] == 5
    with engine.store.read() as reader:
        assert reader.kept("corpus")[0][0] == 5


def test_nothing_is_taken_for_another_state() -> None:
    kept = Kept()
    before = kept.state
    kept.keep(before, "a", [1], 1)
    assert kept.find(before, "a") == [1]
    kept.begin()
    assert not kept.is_still(before)
    kept.end()
    assert kept.find(kept.state, "a") is None
    kept.keep(kept.state, "a", [2], 1)
    kept.keep(before, "b", [3], 1)  # read before the write by somebody slow
    assert kept.find(before, "a") is None
    assert kept.find(kept.state, "b") is None


def test_what_is_kept_stays_small() -> None:
    kept = Kept()
    for number in range(3):
        kept.keep(0, number, [number], 60_000)
    assert [kept.find(0, number) for number in range(3)] == [None, None, [2]]
    kept.keep(0, "many", [0], 1_000_000)
    assert kept.find(0, "many") is None
