"""Vectors: made in the background, exact or by signs, and never half of them."""

from __future__ import annotations

import contextlib
import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_clock import Hand

from iaiflow_memory import dense, embedding, few
from iaiflow_memory.dense import Vector
from iaiflow_memory.embedding import Embedding, step
from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import BadInput, MemoryFault, Unavailable
from iaiflow_memory.model import New, Query, Scope

PATIENCE = 60.0
TOPICS = {"tea": 0, "brew": 0, "leaf": 0, "boat": 1, "sail": 1, "harbour": 1, "song": 2, "choir": 2}


class Topics:
    """An embedder that knows three topics."""

    def __init__(self, name: str = "topics", size: int = 70) -> None:
        self.model_id = name
        self.size = size
        self.texts: list[str] = []

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector(text)

    def _vector(self, text: str) -> list[float]:
        noise = Random(text)
        vector = [noise.gauss(0, 0.05) for _ in range(self.size)]
        for word in text.lower().split():
            if word in TOPICS:
                for at in range(TOPICS[word] * 20, TOPICS[word] * 20 + 20):
                    vector[at] += 1.0
        return vector


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(tmp_path / "memory.duckdb")
    opened.add(
        Scope(),
        [
            New(f"{word} {n}", kind="semantic", once=False)
            for n in range(3)
            for word in ("leaf", "harbour", "choir")
        ],
    )
    yield opened
    opened.close()


def ask(engine: Engine, text: str, model: Topics) -> list[str]:
    vector = Vector.of(model.model_id, model.embed_query(text))
    return [hit.item.body for hit in engine.search(Query(text, limit=3), vector)]


def embed_all(engine: Engine, model: Topics) -> None:
    while step(engine, model):
        pass


def test_what_shares_no_word_is_found_by_meaning(engine: Engine) -> None:
    model = Topics()
    assert ask(engine, "sail", model) == []
    embed_all(engine, model)
    assert {body.split()[0] for body in ask(engine, "sail", model)} == {"harbour"}
    assert {body.split()[0] for body in ask(engine, "brew", model)} == {"leaf"}


def test_one_memory_alone_is_found_by_meaning_if_it_is_near(tmp_path: Path) -> None:
    model = Topics()
    with contextlib.closing(Engine(tmp_path / "one.duckdb")) as engine:
        engine.add(Scope(), [New("harbour", kind="semantic")])
        embed_all(engine, model)
        assert ask(engine, "sail", model) == ["harbour"]
        against = [-one for one in model.embed_query("sail")]
        assert engine.search(Query("far"), Vector.of(model.model_id, against)) == []


