"""How many tokens a request may have, where nobody can be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from iaiflow_agents.models.protocol import Request

#: Characters that are taken for a token.
_CHARACTERS: Final = 4
#: What an image or a document is taken for, whatever its size in bytes.
_PICTURE: Final = 1_600


def estimate(request: Request) -> int:
    """Return about how many tokens a request has: one for four characters of what is sent."""
    tools = [[tool.name, tool.description, tool.schema] for tool in request.tools]
    said: list[Any] = [request.system, tools, list(request.messages), request.schema]
    shown, pictures = _without_pictures(said)
    spelled = json.dumps(shown, ensure_ascii=False, default=str)
    return max(1, len(spelled) // _CHARACTERS) + pictures * _PICTURE


def tokens_in(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // _CHARACTERS)


def _without_pictures(value: Any) -> tuple[Any, int]:
    """Return a value with its images and documents left out, and how many those were."""
    if isinstance(value, Mapping):
        block = cast("Mapping[str, Any]", value)
        if block.get("type") in {"image", "document"}:
            return None, 1
        inner = {key: _without_pictures(item) for key, item in block.items()}
        return {key: item for key, (item, _) in inner.items()}, sum(n for _, n in inner.values())
    if isinstance(value, list | tuple):
        items = [_without_pictures(item) for item in cast("list[Any]", value)]
        return [item for item, _ in items], sum(n for _, n in items)
    return value, 0
