"""Adding memories: what was told is kept verbatim, what is there already is not stored again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from iaiflow_memory.checking import Draft, checked, checked_scope
from iaiflow_memory.errors import BadInput
from iaiflow_memory.ids import key_of, new_id
from iaiflow_memory.items import Version, put_versions
from iaiflow_memory.model import Added, Answer, New, Scope
from iaiflow_memory.numbers import Numbers
from iaiflow_memory.recall import Recall
from iaiflow_memory.scopes import Scopes
from iaiflow_memory.sketch import Sketch, says_same, sketch
from iaiflow_memory.store import Reader, Row, Writer
from iaiflow_memory.vocabulary import Vocabulary

#: Kind, role, subject, predicate and value: texts about different ones do not say the same.
About = tuple[str, str, str, str, str | None]

#: The digest of a text, and the scope in which it was told: an id stands for both.
Told = tuple[bytes, Scope]

#: With how many memories that may say almost the same a new one is compared at most.
_MOST_ALIKE: Final = 16


@dataclass(frozen=True, slots=True)
class Tools:
    """What every write needs of the open file."""

    #: Gives numbers to rows.
    numbers: Numbers
    #: Gives numbers to terms.
    vocabulary: Vocabulary
    #: Gives numbers to scopes.
    scopes: Scopes
    #: Knows what was recalled.
    recall: Recall


@dataclass(slots=True)
class _Entry:
    """A new memory, and what becomes of it."""

    draft: Draft
    scope: Scope
    moment: float
    batch: int
    id: str
    digest: bytes
    sketch: Sketch
    #: What is to be answered, when that is known.
    added: Added | None = None
    #: The same id was told before it in the same transaction.
    twin: _Entry | None = None
    #: The row of the memory that it becomes, or that says the same.
    n: int = 0

    @property
    def told(self) -> Told:
        """What its id stands for."""
        return self.digest, self.scope


@dataclass(slots=True)
class _Asked:
    """One request to add memories."""

    entries: list[_Entry] = field(default_factory=list["_Entry"])
    fault: BadInput | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A memory that may say the same as a new one."""

    n: int
    id: str
    scope: int
    about: About
    body: str
    valid_from: float
    ends_at: float


def add_all(
    writer: Writer, tools: Tools, requests: Sequence[tuple[Scope, Sequence[New]]]
) -> list[Answer]:
    """Add memories for several requests; one that cannot be met does not hinder the others.

    Args:
        writer: Writes.
        tools: What belongs to the open file.
        requests: For each request the scope and the memories; all of them or none are added.

    Returns:
        For each request a list of `Added`, or the fault.
    """
    asked = [_asked(writer, tools, scope, news) for scope, news in requests]
    _answer_known(writer, asked)
    entries = [entry for request in asked if not request.fault for entry in request.entries]
    fresh = [entry for entry in entries if entry.added is None and entry.twin is None]
    _gate(writer, tools, fresh)
    _put(writer, tools, fresh)
    return [_answer(request) for request in asked]


def find_same(
    writer: Writer, tools: Tools, scope: Scope, draft: Draft, moment: float
) -> tuple[int, str] | None:
    """Return the row and id of the standing memory that says the same as a draft, or None."""
    entry = _Entry(draft, scope, moment, 0, "", b"", sketch(draft.text))
    found = _Candidates()
    for candidate, numbers in _alike(writer, tools, [entry]):
        found.put(candidate, numbers)
    same = found.same(entry, tools.scopes.number(writer, scope))
    return (same.n, same.id) if same else None


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).digest()


def _asked(writer: Writer, tools: Tools, scope: Scope, news: Sequence[New]) -> _Asked:
    moment = writer.moment()
    try:
        whose = checked_scope(scope)
        drafts = [checked(new, moment) for new in news]
    except BadInput as fault:
        return _Asked(fault=fault)
    batch = tools.numbers.take("batches")
    return _Asked(
        [
            _Entry(
                draft=draft,
                scope=whose,
                moment=moment,
                batch=batch,
                id=draft.id or new_id(moment),
                digest=digest_of(draft.text),
                sketch=sketch(draft.text),
            )
            for draft in drafts
        ]
    )


