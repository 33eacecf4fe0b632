"""How long memory takes to search, write and open, and how large it is.

    python -m tests.benchmarks.memory_speed [--sizes 10000,100000] [--writers 1,4,16]

Memories are made-up texts whose words are spread as in languages (Zipf), of many people and
conversations, with made-up vectors. LanceDB, Chroma, the store of LangGraph and mem0 are filled
with the same ones and asked for the same vectors, where they are installed (memory_peers.py); one
that is not full after `--patience` seconds is not measured. All is measured in one run on one disk:
compare rows, not machines. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any
from unittest.mock import patch

from iaiflow_memory import dense
from iaiflow_memory.dense import Vector, find
from iaiflow_memory.engine import Engine
from iaiflow_memory.model import New, Query, Scope
from iaiflow_memory.signs import has_numpy
from iaiflow_memory.store import logs_of
from tests.benchmarks.memory_peers import DIM, Source, peers

MODEL = "made-up"
PEOPLE = 1_000
BATCH = 1_000
_WRITER = """
import sys, time
from iaiflow_memory import Memory
path, seconds, name = sys.argv[1], float(sys.argv[2]), sys.argv[3]
with Memory(path, thread=name) as memory:
    memory.add(f"{name} is ready")
    print("ready", flush=True)
    sys.stdin.readline()
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        memory.add(f"{name} saw number {count}: {hash((name, count))}", once=False)
        count += 1
