"""Time on two axes: what was so when, and what stood here when.

A version says that something is so from `valid_from` to `valid_to`; it stands here from
`recorded_from` to `recorded_to`. Nothing is overwritten: a change closes the recorded interval of
the versions that it touches, and writes others that take their place. Of the versions of one
memory that stand, no two are so at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from iaiflow_memory import checking
from iaiflow_memory.answers import answered, note_answer
from iaiflow_memory.clock import FOREVER, seconds
from iaiflow_memory.episodes import as_episode
from iaiflow_memory.errors import BadInput, Conflict, NotFound
from iaiflow_memory.ids import key_of, new_id
from iaiflow_memory.items import (
    Version,
    again,
    as_version,
    close_versions,
    last_versions,
    put_versions,
    read_items,
    standing,
)
from iaiflow_memory.model import ANY, AsOf, Item, Origin, Scope, Undone
from iaiflow_memory.scopes import all_within, holds
from iaiflow_memory.store import Reader, Row, Writer
from iaiflow_memory.writing import Tools, digest_of, put_batches

#: What may be changed beside the text and the valid interval, and how it is checked.
_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "kind": checking.kind,
    "subject": lambda value: checking.name(value, "subject"),
    "predicate": lambda value: checking.name(value, "predicate"),
    "value": lambda value: checking.as_json(value, "value"),
    "confidence": lambda value: checking.share(value, "confidence"),
    "importance": lambda value: checking.share(value, "importance"),
    "expires_at": lambda value: seconds(value, FOREVER, "expires_at"),
    "tags": checking.labels,
    "source": lambda value: checking.name(value, "source"),
}
#: What is said; the other fields are about it.
_SAID: Final = ("kind", "subject", "predicate", "body", "value")
#: Everything that `supersede` may change.
CHANGEABLE: Final = ("text", "valid_from", "valid_to", *_CHECKS)


def get(
    reader: Reader, memory: str, now: float, as_of: AsOf | None = None, scope: Scope = ANY
) -> Item:
    """Return the version of a memory that is so at a moment, as it stood at a moment.

    Args:
        reader: Reads.
        memory: The id.
        now: The present, in seconds since the epoch.
        as_of: The point of time; None is the present, at which the last version is returned of
            a memory that is so no longer, or not yet.
        scope: Whose memories are seen; a part that is "" does not limit.

    Raises:
        NotFound: There is no such version.
    """
    point = as_of or AsOf()
    recorded = seconds(point.recorded, now, "recorded")
    valid = seconds(point.valid, recorded, "valid")
    rows = _versions(reader, memory, scope)
    stood = [row for row in rows if _stood(row, recorded, is_present=point.recorded is None)]
    fitting = [row for row in stood if row[1] <= valid < row[2]]
    if point.valid is None and not fitting:
        fitting = sorted(stood, key=lambda row: row[1])[-1:]
    fitting = [row for row in fitting if valid < row[5]]
    if not fitting:
        raise _missing(memory, rows, is_past=as_of is not None)
    n = fitting[-1][0]
    return read_items(reader, [n])[n]


def history(reader: Reader, memory: str, scope: Scope = ANY) -> list[Item]:
    """Return all versions of a memory, past and present, in the order of writing.

    Args:
        reader: Reads.
        memory: The id.
        scope: Whose memories are seen; a part that is "" does not limit.

    Raises:
        NotFound: There is no such memory.
    """
    ns = [row[0] for row in _versions(reader, memory, scope)]
    if not ns:
        raise _missing(memory, [], is_past=True)
    found = read_items(reader, ns)
    return [found[n] for n in ns]


def sources(reader: Reader, version: Item, scope: Scope = ANY) -> list[Origin]:
    """Return from what a version of a memory comes, in the order of telling.

    Args:
        reader: Reads.
        version: The version.
        scope: Whose episodes are seen; a part that is "" does not limit.
    """
    found = [_origin(row) for row in reader.rows("provenance_of", [version.n])]
    return [origin for origin in found if holds(scope, origin.episode.scope)]


def supersede(
    writer: Writer,
    tools: Tools,
    *,
    memory: str,
    changes: Mapping[str, Any],
    scope: Scope = ANY,
    of: int | None = None,
    key: str = "",
) -> Item:
    """Let a new version of a memory take the place of what stands.

    What is said changes from `valid_from` on (now, unless it is given): until then, what stood is
    so still. Give the old `valid_from` to correct a mistake. A change that changes nothing writes
    nothing, so that it may be tried again.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        memory: The id.
        changes: What is different, by the names of `CHANGEABLE`.
        scope: Whose memories are changed; a part that is "" does not limit.
        of: The row of the version that has to be the present one; None takes any.
        key: A fresh id; who asks again with the same gets the same answer. "" is none.

    Raises:
        BadInput: A change cannot be made.
        Conflict: Another version is the present one; nothing was written.
        NotFound: There is no such memory, or it was forgotten or has expired.
    """
    before = answered(writer, "superseded", key)
    if before is not None:
        return _written_before(writer, before, memory, scope)
    stands = standing(writer, memory, scope)
    if not stands:
        raise _missing(memory, _versions(writer, memory, scope), is_past=False)
    moment = writer.moment()
    current = _current(stands, moment)
    if of not in {None, current.n}:
        raise _conflict(memory)
    if current.expires_at <= moment and "expires_at" not in changes:
        raise _missing(memory, stands, is_past=False)  # nobody would find the change
    new = _changed(current, changes, moment)
    if new == current:
        return read_items(writer, [current.n])[current.n]
    batch = tools.numbers.take("batches")
    put_batches(writer, {batch: (moment, "supersede")})
    if new.body != current.body:
        new = replace(new, episode=_tell(writer, tools, new, moment))
    written = _replace(writer, tools, stands, new, moment)
    _note_origin(writer, written, "supersede", batch)
    note_answer(writer, "superseded", key, written[0].n, moment)
    return read_items(writer, [written[0].n])[written[0].n]


def forget(
    writer: Writer, tools: Tools, *, memory: str, scope: Scope = ANY, of: int | None = None
) -> bool:
    """Let a memory stand no longer; its history stays.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        memory: The id.
        scope: Whose memories are forgotten; a part that is "" does not limit.
        of: The row of the version that has to be the present one; None takes any.

    Returns:
        Whether it stood until now.

    Raises:
        Conflict: Another version is the present one; nothing was written.
        NotFound: There is no such memory.
    """
    stands = standing(writer, memory, scope)
    if not stands:
        if not _versions(writer, memory, scope):
            raise _missing(memory, [], is_past=True)
        return False
    moment = writer.moment()
    if of not in {None, _current(stands, moment).n}:
        raise _conflict(memory)
    put_batches(writer, {tools.numbers.take("batches"): (moment, "forget")})
    close_versions(writer, tools.vocabulary, [version.n for version in stands], moment)
    return True


def undo(writer: Writer, tools: Tools, batch: int, scope: Scope = ANY) -> Undone:
    """Take a batch back: what it wrote stands no longer, what it closed stands again.

    Undoing twice is harmless: the second time nothing is done.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        batch: The batch; the one that an undo made can itself be undone.
        scope: Whose memories it may have changed; a part that is "" does not limit.

    Raises:
        NotFound: There is no such batch.
        BadInput: A memory of the batch was changed since, or it is no number.
    """
    when, opened, closed = _touched(writer, checking.number(batch, "undo"), scope)
    undone = writer.one("batches_undone", [batch])
    if undone is not None:
        return Undone(undone[0], 0, 0)
    _refuse_later(writer, {memory for _, memory, _ in (*opened, *closed)}, when)
    moment = writer.moment()
    number = tools.numbers.take("batches")
    writer.run("batches_put_undo", [number, moment, batch])
    close_versions(writer, tools.vocabulary, [n for n, _, _ in opened], moment)
    restored = _restore(writer, tools, [n for n, _, _ in closed], moment)
    _note_origin(writer, restored, "undo", number)
    return Undone(number, len(opened), len(restored))


def _versions(reader: Reader, memory: str, scope: Scope) -> list[Row]:
    """Return row, valid and recorded interval and expiry of all versions of a memory, in order."""
    rows = sorted(row for row in reader.rows("items_of", [key_of(memory)]) if row[0] == memory)
    is_seen = all_within(reader, [row[-1] for row in rows], scope)
    return [row[2:-1] for row in rows] if is_seen else []


def _origin(row: Row) -> Origin:
    start, end, method, model, batch, *told = row
    episode = as_episode(told)
    return Origin(episode, episode.body[start:end], method, model, batch)


def _touched(reader: Reader, batch: int, scope: Scope) -> tuple[float, list[Row], list[Row]]:
    """Return when a batch was written, and the row, id and scope of what it recorded and closed."""
    row = reader.one("batches_get", [batch])
    if row is not None:
        opened, closed = (reader.rows(name, row[:1]) for name in ("items_opened", "items_closed"))
        if all_within(reader, [number for _, _, number in (*opened, *closed)], scope):
            return row[0], opened, closed
    raise NotFound(f"There is no batch {batch}", where="undo")


def _stood(row: Row, recorded: float, *, is_present: bool) -> bool:
    _, _, _, start, end, _ = row
    return end == FOREVER if is_present else start <= recorded < end


def _missing(memory: str, rows: Sequence[object], *, is_past: bool) -> NotFound:
    if not rows:
        return NotFound(
            f"There is no memory {memory!r}",
            remedy="search for it, or open the memory with the scope to which it belongs",
        )
    if is_past:
        return NotFound(f"The memory {memory!r} was not there at that moment")
    return NotFound(
        f"The memory {memory!r} was forgotten or has expired", remedy="its history is there still"
    )


def _conflict(memory: str) -> Conflict:
    return Conflict(
        f"The memory {memory!r} was changed meanwhile",
        remedy="look at what it says now, and change that",
    )


def _written_before(reader: Reader, n: int, memory: str, scope: Scope) -> Item:
    found = read_items(reader, [n]).get(n)
    if found is None or found.id != memory or not holds(scope, found.scope):
        raise _missing(memory, [], is_past=True)
    return found


def _current(stands: Sequence[Version], moment: float) -> Version:
    for version in stands:
        if version.valid_from <= moment < version.valid_to:
            return version
    return stands[-1]


def _changed(current: Version, changes: Mapping[str, Any], moment: float) -> Version:
    unknown = sorted(set(changes) - set(CHANGEABLE))
    if unknown:
        raise BadInput(
            f"{unknown[0]!r} cannot be changed",
            where="supersede",
            remedy=f"change {', '.join(CHANGEABLE)}",
        )
    fields: dict[str, Any] = {
        name: check(changes[name]) for name, check in _CHECKS.items() if name in changes
    }
    value: str | None = fields.get("value", current.value)
    if changes.get("text") is not None:
        fields["body"] = checking.text_or_value(changes["text"], value)
    elif "value" in changes and current.body == current.value:
        fields["body"] = checking.text_or_value("", value)
    new = replace(current, **fields)
    says_other = any(getattr(new, name) != getattr(current, name) for name in _SAID)
    default = max(moment, current.valid_from) if says_other else current.valid_from
    start = seconds(changes.get("valid_from"), default, "valid_from")
    end = current.valid_to if current.valid_to > start else FOREVER
    if "valid_to" in changes:
        end = seconds(changes["valid_to"], FOREVER, "valid_to")
    start, end = checking.interval(start, end)
    return replace(new, valid_from=start, valid_to=end)


def _tell(writer: Writer, tools: Tools, new: Version, moment: float) -> int:
    """Keep the new text verbatim, as an episode; return its row."""
    seq = tools.numbers.take("episodes")
    told = new_id(moment)
    row = (seq, told, new.scope, new.role, new.body, None, "", "", moment, moment)
    writer.run("episodes_put", [[value] for value in (*row, digest_of(new.body), key_of(told))])
    return seq


def _replace(
    writer: Writer, tools: Tools, stands: Sequence[Version], new: Version, moment: float
) -> list[Version]:
    """Write a version, and again what is left of those that it touches; return what was written."""
    touched = [
        version
        for version in stands
        if version.valid_from < new.valid_to and new.valid_from < version.valid_to
    ]
    left = [
        replace(version, valid_from=start, valid_to=end)
        for version in touched
        for start, end in (
            (version.valid_from, new.valid_from),
            (new.valid_to, version.valid_to),
        )
        if start < end
    ]
    close_versions(writer, tools.vocabulary, [version.n for version in touched], moment)
    return _put_again(writer, tools, [new, *left], moment)


def _put_again(
    writer: Writer, tools: Tools, versions: Sequence[Version], moment: float
) -> list[Version]:
    """Write copies of versions, with the next numbers; return them."""
    lasts = last_versions(writer, {version.id for version in versions})
    written: list[Version] = []
    first = tools.numbers.take("items", len(versions))
    for n, version in enumerate(versions, first):
        lasts[version.id] += 1
        written.append(again(version, n, lasts[version.id], moment))
    put_versions(writer, tools.vocabulary, written)
    return written


def _restore(writer: Writer, tools: Tools, ns: Sequence[int], moment: float) -> list[Version]:
    rows = writer.rows("items_again", [list(ns)]) if ns else []
    versions = [as_version(row) for row in rows]
    return _put_again(writer, tools, versions, moment) if versions else []


def _note_origin(writer: Writer, versions: Sequence[Version], method: str, batch: int) -> None:
    rows = [
        (version.n, version.episode, 0, len(version.body), method, "", batch)
        for version in versions
    ]
    if rows:
        writer.run("provenance_put", [list(column) for column in zip(*rows, strict=True)])


def _refuse_later(reader: Reader, memories: set[str], moment: float) -> None:
    changed = reader.rows("items_after", {"ids": list(memories), "moment": moment})
    if changed:
        raise BadInput(
            f"The memory {changed[0][0]!r} was changed since that batch",
            where="undo",
            remedy="undo the later change first",
        )
