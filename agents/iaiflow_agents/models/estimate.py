"""How many tokens a request may have, where nobody can be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from iaiflow_agents.blocks import Message
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


class Sizes:
    """Estimates requests of a conversation that grows: what was said before is not read again."""

    def __init__(self) -> None:
        #: By identity; the message is kept, so that no other one takes its place.
        self._known: dict[int, tuple[Message, int]] = {}
        self._head: tuple[Request, int] | None = None

    def of(self, request: Request) -> int:
        """Return about how many tokens a request has."""
        return self._of_head(request) + sum(map(self._of, request.messages))

    def _of_head(self, request: Request) -> int:
        """Return how many everything beside the messages has."""
        if self._head is not None:
            one, size = self._head
            same = one.tools is request.tools and one.schema is request.schema
            if same and one.system == request.system:
                return size
        bare = replace(request, messages=())
        size = estimate(bare)
        self._head = bare, size
        return size

    def _of(self, message: Message) -> int:
        found = self._known.get(id(message))
        if found is None:
            found = self._known[id(message)] = message, estimate(Request("", [message]))
        return found[1]


def tokens_in(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // _CHARACTERS)


def _without_pictures(value: Any) -> tuple[Any, int]:
    """Return a value with its images and documents left out, and how many those were."""
    if isinstance(value, Mapping):
        block = cast("Mapping[str, Any]", value)
        if block.get("type") in ("image", "document"):  # in a schema it may be anything
            return None, 1
        inner = {key: _without_pictures(item) for key, item in block.items()}
        return {key: item for key, (item, _) in inner.items()}, sum(n for _, n in inner.values())
    if isinstance(value, list | tuple):
        items = [_without_pictures(item) for item in cast("list[Any]", value)]
        return [item for item, _ in items], sum(n for _, n in items)
    return value, 0