def _answer_known(reader: Reader, asked: Sequence[_Asked]) -> None:
    """Answer what was told before under the same id, in the same scope, as it was answered then."""
    given = [entry.id for request in asked for entry in request.entries if entry.draft.id]
    known = _known(reader, given) if given else {}
    first: dict[str, _Entry] = {}
    for request in asked:
        named = [entry for entry in request.entries if entry.draft.id]
        told = {entry.id: entry.told for entry in reversed(named)}
        told |= {id_: entry.told for id_, entry in first.items()}
        told |= {id_: was_told for id_, (was_told, _) in known.items()}
        for entry in named:
            if entry.told != told[entry.id]:
                request.fault = _taken(entry, told[entry.id])
                break
        else:
            for entry in named:
                if entry.id in known:
                    entry.added = known[entry.id][1]
                elif (twin := first.setdefault(entry.id, entry)) is not entry:
                    entry.twin = twin


def _taken(entry: _Entry, told: Told) -> BadInput:
    is_text = entry.told[0] != told[0]
    return BadInput(
        f"The id {entry.id!r} belongs to {'another text' if is_text else 'another scope'}",
        where="id",
        remedy="give another id" + (", or supersede that memory" if is_text else ""),
    )


def _known(reader: Reader, ids: list[str]) -> dict[str, tuple[Told, Added]]:
    """Return what was told under these ids, and how it was answered."""
    named = set(ids)
    told = [
        row for row in reader.rows("episodes_told", [list(map(key_of, named))]) if row[0] in named
    ]
    if not told:
        return {}
    outcomes = {row[0]: row for row in reader.rows("episodes_outcome", [[t[1] for t in told]])}
    whose = {n: Scope(*parts) for n, *parts in reader.rows("item_scopes", [[t[3] for t in told]])}
    known: dict[str, tuple[Told, Added]] = {}
    for id_, seq, digest, scope in told:
        if seq in outcomes:
            _, method, memory, batch = outcomes[seq]
            is_new = method == "verbatim"
            known[id_] = (
                (digest, whose[scope]),
                Added(id_, is_new, "" if is_new else memory, batch),
            )
    return known


def _gate(writer: Writer, tools: Tools, entries: Sequence[_Entry]) -> None:
    """Answer what says the same as a memory that stands, or as an entry before it."""
    for entry, found in tools.recall.find(
        writer, [(entry, entry.draft.text, entry.scope) for entry in entries if entry.draft.once]
    ):
        if max(entry.moment, entry.draft.valid_from) < found.ends_at:
            _say_same(entry, found.n, found.id)
    guarded = [entry for entry in entries if entry.draft.once and entry.added is None]
    found = _Candidates()
    for candidate, numbers in _alike(writer, tools, guarded):
        found.put(candidate, numbers)
    first = tools.numbers.take("items", len(entries))
    for n, entry in enumerate(entries, first):
        if entry.added is not None:
            continue
        scope = tools.scopes.number(writer, entry.scope)
        same = found.same(entry, scope) if entry.draft.once else None
        if same is not None:
            _say_same(entry, same.n, same.id)
        else:
            entry.n = n
            entry.added = Added(entry.id, is_new=True, batch=entry.batch)
            found.put(_as_candidate(entry, scope), _numbers(entry))


def _say_same(entry: _Entry, n: int, memory: str) -> None:
    entry.n = n
    entry.added = Added(entry.id, is_new=False, same_as=memory, batch=entry.batch)


