"""A memory as a store of LangGraph: `StateGraph.compile(store=MemoryStore(memory))`.

Each entry is one memory whose value changes: nothing is overwritten, `memory.history` has the
past. Searching by a query ranks as `Memory.search` does, and leaves out what does not fit at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Literal, cast

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    get_text_at_path,
    tokenize_path,
)

from iaiflow_memory import model
from iaiflow_memory.clock import FOREVER
from iaiflow_memory.conditions import fits
from iaiflow_memory.errors import BadInput, NotFound
from iaiflow_memory.memory import Memory
from iaiflow_memory.timeline import MOST

#: How many entries a query looks at, and if these are too few: always the same numbers, so that
#: pages of one answer fit together.
_LOOKS: Final = (50, 500, 5_000, 50_000)
#: What stands for an entry that was deleted, and for the text of one that is not to be searched.
_NO_TEXT: Final = "-"


class MemoryStore(BaseStore):
    """Keeps the entries of LangGraph in a memory, within its scope.

    Args:
        memory: The memory; each scope has entries of its own.
        ttl: How entries expire that say nothing of it; see LangGraph's `TTLConfig`.
    """

    supports_ttl = True

    def __init__(self, memory: Memory, *, ttl: TTLConfig | None = None) -> None:
        self.ttl_config = ttl
        self._memory = memory

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several things: what is read is read before anything is written."""
        asked = list(ops)
        results: list[Result] = [self._read(op) for op in asked]
        last = {(op.namespace, op.key): op for op in asked if isinstance(op, PutOp)}
        for op in last.values():
            self._put(op)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several things without holding up the event loop."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _read(self, op: Op) -> Result:
        if isinstance(op, GetOp):
            return self._get(op)
        if isinstance(op, SearchOp):
            return self._search(op)
        if isinstance(op, ListNamespacesOp):
            return self._list(op)
        return None

    def _get(self, op: GetOp) -> Item | None:
        _, found = self._find(op.namespace, op.key)
        if found is None:
            return None
        self._stay(found, is_wanted=op.refresh_ttl)
        kept = found.value
        return Item(
            value=kept["value"],
            key=op.key,
            namespace=op.namespace,
            created_at=_moment(kept["created"]),
            updated_at=_moment(kept["updated"]),
        )

    def _search(self, op: SearchOp) -> list[SearchItem]:
        found = self._found(op, op.query) if op.query else self._newest(op)
        chosen = found[op.offset : op.offset + op.limit]
        for item, _ in chosen:
            self._stay(item, is_wanted=op.refresh_ttl)
        return [_entry(item, score) for item, score in chosen]

    def _found(self, op: SearchOp, query: str) -> list[tuple[model.Item, float | None]]:
        """Return at least as many entries that fit a query as are asked for, if there are."""
        found: list[tuple[model.Item, float | None]] = []
        for limit in _LOOKS:
            hits = self._memory.search(query, limit=limit, tags=(_label(op.namespace_prefix),))
            found = [(hit.item, hit.score) for hit in hits if self._is_wanted(hit.item, op)]
            if len(found) >= op.offset + op.limit or len(hits) < limit:
                break
        return found

    def _newest(self, op: SearchOp) -> list[tuple[model.Item, float | None]]:
        entries = self._entries(op.namespace_prefix)
        fitting = [item for item in entries if self._is_wanted(item, op)]
        fitting.sort(key=lambda item: -item.value["updated"])
        return [(item, None) for item in fitting]

    def _is_wanted(self, item: model.Item, op: SearchOp) -> bool:
        is_own = item.scope == self._memory.scope
        return is_own and (not op.filter or fits(item.value["value"], op.filter))

    def _list(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        own = (item for item in self._entries(()) if item.scope == self._memory.scope)
        every = {tuple(item.value["namespace"]) for item in own}
        wanted = op.match_conditions or ()
        found = {
            namespace[: op.max_depth]
            for namespace in every
            if all(_matches(condition, namespace) for condition in wanted)
        }
        return sorted(found)[op.offset : op.offset + op.limit]

    def _put(self, op: PutOp) -> None:
        memory_id, found = self._find(op.namespace, op.key)
        if op.value is None:
            if found is not None:
                self._memory.supersede(memory_id, _NO_TEXT, value=None, tags=())
            return
        now = time.time()
        kept = {
            "namespace": list(op.namespace),
            "key": op.key,
            "value": op.value,
            "created": now if found is None else found.value["created"],
            "updated": now,
            "ttl": op.ttl,
        }
        told: dict[str, Any] = {
            "value": kept,
            "tags": _labels(op.namespace),
            "expires_at": FOREVER if op.ttl is None else now + 60 * op.ttl,
        }
        self._write(memory_id, _text(op.value, op.index), told)

    def _write(self, memory_id: str, text: str, told: dict[str, Any]) -> None:
        """Change an entry, or the place of one that is gone; else make it."""
        try:
            self._memory.supersede(memory_id, text, **told)
        except NotFound:
            try:
                self._memory.add(text, id=memory_id, kind="semantic", once=False, **told)
            except BadInput:  # somebody else has just made it
                self._memory.supersede(memory_id, text, **told)

    def _find(self, namespace: tuple[str, ...], key: str) -> tuple[str, model.Item | None]:
        """Return the id of an entry, and the entry if there is one."""
        for memory_id in self._ids(namespace, key):
            try:
                found = self._memory.get(memory_id)
            except NotFound:
                if not self._is_forgotten(memory_id):
                    return memory_id, None
            else:
                return memory_id, found if found.value is not None else None
        raise AssertionError("there are ids without end")

    def _is_forgotten(self, memory_id: str) -> bool:
        """Return whether a memory was forgotten, which no id can be used for again."""
        try:
            versions = self._memory.history(memory_id)
        except NotFound:
            return False
        return all(version.recorded_to < FOREVER for version in versions)

    def _entries(self, prefix: tuple[str, ...]) -> Iterator[model.Item]:
        """Yield all entries below a namespace. To look through them is no use of them."""
        size, last = MOST, None
        while True:
            try:
                page = self._memory.timeline(limit=size, before=last, tags=(_label(prefix),))
            except BadInput:  # so many are more than one answer holds
                if size == 1:
                    raise
                size = max(1, size // 8)
                continue
            yield from page
            if len(page) < size:
                return
            last = page[-1]

    def _stay(self, item: model.Item, *, is_wanted: bool) -> None:
        """Let an entry that expires live on from now."""
        ttl = item.value["ttl"]
        if is_wanted and ttl is not None:
            self._memory.supersede(item.id, expires_at=time.time() + 60 * ttl)

    def _ids(self, namespace: tuple[str, ...], key: str) -> Iterator[str]:
        """Yield the id of an entry, and those that it has after it was forgotten by other doors."""
        scope = self._memory.scope
        whose = (scope.project, scope.agent, scope.user, scope.thread)
        first = f"langgraph-{_digest([whose, namespace, key])}"
        yield first
        yield from (f"{first}-{number}" for number in count(2))


def _entry(item: model.Item, score: float | None) -> SearchItem:
    kept = item.value
    return SearchItem(
        namespace=tuple(kept["namespace"]),
        key=kept["key"],
        value=kept["value"],
        created_at=_moment(kept["created"]),
        updated_at=_moment(kept["updated"]),
        score=score,
    )


def _text(value: Any, index: Literal[False] | Sequence[str] | None) -> str:
    """Return what of an entry is searched."""
    if index is False:
        return _NO_TEXT
    whole = index is None or list(index) == ["$"]
    found = [_words(value)] if whole else _at(value, index or ())
    return "\n".join(found).strip() or _NO_TEXT


def _at(value: Any, paths: Sequence[str]) -> list[str]:
    return [text for path in paths for text in get_text_at_path(value, tokenize_path(path))]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        parts = [_words(one) for one in cast("dict[str, Any]", value).values()]
    elif isinstance(value, list):
        parts = [_words(one) for one in cast("list[Any]", value)]
    else:
        return "" if value is None or isinstance(value, bool) else str(value)
    return "\n".join(part for part in parts if part)


def _matches(condition: MatchCondition, namespace: tuple[str, ...]) -> bool:
    path = condition.path
    if len(path) > len(namespace):
        return False
    part = namespace[: len(path)]
    if condition.match_type == "suffix":
        part = namespace[len(namespace) - len(path) :]
    return all(wanted in {"*", there} for wanted, there in zip(path, part, strict=True))


def _labels(namespace: tuple[str, ...]) -> list[str]:
    """Return a label for the namespace and each that it is in."""
    return [_label(namespace[:depth]) for depth in range(len(namespace) + 1)]


def _label(prefix: Sequence[str]) -> str:
    return f"langgraph-{_digest(list(prefix))}"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
