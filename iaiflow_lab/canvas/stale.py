"""What each node would compute, as a hash: it changes with code, configuration and inputs.

A node is stale when its fingerprint is not the one that it had when its outputs were made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from iaiflow_lab.engine import cache_key
from iaiflow_lab.errors import LabError
from iaiflow_lab.model import topology
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node
from iaiflow_lab.model.version import config_meaning, is_body
from iaiflow_lab.sdk.node import NodeType

if TYPE_CHECKING:
    from iaiflow_lab.sdk.catalog import Catalog

#: Parameters that a configuration names.
_NAMED: Final = re.compile(r"\bparams\b\s*(?:\.\s*(\w+)|\[\s*\\?[\"'](\w+))")
#: How deep nested flows are followed.
_DEPTH: Final = 100


def fingerprints(
    flow: Flow, types: Catalog, inputs: Mapping[str, Any], folder: Path | None = None
) -> dict[str, str | None]:
    """Return the fingerprint of every node; nothing is executed or imported, in O(nodes).

    Args:
        flow: The flow, with or without problems.
        types: Where node types are found.
        inputs: Values of its parameters; what is missing has its default.
        folder: Where relative paths of nested flows start; None: they are hashed by their path.

    Returns:
        By node id; None where it cannot be told: a type that is not installed, a cycle, and what
        depends on them.
    """
    hasher = _Hasher(flow, types, inputs, folder)
    incoming: dict[str, list[Edge]] = {node_id: [] for node_id in flow.nodes}
    for edge in flow.edges:
        if edge.target in incoming:
            incoming[edge.target].append(edge)
    links = [(edge.source, edge.target) for edge in flow.edges]
    made: dict[str, str | None] = dict.fromkeys(flow.nodes)
    for node_id in topology.order(flow.nodes, links):
        made[node_id] = hasher.node(flow.nodes[node_id], incoming[node_id], made)
    return made


class _Hasher:
    """Hashes nodes of one flow; code and parameters once each."""

    def __init__(
        self, flow: Flow, types: Catalog, inputs: Mapping[str, Any], folder: Path | None
    ) -> None:
        self._flow = flow
        self._types = types
        self._inputs = inputs
        self._folder = folder
        self._codes: dict[str, str | None] = {}
        self._params: dict[str, str] = {}

    def node(self, node: Node, edges: list[Edge], made: Mapping[str, str | None]) -> str | None:
        """Return a node's fingerprint from those of the nodes before it."""
        if node.pin is not None:
            return _hash(["pin", node.pin])
        code = self._code(node.type)
        if code is None:
            return None
        wired: list[list[str]] = []
        for edge in edges:
            source = self._source(edge, made)
            if source is None:
                return None
            wired.append([edge.target_port, edge.source_port, source])
        config = {name: self._config(name, value) for name, value in sorted(node.config.items())}
        text = json.dumps([config, node.skip_if], default=repr)
        named = {match[0] or match[1] for match in _NAMED.findall(text)}
        params = {name: self._param(name) for name in sorted(named)}
        held = [self._code(name) for name in sorted(set(self._nested(node.config, 0)))]
        rules = [node.version, node.on_error, node.join, node.skip_if]
        return _hash([code, config, rules, params, held, sorted(wired, key=lambda w: w[0])])

    def _source(self, edge: Edge, made: Mapping[str, str | None]) -> str | None:
        if edge.source == PARAMS:
            return self._param(edge.source_port)
        return made.get(edge.source)

    def _param(self, name: str) -> str:
        if name not in self._params:
            spec = self._flow.parameters.get(name, {})
            value = self._inputs[name] if name in self._inputs else spec.get("default")
            live = f"{type(value).__qualname__} at {id(value)}"
            self._params[name] = cache_key.value_key(value) or live
        return self._params[name]

    def _code(self, name: str) -> str | None:
        if name not in self._codes:
            try:
                self._codes[name] = self._hashed_code(name)
            except (LabError, OSError):
                self._codes[name] = None
        return self._codes[name]

    def _hashed_code(self, name: str) -> str | None:
        source = self._types.source(name)
        if source is None:
            return None
        if source.kind == "file":  # its code is not imported for this
            return f"{name}:{_file_hash(Path(source.name))}"
        found = self._types.get(name)
        if found is None:
            return None
        return _pack_code(found) if source.kind == "pack" else _live_code(found)

    def _config(self, name: str, value: Any) -> Any:
        """Return a configured value; the path of a nested flow with what stands in it."""
        if isinstance(value, str) and value.endswith(".flow.json") and self._folder is not None:
            try:
                return [value, _file_hash(self._folder / value)]
            except OSError:
                return [value, "missing"]
        return config_meaning(name, value)

    def _nested(self, config: Mapping[str, Any], depth: int) -> Iterator[str]:
        """Yield the node types of flows that the configuration holds."""
        for name, value in config.items():
            nodes = value.get("nodes") if is_body(name, value) else None
            if not isinstance(nodes, Mapping) or depth > _DEPTH:
                continue
            for node in cast("Mapping[str, Any]", nodes).values():
                if isinstance(node, Mapping):
                    held = cast("Mapping[str, Any]", node)
                    yield str(held.get("type", ""))
                    inner = held.get("config")
                    if isinstance(inner, Mapping):
                        yield from self._nested(cast("Mapping[str, Any]", inner), depth + 1)


def _live_code(found: NodeType[..., Any]) -> str:
    """Return the code of a node type; where it holds what cannot be hashed, which object it is."""
    return cache_key.code_key(found) or f"{found.name}@{found.version}:{id(found.target)}"


@lru_cache(maxsize=2_048)
def _pack_code(found: NodeType[..., Any]) -> str:
    """Return the code of an installed node type, which does not change in this process."""
    return _live_code(found)


def _file_hash(path: Path) -> str:
    told = path.stat()
    return _hash_of_file(os.fspath(path), told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=512)
def _hash_of_file(path: str, modified_ns: int, size: int) -> str:
    del modified_ns, size  # a file that changed is another entry of the cache
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=20).hexdigest()


def _hash(parts: list[Any]) -> str:
    text = json.dumps(parts, ensure_ascii=False, default=repr)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