def test_signs_choose_what_is_compared_exactly(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Topics()
    embed_all(engine, model)
    exact = ask(engine, "sail", model)
    monkeypatch.setattr(few, "MOST", 0)
    monkeypatch.setattr(dense, "EXACT", 2)
    assert ask(engine, "sail", model) == exact


def test_another_embedder_is_used_when_it_has_seen_nearly_all(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = Topics("old"), Topics("new", size=90)
    embed_all(engine, old)
    monkeypatch.setattr(embedding, "BATCH", 4)
    assert step(engine, new) == 4
    assert ask(engine, "sail", new) == []  # by words alone, not by the few that have a vector
    assert ask(engine, "harbour", new)[0].startswith("harbour")
    assert {body.split()[0] for body in ask(engine, "sail", old)} == {"harbour"}
    embed_all(engine, new)
    assert {body.split()[0] for body in ask(engine, "sail", new)} == {"harbour"}


def test_vectors_go_that_nobody_asks_for_when_another_model_has_all(tmp_path: Path) -> None:
    clock, old, new = Hand(), Topics("old"), Topics("new", size=90)
    engine = Engine(tmp_path / "memory.duckdb", clock=clock)
    engine.add(Scope(), [New("harbour", id="1"), New("leaf", id="2")])
    embed_all(engine, old)
    embed_all(engine, new)
    assert engine.stats().vectors == {"old": 2, "new": 2}
    assert engine.stats().embedder == "new"
    for _ in range(10):  # both are in use
        clock.time += embedding.KEPT / 2
        embed_all(engine, old)
        embed_all(engine, new)
    assert engine.stats().vectors == {"old": 2, "new": 2}
    engine.add(Scope(), [New("choir", id="3")])
    clock.time += embedding.KEPT + 1
    assert engine.pending("new", 10)
    assert engine.stats().vectors == {"old": 2, "new": 2}  # the other one lacks something yet
    embed_all(engine, new)
    assert engine.stats().vectors == {"new": 3}
    assert {body.split()[0] for body in ask(engine, "sail", new)} >= {"harbour"}
    assert engine.search(Query("harbour"), Vector.of("old", old.embed_query("sail")))
    embed_all(engine, old)  # somebody has come back to it
    assert engine.stats().vectors == {"new": 3, "old": 3}
    assert engine.stats().embedder == "old"
    engine.close()
    engine = Engine(tmp_path / "memory.duckdb", clock=clock)
    assert engine.stats().vectors == {"new": 3, "old": 3}
    engine.close()


def test_every_memory_is_embedded_once(engine: Engine) -> None:
    model = Topics()
    embed_all(engine, model)
    engine.add(Scope(), [New("sail 9", kind="semantic")])
    embed_all(engine, model)
    assert len(model.texts) == len(set(model.texts)) == 10
    (row,) = [n for n, _ in engine.pending("other", 100)][:1]
    data = Vector.of("topics", [1.0] * 70).data
    assert engine.put_vectors("topics", {row: data, 10_000: data}) == 0


def test_a_thread_embeds_what_is_added_meanwhile(engine: Engine) -> None:
    model = Topics()
    thread = Embedding(engine, model)
    try:
        assert thread.wait(PATIENCE)
        engine.add(Scope(), [New("sail 9", kind="semantic")])
        assert thread.wait(PATIENCE)
        assert engine.pending(model.model_id, 10) == []
    finally:
        thread.close()


class Failing(Topics):
    """An embedder that fails until it is mended."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.is_mended = False

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        if not self.is_mended:
            raise self.error
        return super().embed_documents(texts)


@pytest.mark.parametrize("error", [Unavailable("it did not embed"), KeyError("embedding")])
def test_an_embedder_that_fails_is_told_of_and_tried_again(
    engine: Engine, error: Exception
) -> None:
    model, told, faults = Failing(error), threading.Event(), list[MemoryFault]()

    def tell(fault: MemoryFault) -> None:
        faults.append(fault)
        told.set()

    thread = Embedding(engine, model, tell)
    try:
        assert told.wait(PATIENCE)
        assert isinstance(faults[0], Unavailable)
        assert ask(engine, "harbour", model)[0].startswith("harbour")
        model.is_mended = True
        assert thread.wait(PATIENCE)
        assert engine.pending(model.model_id, 10) == []
    finally:
        thread.close()


def test_vectors_that_do_not_fit_are_refused(engine: Engine) -> None:
    embed_all(engine, Topics())
    with pytest.raises(BadInput, match="components"):
        engine.search(Query("tea"), Vector.of("topics", [1.0, 2.0]))
    row = engine.pending("other", 1)[0][0]
    short, long = Vector.of("new", [1.0]).data, Vector.of("new", [1.0, 2.0]).data
    with pytest.raises(BadInput, match="components"):
        engine.put_vectors("new", {row: short, row + 1: long})
    assert engine.pending("new", 100) == engine.pending("other", 100)  # nothing half done
    with pytest.raises(BadInput, match="empty"):
        engine.put_vectors("new", {row: b""})
    with pytest.raises(BadInput, match="not finite"):
        Vector.of("m", [float("nan")])


def test_a_text_without_a_direction_is_no_hit_and_no_obstacle(engine: Engine) -> None:
    class Nothing(Topics):
        def _vector(self, text: str) -> list[float]:
            return [0.0] * self.size

    model = Nothing("nothing")
    embed_all(engine, model)
    assert ask(engine, "sail", model) == []


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=200))
def test_signs_are_those_of_the_components(components: list[float]) -> None:
    vector = Vector.of("m", components)
    words = vector.signs
    assert len(words) == (len(components) + 63) // 64
    read = [bool(words[at // 64] >> at % 64 & 1) for at in range(len(components))]
    assert read == [value > 0 for value in array("f", vector.data)]


def test_a_memory_that_takes_vectors_needs_two_verbs_only() -> None:
    class Plain:
        def __init__(self) -> None:
            self.waiting = [(1, "tea"), (2, "boat")]
            self.taken: dict[int, bytes] = {}

        def pending(self, model: str, limit: int) -> Sequence[tuple[int, str]]:
            return [pair for pair in self.waiting if pair[0] not in self.taken][:limit]

        def put_vectors(self, model: str, vectors: Mapping[int, bytes]) -> int:
            self.taken.update(vectors)
            return len(vectors)

    memory = Plain()
    assert step(memory, Topics()) == 2
    assert step(memory, Topics()) == 0
    assert {len(data) for data in memory.taken.values()} == {280}
