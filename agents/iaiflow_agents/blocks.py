"""Messages as the Messages API spells them: lists of content blocks, kept verbatim.

A block goes back to the model exactly as it came: the signature of a thinking block covers it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

#: A content block, verbatim: `{"type": "text", "text": ...}`, `tool_use`, `thinking`, ...
Block = Mapping[str, Any]


class Message(TypedDict):
    """One turn of a conversation."""

    #: Who speaks; results of tools are said by the user.
    role: Literal["user", "assistant"]
    #: What is said.
    content: list[Block]


def text_of(content: Sequence[Block]) -> str:
    """Return the text blocks of a message as one text."""
    return "".join(str(block["text"]) for block in content if block["type"] == "text")


def thinking_of(content: Sequence[Block]) -> str:
    """Return what was thought aloud, as one text."""
    return "\n".join(str(block["thinking"]) for block in content if block["type"] == "thinking")


def tool_uses(content: Sequence[Block]) -> list[Block]:
    """Return the calls of tools in a message, in their order."""
    return [block for block in content if block["type"] == "tool_use"]


def user(content: str | Sequence[Block]) -> Message:
    """Return what the user says: a text, or blocks such as results of tools."""
    blocks = [text(content)] if isinstance(content, str) else list(content)
    return {"role": "user", "content": blocks}


def assistant(content: str | Sequence[Block]) -> Message:
    """Return what the model said."""
    blocks = [text(content)] if isinstance(content, str) else list(content)
    return {"role": "assistant", "content": blocks}


def text(words: str) -> Block:
    """Return a text block."""
    return {"type": "text", "text": words}


def is_blank(block: Block) -> bool:
    """Say whether a block is a text without a word: the API refuses such."""
    return block.get("type") == "text" and not str(block.get("text", "")).strip()


def tool_result(id: str, content: str | Sequence[Block], *, is_error: bool = False) -> Block:  # noqa: A002 - the API's name
    """Return the result of the tool call `id`, for the next message of the user."""
    said = content if isinstance(content, str) else [b for b in content if not is_blank(b)]
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": id, "content": said}
    return {**result, "is_error": True} if is_error else result


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value in hex, whatever the order of its keys.

    Raises:
        TypeError, ValueError: It is no JSON value.
    """
    spelled = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(spelled.encode()).hexdigest()
