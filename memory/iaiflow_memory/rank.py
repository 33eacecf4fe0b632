"""Which memories answer a question best. Pure functions over candidates.

Words and meaning make one signal for each candidate. What was said just before and after lends it
some of its own: an answer seldom repeats the words of the question that it follows. So does the
conversation as a whole. Who speaks, when, how much it matters and how old it is come on top.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from operator import itemgetter
from typing import NamedTuple

from iaiflow_memory.dates import Date, dates
from iaiflow_memory.terms import fold, normalise

#: Rows between two memories of one conversation that still count as neighbours: others write too.
NEAR_ROWS = 8
#: Seconds between two memories that still count as neighbours.
NEAR_SECONDS = 6 * 3600.0
#: Seconds in which recency halves.
HALF_LIFE = 30 * 86_400.0
#: Signals of a memory's text and of what was said next to it; without any, it is no answer.
EVIDENCE = ("words", "meaning", "before", "after", "answers")
#: Parts of a score that are smaller are left out: they decide nothing.
LEAST = 0.0005
#: Decimals of a score: further ones depend on the order in which its parts were added up.
DECIMALS = 9
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal counts, where the best fit of words counts 1."""

    #: Nearness of meaning, by an embedder.
    meaning: float = 0.6
    #: The fit of what was said just before, and of the one before that.
    before: tuple[float, float] = (0.3, 0.15)
    #: The fit of what was said just after, and of the one after that.
    after: tuple[float, float] = (0.25, 0.05)
    #: The fit of a question that was asked just before: this may be its answer.
    answers: float = 0.3
    #: The fit of the conversation as a whole.
    thread: float = 0.35
    #: Said by, or about, somebody whom the question names.
    who: float = 0.2
    #: Said at a time that the question names.
    date: float = 0.2
    #: A question itself.
    asks: float = -0.05
    #: How much it matters, beyond or below the middle (0.5).
    importance: float = 0.2
    #: How young it is.
    recency: float = 0.05


class Candidate(NamedTuple):  # a thousand are made for a question: dataclasses take longer
    """What is to be known of a memory to rank it."""

    #: The row.
    n: int
    #: The conversation, as a number.
    scope: int
    #: When it was said, in seconds since the epoch.
    at: float
    #: Who said it.
    role: str
    #: What it is about.
    subject: str
    #: Whether it happened in a sequence, so that neighbours mean something.
    episodic: bool
    #: Whether it asks something.
    asks: bool
    #: How much it matters, 0 to 1.
    importance: float
    #: BM25 of its text; 0 without a common term.
    words: float
    #: Nearness of meaning in standard deviations above the mean; 0 when unknown.
    meaning: float


@dataclass(frozen=True, slots=True)
class Question:
    """What a question says about who and when."""

    #: The roles and subjects in it.
    names: frozenset[str]
    #: The dates in it.
    dates: tuple[Date, ...]
    #: The present, in seconds since the epoch.
    now: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place."""

    #: The candidate.
    candidate: Candidate
    #: The higher, the better it fits.
    score: float
    #: The signals of all candidates.
    columns: Mapping[str, Sequence[float]]
    #: Which of the signals are those of this candidate.
    at: int
    #: What they are multiplied by.
    factor: float

    @property
    def parts(self) -> dict[str, float]:
        """What each signal adds to the score, but for those that decide nothing."""
        parts = {name: column[self.at] * self.factor for name, column in self.columns.items()}
        return {name: part for name, part in parts.items() if abs(part) >= LEAST}


def names_in(text: str, names: Iterable[str]) -> frozenset[str]:
    """Return those names that a text mentions, as a whole and in any case and accents."""
    words = f" {' '.join(_folded_words(text))} "
    return frozenset(
        name for name in names if (told := " ".join(_folded_words(name))) and f" {told} " in words
    )


def ask(text: str, names: Iterable[str], now: float) -> Question:
    """Return what a question says about who and when."""
    return Question(names_in(text, names), tuple(dates(normalise(text))), now)


def rank(
    candidates: Sequence[Candidate],
    question: Question,
    threads: Mapping[int, float],
    weights: Weights = Weights(),
    *,
    limit: int | None = None,
) -> list[Ranked]:
    """Return the candidates that have something of an answer, best first.

    Args:
        candidates: All that may be an answer, and their neighbours.
        question: Who and when.
        threads: How well each conversation fits as a whole (BM25), by its number.
        weights: What each signal counts.
        limit: How many at most.
    """
    if not candidates:
        return []
    ordered = _ordered(candidates)
    fits = _fits(ordered, weights)
    both = [a + b for a, b in zip(fits["words"], fits["meaning"], strict=True)]
    lent = _lent(ordered, both, weights)
    answering = list(map(any, zip(*fits.values(), *lent.values(), strict=True)))
    if len(question.names) < 2:  # what is no answer counts only where people are told apart
        ordered = list(compress(ordered, answering))
        fits, lent = _kept(fits, answering), _kept(lent, answering)
        answering = [True] * len(ordered)
    columns = {
        **fits,
        **_facts(ordered, question, weights),
        "thread": _threads(ordered, threads, weights),
        **lent,
    }
    factors = _each_name_apart(ordered, columns, question)
    sums = map(sum, zip(*columns.values(), strict=True))
    scores = [
        (round(parts * factor, DECIMALS), one.n, at)
        for at, (one, factor, parts) in enumerate(zip(ordered, factors, sums, strict=True))
        if answering[at]
    ]
    scores.sort(reverse=True)
    return [Ranked(ordered[at], score, columns, at, factors[at]) for score, _, at in scores[:limit]]


def _ordered(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates by conversation and row."""
    return sorted(candidates, key=itemgetter(1, 0))


