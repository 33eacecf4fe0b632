"""A request as chat completions take it: the same conversation, in other words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from iaiflow_agents.blocks import Block, Message, text_of, tool_uses
from iaiflow_agents.models.protocol import Request

#: Efforts that these services know; more than the highest is the highest.
_EFFORTS: Final = {"xhigh": "high", "max": "high"}


def parameters(request: Request, *, is_home: bool) -> dict[str, Any]:
    """Return what is said to chat completions, as JSON.

    Args:
        request: What is asked.
        is_home: Whether it goes to OpenAI, which counts thinking among the tokens that it limits.
    """
    said: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request)),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens" if is_home else "max_tokens": request.max_tokens,
    }
    if request.tools:
        said["tools"] = [
            _function(name=tool.name, description=tool.description, parameters=dict(tool.schema))
            for tool in request.tools
        ]
        said["tool_choice"] = _choice(request.tool_choice)
    if request.effort:
        said["reasoning_effort"] = _EFFORTS.get(request.effort, request.effort)
    if request.schema is not None:
        answer = {"name": "answer", "schema": dict(request.schema)}
        said["response_format"] = {"type": "json_schema", "json_schema": answer}
    if request.temperature is not None:
        said["temperature"] = request.temperature
    return said


def _function(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": function}


def _choice(name: str) -> Any:
    plain = {"auto": "auto", "any": "required", "none": "none"}
    return plain.get(name) or _function(name=name)


def _messages(request: Request) -> Iterator[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in request.messages:
        yield from chat_messages(message)


def chat_messages(message: Message) -> Iterator[dict[str, Any]]:
    """Yield a message as chat messages: each result of a tool is one of its own.

    Thoughts are left out: these services do not take them back.
    """
    content = message["content"]
    if message["role"] == "assistant":
        if made := _assistant(content):
            yield made
        return
    for block in content:
        if block["type"] == "tool_result":
            yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": _result(block)}
    pictures = [part for block in content for part in _pictures(block)]
    parts = [part for block in content for part in _parts(block)]
    if all(part["type"] == "text" for part in [*pictures, *parts]):
        if parts:
            yield {"role": "user", "content": "\n".join(part["text"] for part in parts)}
    else:
        yield {"role": "user", "content": [*pictures, *parts]}


def _assistant(content: Sequence[Block]) -> dict[str, Any]:
    calls = [
        {"id": block["id"], **_function(name=block["name"], arguments=json.dumps(block["input"]))}
        for block in tool_uses(content)
    ]
    said = text_of(content)
    if not said and not calls:
        return {}
    made: dict[str, Any] = {"role": "assistant", "content": said or None}
    return {**made, "tool_calls": calls} if calls else made


def _result(block: Block) -> str:
    said = block.get("content") or ""
    text = said if isinstance(said, str) else text_of(cast("list[Block]", said))
    return f"Error: {text}" if block.get("is_error") else text


def _pictures(block: Block) -> Iterator[dict[str, Any]]:
    """Yield the images in a tool's result: a chat message of a tool holds none."""
    said = block.get("content")
    if block["type"] == "tool_result" and isinstance(said, list):
        for inner in cast("list[Block]", said):
            if inner["type"] == "image":
                yield from _parts(inner)


def _parts(block: Block) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        yield {"type": "text", "text": block["text"]}
    elif block["type"] == "image":
        yield {"type": "image_url", "image_url": {"url": _address(block["source"])}}


def _address(source: Mapping[str, Any]) -> str:
    if source["type"] == "url":
        return source["url"]
    return f"data:{source['media_type']};base64,{source['data']}"
