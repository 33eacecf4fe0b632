"""Memories as JSON for a page: no moment is infinite there, and no text endless."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from iaiflow_memory.clock import FOREVER
from iaiflow_memory.explain import reason
from iaiflow_memory.model import Episode, Hit, Item, Scope, Stats
from iaiflow_memory.terms import marked

#: Characters of a text in a list.
ROW: Final = 400
#: Characters of the text of a hit, and how many of them stand before the first word found.
FOUND: Final = 700
_BEFORE: Final = 150
#: Characters of what was said beside a hit.
NEAR: Final = 300
#: Characters of a past version.
PAST: Final = 20_000
#: Characters of the text of one memory that is looked at; a longer one is not changed there.
WHOLE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Seen:
    """The point of time from which memories are seen, in seconds since the epoch."""

    #: What is so at this moment.
    valid: float
    #: As it stood at this moment; FOREVER is the present.
    recorded: float = FOREVER


def as_stood(item: Item, seen: Seen) -> Item:
    """Return a version without what became of it since."""
    return replace(item, recorded_to=FOREVER) if item.recorded_to > seen.recorded else item


def standing(item: Item, seen: Seen) -> str:
    """Return how a version stands: `now`, `later`, `over`, `expired` or `forgotten`."""
    now = max(seen.valid, item.recorded_from)  # its owner's clock may be ahead of this one
    if item.recorded_to != FOREVER:
        return "forgotten"
    if item.expires_at <= now:
        return "expired"
    if item.valid_to <= now:
        return "over"
    return "later" if item.valid_from > now else "now"


def item_data(item: Item, length: int, seen: Seen) -> dict[str, Any]:
    """Return a version of a memory.

    Args:
        item: The version.
        length: How many characters of its text are shown.
        seen: The point of time from which it is seen.
    """
    item = as_stood(item, seen)
    return {
        "n": item.n,
        "id": item.id,
        "version": item.version,
        "supersedes": item.supersedes,
        "kind": item.kind,
        "subject": item.subject,
        "predicate": item.predicate,
        "text": item.body[:length],
        "is_cut": len(item.body) > length,
        "value": item.value if length > ROW else None,
        "confidence": item.confidence,
        "importance": item.importance,
        "tags": list(item.tags),
        "scope": scope_data(item.scope),
        "role": item.role,
        "source": item.source,
        "at": moment(item.at),
        "valid_from": moment(item.valid_from),
        "valid_to": moment(item.valid_to),
        "recorded_from": moment(item.recorded_from),
        "recorded_to": moment(item.recorded_to),
        "expires_at": moment(item.expires_at),
        "standing": standing(item, seen),
    }


def hit_data(hit: Hit, question: str, seen: Seen) -> dict[str, Any]:
    """Return a hit with the parts of its score, the strongest first, and why each counts."""
    parts = sorted(hit.parts.items(), key=lambda pair: -abs(pair[1]))
    return {
        "item": item_data(hit.item, ROW, seen),
        "score": hit.score,
        "parts": [
            {"part": part, "value": value, "words": reason(part, hit.terms)}
            for part, value in parts
        ],
        "terms": list(hit.terms),
        "pieces": _excerpt(marked(question, hit.item.body)),
        "near": [item_data(item, NEAR, seen) for item in hit.near],
    }


def episode_data(episode: Episode) -> dict[str, Any]:
    """Return what a memory was drawn from."""
    return {
        "id": episode.id,
        "role": episode.role,
        "text": episode.body[:PAST],
        "is_cut": len(episode.body) > PAST,
        "run_id": episode.run_id,
        "node_id": episode.node_id,
        "at": moment(episode.at),
        "recorded_at": moment(episode.recorded_at),
    }


def stats_data(stats: Stats) -> dict[str, Any]:
    """Return how much there is."""
    return {
        "memories": stats.memories,
        "versions": stats.versions,
        "episodes": stats.episodes,
        "kinds": dict(stats.kinds),
        "vectors": dict(stats.vectors),
        "bytes": stats.bytes,
    }


def scope_data(scope: Scope) -> dict[str, str]:
    """Return the parts of a scope that say something."""
    return {name: value for name, value in asdict(scope).items() if value}


def moment(at: float) -> float | None:
    """Return a moment in seconds since the epoch; None for the end of what has none."""
    return at if math.isfinite(at) else None


def _excerpt(pieces: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return the pieces of a text around the first word found, as many as a list shows."""
    first = next((at for at, (_, found) in enumerate(pieces) if found), None)
    lead = sum(len(text) for text, _ in pieces[:first]) if first is not None else 0
    skip = lead - _BEFORE if sum(len(text) for text, _ in pieces) > FOUND else 0
    shown: list[tuple[str, bool]] = [("\N{HORIZONTAL ELLIPSIS}", False)] if skip > 0 else []
    room = FOUND
    for text, found in pieces:
        kept = text[max(skip, 0) :]
        skip -= len(text)
        if kept and room > 0:
            shown.append((kept[:room], found))
        room -= len(kept)
    if room < 0:
        shown.append(("\N{HORIZONTAL ELLIPSIS}", False))
    return shown
