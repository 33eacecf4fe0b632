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
from itertools import pairwise

from iaiflow_memory.dates import Date, dates
from iaiflow_memory.terms import fold, normalise

#: Rows between two memories of one conversation that still count as neighbours: others write too.
NEAR_ROWS = 8
#: Seconds between two memories that still count as neighbours.
NEAR_SECONDS = 6 * 3600.0
#: Seconds in which recency halves.
HALF_LIFE = 30 * 86_400.0
#: Parts of a score that are smaller are left out: they decide nothing.
LEAST = 0.0005
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


@dataclass(frozen=True, slots=True)
class Candidate:
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
    """A candidate with its score."""

    #: The candidate.
    candidate: Candidate
    #: The sum of the parts.
    score: float
    #: What each signal adds; signals that add nothing are left out.
    parts: Mapping[str, float]


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
) -> list[Ranked]:
    """Return the candidates, best first.

    Args:
        candidates: All that may be an answer, and their neighbours.
        question: Who and when.
        threads: How well each conversation fits as a whole (BM25), by its number.
        weights: What each signal counts.
    """
    fits = _fits(candidates, weights)
    parts = {one.n: _own_parts(one, fits[one.n], question, weights) for one in candidates}
    _lend(candidates, {n: sum(fit.values()) for n, fit in fits.items()}, parts, weights)
    best_thread = max(threads.values(), default=0.0)
    if best_thread > 0 and len(threads) > 1:
        for one in candidates:
            parts[one.n]["thread"] = weights.thread * threads.get(one.scope, 0.0) / best_thread
    told = {n: {k: v for k, v in own.items() if abs(v) >= LEAST} for n, own in parts.items()}
    ranked = [Ranked(one, sum(told[one.n].values()), told[one.n]) for one in candidates]
    return sorted(_each_name_apart(ranked, question), key=lambda r: (-r.score, -r.candidate.n))


def _fits(candidates: Sequence[Candidate], weights: Weights) -> dict[int, dict[str, float]]:
    """Return the signal of words and meaning, so that the best has 1 in all."""
    words = max((one.words for one in candidates), default=0.0) or 1.0
    meaning = max((one.meaning for one in candidates), default=0.0)
    share = weights.meaning / meaning if meaning > 0 else 0.0
    raw = {one.n: (one.words / words, max(0.0, one.meaning) * share) for one in candidates}
    best = max((sum(pair) for pair in raw.values()), default=0.0) or 1.0
    return {n: {"words": a / best, "meaning": b / best} for n, (a, b) in raw.items()}


def _own_parts(
    one: Candidate, fit: dict[str, float], question: Question, weights: Weights
) -> dict[str, float]:
    age = max(0.0, question.now - one.at)
    return {
        **fit,
        "who": weights.who * bool({one.role, one.subject} & question.names),
        "date": weights.date * any(date.covers(one.at) for date in question.dates),
        "asks": weights.asks * one.asks,
        "importance": weights.importance * (one.importance - 0.5),
        "recency": weights.recency * 0.5 ** min(age / HALF_LIFE, 64.0),
    }


def _lend(
    candidates: Sequence[Candidate],
    fit: Mapping[int, float],
    parts: dict[int, dict[str, float]],
    weights: Weights,
) -> None:
    """Add to the parts of each candidate what its neighbours lend it."""
    for group in _sequences(candidates):
        for at, one in enumerate(group):
            before, after = group[max(0, at - 2) : at][::-1], group[at + 1 : at + 3]
            own = parts[one.n]
            own["before"] = sum(w * fit[b.n] for w, b in zip(weights.before, before, strict=False))
            own["after"] = sum(w * fit[a.n] for w, a in zip(weights.after, after, strict=False))
            if before and before[0].asks:
                own["answers"] = weights.answers * fit[before[0].n]


def _sequences(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return what was said in one go, in order, as lists."""
    scopes: defaultdict[int, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.episodic:
            scopes[one.scope].append(one)
    sequences: list[list[Candidate]] = []
    for scope in scopes.values():
        scope.sort(key=lambda one: one.n)
        sequences.append([scope[0]])
        for one, following in pairwise(scope):
            if not are_near(one, following):
                sequences.append([])
            sequences[-1].append(following)
    return sequences


def neighbours(candidates: Sequence[Candidate]) -> dict[int, tuple[int, ...]]:
    """Return the rows just before and after each candidate that was said in sequence."""
    near: defaultdict[int, tuple[int, ...]] = defaultdict(tuple)
    for group in _sequences(candidates):
        for one, following in pairwise(group):
            near[one.n] += (following.n,)
            near[following.n] += (one.n,)
    return {n: tuple(sorted(rows)) for n, rows in near.items()}


def are_near(one: Candidate, following: Candidate) -> bool:
    """Return whether two candidates of one conversation were said in one go."""
    return abs(following.n - one.n) <= NEAR_ROWS and abs(following.at - one.at) <= NEAR_SECONDS


def _each_name_apart(ranked: list[Ranked], question: Question) -> list[Ranked]:
    """Take a question about several people as one about each: all get the same best score."""
    best: defaultdict[str, float] = defaultdict(float)
    for one in ranked:
        if one.candidate.role in question.names:
            best[one.candidate.role] = max(best[one.candidate.role], one.score)
    if len(best) < 2:
        return ranked
    top = max(best.values())
    return [_scaled(one, top / (best.get(one.candidate.role) or top)) for one in ranked]


def _scaled(one: Ranked, factor: float) -> Ranked:
    parts = {name: value * factor for name, value in one.parts.items()}
    return Ranked(one.candidate, one.score * factor, parts)


def _folded_words(text: str) -> list[str]:
    return [fold(word) for word in _WORDS.findall(normalise(text))]
