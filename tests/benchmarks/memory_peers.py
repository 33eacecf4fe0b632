"""Other stores that agents use as a memory, filled with the very memories that ours holds.

Each is asked for the ten nearest of the same vectors, with its own defaults:

- `lancedb`: a table without an index, so exact; in files.
- `chromadb`: HNSW, so approximate; in files.
- `langgraph`: `InMemoryStore`, exact, in the memory of this process, gone with it.
- `mem0`: `infer=False` (no model), with its default store, Qdrant's local mode: exact, in a file
  beside a history in SQLite. Of its ranking by words and names it does what needs no download.

They look at vectors alone, where ours looks at words, neighbours and time as well. `agree` is how
many of the exact ten nearest are among those found: vectors in any direction are the hardest case
of an approximate index.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any, Final

Embedding = Sequence[float]
#: Finds the ten nearest of a vector; returns their rows.
Search = Callable[[Embedding], list[int]]
#: A row, its text and its vector.
Told = tuple[int, str, Embedding]

DIM: Final = 384
#: How many memories are given at once to a store that takes several.
BATCH: Final = 1_000
_ALL: Final = "SELECT n, body, v FROM items JOIN {table} USING (n) ORDER BY n"


class TooSlow(Exception):  # noqa: N818  it is told, not raised to anybody
    """A store was not filled in time."""


@dataclass(slots=True)
class Source:
    """The memories of a file of ours, which nobody has open.

    Args:
        file: The file.
        table: The table of the vectors.
        patience: How long a store may take to be filled, in seconds.
    """

    file: Path
    table: str
    patience: float

    def batches(self) -> Iterator[list[Told]]:
        """Yield all memories.

        Raises:
            TooSlow: Who takes them did not take all in time.
        """
        deadline, taken = perf_counter() + self.patience, 0
        with closing(self._connected()) as database:
            rows = database.execute(_ALL.format(table=self.table))
            while batch := rows.fetchmany(BATCH):
                if perf_counter() > deadline:
                    raise TooSlow(
                        f"not measured: it took {taken:,} memories in {self.patience:g} s"
                    )
                yield batch
                taken += len(batch)

    def arrow(self) -> Any:
        """Return the rows and vectors of all memories as a reader of Arrow."""
        wanted = _ALL.replace("n, body, v", "n, v").format(table=self.table)
        return self._connected().sql(wanted).to_arrow_reader(10 * BATCH)

    def nearest(self, vector: Embedding) -> set[int]:
        """Return the rows of the exact ten nearest."""
        distance = f"array_cosine_distance(v, ?::FLOAT[{DIM}])"
        wanted = f"SELECT n FROM {self.table} ORDER BY {distance} LIMIT 10"
        with closing(self._connected()) as database:
            return {n for (n,) in database.execute(wanted, [list(vector)]).fetchall()}

    def _connected(self) -> Any:
        import duckdb

        return duckdb.connect(str(self.file), read_only=True)


def peers(
    source: Source,
    asked: Sequence[Embedding],
    folder: Path,
    latency: Callable[[Callable[[int], object], int], dict[str, float]],
) -> Iterator[tuple[str, Any]]:
    """Yield how other stores do with the same memories, or why that is not known.

    Args:
        source: The memories.
        asked: What is looked for.
        folder: Where stores may write.
        latency: Measures a function that takes the number of a question, so many times.
    """
    os.environ |= {"MEM0_TELEMETRY": "False", "MEM0_DIR": str(folder)}  # read at its import
    exact = [source.nearest(vector) for vector in asked]
    for name, make in _PEERS.items():
        if find_spec(name) is None:
            yield name, "not installed"
            continue
        try:
            import_module(name)
            begun = perf_counter()
            search = make(source, folder / name)
            filled = perf_counter() - begun
            found = [set(search(vector)) for vector in asked]
            times = latency(lambda at, search=search: search(asked[at]), len(asked) - 1)
        except TooSlow as slow:
            yield name, str(slow)
        except Exception as error:
            yield name, f"failed: {type(error).__name__}: {error}"
        else:
            pairs = zip(found, exact, strict=True)
            agree = sum(len(one & best) / len(best) for one, best in pairs) / len(asked)
            yield name, {**times, "agree": round(agree, 3), "fill_s": round(filled, 1)}


def _lancedb(source: Source, folder: Path) -> Search:
    import lancedb

    table = lancedb.connect(str(folder)).create_table("memories", source.arrow())

    def search(vector: Embedding) -> list[int]:
        query = table.search(list(vector), vector_column_name="v").metric("cosine")
        return [row["n"] for row in query.limit(10).to_list()]

    return search


def _chroma(source: Source, folder: Path) -> Search:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
    memories = client.create_collection("memories", metadata={"hnsw:space": "cosine"})
    for batch in source.batches():
        ids = [str(n) for n, _, _ in batch]
        memories.add(ids=ids, embeddings=[list(v) for _, _, v in batch])

    def search(vector: Embedding) -> list[int]:
        found = memories.query(query_embeddings=[list(vector)], n_results=10, include=[])
        return [int(one) for one in found["ids"][0]]

    return search


class Known:
    """Embeds texts whose vectors are known."""

    def __init__(self) -> None:
        #: The vectors, by text.
        self.vectors: dict[str, Embedding] = {}

    def __call__(self, texts: Sequence[str]) -> list[Embedding]:
        """Return the vectors of several texts."""
        return [self.vectors[text] for text in texts]

    def embed(self, text: str, action: str = "") -> list[float]:
        """Return the vector of one text, as mem0 asks for it."""
        del action
        return list(self.vectors[text])

    def embed_batch(self, texts: Sequence[str], action: str = "") -> list[list[float]]:
        """Return the vectors of several texts, as mem0 asks for them."""
        return [self.embed(text, action) for text in texts]


def _langgraph(source: Source, _: Path) -> Search:
    from langgraph.store.base import PutOp
    from langgraph.store.memory import InMemoryStore

    known = Known()
    store = InMemoryStore(index={"dims": DIM, "embed": known, "fields": ["text"]})
    for batch in source.batches():
        known.vectors = {str(n): _small(v) for n, _, v in batch}
        store.batch([PutOp(("memories",), text, {"text": text}) for text in known.vectors])

    def search(vector: Embedding) -> list[int]:
        known.vectors = {"asked": list(vector)}
        return [int(item.key) for item in store.search(("memories",), query="asked", limit=10)]

    return search


def _small(vector: Embedding) -> Any:
    """Return a vector in little room, where numpy is installed."""
    if find_spec("numpy") is None:
        return list(vector)
    import numpy as np

    return np.asarray(vector, dtype=np.float32)


def _mem0(source: Source, folder: Path) -> Search:
    folder.mkdir()
    from mem0 import Memory

    unasked = {"provider": "openai", "config": {"api_key": "nobody is asked"}}
    store = {"path": str(folder / "store"), "embedding_model_dims": DIM, "on_disk": True}
    memory = Memory.from_config(
        {
            "llm": unasked,
            "embedder": unasked,
            "vector_store": {"provider": "qdrant", "config": store},
            "history_db_path": str(folder / "history.db"),
        }
    )
    known = Known()
    memory.embedding_model = known
    for batch in source.batches():
        known.vectors = {f"{n} {text}": vector for n, text, vector in batch}
        for text in known.vectors:
            memory.add(text, user_id="u", infer=False)

    def search(vector: Embedding) -> list[int]:
        known.vectors = {"asked": vector}
        found = memory.search("asked", filters={"user_id": "u"}, top_k=10, threshold=0.0)
        return [int(one["memory"].split()[0]) for one in found["results"]]

    return search


_PEERS: Final[dict[str, Callable[[Source, Path], Search]]] = {
    "lancedb": _lancedb,
    "chromadb": _chroma,
    "langgraph": _langgraph,
    "mem0": _mem0,
}
