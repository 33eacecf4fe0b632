"""Every request of an inspector by name: its arguments and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from iaiflow_memory.clock import FOREVER, SystemClock, seconds
from iaiflow_memory.errors import BadInput, NotFound
from iaiflow_memory.inspector.fields import (
    PAST,
    ROW,
    WHOLE,
    Seen,
    as_stood,
    episode_data,
    hit_data,
    item_data,
    scope_data,
    stats_data,
)
from iaiflow_memory.lock import announced
from iaiflow_memory.model import AsOf, Item
from iaiflow_memory.verbs import ById

if TYPE_CHECKING:
    from iaiflow_memory.memory import Filters, Memory

Kind = Literal["working", "episodic", "semantic", "procedural"]
#: How many versions of a memory are shown, the last ones.
_VERSIONS: Final = 100


@dataclass(frozen=True, slots=True)
class Desk:
    """What an inspector looks into."""

    #: The memory.
    memory: Memory
    #: The point of the past that is shown alone; None is the present, which can be changed.
    moment: AsOf | None = None


class Nothing(msgspec.Struct, frozen=True):
    """No arguments."""


class Limits(msgspec.Struct, frozen=True):
    """What limits a list."""

    kinds: list[Kind] = []
    subject: str = ""
    tags: list[str] = []
    #: What was so from this moment on, and before that one, in seconds since the epoch.
    since: float | None = None
    until: float | None = None
    #: The past.
    as_of: float | None = None


class Page(msgspec.Struct, frozen=True):
    """A page of the timeline."""

    limits: Limits = Limits()
    #: The place (`at`, `n`) of the last memory of the page before.
    before: tuple[float, int] | None = None
    limit: int = 50
    #: Whether those are there, too, that stand or are so no longer.
    ended: bool = False


class Find(msgspec.Struct, frozen=True):
    """A search."""

    text: str
    limits: Limits = Limits()
    limit: int = 20


class One(msgspec.Struct, frozen=True):
    """A memory, now or at a moment."""

    id: str
    as_of: float | None = None


class Edit(msgspec.Struct, frozen=True):
    """What is to be different in a memory."""

    id: str
    #: The row that was looked at.
    n: int
    text: str | None = None
    subject: str | None = None
    kind: Kind | None = None
    tags: list[str] | None = None
    #: Since when it is so; None means now.
    valid_from: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """How one kind of request is answered."""

    arguments: type[msgspec.Struct]
    #: Returns the result.
    answer: Callable[[Desk, Any], Any]
    #: Whether it changes something: it is done whatever is asked after it.
    is_write: bool = False


def find(name: Any) -> Request:
    """Return how a request is answered.

    Raises:
        BadInput: There is no such request.
    """
    if not isinstance(name, str) or name not in _REQUESTS:
        raise BadInput(f"An inspector cannot be asked for {name!r}", remedy="Reload the page")
    return _REQUESTS[name]


def arguments(kind: type[msgspec.Struct], given: Any) -> Any:
    """Return the arguments of a request.

    Raises:
        BadInput: They cannot be used.
    """
    try:
        return msgspec.convert({} if given is None else given, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"This cannot be asked: {error}") from error


def _hello(desk: Desk, _: Nothing) -> dict[str, Any]:
    memory = desk.memory
    return {
        "place": memory.place,
        "scope": scope_data(memory.scope),
        "embedder": memory.embedder,
        "read_only": desk.moment is not None,
        "moment": None if desk.moment is None else desk.moment.recorded,
        **_stats(desk, Nothing()),
    }


def _stats(desk: Desk, _: Nothing) -> dict[str, Any]:
    found = stats_data(desk.memory.stats())
    return {"stats": found, "owner": _owner(desk.memory.place)}


def _owner(place: str) -> int:
    """Return the process that has the file open; 0 when it is on another machine."""
    is_address = place.startswith(("https://", "http://"))
    return 0 if is_address else announced(Path(place))[0].pid


def _timeline(desk: Desk, page: Page) -> dict[str, Any]:
    seen = _seen(_point(desk, page.limits.as_of))
    items = desk.memory.timeline(
        limit=page.limit + 1, before=page.before, ended=page.ended, **_filters(desk, page.limits)
    )
    return {
        "items": [item_data(item, ROW, seen) for item in items[: page.limit]],
        "more": len(items) > page.limit,
    }


def _search(desk: Desk, asked: Find) -> dict[str, Any]:
    seen = _seen(_point(desk, asked.limits.as_of))
    hits = desk.memory.search(asked.text, limit=asked.limit + 1, **_filters(desk, asked.limits))
    return {
        "hits": [hit_data(hit, asked.text, seen) for hit in hits[: asked.limit]],
        "more": len(hits) > asked.limit,
    }


def _detail(desk: Desk, one: One) -> dict[str, Any]:
    point = _point(desk, one.as_of)
    seen = _seen(point)
    versions = [
        as_stood(item, seen)
        for item in desk.memory.history(one.id)
        if item.recorded_from <= seen.recorded
    ]
    shown = _shown(desk.memory, one.id, point, versions)
    return {
        "item": item_data(shown, WHOLE, seen),
        "stands": shown.recorded_to == FOREVER,
        "versions": [item_data(version, PAST, seen) for version in versions[-_VERSIONS:]],
        "count": len(versions),
        "episode": _episode(desk.memory, shown),
    }


def _seen(point: AsOf | None) -> Seen:
    now = SystemClock().now()
    if point is None:
        return Seen(now)
    recorded = seconds(point.recorded, FOREVER, "as_of.recorded")
    return Seen(seconds(point.valid, min(recorded, now), "as_of.valid"), recorded)


def _shown(memory: Memory, id_: str, point: AsOf | None, versions: list[Item]) -> Item:
    """Return the version that is so, or was so last."""
    try:
        so = memory.get(id_, point)
    except NotFound:
        if not versions:
            raise
        return max(versions, key=lambda one: (one.recorded_to, one.valid_from, one.n))
    return next((one for one in versions if one.n == so.n), so)


def _episode(memory: Memory, item: Item) -> dict[str, Any] | None:
    if not item.episode_id:
        return None
    return episode_data(memory.door.call("episode", ById(item.episode_id, memory.scope)))


def _edit(desk: Desk, edit: Edit) -> dict[str, Any]:
    _refuse_past(desk)
    changes = {
        name: getattr(edit, name)
        for name in ("subject", "kind", "tags", "valid_from")
        if getattr(edit, name) is not None
    }
    item = desk.memory.supersede(edit.id, edit.text, of=edit.n, **changes)
    return {"id": item.id, "is_new": item.n != edit.n}


def _forget(desk: Desk, one: One) -> dict[str, Any]:
    _refuse_past(desk)
    return {"stood": desk.memory.forget(one.id)}


def _erase(desk: Desk, one: One) -> dict[str, Any]:
    _refuse_past(desk)
    erased = desk.memory.erase(id=one.id)
    if not erased.items:
        raise NotFound(
            "Nothing was erased: the memory is gone, or belongs to another scope",
            where=one.id,
            remedy="Open the memory with the scope to which it belongs",
        )
    return {"items": erased.items, "episodes": erased.episodes}


def _refuse_past(desk: Desk) -> None:
    if desk.moment is not None:
        raise BadInput("The past cannot be changed", remedy="Inspect the memory itself")


def _filters(desk: Desk, limits: Limits) -> Filters:
    return {
        "kinds": limits.kinds,
        "subject": limits.subject,
        "tags": limits.tags,
        "since": limits.since,
        "until": limits.until,
        "as_of": _point(desk, limits.as_of),
    }


def _point(desk: Desk, as_of: float | None) -> AsOf | None:
    """Return the point of time that is looked at; nobody looks behind the one that is shown."""
    shown = desk.moment
    if as_of is None or shown is None:
        return shown if as_of is None else AsOf(recorded=as_of)
    if shown.recorded is None:
        return AsOf(recorded=as_of)
    return AsOf(recorded=min(as_of, seconds(shown.recorded, FOREVER, "as_of")))


_REQUESTS: Final[Mapping[str, Request]] = {
    "hello": Request(Nothing, _hello),
    "stats": Request(Nothing, _stats),
    "timeline": Request(Page, _timeline),
    "search": Request(Find, _search),
    "detail": Request(One, _detail),
    "edit": Request(Edit, _edit, is_write=True),
    "forget": Request(One, _forget, is_write=True),
    "erase": Request(One, _erase, is_write=True),
}
