"""Signs that numpy compares choose what those choose that DuckDB compares, whatever is written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random

import pytest
from memory_clock import Hand

from iaiflow_memory import dense
from iaiflow_memory.allowed import allowed
from iaiflow_memory.dense import Vector, meanings
from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import Full
from iaiflow_memory.grown import Grown
from iaiflow_memory.model import New, Query, Scope
from iaiflow_memory.signs import has_numpy
from iaiflow_memory.store import Reader

numpy = pytest.importorskip("numpy")

MODEL = "made-up"
QUERIES = (
    Query(""),
    Query("", tags=("green",)),
    Query("", scope=Scope(user="ann")),
    Query("", everywhere=True, kinds=("semantic",)),
)


@pytest.fixture(autouse=True)
def only_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few vectors are enough to look at signs first, and those of an unfinished model, too."""
    monkeypatch.setattr(dense, "EXACT", 0)
    monkeypatch.setattr(dense, "COVERAGE", 0.0)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reader, Vector, float, int], int]:
    """Return what compares numpy with DuckDB for a question, and tells how many it found."""

    def compared(reader: Reader, asked: Vector, now: float, wide: int) -> int:
        count = 0
        for query in QUERIES:
            seen = allowed(reader, query, now)
            found: list[dict[int, float]] = []
            for is_there in (True, False):
                monkeypatch.setattr(dense, "has_numpy", lambda is_there=is_there: is_there)
                found.append(meanings(reader, asked, seen, wide))
            assert found[0] == pytest.approx(found[1], rel=1e-9)
            count += len(found[0])
        return count

    return compared


def vector(random: Random, dim: int = 70, model: str = MODEL) -> Vector:
    return Vector.of(model, [random.gauss(0, 1) for _ in range(dim)])


def add(engine: Engine, random: Random, count: int = 1) -> list[str]:
    whose = Scope(user=random.choice(("ann", "bob")))
    news = [
        New(
            f"note {random.random()}",
            kind=random.choice(("episodic", "semantic")),
            tags=random.choice(((), ("green",))),
        )
        for _ in range(count)
    ]
    return [added.id for added in engine.add(whose, news)]


def embed(engine: Engine, random: Random, most: int, model: str = MODEL, dim: int = 70) -> None:
    waiting = engine.pending(model, most)
    engine.put_vectors(model, {n: vector(random, dim, model).data for n, _ in waiting})


def change(engine: Engine, random: Random, ids: list[str]) -> None:
    """Write something of that which changes vectors, or what may be seen."""
    what = random.random()
    if what < 0.4 or len(ids) < 5:
        ids += add(engine, random, random.randint(1, 4))
    elif what < 0.7:
        embed(engine, random, random.randint(1, 6))
    elif what < 0.8:
        engine.supersede(random.choice(ids), {"text": f"other {random.random()}"})
    elif what < 0.9:
        engine.forget(ids.pop(random.randrange(len(ids))))
    else:
        engine.erase(ids=[ids.pop(random.randrange(len(ids)))])


@pytest.mark.parametrize("seed", range(3))
def test_numpy_and_duckdb_choose_the_same(
    engine: Engine, clock: Hand, both: Callable[..., int], seed: int
) -> None:
    random, ids, count = Random(seed), [], 0
    for _ in range(60):
        clock.time += 1
        change(engine, random, ids)
        with engine.store.read() as reader:
            count += both(reader, vector(random), clock.time, random.choice((3, 10, 1_000)))
    assert count > 500


def test_equal_signs_are_chosen_alike(
    engine: Engine, clock: Hand, both: Callable[..., int]
) -> None:
    """With two components nearly all agree equally; the later ones are chosen."""
    random = Random(7)
    add(engine, random, 40)
    embed(engine, random, 40, dim=2)
    clock.time += 1
    with engine.store.read() as reader:
        for wide in (1, 7, 39, 40, 41):
            assert both(reader, vector(random, 2), clock.time, wide)
        same = Vector.of("other", [1.0, 0.0])
    engine.put_vectors("other", dict.fromkeys(range(1, 41), same.data))
    with engine.store.read() as reader:
        both(reader, same, clock.time, 5)


def test_who_began_to_read_earlier_sees_what_was_there_then(
    engine: Engine, clock: Hand, both: Callable[..., int]
) -> None:
    random = Random(8)
    add(engine, random, 10)
    embed(engine, random, 10)
    clock.time += 1
    asked = vector(random)
    with engine.store.read() as early:
        before = both(early, asked, clock.time, 1_000)
        add(engine, random, 10)
        embed(engine, random, 10)
        with engine.store.read() as late:
            assert both(late, asked, clock.time, 1_000) > before
        assert both(early, asked, clock.time, 1_000) == before


def test_a_model_that_comes_again_is_another(
    engine: Engine, clock: Hand, both: Callable[..., int]
) -> None:
    random = Random(9)
    add(engine, random, 20)
    embed(engine, random, 20)
    embed(engine, random, 20, "newer")
    clock.time += 1
    with engine.store.read() as reader:
        assert both(reader, vector(random, model="newer"), clock.time, 5)
    clock.time += 8 * 86_400
    assert engine.pending(MODEL, 1) == []  # drops what nobody asks for
    assert set(engine.stats().vectors) == {MODEL}
    embed(engine, random, 20, "newer")
    with engine.store.read() as reader:
        assert both(reader, vector(random, model="newer"), clock.time, 5)


def test_what_is_erased_does_not_count_while_the_file_is_not_yet_new(
    engine: Engine, clock: Hand, both: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(10)
    ids = add(engine, random, 20)
    embed(engine, random, 20)
    clock.time += 1
    with engine.store.read() as reader:
        before = both(reader, vector(random), clock.time, 1_000)

    def full(point: str) -> None:
        if point == "erase.before_copy":
            raise Full("No room is left on the disk")

    monkeypatch.setattr(engine.store, "faults", full)
    with pytest.raises(Full):
        engine.erase(ids=ids[:3])
    for _ in range(3):
        with engine.store.read() as reader:
            assert both(reader, vector(random), clock.time, 1_000) < before
        add(engine, random, 3)
        embed(engine, random, 3)
    monkeypatch.undo()


def test_an_older_numpy_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_numpy()
    for missing in ("bitwise_count", None):
        has_numpy.cache_clear()
        with monkeypatch.context() as patch:
            if missing:
                patch.delattr(numpy, missing)
            else:
                patch.setitem(sys.modules, "numpy", None)
            assert not has_numpy()
    has_numpy.cache_clear()


def test_a_table_whose_rows_have_moved_is_read_anew() -> None:
    grown, rows = Grown(), list(range(16))

    def read(first: int) -> dict[str, object]:
        return {"n": numpy.array(rows[first:])}

    assert grown.columns("t", 16, read)["n"].tolist() == rows
    rows.append(16)
    early = grown.columns("t", 17, read)["n"]
    rows[:] = range(100, 118)
    late = grown.columns("t", 18, lambda first: read(first and first + 1))["n"]
    assert late.tolist() == rows
    assert early.tolist() == list(range(17))
