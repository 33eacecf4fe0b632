"""How a flow names secrets: `secret:NAME`, as the whole text of a configuration value.

In a field that is made for secrets (its editor is `secret`) the name may also stand inside of a
text: `Bearer secret:NAME`. What arrives over an edge or by a template is never read so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from iaiflow_lab.errors import InputError, LabError
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.names import shorten
from iaiflow_lab.model.signature import NodeSignature, Signatures

#: How a reference starts.
PREFIX: Final = "secret:"
#: Names of secrets, each with the ids of the nodes that use it.
Uses = Mapping[str, Sequence[str]]
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"
_WHOLE: Final = re.compile(f"{PREFIX}({_NAME})", re.ASCII)
_INSIDE: Final = re.compile(rf"\b{PREFIX}({_NAME})", re.ASCII)


def check_name(name: str) -> None:
    """Refuse what cannot name a secret.

    Raises:
        InputError: It is no name.
    """
    if not re.fullmatch(_NAME, name, re.ASCII):
        raise InputError(
            f"{shorten(name)!a} can't name a secret.",
            where="name",
            remedy="Use letters, digits, '_', '.' and '-', a letter first, such as OPENAI_API_KEY",
        )


def names_in(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Yield the names of the secrets that a configuration value refers to.

    Args:
        value: A JSON value.
        inside: Whether they may stand inside of a text.
    """
    if isinstance(value, str):
        if inside:
            yield from _INSIDE.findall(value)
        elif found := _WHOLE.fullmatch(value):
            yield found[1]
    elif isinstance(value, dict):
        for item in cast("dict[Any, Any]", value).values():
            yield from names_in(item, inside=inside)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from names_in(item, inside=inside)


def filled(value: Any, get: Callable[[str], str], *, inside: bool = False) -> Any:
    """Return a configuration value with each secret in the place of its name.

    Args:
        value: A JSON value.
        get: Returns a secret by its name.
        inside: Whether names may stand inside of a text.
    """
    if isinstance(value, str):
        if inside:
            return _INSIDE.sub(lambda found: get(found[1]), value)
        found = _WHOLE.fullmatch(value)
        return get(found[1]) if found else value
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        return {key: filled(item, get, inside=inside) for key, item in entries}
    if isinstance(value, list):
        return [filled(item, get, inside=inside) for item in cast("list[Any]", value)]
    return value


def used_by(flow: Flow, signatures: Signatures) -> Uses:
    """Return the secrets that a flow names or its nodes need, each with the ids of the nodes.

    What a nested flow names counts for the node that holds it; another file is not read.
    """
    found: dict[str, list[str]] = {}
    wired: dict[str, set[str]] = {}
    for edge in flow.edges:
        wired.setdefault(edge.target, set()).add(edge.target_port)
    for node_id, node in flow.nodes.items():
        for name in _used(node, signatures, wired.get(node_id, ())):
            nodes = found.setdefault(name, [])
            if node_id not in nodes:
                nodes.append(node_id)
    return found


def _signature(node_type: str, signatures: Signatures) -> NodeSignature | None:
    try:
        return signatures.signature(node_type)
    except LabError:  # it is broken, which others say
        return None


def _used(node: Node, signatures: Signatures, wired: Collection[str]) -> Iterator[str]:
    signature = _signature(node.type, signatures)
    for field, value in node.config.items():
        if signature is not None and field in signature.bodies:
            yield from _used_inside(value, signatures)
        else:
            yield from names_in(value, inside=signature is not None and field in signature.secrets)
    if signature is not None and signature.needs is not None:
        yield from signature.needs(node.config, wired)


def _used_inside(body: Any, signatures: Signatures) -> Iterator[str]:
    if isinstance(body, dict):
        with suppress(LabError):  # it is no flow, which others say
            yield from used_by(from_data(cast("dict[str, Any]", body), nested=True), signatures)
