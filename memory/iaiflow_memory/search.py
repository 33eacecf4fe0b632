"""From a question to hits: filter, then words and meaning, then neighbours, then rank."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iaiflow_memory import rank as ranking
from iaiflow_memory.allowed import Allowed, allowed
from iaiflow_memory.checking import count
from iaiflow_memory.dense import Vector, meanings
from iaiflow_memory.few import Few, few, together
from iaiflow_memory.items import read_items
from iaiflow_memory.kinds import related
from iaiflow_memory.model import Hit, Item, Query, Scope
from iaiflow_memory.queries import QUERIES
from iaiflow_memory.rank import NEAR_ROWS, Candidate, Ranked
from iaiflow_memory.store import Reader, Row
from iaiflow_memory.terms import query_tokens, shared_words, tokens

#: How fast a repeated term stops counting, and how much a long text counts less (BM25).
K1, B, B_THREAD = 1.2, 0.4, 0.75
#: What a term counts that is not of the question, but of a kind that it names.
RELATED = 0.3
#: Of how many memories the fit of words, and of meaning, is looked at.
WIDE = 1_000
#: Of how many memories the neighbours are looked at; twice as many as are asked for, if more.
BEST = 100
#: In a memory larger than this, terms that every tenth text has do not count beside rarer ones that
#: are found.
LARGE = 20_000

#: The number of a term, what it counts, and in how many memories it is.
Known = tuple[int, float, int]


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
    seen = allowed(reader, query, now)
    if seen.scopes == ():
        return []
    if not query.text.strip():
        return _newest(reader, query, seen)
    little = few(reader, seen, reader.kept("corpus")[0][0])
    named = ranking.names_in(query.text, _roles(reader, query, little))
    words = words_of(reader, terms_of(query.text, named), seen, little)
    meaning = meanings(reader, vector, seen, WIDE, little) if vector else {}
    best = max(BEST, 2 * query.limit)
    fitting = {*_top(words.rows, best), *_top(meaning, best)}
    pool = _pool(reader, fitting, seen, little) if fitting else []
    candidates = _candidates(pool, fitting, words.rows, meaning)
    known = {name for one in candidates for name in (one.role, one.subject) if name}
    question = ranking.ask(query.text, known, now)
    ranked = ranking.rank(candidates, question, words.threads, limit=query.limit)
    return _hits(reader, query, ranked, candidates)


def _roles(reader: Reader, query: Query, little: Few | None) -> Iterable[str]:
    """Return who speaks where a question may look; what is elsewhere must not change its answer."""
    if little and little.roles is not None:
        return little.roles
    scope = Scope() if query.everywhere else query.scope
    rows = reader.kept("roles", scope.project, scope.agent, scope.user, scope.thread)
    return [role for (role,) in rows]


def terms_of(text: str, named: frozenset[str] = frozenset()) -> list[str]:
    """Return the terms of a question, without the names of speakers if others are left.

    Who speaks is a signal of its own: a name in a text is mostly that of somebody else.
    """
    terms = query_tokens(text)
    said = {term for name in named for term in tokens(name)}
    return [term for term in terms if term not in said] or terms


def words_of(reader: Reader, terms: list[str], seen: Allowed, little: Few | None = None) -> Words:
    """Return how well memories and conversations fit terms.

    Args:
        reader: The memory.
        terms: Those of a question.
        seen: What may be found.
        little: All of that, if it is little.
    """
    docs, length, scopes = reader.kept("corpus")[0]
    known = _known(reader, terms)
    for chosen in (_rare(known, docs), known):
        weights = {number: share * _rarity(docs, df) for number, share, df in chosen}
        shares = {number: share for number, share, _ in chosen}
        rows, told = _fits(reader, weights, _mean(length, docs), seen, little)
        if rows:
            return Words(rows, _threads(reader, told, shares, scopes, _mean(length, scopes)))
    return Words({}, {})


def _mean(length: int, count: int) -> float:
    """Return how many terms one has on average; where none stands, the past may be asked for."""
    return max(1.0, length / max(1, count))


def _fits(
    reader: Reader, weights: Mapping[int, float], mean: float, seen: Allowed, little: Few | None
) -> tuple[dict[int, float], list[Row]]:
    """Return BM25 of the best memories, and how often which term is in which conversation."""
    if not weights:
        return {}, []
    if little and (ends := little.ends):
        found = reader.rows(_of_terms("postings_between", weights), ends)
        return _scored(found, weights, mean, little)
    values = {"k1": K1, "b": B, "mean": mean, "limit": WIDE}
    found = seen.rows(reader, _of_terms("words", weights), values)
    return {n: score for term, n, score in found if not term}, [row for row in found if row[0]]


def _scored(
    postings: list[Row], weights: Mapping[int, float], mean: float, little: Few
) -> tuple[dict[int, float], list[Row]]:
    """Do what the statement `words` does."""
    scores: defaultdict[int, float] = defaultdict(float)
    told: Counter[tuple[int, int]] = Counter()
    for n, term, times in postings:
        if (row := little.rows.get(n)) is not None:
            damping = K1 * (1 - B + B * row[-1] / mean)
            scores[n] += weights[term] * times * (K1 + 1) / (times + damping)
            told[term, row[1]] += times
    best = {n: scores[n] for n in _top(scores, WIDE)}
    return best, [(term, scope, times) for (term, scope), times in told.items()]


def _of_terms(name: str, weights: Mapping[int, float]) -> str:
    """Return a statement of queries/search.sql with terms and what each counts in it."""
    terms = ", ".join(f"({term}, {weight!r}::DOUBLE)" for term, weight in weights.items())
    return QUERIES[name].replace("{terms}", terms)


def _threads(
    reader: Reader, told: list[Row], shares: Mapping[int, float], count: int, mean: float
) -> dict[int, float]:
    """Return BM25 of conversations, if there are several.

    A term counts its share; in a conversation, where related terms are many, less of it.

    Args:
        reader: The memory.
        told: Which term each conversation has, and how often.
        shares: What terms count.
        count: How many conversations there are.
        mean: How many terms they have on average.
    """
    talks = {scope for _, scope, _ in told}
    if len(talks) < 2:  # one alone has nothing to be preferred to
        return {}
    lengths = reader.kept_each("lengths", sorted(talks))
    spread = Counter(term for term, _, _ in told)
    scores: Counter[int] = Counter()
    for term, scope, times in told:
        damping = K1 * (1 - B_THREAD + B_THREAD * lengths[scope][1] / mean)
        rarity = shares[term] ** 2 * _rarity(count, spread[term])
        scores[scope] += rarity * times * (K1 + 1) / (times + damping)
    return dict(scores)


def _known(reader: Reader, terms: list[str]) -> list[Known]:
    """Return what is known of terms, and of those related to them."""
    shares = {**dict.fromkeys(related(terms), RELATED), **dict.fromkeys(terms, 1.0)}
    rows = reader.kept_each("known_terms", shares).values()
    return [(number, shares[term], df) for term, number, df in rows]


def _rare(known: list[Known], docs: int) -> list[Known]:
    """Return the terms that count in a large memory; none if all do, or none of the question's."""
    rare = [one for one in known if one[2] <= docs / 10 * one[1]]
    are_some = len(rare) < len(known) and any(share == 1 for _, share, _ in rare)
    return rare if docs > LARGE and are_some else []


