"""What a model has drawn from episodes, written as one batch that can be undone.

Each memory names the parts of the episodes from which it comes, and the model.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Final

from iaiflow_memory.answers import answered, note_answer
from iaiflow_memory.checking import Draft, checked, checked_scope, count, kind, name, number, share
from iaiflow_memory.clock import Moment
from iaiflow_memory.episodes import as_episode
from iaiflow_memory.errors import BadInput, NotFound
from iaiflow_memory.ids import key_of, new_id
from iaiflow_memory.items import (
    Version,
    again,
    close_versions,
    last_versions,
    put_versions,
    standing,
)
from iaiflow_memory.model import Consolidated, Drawn, Episode, Faded, New, Scope
from iaiflow_memory.scopes import all_within
from iaiflow_memory.store import Reader, Row, Writer
from iaiflow_memory.writing import Tools, find_same, put_batches

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _Plan:
    """A drawn memory that may be written."""

    draft: Draft
    #: Row of the episode and span, for each source.
    sources: tuple[tuple[int, int, int], ...]
    #: The versions that it takes the place of.
    replaced: tuple[Version, ...]


def unread(reader: Reader, model: str, scope: Scope, limit: int) -> list[Episode]:
    """Return the next episodes of a scope that a model has not read yet.

    Args:
        reader: Reads.
        model: The model's id.
        scope: Whose episodes; a part that is "" does not limit.
        limit: How many at most.

    Raises:
        BadInput: The limit cannot be used.
    """
    row = reader.one("reading_mark", [_mark(model, scope)])
    asked = {"after": row[0] if row else 0, "limit": count(limit, "limit"), **asdict(scope)}
    return [as_episode(row) for row in reader.rows("episodes_after", asked)]


def settle(
    writer: Writer,
    tools: Tools,
    *,
    model: str,
    scope: Scope,
    drawn: Sequence[Drawn],
    read: Sequence[int],
    key: str = "",
) -> Consolidated:
    """Write what a model has drawn, and note what it has read.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        model: The model's id.
        scope: Whose memories they are to be; they come from and replace what is within it alone.
        drawn: What was drawn.
        read: The `Episode.seq` that were read.
        key: A fresh id; who asks again with the same gets the same answer. "" is none.

    Raises:
        BadInput: A memory cannot be written, or comes from nothing; nothing was written.
        NotFound: A memory that is to be replaced does not stand, or there is no such episode.
    """
    before = answered(writer, "settled", key)
    if before is not None:
        return _consolidated(*before)
    moment = writer.moment()
    whose, model_id = checked_scope(scope), name(model, "model")
    plans = [_planned(writer, one, whose, moment) for one in drawn]
    last = max((number(seq, "read") for seq in read), default=0)
    _refuse_twice(plans)
    if read:
        writer.run("reading_put", [_mark(model_id, whose), str(last)])
    if not plans:
        return Consolidated(0, len(read))
    batch = tools.numbers.take("batches")
    put_batches(writer, {batch: (moment, "consolidate")})
    settled = (moment, model_id, batch)
    outcomes = [_settle_one(writer, tools, plan, whose, settled) for plan in plans]
    replaced = dict.fromkeys(one.id for plan in plans for one in plan.replaced)
    done = Consolidated(
        batch,
        len(read),
        drawn=tuple(memory for memory, is_new in outcomes if is_new),
        confirmed=tuple(memory for memory, is_new in outcomes if not is_new),
        replaced=tuple(replaced),
    )
    note_answer(writer, "settled", key, astuple(done), moment)
    return done


def _consolidated(batch: int, read: int, *ids: list[str]) -> Consolidated:
    return Consolidated(batch, read, *map(tuple, ids))


def fade(
    writer: Writer,
    tools: Tools,
    *,
    scope: Scope,
    half_life: float,
    keep: float,
    kinds: Sequence[str],
) -> Faded:
    """Forget what matters little and was not used for long; its history stays.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        scope: Whose memories; a part that is "" does not limit.
        half_life: Days after which what is not used matters half as much.
        keep: What matters less than this, 0 to 1, is forgotten.
        kinds: The kinds of memory that may be forgotten.

    Raises:
        BadInput: An argument cannot be used.
    """
    if not (math.isfinite(half_life) and half_life > 0):
        raise BadInput(f"{half_life!r} is not a number of days", where="half_life")
    moment = writer.moment()
    asked = {
        "now": moment,
        "half_life": half_life * _DAY,
        "keep": share(keep, "keep"),
        "kinds": [kind(one) for one in kinds],
        **asdict(checked_scope(scope)),
    }
    faded = dict(writer.rows("items_faded", asked))
    if not faded:
        return Faded(0, 0)
    batch = tools.numbers.take("batches")
    put_batches(writer, {batch: (moment, "fade")})
    close_versions(writer, tools.vocabulary, faded, moment)
    return Faded(batch, len(set(faded.values())))


def _mark(model: str, scope: Scope) -> str:
    """Return the key of a mark; it does not tell whose it is."""
    told = json.dumps([model, *astuple(scope)])
    return f"read.{hashlib.sha256(told.encode()).hexdigest()}"


def _planned(reader: Reader, drawn: Drawn, scope: Scope, moment: float) -> _Plan:
    named = {source.episode for source in drawn.sources}
    found = reader.rows("sources_of", [list(map(key_of, named))])
    told = {
        row[0]: row[:-1] for row in found if row[0] in named and all_within(reader, row[-1:], scope)
    }
    sources = tuple(_span(told, s.episode, s.span_from, s.span_to) for s in drawn.sources)
    replaced = tuple(one for memory in drawn.replaces for one in _standing(reader, memory, scope))
    if not sources and not replaced:
        raise BadInput(
            "A drawn memory comes from nothing", where="sources", remedy="name its episodes"
        )
    said = max([row[3] for row in told.values()] + [one.at for one in replaced])
    draft = checked(
        New(
            text=drawn.text,
            kind=drawn.kind,
            subject=drawn.subject,
            predicate=drawn.predicate,
            value=drawn.value,
            confidence=drawn.confidence,
            importance=drawn.importance,
            valid_from=_start(drawn, replaced),
            tags=drawn.tags,
            at=said,
        ),
        moment,
    )
    return _Plan(draft, sources, replaced)


def _start(drawn: Drawn, replaced: Sequence[Version]) -> Moment | None:
    """Return since when a memory is so that only says better what others say; else as given."""
    if drawn.valid_from is None and replaced:
        return min(one.valid_from for one in replaced)
    return drawn.valid_from


def _standing(reader: Reader, memory: str, scope: Scope) -> list[Version]:
    found = standing(reader, memory, scope)
    if not found:
        raise NotFound(f"The memory {memory!r} does not stand", where="replaces")
    return found


def _span(told: dict[str, Row], episode: str, start: int, end: int | None) -> tuple[int, int, int]:
    if episode not in told:
        raise NotFound(f"There is no episode {episode!r}", where="sources")
    _, seq, length, _ = told[episode]
    last = length if end is None else end
    if not 0 <= start <= last <= length:
        raise BadInput(
            f"The episode {episode!r} has {length} characters, not {start} to {last}",
            where="sources",
        )
    return seq, start, last


def _refuse_twice(plans: Sequence[_Plan]) -> None:
    seen: set[int] = set()
    for version in (one for plan in plans for one in plan.replaced):
        if version.n in seen:
            raise BadInput(f"The memory {version.id!r} is replaced twice", where="replaces")
        seen.add(version.n)


def _settle_one(
    writer: Writer, tools: Tools, plan: _Plan, scope: Scope, settled: tuple[float, str, int]
) -> tuple[str, bool]:
    """Write one memory; return its id and whether it is new.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        plan: What to write.
        scope: Whose it is to be.
        settled: The moment, the model and the batch.
    """
    moment, model, batch = settled
    _replace(writer, tools, plan, moment)
    same = find_same(writer, tools, scope, plan.draft, moment)
    if same is not None:
        n, memory = same
        _note(writer, plan, (n, "confirmed", model, batch))
        return memory, False
    version = _version(writer, tools, plan, scope, moment)
    put_versions(writer, tools.vocabulary, [version])
    _note(writer, plan, (version.n, "drawn", model, batch))
    return version.id, True


def _replace(writer: Writer, tools: Tools, plan: _Plan, moment: float) -> None:
    """Close what is replaced; what was so before the new memory is, is so still."""
    close_versions(writer, tools.vocabulary, [one.n for one in plan.replaced], moment)
    start = plan.draft.valid_from
    left = [one for one in plan.replaced if one.valid_from < start]
    first = tools.numbers.take("items", len(left))
    kept = [
        again(
            replace(one, valid_to=min(one.valid_to, start)),
            n,
            _next_version(writer, one.id),
            moment,
        )
        for n, one in enumerate(left, first)
    ]
    put_versions(writer, tools.vocabulary, kept)


def _next_version(reader: Reader, memory: str) -> int:
    return last_versions(reader, [memory]).get(memory, 0) + 1


def _version(writer: Writer, tools: Tools, plan: _Plan, scope: Scope, moment: float) -> Version:
    draft = plan.draft
    return Version(
        n=tools.numbers.take("items"),
        id=new_id(moment),
        version=1,
        scope=tools.scopes.number(writer, scope),
        kind=draft.kind,
        subject=draft.subject,
        predicate=draft.predicate,
        body=draft.text,
        value=draft.value,
        confidence=draft.confidence,
        importance=draft.importance,
        valid_from=draft.valid_from,
        valid_to=draft.valid_to,
        recorded_from=moment,
        supersedes=plan.replaced[0].n if plan.replaced else 0,
        expires_at=draft.expires_at,
        tags=draft.tags,
        episode=plan.sources[0][0] if plan.sources else plan.replaced[0].episode,
        role="",
        at=draft.at,
        source="",
    )


def _note(writer: Writer, plan: _Plan, origin: tuple[int, str, str, int]) -> None:
    """Write down where a row comes from: the row, how, by which model and in which batch."""
    n, method, model, batch = origin
    rows = [(n, *source, method, model, batch) for source in plan.sources]
    if rows:
        writer.run("provenance_put", [list(column) for column in zip(*rows, strict=True)])
    if plan.replaced:
        inherited = {"n": n, "model": model, "batch": batch}
        replaced = [one.n for one in plan.replaced]
        writer.run("provenance_inherit", {**inherited, "replaced": replaced})
