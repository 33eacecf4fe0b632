"""The terms of all texts: their numbers, in how many texts each is, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from iaiflow_memory.numbers import Numbers
from iaiflow_memory.store import Writer

#: How many terms are remembered; the others are looked up.
_REMEMBERED: Final = 100_000
_MOST_TIMES: Final = 65_535


class Vocabulary:
    """Writes which terms a text has.

    Args:
        numbers: Gives numbers to new terms.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._known: dict[str, int] = {}

    def clear(self) -> None:
        """Remember nothing: what was written last is not in the file."""
        self._known.clear()

    def post(self, writer: Writer, texts: Mapping[int, Sequence[str]]) -> None:
        """Write the terms of texts.

        Args:
            writer: Writes.
            texts: The terms of each text, by the row of its memory.
        """
        counted = {n: Counter(terms) for n, terms in texts.items()}
        spread = Counter(chain.from_iterable(counted.values()))
        if not spread:
            return
        numbers = self._numbered(writer, spread)
        postings = [
            (numbers[term], n, min(times, _MOST_TIMES))
            for n, terms in counted.items()
            for term, times in terms.items()
        ]
        writer.run("postings_put", [list(column) for column in zip(*postings, strict=True)])

    def withdraw(self, writer: Writer, ns: Sequence[int]) -> None:
        """Count the terms of texts no longer: their memories do not stand any more."""
        writer.run("terms_uncount", [list(ns)])

    def _numbered(self, writer: Writer, spread: Mapping[str, int]) -> Mapping[str, int]:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        unseen = [term for term in spread if term not in self._known]
        if unseen:
            self._known.update(writer.rows("terms_find", [unseen]))
        fresh = [term for term in unseen if term not in self._known]
        old = {self._known[term]: count for term, count in spread.items() if term in self._known}
        if old:
            writer.run("terms_count", [list(old), list(old.values())])
        if fresh:
            first = self._numbers.take("terms", len(fresh))
            numbers = list(range(first, first + len(fresh)))
            writer.run("terms_put", [numbers, fresh, [spread[term] for term in fresh]])
            self._known.update(zip(fresh, numbers, strict=True))
        return self._known
