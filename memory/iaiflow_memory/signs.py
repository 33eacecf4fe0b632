"""Which vectors are nearest by the signs of their components, by numpy.

Does what the statement `bit_meanings` does: DuckDB takes longer to read the signs than numpy to
compare them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows that are compared at once: they fit into a processor's cache.
_BLOCK: Final = 65_536


@cache
def has_numpy() -> bool:
    """Return whether numpy is here, and new enough: version 2 counts bits."""
    try:
        import numpy as np
    except ImportError:
        return False
    return hasattr(np, "bitwise_count")


@dataclass(frozen=True, slots=True)
class Nearest:
    """What the signs of all vectors tell."""

    #: The rows whose signs agree best, best first; of those that agree equally the later ones.
    rows: list[int]
    #: Mean and deviation of the cosines of all, as their signs have them.
    mean: float
    deviation: float


def nearest(
    rows: NDArray[Any],
    words: Sequence[NDArray[Any]],
    signs: Sequence[int],
    hidden: NDArray[Any],
    *,
    dim: int,
    wide: int,
) -> Nearest:
    """Return the rows whose signs agree best with those of a question.

    That of two vectors `far` of `dim` signs differ makes their cosine about cos(pi far / dim):
    Charikar, Similarity Estimation Techniques from Rounding Algorithms, 2002.

    Args:
        rows: The row of each vector.
        words: For each 64 components their signs, as bits of a whole number for each vector.
        signs: Those of the question.
        hidden: Rows that may not be seen.
        dim: How many components a vector has.
        wide: How many rows at most.
    """
    import numpy as np

    far = _far(words, signs)
    if len(hidden):
        seen = ~_are_hidden(rows, hidden)
        rows, far = rows[seen], far[seen]
    if not len(rows):
        return Nearest([], 0.0, 0.0)
    counts = np.bincount(far, minlength=dim + 1)
    distances = np.arange(dim + 1)
    mean = float(counts @ distances) / len(far)
    variance = float(counts @ (distances - mean) ** 2) / len(far)
    farthest = np.searchsorted(counts.cumsum(), wide)
    (best,) = np.nonzero(far <= farthest)
    best = best[np.lexsort((-rows[best], far[best]))][:wide]
    deviation = math.pi * math.sqrt(variance) / dim
    return Nearest(rows[best].tolist(), math.cos(math.pi * mean / dim), deviation)


def _far(words: Sequence[NDArray[Any]], signs: Sequence[int]) -> NDArray[Any]:
    """Return how many signs of each vector differ from those of a question."""
    import numpy as np

    far = np.zeros(len(words[0]), np.uint16)
    for start in range(0, len(far), _BLOCK):
        block = slice(start, start + _BLOCK)
        for word, sign in zip(words, signs, strict=True):
            far[block] += np.bitwise_count(word[block] ^ np.uint64(sign))
    return far


def _are_hidden(rows: NDArray[Any], hidden: NDArray[Any]) -> NDArray[Any]:
    """Return which rows are hidden. Rows are numbers from 1 on, without many gaps."""
    import numpy as np

    is_hidden = np.zeros(max(rows.max(), hidden.max()) + 1, bool)
    is_hidden[hidden] = True
    return is_hidden[rows]
