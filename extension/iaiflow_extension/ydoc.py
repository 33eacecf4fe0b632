"""A flow as the Jupyter server shares it between browsers; `src/core/shared.ts` is its twin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, cast

from jupyter_ydoc.ybasedoc import YBaseDoc
from pycrdt import Array, Awareness, Doc, Map

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import NODE_KEYS
from iaiflow_lab.model.file import dump, from_data, parse, to_data
from iaiflow_lab.model.flow import FORMAT

_CONFIG = "config"
_META = ("$schema", "name", "parameters", "outputs")

_Texts = dict[str, str]


class YFlow(YBaseDoc):
    """A flow whose leaves are JSON text, so that numbers and the order of keys stay as they are.

    Args:
        ydoc: The shared document; a new one by default.
        awareness: Who else is there.
    """

    def __init__(self, ydoc: Doc[Any] | None = None, awareness: Awareness | None = None) -> None:
        doc: Doc[Any] = Doc() if ydoc is None else ydoc
        super().__init__(doc, awareness)  # pyright: ignore[reportUnknownMemberType]
        self._doc = doc
        self._state = doc.get("state", type=Map)
        self._nodes = doc.get("nodes", type=Map)
        self._order = doc.get("order", type=Array)
        self._edges = doc.get("edges", type=Array)
        self._meta = doc.get("meta", type=Map)
        self._layout = _Entries(doc, "layout", "layoutOrder")
        self._notes = _Entries(doc, "notes", "noteOrder")
        self._groups = _Entries(doc, "groups", "groupOrder")

    @property
    def version(self) -> str:
        """The version of this layout of the shared document."""
        return "1.0.0"

    def get(self) -> str:
        """Return the file's text: its own while it says the same, or cannot be read."""
        source = cast("str", self._meta.get("source", ""))
        if source and _written(source) is None:
            return source
        return dump(from_data(self._data()), previous=source)

    def set(self, value: str) -> None:
        """Take over a file's text; only differences are written, so that edits elsewhere stay.

        An empty file is a new flow; one that cannot be read is kept as it is.
        """
        ours = _written(value)
        data = {} if ours is None else to_data(parse(value))
        with self._doc.transaction():
            self._set_nodes(data.get("nodes", {}))
            _set_sequence(self._edges, data.get("edges", []))
            self._layout.set(_lines(data.get("layout", {})))
            self._notes.set(_lines(_identified(data.get("notes", []), "note")))
            self._groups.set(_lines(_identified(data.get("groups", []), "group")))
            meta = _lines({key: data[key] for key in _META if key in data})
            if value and value != ours:
                meta["source"] = value
            _set_texts(self._meta, meta)

    def observe(self, callback: Callable[[str, Any], None]) -> None:
        """Call `callback(topic, event)` with every change of the flow or the document's state."""
        self.unobserve()
        self._subscriptions[self._state] = self._state.observe(partial(callback, "state"))
        changed = partial(callback, "flow")
        entries = (self._layout, self._notes, self._groups)
        flat = [part for one in entries for part in (one.texts, one.order)]
        for part in (self._order, self._edges, self._meta, *flat):
            self._subscriptions[part] = part.observe(changed)
        self._subscriptions[self._nodes] = self._nodes.observe_deep(changed)

    def _set_nodes(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        for node_id in set(self._nodes.keys()) - nodes.keys():
            del self._nodes[node_id]
        for node_id, node in nodes.items():
            texts = _node_texts(node)
            if node_id in self._nodes:
                _set_texts(self._nodes[node_id], texts)
            else:
                self._nodes[node_id] = Map(texts)
        _set_sequence(self._order, list(nodes))

    def _data(self) -> dict[str, Any]:
        """Return the flow as JSON data."""
        return {
            "format": FORMAT,
            **{key: json.loads(self._meta[key]) for key in _META if key in self._meta},
            "nodes": {
                node_id: _node_data(self._nodes[node_id].to_py())
                for node_id in _ordered(self._order, self._nodes)
            },
            "edges": list(self._edges),
            "layout": self._layout.get(),
            "notes": list(self._notes.get().values()),
            "groups": list(self._groups.get().values()),
        }


class _Entries:
    """A map of JSON texts, and an array with the order of its keys."""

    def __init__(self, doc: Doc[Any], name: str, order: str) -> None:
        self.texts = doc.get(name, type=Map)
        self.order = doc.get(order, type=Array)

    def set(self, texts: _Texts) -> None:
        _set_texts(self.texts, texts)
        _set_sequence(self.order, list(texts))

    def get(self) -> dict[str, Any]:
        return {key: json.loads(self.texts[key]) for key in _ordered(self.order, self.texts)}


def _written(text: str) -> str | None:
    """Return how we would write a file's text; None when it cannot be read."""
    try:
        return dump(parse(text))
    except FlowError:
        return None


def _ordered(order: Array[Any], entries: Map[Any]) -> list[str]:
    """Return the keys in order; those that met edits left without a place come last."""
    keys = [key for key in dict.fromkeys(order) if key in entries]
    return keys + sorted(set(entries.keys()) - set(keys))


def _set_texts(target: Map[Any], texts: _Texts) -> None:
    for key in set(target.keys()) - texts.keys():
        del target[key]
    for key, text in texts.items():
        if target.get(key) != text:
            target[key] = text


def _set_sequence(target: Array[Any], items: Sequence[str]) -> None:
    """Replace what stands between the common start and the common end."""
    present = list(target)
    if present == list(items):
        return
    start = _common(present, items)
    rest = _common(present[start:][::-1], items[start:][::-1])
    end = len(present) - rest
    if start < end:
        del target[start:end]
    for index, item in enumerate(items[start : len(items) - rest], start):
        target.insert(index, item)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items both start with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _node_texts(node: Mapping[str, Any]) -> _Texts:
    config = node.get(_CONFIG, {})
    texts = _lines({key: value for key, value in node.items() if key != _CONFIG})
    if config:
        texts[_CONFIG] = _line(list(config))
        texts |= {f"{_CONFIG}.{name}": _line(value) for name, value in config.items()}
    return texts


def _node_data(texts: Mapping[str, str]) -> dict[str, Any]:
    prefix = f"{_CONFIG}."
    present = sorted(key.removeprefix(prefix) for key in texts if key.startswith(prefix))
    order = [*json.loads(texts.get(_CONFIG, "[]")), *present]
    names = [name for name in dict.fromkeys(order) if prefix + name in texts]
    config = {name: json.loads(texts[prefix + name]) for name in names}
    plain = {key for key in texts if key != _CONFIG and not key.startswith(prefix)}
    data = {
        key: json.loads(texts[key])
        for key in (*NODE_KEYS, *sorted(plain - set(NODE_KEYS)))
        if key in plain
    }
    return data | {_CONFIG: config} if config else data


def _identified(items: Iterable[Mapping[str, Any]], kind: str) -> dict[str, Mapping[str, Any]]:
    """Return notes or groups by id: their own where it is a text and the first of its kind."""
    listed = list(items)
    owners: dict[str, int] = {}
    for index, item in enumerate(listed):
        if isinstance(own := item.get("id"), str) and own:
            owners.setdefault(own, index)
    numbered = (f"{kind}-{number}" for number in count(1))
    free = (made for made in numbered if made not in owners)
    by_place = {index: own for own, index in owners.items()}
    return {by_place.get(i) or next(free): item for i, item in enumerate(listed)}


def _lines(values: Mapping[str, Any]) -> _Texts:
    return {key: _line(value) for key, value in values.items()}


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
