"""Whether strangers may have written what nodes give."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from iaiflow_lab.errors import LabError
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.flow import Node
from iaiflow_lab.model.signature import NodeSignature

Lookup = Callable[[str], NodeSignature | None]


def give_strangers(nodes: Iterable[Node], signature: Lookup) -> bool:
    """Say whether strangers may have written what one of these nodes gives, or one in its bodies.

    What is not known may be theirs: a type that is not installed, a body that stands in a file.

    Args:
        nodes: The nodes; what their inputs come from does not count.
        signature: Returns the signature of a node type; None when it is not installed.
    """
    return any(_gives(node, signature) for node in nodes)


def has_called(path: str, steps: Iterable[str]) -> bool:
    """Say whether a step, or one below it, has run others by its context.

    Args:
        path: The step.
        steps: Paths of the steps that were executed; `a/key:b` was run by `a`.
    """
    called = re.compile(rf"{re.escape(path)}[/\[].*:", re.DOTALL)
    return any(map(called.match, steps))


def _gives(node: Node, signature: Lookup) -> bool:
    found = signature(node.type)
    if found is None or found.untrusted:
        return True
    return any(_body_gives(node.config.get(field), signature) for field in found.bodies)


def _body_gives(body: Any, signature: Lookup) -> bool:
    if not isinstance(body, dict):
        return True
    try:
        inner = from_data(cast("Mapping[str, Any]", body), nested=True)
    except LabError:  # it is being edited
        return True
    return give_strangers(inner.nodes.values(), signature)