def _rarity(docs: int, df: int) -> float:
    return math.log(1 + max(0.5, docs - df + 0.5) / (df + 0.5))


def _candidates(
    pool: list[Row], best: set[int], words: Mapping[int, float], meaning: Mapping[int, float]
) -> list[Candidate]:
    """Return what fits best, and its neighbours of the same conversation."""
    scopes = {row[1] for row in pool if row[0] in best}
    return [
        Candidate._make((*row[:-1], words.get(row[0], 0.0), meaning.get(row[0], 0.0)))
        for row in pool
        if row[1] in scopes
    ]


def _beside(rows: Iterable[int]) -> set[int]:
    """Return rows with those that may be their neighbours."""
    return {near for n in rows for near in range(n - NEAR_ROWS, n + NEAR_ROWS + 1)}


def _pool(reader: Reader, best: set[int], seen: Allowed, little: Few | None) -> list[Row]:
    """Return what is to be known to rank rows and those beside them, as far as these are seen."""
    wanted = _beside(best)
    ends = together(wanted)
    if little:
        found = list(little.rows.values())
    elif ends:
        found = seen.rows(reader, "pool_between", ends)
    else:
        return seen.rows(reader, "pool_beside", {"best": sorted(best), "near": NEAR_ROWS})
    return [row for row in found if row[0] in wanted]


def _top(scores: Mapping[int, float], count: int) -> list[int]:
    return sorted(scores, key=lambda n: (-scores[n], -n))[:count]


def _hits(
    reader: Reader, query: Query, ranked: list[Ranked], candidates: list[Candidate]
) -> list[Hit]:
    around = _beside(one.candidate.n for one in ranked)
    beside = ranking.neighbours([one for one in candidates if one.n in around])
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


def _newest(reader: Reader, query: Query, seen: Allowed) -> list[Hit]:
    rows = [row[0] for row in seen.rows(reader, "newest", {"limit": query.limit})]
    items = read_items(reader, rows)
    return [Hit(items[n], 1 / (1 + at), {"recency": 1 / (1 + at)}) for at, n in enumerate(rows)]
