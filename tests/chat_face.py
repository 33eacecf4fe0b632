"""How chat completions are spoken: what is refused, what is streamed, and how it is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from messages_face import pieces, tokens

Body = Mapping[str, Any]

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}


def error(what: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": dict(what)}


def fault(body: Body) -> str:
    """Return why a request is refused; "" when it is right."""
    open_calls: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "messages with role 'tool' must follow a message with 'tool_calls'."
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            return f"tool_call_ids did not have response messages: {', '.join(open_calls)}"
        open_calls = [one["id"] for one in message.get("tool_calls", [])]
        if any(
            not isinstance(one["function"]["arguments"], str)
            for one in message.get("tool_calls", [])
        ):
            return "tool_calls.function.arguments must be a string."
        if message["role"] == "assistant" and not message.get("content") and not open_calls:
            return "an assistant message must have content or tool_calls."
    return f"tool_call_ids did not have response messages: {open_calls}" if open_calls else ""


def usage(body: Body) -> dict[str, Any]:
    read = sum(tokens(message) for message in body["messages"])
    cached = 8 if len(body["messages"]) > 2 else 0
    return {"prompt_tokens": read + cached, "prompt_tokens_details": {"cached_tokens": cached}}


def _counted(turn: Any, used: Body) -> dict[str, Any]:
    written = tokens(turn.content)
    return {**used, "completion_tokens": written, "total_tokens": used["prompt_tokens"] + written}


def whole(turn: Any, body: Body, used: Body) -> dict[str, Any]:
    said = "".join(block["text"] for block in turn.content if block["type"] == "text")
    calls = [_called(block) for block in turn.content if block["type"] == "tool_use"]
    message = {"role": "assistant", "content": said or None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": _finish(turn)}
    return {"id": "chatcmpl_1", "choices": [choice], "usage": _counted(turn, used)}


def _finish(turn: Any) -> str:
    return _FINISH.get(turn.stop_reason, turn.stop_reason)


def _called(block: Body) -> dict[str, Any]:
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def events(turn: Any, body: Body, used: Body, rng: Random) -> Iterator[bytes]:
    """Yield what is streamed, chunk by chunk."""
    yield b": a comment\n\n"
    yield _chunk(body, {"role": "assistant", "content": ""})
    calls = 0
    for index, block in enumerate(turn.content):
        share = turn.cut if index == len(turn.content) - 1 else 1.0
        deltas = _deltas(block, calls, rng)
        calls += block["type"] == "tool_use"
        for delta in deltas[: round(len(deltas) * share)]:
            yield _chunk(body, delta)
    yield _chunk(body, {}, _finish(turn))
    if body.get("stream_options", {}).get("include_usage"):
        yield _line({**_head(body), "choices": [], "usage": _counted(turn, used)})
    yield b"data: [DONE]\n\n"


def _deltas(block: Body, number: int, rng: Random) -> Sequence[Body]:
    if block["type"] == "text":
        return [{"content": piece} for piece in pieces(block["text"], rng)]
    if block["type"] == "thinking":
        return [{"reasoning_content": piece} for piece in pieces(block["thinking"], rng)]
    begun = {"id": block["id"], "type": "function", "index": number}
    parts = pieces(json.dumps(block["input"], ensure_ascii=rng.random() < 0.5), rng)
    named = {**begun, "function": {"name": block["name"], "arguments": ""}}
    rest = [{"index": number, "function": {"arguments": piece}} for piece in parts]
    return [{"tool_calls": [one]} for one in (named, *rest)]


def _head(body: Body) -> dict[str, Any]:
    return {"id": "chatcmpl_1", "object": "chat.completion.chunk", "model": body["model"]}


def _chunk(body: Body, delta: Body, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _line({**_head(body), "choices": [choice]})


def _line(data: Body) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
