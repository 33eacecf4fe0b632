"""A request as the Messages API takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from iaiflow_agents.blocks import Message
from iaiflow_agents.models.limits import known
from iaiflow_agents.models.protocol import Request

_MARK: Final = {"type": "ephemeral"}
#: Least and usual tokens for thinking, where a model has to be told.
_LEAST_THINKING: Final = 1_024
_THINKING_SHARE: Final = 2


def parameters(request: Request) -> dict[str, Any]:
    """Return what is said to the Messages API, as JSON.

    With `request.cache`, instructions and tools are marked to be kept for five minutes, and so are
    the last two messages of the user: what was read once is read again for a tenth of the price.
    """
    said: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": _marked(request.messages) if request.cache else list(request.messages),
    }
    if tools := [_tool(tool.name, tool.description, tool.schema) for tool in request.tools]:
        said["tools"] = tools
        said["tool_choice"] = _choice(request.tool_choice)
    if request.system:
        said["system"] = [{"type": "text", "text": request.system}]
    if request.cache and (kept := said.get("system") or tools):
        kept[-1] = {**kept[-1], "cache_control": _MARK}
    if request.thinking and (thinking := _thinking(request)):
        said["thinking"] = thinking
    if config := _output_config(request):
        said["output_config"] = config
    if request.temperature is not None:
        said["temperature"] = request.temperature
    return said


def _tool(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": description, "input_schema": dict(schema)}


def _choice(name: str) -> dict[str, Any]:
    kinds = {"auto", "any", "none"}
    return {"type": name} if name in kinds else {"type": "tool", "name": name}


def _thinking(request: Request) -> dict[str, Any]:
    """Return how to think; nothing where an answer may not be long enough for it."""
    if "adaptive_thinking" in known(request.model).capabilities:
        return {"type": "adaptive", "display": "summarized"}
    if request.max_tokens <= _LEAST_THINKING:
        return {}
    budget = max(_LEAST_THINKING, request.max_tokens // _THINKING_SHARE)
    return {"type": "enabled", "budget_tokens": budget}


def _output_config(request: Request) -> dict[str, Any]:
    config: dict[str, Any] = {"effort": request.effort} if request.effort else {}
    if request.schema is not None:
        from anthropic import transform_schema

        schema = transform_schema(dict(request.schema))
        config["format"] = {"type": "json_schema", "schema": schema}
    return config


def _marked(messages: Sequence[Message]) -> list[Message]:
    """Mark the ends of the user's last two messages: the earlier one is what was kept last time."""
    marked = list(messages)
    asked = [i for i, said in enumerate(marked) if said["role"] == "user" and said["content"]]
    for index in asked[-2:]:
        *before, last = marked[index]["content"]
        marked[index] = {"role": "user", "content": [*before, {**last, "cache_control": _MARK}]}
    return marked
