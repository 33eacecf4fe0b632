"""Keeps vectors for all memories, beside everything else that goes on.

Memories are found by their words at once, and by meaning when they have a vector. A new embedder
has no vectors at first: until it has made nearly all, its questions are answered by words alone,
so that memories with a vector are not preferred to those that wait for one (`dense.COVERAGE`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from iaiflow_memory.checking import count, number
from iaiflow_memory.dense import Vector, Vectors, check, find
from iaiflow_memory.embed import Embedder
from iaiflow_memory.errors import MemoryFault, Unavailable
from iaiflow_memory.store import Reader, Row, Writer
from iaiflow_memory.writing import Tools

#: Memories of one batch.
BATCH: Final = 64
#: Seconds after which new memories are looked for without being told of any.
LOOK_AGAIN: Final = 30.0
#: Seconds to rest after the embedder or the memory has failed.
REST: Final = 30.0
#: For how long vectors are kept that nobody asks for any more, in seconds.
KEPT: Final = 7 * 86_400.0
#: How often it is noted that a model is used, in seconds.
NOTED: Final = 3_600.0
#: Seconds that a batch which is being made may take when its thread is to end.
LET_GO: Final = 5.0


class Vectorless(Protocol):
    """A memory that tells what has no vector, and takes vectors: an engine, or a client of one."""

    def pending(self, model: str, limit: int) -> Sequence[tuple[int, str]]:
        """Return rows without a vector of a model, with the text to embed."""
        ...

    def put_vectors(self, model: str, vectors: Mapping[int, bytes]) -> int:
        """Store vectors (`Vector.data`) by row, and return how many were new."""
        ...


def pending(reader: Reader, model: str, limit: int = BATCH) -> list[tuple[int, str]]:
    """Return rows without a vector of a model, the newest first, with the text to embed."""
    vectors = find(reader, model)
    statement = vectors.sql("pending") if vectors else "unembedded"
    asked = {"limit": count(limit, "limit")}
    return [(n, text_of(*rest)) for n, *rest in reader.rows(statement, asked)]


def text_of(role: str, subject: str, predicate: str, body: str) -> str:
    """Return what an embedder sees of a memory: who said it, about what, and the text."""
    about = " ".join(part for part in (subject, predicate) if part)
    return ": ".join(part for part in (role, about, body) if part)


def put_vectors(writer: Writer, tools: Tools, model: str, vectors: Mapping[int, bytes]) -> int:
    """Store vectors by row, and return how many were new.

    Rows that are gone, or have a vector, are left out. A verb of `engine.WRITES`.

    Raises:
        BadInput: A vector has another number of components than those stored.
    """
    if not vectors:
        return 0
    made = {number(n, "vectors"): Vector(model, data) for n, data in vectors.items()}
    dim = len(next(iter(vectors.values()))) // 4
    table = find(writer, model) or Vectors(0, dim)
    for vector in made.values():
        check(vector, table)
    table = table if table.k else _made(writer, tools.numbers.take("models"), model, dim)
    absent = [row[0] for row in writer.rows(table.sql("absent"), {"rows": list(made)})]
    if absent:
        signs = [made[n].signs for n in absent]
        components = [made[n].components for n in absent]
        columns = [list(column) for column in zip(*signs, strict=True)]
        writer.run(table.sql("put_vectors"), [absent, components, *columns])
    return len(absent)


def _made(writer: Writer, k: int, model: str, dim: int) -> Vectors:
    table = Vectors(k, dim)
    writer.run("add_model", {"k": k, "model": model, "dim": dim})
    writer.run(table.sql("make_vectors"))
    writer.run("use_model", {"model": model, "now": writer.moment()})
    return table


def is_to_tend(reader: Reader, model: str, now: float, *, is_whole: bool) -> bool:
    """Return whether there is something to do for `tend`.

    Args:
        reader: Reads.
        model: The model that is asked for.
        now: The present, in seconds since the epoch.
        is_whole: Whether all memories have a vector of it.
    """
    rows = reader.rows("models")
    used_at = next((at for _, name, _, at in rows if name == model), None)
    if used_at is None:
        return False
    return used_at < now - NOTED or (is_whole and bool(_unused(rows, model, now)))


def tend(writer: Writer, _: object, model: str) -> int:
    """Note that a model is used, and drop the vectors of those whose place it has taken.

    It has when it has vectors of all memories, and nobody has asked for the other one for long.
    A verb of `engine.WRITES`.

    Returns:
        Of how many models the vectors were dropped.
    """
    now = writer.moment()
    writer.run("use_model", {"model": model, "now": now})
    if pending(writer, model, 1):
        return 0
    unused = _unused(writer.rows("models"), model, now)
    for k in unused:
        writer.drop(Vectors(k, 0).table)
        writer.run("drop_model", [k])
    return len(unused)


def _unused(rows: Sequence[Row], model: str, now: float) -> list[int]:
    return [k for k, name, _, at in rows if name != model and at < now - KEPT]


class Embedding:
    """A thread that embeds what has no vector yet.

    Args:
        memory: Tells what has no vector, and takes vectors.
        embedder: Makes them.
        tell: Told of a fault; the thread rests and goes on.
    """

    def __init__(
        self,
        memory: Vectorless,
        embedder: Embedder,
        tell: Callable[[MemoryFault], None] = lambda _: None,
    ) -> None:
        self._memory = memory
        self._embedder = embedder
        self._tell = tell
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._idle = threading.Condition()
        self._is_idle = False
        self._thread = threading.Thread(target=self._run, name="iaiflow-embedding", daemon=True)
        self._thread.start()

    def notice(self) -> None:
        """Look for new memories at once."""
        with self._idle:
            self._is_idle = False
        self._wanted.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until every memory has a vector, and return whether it is so.

        Args:
            timeout: Seconds to wait at most; None waits on.
        """
        self.notice()
        with self._idle:
            return self._idle.wait_for(lambda: self._is_idle, timeout)

    def close(self) -> None:
        """End the thread; a batch that is being made is waited for a little."""
        self._ended.set()
        self._wanted.set()
        self._thread.join(LET_GO)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wanted.clear()
            rest = LOOK_AGAIN
            try:
                while not self._ended.is_set() and step(self._memory, self._embedder):
                    pass
            except Exception as error:  # embedders are also made by others
                self._tell(_fault(error))
                rest = REST
            else:
                self._rest_begins()
            self._wanted.wait(rest)

    def _rest_begins(self) -> None:
        with self._idle:
            self._is_idle = not self._wanted.is_set()
            self._idle.notify_all()


def _fault(error: Exception) -> MemoryFault:
    if isinstance(error, MemoryFault):
        return error
    return Unavailable(f"The embedder failed: {type(error).__name__}: {error}", where="embedder")


def step(memory: Vectorless, embedder: Embedder) -> int:
    """Make and store the vectors of one batch, and return how many there were.

    Raises:
        MemoryFault: The embedder or the memory failed; what was stored before stays.
    """
    model = embedder.model_id
    waiting = memory.pending(model, BATCH)
    if waiting:
        made = embedder.embed_documents([text for _, text in waiting])
        vectors = {
            n: Vector.of(model, vector).data for (n, _), vector in zip(waiting, made, strict=True)
        }
        memory.put_vectors(model, vectors)
    return len(waiting)
