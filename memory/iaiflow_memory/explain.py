"""Why a memory was found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from iaiflow_memory.dates import day_of
from iaiflow_memory.model import Hit

#: What each part of a score says; see `rank.Weights`.
REASONS: Final[Mapping[str, str]] = {
    "words": "it shares words with the question",
    "meaning": "it is near the question in meaning",
    "before": "what was said just before it fits",
    "after": "what was said just after it fits",
    "answers": "it follows a question that fits, and may answer it",
    "thread": "its conversation fits as a whole",
    "who": "it was said by, or is about, somebody whom the question names",
    "date": "it was said at a time that the question names",
    "asks": "it asks something itself",
    "importance": "how much it matters",
    "recency": "how long ago it was said",
}


def explain(hit: Hit) -> str:
    """Return why a memory was found: a line for the memory, and one for each reason.

    The strongest reason comes first; the figures add up to the score.
    """
    item = hit.item
    teller = item.role or item.subject or item.kind
    lines = [f"{item.id} ({teller}, {day_of(item.at)}) scored {hit.score:.2f}:"]
    for part, value in sorted(hit.parts.items(), key=lambda pair: -abs(pair[1])):
        lines.append(f"  {value:+.2f} {reason(part, hit.terms)}")
    return "\n".join(lines)


def reason(part: str, terms: tuple[str, ...]) -> str:
    """Return what one part of a score says.

    Args:
        part: A key of `REASONS`.
        terms: The words of the question that the memory holds.
    """
    if part != "words":
        return REASONS[part]
    if not terms:
        return "it names something of a kind that the question names"
    return f"{REASONS[part]}: {', '.join(terms)}"
