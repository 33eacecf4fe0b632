"""Whether two texts say the same, and numbers by which such texts are found quickly.

Texts say the same when they differ in nothing but case, spacing, light punctuation and words
without meaning ("well, the", "ạ"). A long text may also leave out a few words of another that says
more, unless one of these is a number, a name, a symbol or a negation: it means something else then.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Final
from zlib import crc32

from iaiflow_memory.terms import normalise

_LIGHT = r"[.,;:!…\"'`“”\u2018\u2019()\[\]{}]"
_PUNCTUATION = re.compile(rf"(?<!\w){_LIGHT}+|{_LIGHT}+(?!\w)")
_WITHOUT_MEANING = frozenset(
    (
        *("a", "an", "the", "please", "well", "oh", "um", "uh", "hmm", "just", "really", "very"),
        *("actually", "basically", "also", "ạ", "à", "nhé", "nha", "nhỉ", "ơi", "thì"),
    )
)
_NEGATIONS = frozenset(
    (
        *("no", "not", "never", "none", "nor", "neither", "nothing", "nobody", "without"),
        *("cannot", "hardly", "barely", "only", "không", "chưa", "chẳng", "đừng", "chớ", "hết"),
    )
)
#: A text of fewer words must not differ in any.
_LONG: Final = 16
#: What share of the neighbouring pairs of words two long texts have in common at least.
_ALIKE: Final = 0.9

_BANDS: Final = 3
_HASHES_PER_BAND: Final = 3
_PRIME: Final = 2**61 - 1
_RANDOM = Random(20_261_123)  # noqa: S311 - must be the same in every process, guards nothing
_FUNCTIONS: Final = tuple(
    (_RANDOM.randrange(1, _PRIME), _RANDOM.randrange(_PRIME))
    for _ in range(_BANDS * _HASHES_PER_BAND)
)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Numbers by which texts that say the same are found."""

    #: Equal if, and but for a rare chance only if, the telling words are equal.
    said: int
    #: Long texts that say almost the same very likely share one at the same place; else None.
    bands: tuple[int | None, int | None, int | None]


@lru_cache(maxsize=4_096)
def telling_words(text: str) -> tuple[str, ...]:
    """Return the words of a text that carry meaning, in order, in lower case."""
    words = _PUNCTUATION.sub(" ", normalise(text).replace("?", " ? ")).split()
    telling = tuple(word for word in words if word not in _WITHOUT_MEANING)
    return telling or tuple(words) or (normalise(text),)


@lru_cache(maxsize=4_096)
def sketch(text: str) -> Sketch:
    """Return the numbers of a text."""
    words = telling_words(text)
    digest = hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()
    bands = _bands(words) if len(words) >= _LONG else (None, None, None)
    return Sketch(int.from_bytes(digest), bands)


def says_same(text: str, other: str) -> bool:
    """Return whether a text says nothing that the other does not."""
    words, others = telling_words(text), telling_words(other)
    if words == others:
        return True
    if len(words) < _LONG or _share_of_pairs(words, others) < _ALIKE:
        return False
    rest = iter(others)
    if not all(word in rest for word in words):  # in the same order: who did it to whom
        return False
    names = {_PUNCTUATION.sub("", word).lower() for word in _capitalised(other)}
    return all(
        word.isalpha() and word not in _NEGATIONS and word not in names
        for word in Counter(others) - Counter(words)
    )


def _bands(words: tuple[str, ...]) -> tuple[int, int, int]:
    """Return three numbers, each of which stands for three MinHashes of the pairs of words."""
    pairs = {crc32(f"{first} {second}".encode()) for first, second in pairwise(words)}
    least = [
        min([(factor * pair + term) % _PRIME for pair in pairs]) for factor, term in _FUNCTIONS
    ]
    first, second, third = (
        crc32(repr(least[at : at + _HASHES_PER_BAND]).encode())
        for at in range(0, len(least), _HASHES_PER_BAND)
    )
    return first, second, third


def _share_of_pairs(words: Sequence[str], others: Sequence[str]) -> float:
    pairs, other_pairs = set(pairwise(words)), set(pairwise(others))
    return len(pairs & other_pairs) / len(pairs | other_pairs)


def _capitalised(text: str) -> list[str]:
    return [word for word in text.split() if word[0].isupper()]
