"""Cache keys: what a step computes, told by its code, its configuration and its parents' keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from iaiflow_lab.model.flow import Node
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.code_hash import code_hash
from iaiflow_lab.sdk.node import NodeType

_encoder = msgspec.json.Encoder(order="deterministic")
#: Parameters larger than this, in bytes of JSON, are not hashed.
_VALUE_LIMIT = 10_000_000


def value_key(value: Any) -> str | None:
    """Return the key of a plain value; None for what JSON does not hold exactly."""
    if not values.is_json(value):
        return None
    try:
        data = _encoder.encode(value)
    except (TypeError, ValueError, RecursionError, OverflowError):
        return None
    return _hash(b"value", data) if len(data) <= _VALUE_LIMIT else None


def code_key(node_type: NodeType[..., Any]) -> str | None:
    """Return the hash of a node type's code, name and version; None when it cannot be known."""
    code = code_hash(node_type.target)
    return None if code is None else f"{node_type.name}@{node_type.version}:{code}"


def identity(
    node_type: NodeType[..., Any],
    node: Node,
    code: str | None,
    constants: Mapping[str, Any],
    config: Mapping[str, Any],
) -> bytes | None:
    """Return what is fixed about a node's key; None when it must never be cached."""
    is_cacheable = node_type.effects == "none" or (
        node_type.effects == "read" and node_type.fingerprint is not None
    )
    if code is None or not is_cacheable or node.cache == "off":
        return None
    try:
        written = _encoder.encode([constants, config])
    except (TypeError, ValueError, RecursionError, OverflowError):
        return None
    return code.encode() + b"\0" + written


def step_key(
    fixed: bytes, parents: Iterable[tuple[str, str, str | None]], outside: str
) -> str | None:
    """Return the key of one step; None when a parent has none.

    Args:
        fixed: What `identity` returned.
        parents: For each value that arrives: the input port, the output port, the parent's key.
        outside: The fingerprint of the outside world, or "".
    """
    digest = hashlib.blake2b(fixed, digest_size=20)
    for port, source_port, key in parents:
        if key is None:
            return None
        digest.update(f"\0{port}\0{source_port}\0{key}".encode())
    digest.update(outside.encode())
    return digest.hexdigest()


def combined_key(kind: str, keys: Mapping[str, str | None] | list[str | None]) -> str | None:
    """Return one key for several values; None when one of them has none."""
    found = list(keys.values()) if isinstance(keys, Mapping) else keys
    if any(key is None for key in found):
        return None
    return _hash(kind.encode(), _encoder.encode(keys))


def _hash(*parts: bytes) -> str:
    return hashlib.blake2b(b"\0".join(parts), digest_size=20).hexdigest()
