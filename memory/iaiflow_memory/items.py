"""Versions of memories, as they are read from and written to their table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from iaiflow_memory.clock import FOREVER
from iaiflow_memory.ids import key_of
from iaiflow_memory.model import ANY, Item, Scope
from iaiflow_memory.scopes import all_within
from iaiflow_memory.sketch import sketch
from iaiflow_memory.store import Reader, Row, Writer
from iaiflow_memory.terms import tokens
from iaiflow_memory.vocabulary import Vocabulary

#: The place of the scope in a row of `items_by_n`.
_SCOPE: Final = 17


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a memory on its way into the file. Scope and episode are rows."""

    n: int
    id: str
    version: int
    scope: int
    kind: str
    subject: str
    predicate: str
    body: str
    value: str | None
    confidence: float
    importance: float
    valid_from: float
    valid_to: float
    recorded_from: float
    supersedes: int
    expires_at: float
    tags: tuple[str, ...]
    episode: int
    role: str
    at: float
    source: str


def read_items(reader: Reader, ns: Sequence[int]) -> dict[int, Item]:
    """Return versions of memories by their rows; what is not there is left out."""
    if not ns:
        return {}
    is_one = len(ns) == 1
    rows = reader.rows("item_by_n", ns) if is_one else reader.rows("items_by_n", [list(ns)])
    told_in = reader.kept_each("item_scopes", {row[_SCOPE] for row in rows})
    scopes = {number: Scope(*parts) for number, *parts in told_in.values()}
    return {row[0]: _item(row, scopes[row[_SCOPE]]) for row in rows}


def put_versions(writer: Writer, vocabulary: Vocabulary, versions: Sequence[Version]) -> None:
    """Write versions, with their terms and the totals of their scopes."""
    if not versions:
        return
    terms = {version.n: tokens(indexed_text(version)) for version in versions}
    rows = [_row(version, len(terms[version.n])) for version in versions]
    writer.run("items_put", [list(column) for column in zip(*rows, strict=True)])
    vocabulary.post(writer, terms)
    totals: dict[int, list[int]] = {}
    for version in versions:
        total = totals.setdefault(version.scope, [0, 0])
        total[0] += 1
        total[1] += len(terms[version.n])
    docs, lengths = map(list, zip(*totals.values(), strict=True))
    writer.run("totals_add", {"scopes": list(totals), "docs": docs, "lengths": lengths})


def close_versions(
    writer: Writer, vocabulary: Vocabulary, ns: Iterable[int], moment: float
) -> None:
    """Let versions stand no longer, from a moment on; they stay in the history."""
    rows = list(ns)
    if rows:
        where = {"ns": rows, "first": min(rows), "last": max(rows)}
        writer.run("items_close", {"moment": moment, **where})
        writer.run("totals_take", where)
        vocabulary.withdraw(writer, rows)


def standing(reader: Reader, memory: str, scope: Scope = ANY) -> list[Version]:
    """Return the versions of a memory that stand now, by the time when they are so.

    Args:
        reader: Reads.
        memory: The id.
        scope: Whose memories are seen; a part that is "" does not limit.
    """
    rows = reader.rows("items_standing", [key_of(memory)])
    versions = [as_version(row) for row in rows if row[1] == memory]
    is_seen = all_within(reader, [version.scope for version in versions], scope)
    return sorted(versions, key=lambda version: version.valid_from) if is_seen else []


def last_versions(reader: Reader, memories: Iterable[str]) -> dict[str, int]:
    """Return the number of the last version of each memory that there is."""
    return dict(reader.rows("items_last_version", [list(map(key_of, memories))]))


def as_version(row: Row) -> Version:
    """Return a row of `items_standing` or `items_again` as a version."""
    fields = list(row)
    fields[16] = tuple(row[16])
    return Version(*fields)


def again(version: Version, n: int, number: int, moment: float) -> Version:
    """Return a copy of a version that takes its place.

    Args:
        version: The version.
        n: The row of the copy.
        number: Its number among the versions of the memory.
        moment: When it is recorded.
    """
    return replace(version, n=n, version=number, recorded_from=moment, supersedes=version.n)


def indexed_text(version: Version) -> str:
    """Return the words by which a version is found: who, what about, what, and on which day."""
    said = [version.role, version.subject, version.predicate, version.body]
    if version.kind == "episodic":
        said.append(_day(version.at))
    return "\n".join(part for part in said if part)


def _day(moment: float) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""  # not a year that a calendar has


def _row(version: Version, doclen: int) -> Row:
    numbers = sketch(version.body)
    return (
        *(version.n, version.id, version.version, version.scope, version.kind),
        *(version.subject, version.predicate, version.body, version.value),
        *(version.confidence, version.importance, version.valid_from, version.valid_to),
        *(version.recorded_from, FOREVER, version.supersedes, version.expires_at),
        *(list(version.tags), version.episode, version.role, version.at, version.source),
        *(doclen, numbers.said, *numbers.bands, key_of(version.id)),
    )


def _item(row: Row, scope: Scope) -> Item:
    fields = list(row)
    fields[_SCOPE] = scope
    fields[7] = None if row[7] is None else json.loads(row[7])
    fields[16] = tuple(row[16])
    return Item(*fields)
