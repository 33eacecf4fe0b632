"""How near memories are in meaning to a question, by vectors in DuckDB.

Up to a hundred thousand candidates are compared exactly. Above, the signs of the components, 64 to
a word, choose the thousand that are compared exactly: by numpy where it is installed, else in
DuckDB.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from iaiflow_memory.allowed import Allowed
from iaiflow_memory.errors import BadInput
from iaiflow_memory.few import Few
from iaiflow_memory.queries import QUERIES
from iaiflow_memory.signs import has_numpy, nearest
from iaiflow_memory.store import Reader, Row

#: Up to this many candidates, all are compared exactly.
EXACT = 100_000
#: The share of memories that must have a vector; below, vectors would prefer those that have one.
COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class Vector:
    """A text as an embedder sees it."""

    #: The embedder's id; vectors of different embedders do not compare.
    model: str
    #: The components, as 32-bit floats of this machine; of length 1.
    data: bytes

    @classmethod
    def of(cls, model: str, components: Sequence[float]) -> Vector:
        """Return a vector of length 1; of length 0 if all components are zero.

        Raises:
            BadInput: A component is not finite.
        """
        length = math.sqrt(math.fsum(value * value for value in components)) or 1.0
        if not math.isfinite(length):
            raise BadInput(
                f"The embedder {model!r} gave a vector that is not finite",
                where="embedder",
                remedy="check the embedder",
            )
        return cls(model, array("f", [value / length for value in components]).tobytes())

    @property
    def components(self) -> list[float]:
        """The components, as numbers."""
        return array("f", self.data).tolist()

    @property
    def signs(self) -> list[int]:
        """Which components are positive, 64 to a word."""
        bits = "".join("1" if value > 0 else "0" for value in reversed(self.components))
        whole = int(bits or "0", 2)
        return [whole >> first & 0xFFFF_FFFF_FFFF_FFFF for first in range(0, len(bits), 64)]


@dataclass(frozen=True, slots=True)
class Vectors:
    """The table of a model's vectors."""

    #: The number of the model.
    k: int
    #: How many components a vector has.
    dim: int

    @property
    def table(self) -> str:
        """The name of the table."""
        return f"emb_{self.k}"

    @property
    def words(self) -> list[str]:
        """The names of the columns with sign bits."""
        return [f"b{word}" for word in range((self.dim + 63) // 64)]

    def sql(self, name: str) -> str:
        """Return a statement of queries/vectors.sql for this table."""
        return (
            QUERIES[name]
            .replace("{table}", self.table)
            .replace("{dim}", str(self.dim))
            .replace("{columns}", ", ".join(f"{word} UBIGINT NOT NULL" for word in self.words))
            .replace("{parts}", ", ".join("unnest(?::UBIGINT[])" for _ in self.words))
            .replace(
                "{far}", " + ".join(f"bit_count(xor({b}, $s{b}))::SMALLINT" for b in self.words)
            )
        )


def find(reader: Reader, model: str) -> Vectors | None:
    """Return the table of a model's vectors, or None if it has none yet."""
    rows = reader.kept("model", model)
    return Vectors(*rows[0]) if rows else None


def meanings(
    reader: Reader, vector: Vector, seen: Allowed, wide: int, little: Few | None = None
) -> dict[int, float]:
    """Return the nearest memories with how near they are, in standard deviations above the mean.

    Nothing is returned while too many memories have no vector of this model.

    Args:
        reader: The memory.
        vector: The question.
        seen: What may be found.
        wide: How many at most.
        little: All that may be found, if it is little.

    Raises:
        BadInput: The vector has another number of components than those stored.
    """
    vectors = find(reader, vector.model)
    if vectors is None:
        return {}
    check(vector, vectors)
    done, there = reader.kept(vectors.sql("coverage"))[0]
    if done < COVERAGE * there:
        return {}
    if little and (ends := little.ends):
        near = reader.rows(vectors.sql("near_between"), {"v": vector.components, **ends})
        return _outstanding([row for row in near if row[0] in little.rows], wide)
    if little is None and done > EXACT and seen.rows(reader, "allowed_count", {})[0][0] > EXACT:
        rows = _by_signs(reader, vectors, vector, seen, wide)
    else:
        values = {"v": vector.components, "limit": wide}
        rows = seen.rows(reader, vectors.sql("exact_meanings"), values)
    return {n: score for n, score in rows if score is not None}


def _by_signs(
    reader: Reader, vectors: Vectors, vector: Vector, seen: Allowed, wide: int
) -> list[Row]:
    """Return the nearest of those whose signs agree best."""
    if has_numpy() and not reader.kept("erasing"):  # what is being erased is in the arrays still
        return _by_numpy(reader, vectors, vector, seen, wide)
    signs = {f"s{word}": sign for word, sign in zip(vectors.words, vector.signs, strict=True)}
    values = {"v": vector.components, "limit": wide, **signs}
    return seen.rows(reader, vectors.sql("bit_meanings"), values)


def _by_numpy(
    reader: Reader, vectors: Vectors, vector: Vector, seen: Allowed, wide: int
) -> list[Row]:
    """Do what the statement `bit_meanings` does, with numpy."""
    done, _ = reader.kept(vectors.sql("coverage"))[0]
    columns = reader.grown(vectors.table, ["n", *vectors.words], done)
    words = [columns[word] for word in vectors.words]
    hidden = seen.columns(reader, "hidden")["n"]
    best = nearest(columns["n"], words, vector.signs, hidden, dim=vectors.dim, wide=wide)
    values = {"v": vector.components, "mean": best.mean, "deviation": best.deviation}
    return reader.rows(vectors.sql("meanings_of"), {**values, "rows": best.rows})


def _outstanding(near: Sequence[Row], wide: int) -> dict[int, float]:
    """Do what the statement `exact_meanings` does, with cosines."""
    if not near:
        return {}
    mean = sum(sim for _, sim in near) / len(near)
    middle = square = 0.0
    for count, (_, sim) in enumerate(near, 1):  # by Welford: equal ones deviate by exactly nothing
        step = sim - middle
        middle += step / count
        square += step * (sim - middle)
    deviation = math.sqrt(square / len(near))
    best = sorted(near, key=lambda row: (-row[1], -row[0]))[:wide]
    if deviation == 0:
        return {n: math.copysign(1.0, sim) if sim else 0.0 for n, sim in best}
    return {n: (sim - mean) / deviation for n, sim in best}


def check(vector: Vector, vectors: Vectors) -> None:
    """Refuse a vector that does not fit a table.

    Raises:
        BadInput: It has another number of components, or none.
    """
    if not vector.data:
        raise BadInput(f"A vector of {vector.model!r} is empty", remedy="check the embedder")
    if len(vector.data) != 4 * vectors.dim:
        raise BadInput(
            f"a vector of {vector.model!r} has {len(vector.data) // 4} components, "
            f"those stored have {vectors.dim}",
            remedy="give the embedder another model id when its model changes",
        )