print(count, flush=True)
"""


class Words:
    """Makes up texts."""

    def __init__(self, seed: int = 7) -> None:
        self._random = Random(seed)
        self._words = [self._word() for _ in range(30_000)]
        self._shares = list(itertools.accumulate(1 / (at + 5) for at in range(len(self._words))))

    def text(self, count: int) -> str:
        """Return a text of so many words."""
        return " ".join(self._random.choices(self._words, cum_weights=self._shares, k=count))

    def vector(self) -> list[float]:
        """Return a vector in any direction."""
        return [self._random.gauss(0, 1) for _ in range(DIM)]

    def _word(self) -> str:
        syllables = self._random.randint(2, 4)
        return "".join(
            self._random.choice("bcdfghklmnprstvw") + self._random.choice("aeiou")
            for _ in range(syllables)
        )


def fill(engine: Engine, size: int, words: Words) -> float:
    """Add memories and return how many a second."""
    begun = perf_counter()
    for start in range(0, size, BATCH):
        number = start // BATCH
        scope = Scope(project="p", user=f"u{number % PEOPLE}", thread=f"t{number}")
        count = min(BATCH, size - start)
        engine.add(scope, [New(words.text(18), role="user", once=False) for _ in range(count)])
    return size / (perf_counter() - begun)


def fill_vectors(engine: Engine, words: Words) -> str:
    """Give every memory a vector in any direction, made where the data is; return their table."""
    engine.put_vectors(MODEL, {1: Vector.of(MODEL, words.vector()).data})
    with engine.store.write() as writer:
        vectors = find(writer, MODEL)
        assert vectors is not None
        table = f"emb_{vectors.k}"
        signs = ", ".join(_signs(word) for word in range(DIM // 64))
        component = f"(random() + random() - 1) / sqrt({DIM} / 6) + 0 * (n + x)"
        for (first,) in writer.rows("SELECT DISTINCT n // 10000 * 10000 FROM items ORDER BY 1"):
            writer.run(
                f"INSERT INTO {table} SELECT n, v, {signs} FROM ("
                f" SELECT n, list_transform(range({DIM}), lambda x: {component})::FLOAT[{DIM}] AS v"
                f" FROM items WHERE n BETWEEN {first} AND {first} + 9999"
                f" AND n NOT IN (SELECT n FROM {table}))"
            )
    return table


def _signs(word: int) -> str:
    bit = f"CASE WHEN v[(x + 1 + {64 * word})::INTEGER] > 0 THEN 2::UHUGEINT ** x ELSE 0 END"
    return f"list_sum(list_transform(range(64), lambda x: ({bit})::UHUGEINT))::UBIGINT"


def latency(action: Callable[[int], object], repeats: int) -> dict[str, float]:
    """Return the middle and the worst of several times in milliseconds."""
    action(-1)  # the first one reads the file
    times: list[float] = []
    for number in range(repeats):
        begun = perf_counter()
        action(number)
        times.append((perf_counter() - begun) * 1_000)
    return {"p50_ms": round(statistics.median(times), 2), "max_ms": round(max(times), 2)}


def searches(
    engine: Engine, questions: Sequence[str], asked: Sequence[list[float]], people: int
) -> dict[str, Any]:
    """Return how long searches take, by what limits them."""
    vectors, repeats = [Vector.of(MODEL, vector) for vector in asked], len(asked) - 1

    def ask(scope: Scope, *, by_meaning: bool) -> Callable[[int], object]:
        return lambda at: engine.search(
            Query(questions[at], scope=scope), vectors[at] if by_meaning else None
        )

    def somebody(at: int) -> Scope:
        return Scope(user=f"u{(at + 1) % people}")

    found = {
        "words, all": latency(ask(Scope(), by_meaning=False), repeats),
        "words, one person": latency(lambda at: ask(somebody(at), by_meaning=False)(at), repeats),
        "words and vectors, all": latency(ask(Scope(), by_meaning=True), repeats),
        "words and vectors, one person": latency(
            lambda at: ask(somebody(at), by_meaning=True)(at), repeats
        ),
    }
    if has_numpy():
        with patch.object(dense, "has_numpy", lambda: False):
            found["words and vectors, all, without numpy"] = latency(
                ask(Scope(), by_meaning=True), repeats
            )
    return found


def measure(size: int, repeats: int, patience: float = 300.0) -> dict[str, Any]:
    """Return what a memory of some size needs.

    Args:
        size: How many memories.
        repeats: How many searches of each kind.
        patience: How long another store may take to be filled, in seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "memory.duckdb")
        words = Words()
        engine = Engine(path)
        rate = fill(engine, size, words)
        engine.close()
        bytes_of_text = _bytes(path)
        engine = Engine(path)
        table = fill_vectors(engine, words)
        engine.close()
        questions = [words.text(6) for _ in range(repeats + 1)]
        asked = [words.vector() for _ in range(repeats + 1)]
        begun = perf_counter()
        engine = Engine(path)
        opened = perf_counter() - begun
        found = {
            "added_per_s": round(rate),
            "bytes_per_memory": round(bytes_of_text / size),
            "bytes_per_memory_with_vectors": round(_bytes(path) / size),
            "open_ms": round(opened * 1_000, 1),
            "search": searches(engine, questions, asked, max(1, min(PEOPLE, size // BATCH))),
        }
        engine.close()
        source = Source(path, table, patience)
        found["peers"] = dict(peers(source, asked, Path(folder), latency))
    return found


def _bytes(path: Path) -> int:
    return sum(part.stat().st_size for part in (path, *logs_of(path)) if part.exists())


def writes(writers: int, seconds: float) -> float:
    """Return how many memories a second several processes write, each on disk before the next."""
    # The owner of the file stays a little longer than its clients.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder, "memory.duckdb")
        started = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, str(path), str(seconds), f"writer {at}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for at in range(writers)
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        total = sum(int(process.communicate()[0]) for process in started)
    return total / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000", help="numbers of memories")
    parser.add_argument("--writers", default="1,4,16", help="numbers of processes that write")
    parser.add_argument("--repeats", type=int, default=30, help="searches of each kind")
    parser.add_argument(
        "--patience", type=float, default=300.0, help="seconds that another store has to be filled"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="how long processes write")
    asked = parser.parse_args()
    result: dict[str, Any] = {"writes_per_s": {}, "sizes": {}}
    for writers in filter(None, asked.writers.split(",")):
        result["writes_per_s"][writers] = rate = round(writes(int(writers), asked.seconds))
        print(f"{writers} processes: {rate} durable writes a second", flush=True)
    for size in filter(None, asked.sizes.split(",")):
        result["sizes"][size] = found = measure(int(size), asked.repeats, asked.patience)
        print(f"{int(size):,} memories: {json.dumps(found, indent=1)}", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