def _kept(columns: Mapping[str, list[float]], those: Sequence[bool]) -> dict[str, list[float]]:
    return {name: list(compress(column, those)) for name, column in columns.items()}


def _fits(candidates: Sequence[Candidate], weights: Weights) -> dict[str, list[float]]:
    """Return the signals of words and meaning, so that the best has 1 in all."""
    most = max((one.words for one in candidates), default=0.0) or 1.0
    nearest = max((one.meaning for one in candidates if one.meaning > 0), default=1.0)
    words = [one.words / most for one in candidates]
    meaning = [weights.meaning * max(0.0, one.meaning / nearest) for one in candidates]
    best = max((a + b for a, b in zip(words, meaning, strict=True)), default=0.0) or 1.0
    return {"words": [a / best for a in words], "meaning": [b / best for b in meaning]}


def _facts(
    candidates: Sequence[Candidate], question: Question, weights: Weights
) -> dict[str, list[float]]:
    """Return the signals of what a memory is, whatever its text says."""
    names, named, now = question.names, question.dates, question.now
    return {
        "who": [
            weights.who if one.role in names or one.subject in names else 0.0 for one in candidates
        ],
        "date": [
            weights.date if named and any(date.covers(one.at) for date in named) else 0.0
            for one in candidates
        ],
        "asks": [weights.asks if one.asks else 0.0 for one in candidates],
        "importance": [weights.importance * (one.importance - 0.5) for one in candidates],
        "recency": [
            weights.recency * 0.5 ** min(max(0.0, now - one.at) / HALF_LIFE, 64.0)
            for one in candidates
        ],
    }


def _threads(
    candidates: Sequence[Candidate], threads: Mapping[int, float], weights: Weights
) -> list[float]:
    """Return the signal of the conversation; one alone has nothing to be preferred to."""
    best = max(threads.values(), default=0.0)
    share = weights.thread if best > 0 and len(threads) > 1 else 0.0
    return [share * (threads.get(one.scope, 0.0) / (best or 1.0)) for one in candidates]


def _lent(
    ordered: Sequence[Candidate], fits: Sequence[float], weights: Weights
) -> dict[str, list[float]]:
    """Return what its neighbours lend to each candidate."""
    joined = [_are_near(one, following) for one, following in pairwise(ordered)]
    asked = [fit if one.asks else 0.0 for one, fit in zip(ordered, fits, strict=True)]
    past, coming = _from_before(fits, joined), _from_after(fits, joined)
    return {
        "before": _shared(past, _from_before(past, joined), weights.before),
        "after": _shared(coming, _from_after(coming, joined), weights.after),
        "answers": [weights.answers * fit for fit in _from_before(asked, joined)],
    }


def _from_before(fits: Sequence[float], joined: Sequence[bool]) -> list[float]:
    """Return for each candidate the fit of the one before it, if they were said in one go."""
    return [0.0, *(fit if near else 0.0 for fit, near in zip(fits[:-1], joined, strict=True))]


def _from_after(fits: Sequence[float], joined: Sequence[bool]) -> list[float]:
    """Return for each candidate the fit of the one after it, if they were said in one go."""
    return [*(fit if near else 0.0 for fit, near in zip(fits[1:], joined, strict=True)), 0.0]


def _shared(one: Sequence[float], two: Sequence[float], shares: tuple[float, float]) -> list[float]:
    first, second = shares
    return [first * a + second * b for a, b in zip(one, two, strict=True)]


def _are_near(one: Candidate, following: Candidate) -> bool:
    """Return whether two candidates were said in one go."""
    return (
        one.scope == following.scope
        and one.episodic
        and following.episodic
        and following.n - one.n <= NEAR_ROWS
        and abs(following.at - one.at) <= NEAR_SECONDS
    )


def neighbours(candidates: Sequence[Candidate]) -> dict[int, tuple[int, ...]]:
    """Return the rows just before and after each candidate that was said in sequence."""
    near: defaultdict[int, tuple[int, ...]] = defaultdict(tuple)
    for one, following in pairwise(_ordered(candidates)):
        if _are_near(one, following):
            near[one.n] += (following.n,)
            near[following.n] += (one.n,)
    return dict(near)


def _each_name_apart(
    candidates: Sequence[Candidate], columns: Mapping[str, list[float]], question: Question
) -> list[float]:
    """Take a question about several people as one about each: all get the same best score.

    Returns:
        What the score of each candidate is multiplied by.
    """
    best: dict[str, float] = {}
    if len(question.names) > 1:
        for one, parts in zip(candidates, zip(*columns.values(), strict=True), strict=True):
            if one.role in question.names:
                best[one.role] = max(best.get(one.role, 0.0), sum(parts))
    if len(best) < 2:
        return [1.0] * len(candidates)
    top = max(best.values())
    return [top / (best.get(one.role) or top) for one in candidates]


def _folded_words(text: str) -> list[str]:
    return [fold(word) for word in _WORDS.findall(normalise(text))]
