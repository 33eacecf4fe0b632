"""Cuts a text into the pieces of words that models of the BERT family read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

#: Longer words are one unknown piece.
_LONGEST_WORD: Final = 100


class WordPiece:
    """Cuts texts into pieces, in lower case and without diacritics.

    Args:
        vocabulary: The pieces, one a line; a line's number is the number of the piece.
    """

    def __init__(self, vocabulary: str) -> None:
        self._numbers: Mapping[str, int] = {
            piece: number for number, piece in enumerate(vocabulary.splitlines())
        }
        self._unknown = self._numbers["[UNK]"]
        self._start = self._numbers["[CLS]"]
        self._end = self._numbers["[SEP]"]
        self._pieces = lru_cache(maxsize=65_536)(self._cut)

    def numbers(self, text: str, longest: int) -> list[int]:
        """Return the numbers of a text's pieces, between those of start and end.

        Args:
            text: The text.
            longest: How many numbers at most; what is behind them is not read.
        """
        found: list[int] = []
        for word in _words(text):
            found.extend(self._pieces(word))
            if len(found) >= longest - 2:
                break
        return [self._start, *found[: longest - 2], self._end]

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST_WORD:
            return (self._unknown,)
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if piece in self._numbers:
                    found.append(self._numbers[piece])
                    start = end
                    break
            else:
                return (self._unknown,)
        return tuple(found)


def _words(text: str) -> Iterator[str]:
    word: list[str] = []
    for letter in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(letter)
        if category == "Mn" or (category in {"Cc", "Cf"} and not letter.isspace()):
            continue
        alone = _is_punctuation(letter, category) or _is_ideograph(letter)
        if (alone or letter.isspace()) and word:
            yield "".join(word)
            word = []
        if alone:
            yield letter
        elif not letter.isspace():
            word.append(letter)
    if word:
        yield "".join(word)


def _is_punctuation(letter: str, category: str) -> bool:
    return category.startswith("P") or letter in "$+<=>^`|~"


def _is_ideograph(letter: str) -> bool:
    code = ord(letter)
    return 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x2FA1F
