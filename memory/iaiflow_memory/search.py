"""From a question to hits: filter, then words and meaning, then neighbours, then rank."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iaiflow_memory import rank as ranking
from iaiflow_memory.checking import count
from iaiflow_memory.clock import FOREVER, seconds
from iaiflow_memory.dense import Vector, meanings
from iaiflow_memory.items import read_items
from iaiflow_memory.kinds import related
from iaiflow_memory.model import AsOf, Hit, Item, Query, Scope
from iaiflow_memory.rank import NEAR_ROWS, Candidate, Ranked
from iaiflow_memory.store import Reader
from iaiflow_memory.terms import query_tokens, shared_words, tokens

#: How fast a repeated term stops counting, and how much a long text counts less (BM25).
K1, B, B_THREAD = 1.2, 0.4, 0.75
#: What a term counts that is not of the question, but of a kind that it names.
RELATED = 0.3
#: Of how many memories the fit of words, and of meaning, is looked at.
WIDE = 1_000
#: Of how many memories the neighbours are looked at; twice as many as are asked for, if more.
BEST = 100
#: In a memory larger than this, terms that every tenth text has do not count beside rarer ones.
LARGE = 20_000


@dataclass(frozen=True, slots=True)
class Words:
    """How well memories and conversations fit the words of a question."""

    #: BM25 by row; the best ones only.
    rows: Mapping[int, float]
    #: BM25 by conversation.
    threads: Mapping[int, float]


def search(reader: Reader, query: Query, *, now: float, vector: Vector | None = None) -> list[Hit]:
    """Return the memories that answer a question best, best first; the newest if it is empty.

    Args:
        reader: The memory.
        query: The question and what limits it.
        now: The present, in seconds since the epoch.
        vector: The question as an embedder sees it; None goes without.

    Raises:
        BadInput: The limit cannot be used, or the vector does not fit.
    """
    count(query.limit, "limit")
    limits = limits_of(query, now)
    if not query.text.strip():
        return _newest(reader, query, limits)
    named = ranking.names_in(query.text, [row[0] for row in reader.rows("roles")])
    words = words_of(reader, terms_of(query.text, named), limits)
    meaning = meanings(reader, vector, limits, WIDE) if vector else {}
    best = max(BEST, 2 * query.limit)
    fitting = [*_top(words.rows, best), *_top(meaning, best)]
    candidates = _candidates(reader, fitting, words.rows, meaning, limits)
    known = {name for one in candidates for name in (one.role, one.subject) if name}
    ranked = ranking.rank(candidates, ranking.ask(query.text, known, now), words.threads)
    return _hits(reader, query, ranked[: query.limit], candidates)


def limits_of(query: Query, now: float) -> dict[str, Any]:
    """Return the parameters of the statement `allowed`.

    Without `since` and `until`, what is so at one moment is found: now, or that of `as_of`.
    """
    point = query.as_of or AsOf()
    recorded = seconds(point.recorded, now, "as_of.recorded")
    valid = seconds(point.valid, recorded, "as_of.valid")
    since, until = query.since, query.until
    if since == -FOREVER and until == FOREVER:
        since, until = valid, math.nextafter(valid, FOREVER)
    scope = query.scope
    return {
        "recorded": recorded,
        "since": since,
        "until": until,
        "alive": valid,
        "everywhere": query.everywhere or scope == Scope(),
        "project": scope.project,
        "agent": scope.agent,
        "user": scope.user,
        "thread": scope.thread,
        "kinds": list(query.kinds),
        "tags": list(query.tags),
        "subject": query.subject,
    }


def terms_of(text: str, named: frozenset[str] = frozenset()) -> list[str]:
    """Return the terms of a question, without the names of speakers if others are left.

    Who speaks is a signal of its own: a name in a text is mostly that of somebody else.
    """
    terms = query_tokens(text)
    said = {term for name in named for term in tokens(name)}
    return [term for term in terms if term not in said] or terms


def words_of(reader: Reader, terms: list[str], limits: dict[str, Any]) -> Words:
    """Return how well memories and conversations fit terms.

    Args:
        reader: The memory.
        terms: Those of a question.
        limits: The parameters of the statement `allowed`.
    """
    docs, length, scopes = reader.rows("corpus")[0]
    shares = {**dict.fromkeys(related(terms), RELATED), **dict.fromkeys(terms, 1.0)}
    known = _known(reader, shares, docs)
    if not known:
        return Words({}, {})
    values = {
        **limits,
        "ids": [number for number, _, _ in known],
        "weights": [share * _rarity(docs, df) for _, share, df in known],
        "shares": [share for _, share, _ in known],
        "k1": K1,
        "b": B,
        "c": B_THREAD,
        "mean": max(1.0, length / docs),
        "scopes": scopes,
        "scope_mean": max(1.0, length / scopes),
        "limit": WIDE,
    }
    rows: dict[int, float] = {}
    threads: dict[int, float] = {}
    for is_thread, number, score in reader.rows("words", values):
        (threads if is_thread else rows)[number] = score
    return Words(rows, threads)


def _known(reader: Reader, shares: Mapping[str, float], docs: int) -> list[tuple[int, float, int]]:
    """Return number, share, and in how many memories it is, of the terms that count."""
    rows = reader.rows("known_terms", {"terms": list(shares)}) if docs else []
    found = [(number, shares[term], df) for number, term, df in rows]
    if docs <= LARGE:
        return found
    rare = [one for one in found if one[2] <= docs / 10 * one[1]]
    return rare if any(share == 1 for _, share, _ in rare) else found


def _rarity(docs: int, df: int) -> float:
    return math.log(1 + max(0.5, docs - df + 0.5) / (df + 0.5))


def _candidates(
    reader: Reader,
    best: list[int],
    words: Mapping[int, float],
    meaning: Mapping[int, float],
    limits: dict[str, Any],
) -> list[Candidate]:
    """Return what fits best, and its neighbours."""
    if not best:
        return []
    rows = reader.rows("pool", {**limits, "best": best, "near": NEAR_ROWS})
    return [
        Candidate(*row[:8], words=words.get(row[0], 0.0), meaning=meaning.get(row[0], 0.0))
        for row in rows
    ]


def _top(scores: Mapping[int, float], count: int) -> list[int]:
    return sorted(scores, key=lambda n: (-scores[n], -n))[:count]


def _hits(
    reader: Reader, query: Query, ranked: list[Ranked], candidates: list[Candidate]
) -> list[Hit]:
    beside = ranking.neighbours(candidates)
    near = {one.candidate.n: beside.get(one.candidate.n, ()) for one in ranked}
    items = read_items(reader, [*{*near, *(n for rows in near.values() for n in rows)}])
    return [
        Hit(
            item=items[one.candidate.n],
            score=one.score,
            parts=one.parts,
            terms=shared_words(query.text, _said(items[one.candidate.n])),
            near=tuple(items[n] for n in near[one.candidate.n]),
        )
        for one in ranked
    ]


def _said(item: Item) -> str:
    return f"{item.subject} {item.predicate} {item.body}"


def _newest(reader: Reader, query: Query, limits: dict[str, Any]) -> list[Hit]:
    rows = [row[0] for row in reader.rows("newest", {**limits, "limit": query.limit})]
    items = read_items(reader, rows)
    return [Hit(items[n], 1 / (1 + at), {"recency": 1 / (1 + at)}) for at, n in enumerate(rows)]
