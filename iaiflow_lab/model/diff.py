"""What changed in the meaning of a flow; layout, notes and titles do not count."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from iaiflow_lab.model.data import from_data, node_data
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.names import shorten
from iaiflow_lab.model.version import config_meaning, is_body

Kind = Literal["added", "removed", "changed"]
What = Literal["parameter", "node", "edge", "edges", "output", "outputs"]

_SIGNS: dict[Kind, str] = {"added": "+", "removed": "-", "changed": "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions of a flow."""

    kind: Kind
    #: The part that changed; `edges` is the order of edges into a port, `outputs` whether the flow
    #: says what it returns.
    what: What
    #: Its name: a node's id (`each/clean` inside the body of `each`), an edge's or port's spelling.
    name: str
    #: The field of a changed node: `config.url`, `retry`; "" for the whole.
    field: str = ""
    #: Its value before; None when it was not there.
    old: Any = None
    #: Its value after; None when it is not there any more.
    new: Any = None

    def __str__(self) -> str:
        """Return the change on one line: `~ node fetch config.url: "a" -> "b"`."""
        head = " ".join(
            part for part in (_SIGNS[self.kind], self.what, self.name, self.field) if part
        )
        if self.kind == "changed":
            return f"{head}: {_show(self.old)} -> {_show(self.new)}"
        value = self.new if self.kind == "added" else self.old
        if self.what == "node" and not self.field:
            return f"{head} ({value['type']})"
        return head if self.what == "edge" else f"{head}: {_show(value)}"


@dataclass(frozen=True, slots=True)
class Diff:
    """All that changed; false when the meaning is the same."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def to_data(self) -> list[dict[str, Any]]:
        """Return the changes as JSON data."""
        return [asdict(change) for change in self.changes]

    def lines(self) -> list[str]:
        """Return the changes as text, one line each."""
        return [str(change) for change in self.changes]


def diff(old: Flow, new: Flow) -> Diff:
    """Return what changed in meaning from `old` to `new`; empty when their versions are equal."""
    return Diff(tuple(_flow(old, new, "")))


def _flow(old: Flow, new: Flow, prefix: str) -> Iterator[Change]:
    yield from _mappings("parameter", old.parameters, new.parameters, prefix)
    yield from _nodes(old, new, prefix)
    yield from _edges(old, new, prefix)
    if (old.outputs is None) != (new.outputs is None):
        said = ("every last node", "as named")
        before, after = said if old.outputs is None else said[::-1]
        yield Change("changed", "outputs", prefix.removesuffix("/"), old=before, new=after)
    yield from _mappings("output", old.outputs or {}, new.outputs or {}, prefix)


def _mappings(
    what: What, old: Mapping[str, Any], new: Mapping[str, Any], prefix: str
) -> Iterator[Change]:
    for name in {**old, **new}:
        if change := _entry(what, f"{prefix}{name}", "", old.get(name), new.get(name)):
            yield change


def _entry(what: What, name: str, field: str, old: Any, new: Any) -> Change | None:
    if _text(old) == _text(new):
        return None
    return Change(_kind(old is not None, new is not None), what, name, field, old, new)


def _kind(was: bool, there: bool) -> Kind:  # noqa: FBT001 - before and after, as everywhere here
    if was and there:
        return "changed"
    return "removed" if was else "added"


def _nodes(old: Flow, new: Flow, prefix: str) -> Iterator[Change]:
    for node_id in {**old.nodes, **new.nodes}:
        before, after = old.nodes.get(node_id), new.nodes.get(node_id)
        name = f"{prefix}{node_id}"
        if before is None or after is None:
            pair = [None if node is None else node_data(node) for node in (before, after)]
            yield Change("removed" if after is None else "added", "node", name, "", *pair)
            continue
        yield from _node_fields(node_data(before), node_data(after), name)


def _node_fields(old: dict[str, Any], new: dict[str, Any], name: str) -> Iterator[Change]:
    for field in {**old, **new}:
        if field == "config":
            yield from _config(old.get("config", {}), new.get("config", {}), name)
        elif field != "title" and (
            change := _entry("node", name, field, old.get(field), new.get(field))
        ):
            yield change
    # Absent and empty configurations mean the same, so fields are compared, never the whole.


def _config(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> Iterator[Change]:
    for field in {**old, **new}:
        before, after = (config_meaning(field, side.get(field)) for side in (old, new))
        if field in old and field in new and _text(before) == _text(after):
            continue
        if _are_flows(field, old, new, before, after):
            bodies = [from_data(side[field], nested=True) for side in (old, new)]
            yield from _flow(bodies[0], bodies[1], f"{name}/")
        else:
            kind = _kind(field in old, field in new)
            values = (side.get(field) for side in (old, new))
            yield Change(kind, "node", name, f"config.{field}", *values)


def _are_flows(
    field: str, old: Mapping[str, Any], new: Mapping[str, Any], before: Any, after: Any
) -> bool:
    """Say whether both values are nested flows that can be read, so have a meaning of their own."""
    raw = (old.get(field), new.get(field))
    readable = before is not raw[0] and after is not raw[1]
    return readable and all(is_body(field, value) for value in raw)


def _edges(old: Flow, new: Flow, prefix: str) -> Iterator[Change]:
    before, after = Counter(old.edges), Counter(new.edges)
    for edge in (before - after).elements():
        yield Change("removed", "edge", f"{prefix}{edge}", old=str(edge))
    for edge in (after - before).elements():
        yield Change("added", "edge", f"{prefix}{edge}", new=str(edge))
    kept = set(before & after)
    old_order, new_order = _by_port(old, kept), _by_port(new, kept)
    for port, sources in old_order.items():
        if sources != new_order.get(port):
            yield Change("changed", "edges", f"{prefix}{port}", "", sources, new_order.get(port))


def _by_port(flow: Flow, kept: set[Any]) -> dict[str, list[str]]:
    """Return the sources of every port in the order of their edges."""
    found: dict[str, list[str]] = {}
    for edge in flow.edges:
        if edge in kept:
            port = f"{edge.target}.{edge.target_port}"
            found.setdefault(port, []).append(f"{edge.source}.{edge.source_port}")
    return found


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _show(value: Any) -> str:
    return shorten(_text(value), 80)