class _Candidates:
    """Memories by the numbers of their sketches, and whose and about what they are."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int, int, About], list[_Candidate]] = {}

    def put(self, candidate: _Candidate, numbers: Sequence[int | None]) -> None:
        for place, number in _given(numbers):
            key = (place, number, candidate.scope, candidate.about)
            self._found.setdefault(key, []).append(candidate)

    def same(self, entry: _Entry, scope: int) -> _Candidate | None:
        """Return the memory that says the same about the same in the same scope, and still does."""
        draft = entry.draft
        for candidate in self._alike(entry, scope):
            if (
                candidate.valid_from <= draft.valid_from < candidate.ends_at
                and entry.moment < candidate.ends_at
                and says_same(draft.text, candidate.body)
            ):
                return candidate
        return None

    def _alike(self, entry: _Entry, scope: int) -> Iterator[_Candidate]:
        about = _about(entry.draft)
        seen: set[int] = set()
        for place, number in _given(_numbers(entry)):
            for candidate in self._found.get((place, number, scope, about), ())[-_MOST_ALIKE:]:
                if candidate.n not in seen:
                    seen.add(candidate.n)
                    yield candidate


def _numbers(entry: _Entry) -> Sequence[int | None]:
    return (entry.sketch.said, *entry.sketch.bands)


def _given(numbers: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    return ((place, number) for place, number in enumerate(numbers) if number is not None)


def _alike(
    writer: Writer, tools: Tools, entries: Sequence[_Entry]
) -> Iterator[tuple[_Candidate, Sequence[int | None]]]:
    """Yield the memories that may say the same as new ones, the last ones last."""
    if not entries:
        return
    where = {
        "scopes": list({tools.scopes.number(writer, entry.scope) for entry in entries}),
        "subjects": list({entry.draft.subject for entry in entries}),
    }
    long = [entry.sketch.bands for entry in entries if entry.sketch.bands[0] is not None]
    rows: list[Row] = []
    if long:
        bands = {f"band{at}": list(band) for at, band in enumerate(zip(*long, strict=True))}
        most = _MOST_ALIKE * len(long)
        rows += reversed(writer.rows("items_alike", {"most": most, **where, **bands}))
    said = [entry.sketch.said for entry in entries]
    if writer.one("items_said", [said]):
        rows += writer.rows("items_saying", {"said": said, **where})
    for n, memory, scope, body, start, end, *rest in rows:
        kind, role, subject, predicate, value, *numbers = rest
        about = (kind, role, subject, predicate, value)
        yield _Candidate(n, memory, scope, about, body, start, end), numbers


def _as_candidate(entry: _Entry, scope: int) -> _Candidate:
    draft = entry.draft
    ends_at = min(draft.valid_to, draft.expires_at)
    return _Candidate(
        entry.n, entry.id, scope, _about(draft), draft.text, draft.valid_from, ends_at
    )


def _about(draft: Draft) -> About:
    return draft.kind, draft.role, draft.subject, draft.predicate, draft.value


def _put(writer: Writer, tools: Tools, entries: Sequence[_Entry]) -> None:
    if not entries:
        return
    scopes = [tools.scopes.number(writer, entry.scope) for entry in entries]
    first = tools.numbers.take("episodes", len(entries))
    numbered = list(zip(range(first, first + len(entries)), scopes, entries, strict=True))
    put_batches(writer, {entry.batch: (entry.moment, "add") for entry in entries})
    _put_columns(writer, "episodes_put", (_episode(*told) for told in numbered))
    put_versions(
        writer,
        tools.vocabulary,
        [_version(*told) for told in numbered if told[2].added and told[2].added.is_new],
    )
    _put_columns(writer, "provenance_put", (_provenance(seq, entry) for seq, _, entry in numbered))


def put_batches(writer: Writer, batches: dict[int, tuple[float, str]]) -> None:
    """Write down batches.

    Args:
        writer: Writes.
        batches: The moment and the verb of each, by number.
    """
    _put_columns(writer, "batches_put", ((batch, *told) for batch, told in batches.items()))


def _put_columns(writer: Writer, query: str, rows: Iterable[Row]) -> None:
    writer.run(query, [list(column) for column in zip(*rows, strict=True)])


def _episode(seq: int, scope: int, entry: _Entry) -> Row:
    draft = entry.draft
    return (
        *(seq, entry.id, scope, draft.role, draft.text, draft.meta, draft.run_id, draft.node_id),
        *(draft.at, entry.moment, entry.digest, key_of(entry.id)),
    )


def _version(seq: int, scope: int, entry: _Entry) -> Version:
    draft = entry.draft
    return Version(
        n=entry.n,
        id=entry.id,
        version=1,
        scope=scope,
        kind=draft.kind,
        subject=draft.subject,
        predicate=draft.predicate,
        body=draft.text,
        value=draft.value,
        confidence=draft.confidence,
        importance=draft.importance,
        valid_from=draft.valid_from,
        valid_to=draft.valid_to,
        recorded_from=entry.moment,
        supersedes=0,
        expires_at=draft.expires_at,
        tags=draft.tags,
        episode=seq,
        role=draft.role,
        at=draft.at,
        source=draft.source,
    )


def _provenance(seq: int, entry: _Entry) -> Row:
    assert entry.added is not None
    method = "verbatim" if entry.added.is_new else "same"
    return (entry.n, seq, 0, len(entry.draft.text), method, "", entry.batch)


def _answer(request: _Asked) -> Answer:
    if request.fault is not None:
        return Answer(fault=request.fault)
    told = [entry.twin or entry for entry in request.entries]
    return Answer([entry.added for entry in told])
