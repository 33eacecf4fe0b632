"""How near memories are in meaning to a question, by vectors in DuckDB.

Up to a hundred thousand candidates are compared exactly. Above, the signs of the components, 64 to
a word, choose the thousand that are compared exactly.
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
        return [whole >> 64 * word & 0xFFFF_FFFF_FFFF_FFFF for word in range(_words(len(bits)))]


@dataclass(frozen=True, slots=True)
class Vectors:
    """The table of a model's vectors."""

    #: The number of the model.
    k: int
    #: How many components a vector has.
    dim: int

    def sql(self, name: str) -> str:
        """Return a statement of queries/vectors.sql for this table."""
        words = range(_words(self.dim))
        return (
            QUERIES[name]
            .replace("{table}", f"emb_{self.k}")
            .replace("{dim}", str(self.dim))
            .replace("{columns}", ", ".join(f"b{word} UBIGINT NOT NULL" for word in words))
            .replace("{parts}", ", ".join("unnest(?::UBIGINT[])" for _ in words))
            .replace(
                "{far}", " + ".join(f"bit_count(xor(b{at}, $s{at}))::SMALLINT" for at in words)
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
    values = {"v": vector.components, "limit": wide}
    if little is None and done > EXACT and seen.rows(reader, "allowed_count", {})[0][0] > EXACT:
        signs = {f"s{at}": word for at, word in enumerate(vector.signs)}
        rows = seen.rows(reader, vectors.sql("bit_meanings"), {**values, **signs})
    else:
        rows = seen.rows(reader, vectors.sql("exact_meanings"), values)
    return {n: score for n, score in rows if score is not None}


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


def _words(dim: int) -> int:
    return (dim + 63) // 64
