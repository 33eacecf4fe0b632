"""The terms of all texts: their numbers, in how many texts each is, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from iaiflow_memory.numbers import Numbers
from iaiflow_memory.postings import Postings
from iaiflow_memory.store import Reader, Writer

#: How many terms are remembered; the others are looked up.
_REMEMBERED: Final = 100_000
_MOST_TIMES: Final = 65_535


class Vocabulary:
    """Writes which terms a text has.

    Args:
        numbers: Gives numbers to new terms.
        postings: Where each term is.
    """

    def __init__(self, numbers: Numbers, postings: Postings) -> None:
        self._numbers = numbers
        self._postings = postings
        self._known: dict[str, int] = {}
        self._is_whole = False  # whether all terms of the file are known

    def clear(self) -> None:
        """Remember nothing: what was written last is not in the file."""
        self._known.clear()
        self._is_whole = False

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
        self._postings.put(writer, postings)

    def withdraw(self, writer: Writer, ns: Sequence[int]) -> None:
        """Count the terms of texts no longer: their memories do not stand any more."""
        writer.run("terms_uncount", {"ns": list(ns), "first": min(ns), "last": max(ns)})

    def _numbered(self, writer: Writer, spread: Mapping[str, int]) -> Mapping[str, int]:
        self._remember(writer, spread)
        fresh = [term for term in spread if term not in self._known]
        old = {self._known[term]: count for term, count in spread.items() if term in self._known}
        if old:
            writer.run("terms_count", [list(old), list(old.values())])
        if fresh:
            first = self._numbers.take("terms", len(fresh))
            numbers = list(range(first, first + len(fresh)))
            writer.run("terms_put", [numbers, fresh, [spread[term] for term in fresh]])
            self._known.update(zip(fresh, numbers, strict=True))
        return self._known

    def _remember(self, reader: Reader, wanted: Iterable[str]) -> None:
        """Know the numbers of these terms, as far as they have one."""
        if len(self._known) > _REMEMBERED:
            self.clear()
        unseen = [] if self._is_whole else [term for term in wanted if term not in self._known]
        if not unseen:
            return
        self._is_whole = self._numbers.last()["terms"] <= _REMEMBERED
        rows = reader.rows("terms_all") if self._is_whole else reader.rows("terms_find", [unseen])
        self._known.update(rows)
