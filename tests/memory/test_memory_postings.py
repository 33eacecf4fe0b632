"""Postings that were sorted give what they gave before, and DuckDB skips what it need not read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from memory_clock import Hand

from iaiflow_memory import few, postings
from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import Full, NotFound
from iaiflow_memory.model import Hit, New, Query, Scope
from iaiflow_memory.rank import DECIMALS

WORDS = ("river", "boat", "paint", "tea", "music", "garden", "hiking", "pets", "chợ", "the")
RUN = 60


@pytest.fixture
def twins(tmp_path: Path, clock: Hand) -> Iterator[tuple[Engine, Engine]]:
    """Return two memories to do the same with: one sorts its postings often, the other never."""
    one, other = (Engine(tmp_path / f"{name}.duckdb", clock=clock) for name in ("one", "other"))
    yield one, other
    one.close()
    other.close()


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "RUN", RUN)


def text(random: Random) -> str:
    return " ".join(random.choices(WORDS, k=random.randint(1, 6)))


def change(engine: Engine, random: Random, ids: list[str]) -> None:
    """Do one thing of those that write postings or ask for them by memory."""
    what, memory = random.random(), random.choice(ids) if ids else ""
    whose = Scope(user=random.choice("ab"))
    if what < 0.6 or not ids:
        ids.append(f"id-{len(ids)}")
        engine.add(whose, [New(text(random), id=ids[-1], subject=random.choice("xyz"), once=False)])
    elif what < 0.96:
        with suppress(NotFound):
            if what < 0.8:
                engine.supersede(memory, {"text": text(random)})
            else:
                engine.forget(memory)
    else:
        engine.erase(ids=[memory])


def told(engine: Engine) -> list[object]:
    """Return all that is known of terms, and what some questions find."""
    with engine.store.read() as reader:
        known = reader.rows(
            "SELECT terms.term, df, list((n, tf) ORDER BY n) FROM terms "
            "JOIN postings ON postings.term = term_id GROUP BY ALL ORDER BY ALL"
        )
    asked = [Query(f"{one} {other}") for one, other in pairwise(WORDS)]
    asked += [Query(one.text, scope=Scope(user="a")) for one in asked]
    return [known, [[found(hit) for hit in engine.search(one)] for one in asked]]


def found(hit: Hit) -> object:
    return hit.item.n, hit.score, {name: round(part, DECIMALS) for name, part in hit.parts.items()}


def runs(engine: Engine) -> list[tuple[int, int]]:
    """Return term and memory of the postings that count as sorted, as they stand in the file."""
    with engine.store.read() as reader:
        to = reader.rows("postings_sorted_to")[0][0]
        return reader.rows("SELECT term, n FROM postings WHERE n <= ? ORDER BY rowid", [int(to)])


def falls(engine: Engine) -> int:
    """Return how often a smaller term follows: once after each run."""
    return sum(later < earlier for earlier, later in pairwise(runs(engine)))


@pytest.mark.parametrize("most", [few.MOST, 0])
def test_sorting_changes_no_answer(
    twins: tuple[Engine, Engine], clock: Hand, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(few, "MOST", most)
    randoms, ids = (Random(3), Random(3)), ([], [])
    for _ in range(150):
        clock.time += 1
        for engine, random, known, run in zip(twins, randoms, ids, (RUN, 10**9), strict=True):
            monkeypatch.setattr(postings, "RUN", run)
            change(engine, random, known)
    one, other = twins
    assert told(one) == told(other)
    assert 2 <= falls(one) < len(runs(one)) / 10


def test_what_is_loaded_is_sorted_and_erasing_leaves_it_so(
    twins: tuple[Engine, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = twins
    random = Random(4)
    monkeypatch.setattr(postings, "RUN", 10**9)
    news = [New(text(random), id=f"id-{at}", once=False) for at in range(100)]
    source.add(Scope(), news)
    source.export(tmp_path / "export")
    monkeypatch.setattr(postings, "RUN", 100)
    target.load(tmp_path / "export")
    assert told(source) == told(target)
    assert len(runs(target)) > 200
    before = falls(target)
    for engine in twins:
        engine.erase(ids=["id-7"])
    assert told(source) == told(target)
    assert falls(target) == before


def test_an_older_file_is_sorted_when_it_is_written(
    tmp_path: Path, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, random = tmp_path / "memory.duckdb", Random(5)
    monkeypatch.setattr(postings, "RUN", 10**9)
    engine = Engine(path, clock=clock)
    engine.add(Scope(), [New(text(random), once=False) for _ in range(100)])
    before = told(engine)
    engine.close()
    monkeypatch.setattr(postings, "RUN", RUN)
    engine = Engine(path, clock=clock)
    assert told(engine) == before
    sorted_ = list[int]()
    for number in range(12):  # a run with each write
        engine.add(Scope(user="b"), [New(f"piano {number}", subject="piano")])
        sorted_.append(len(runs(engine)))
    assert 0 < sorted_[0] < sorted_[1] < sorted_[-1]
    engine.erase(subject="piano")
    assert told(engine) == before
    assert len(runs(engine)) > 200
    engine.close()


def test_what_cannot_be_sorted_is_written_all_the_same(tmp_path: Path) -> None:
    is_full = True

    def faults(point: str) -> None:
        if point == "sort.before_commit" and is_full:
            raise Full("No room is left on the disk")

    engine = Engine(tmp_path / "memory.duckdb", faults=faults)
    for number in range(40):
        engine.add(Scope(), [New(f"the boat {number} on the river", once=False)])
    with engine.store.read() as reader:
        assert reader.rows("postings_sorted_to") == []
    is_full = False
    for number in range(40):
        engine.add(Scope(), [New(f"the boat {number} on the lake", once=False)])
    assert len(runs(engine)) > 2 * RUN
    assert len(engine.search(Query("boat", limit=100))) == 80
    engine.close()
