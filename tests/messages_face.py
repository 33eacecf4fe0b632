"""How the Messages API speaks: what it refuses, what it streams, and how it counts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

Body = Mapping[str, Any]

_FIELDS = {
    "model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "thinking",
    "output_config", "temperature", "stop_sequences", "metadata", "cache_control", "service_tier",
    "anthropic_version",
}  # fmt: skip
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def sign(thought: str) -> str:
    """Return the signature of a thought; a thought that comes back changed is refused."""
    return hashlib.sha256(f"thought: {thought}".encode()).hexdigest()


def tokens(value: Any) -> int:
    return max(1, len(json.dumps(value)) // 4)


def error(what: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "error", "error": dict(what), "request_id": "req_of_a_test"}


def event(name: str, data: Mapping[str, Any]) -> bytes:
    # Raw characters, so that a cut may fall into one.
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


# What is refused


def fault(body: Body) -> str:
    """Return why a request is refused; "" when it is right."""
    if unknown := set(body) - _FIELDS:
        return f"{min(unknown)}: Extra inputs are not permitted"
    if not isinstance(body.get("model"), str) or not isinstance(body.get("max_tokens"), int):
        return "model and max_tokens: Field required"
    checks = (_fault_of_tools, _fault_of_thinking, _fault_of_marks, _fault_of_messages)
    return next(filter(None, (check(body) for check in checks)), "")


def _fault_of_tools(body: Body) -> str:
    tools: Sequence[Body] = body.get("tools", [])
    names = [tool.get("name", "") for tool in tools]
    if len(set(names)) < len(names):
        return "tools: Tool names must be unique."
    for tool in tools:
        if not _TOOL_NAME.fullmatch(tool.get("name", "")):
            return "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"
        is_own = tool.get("type", "custom") == "custom"  # others are known by their type
        if is_own and tool.get("input_schema", {}).get("type") != "object":
            return "tools.0.custom.input_schema.type: Field required"
    choice: Body | None = body.get("tool_choice")
    if choice and not tools:
        return "tool_choice may only be specified while providing tools."
    if choice and choice["type"] == "tool" and choice.get("name") not in names:
        return f"Tool '{choice.get('name')}' not found in provided tools"
    return ""


def _fault_of_thinking(body: Body) -> str:
    thinking: Body = body.get("thinking") or {"type": "disabled"}
    if thinking["type"] not in {"adaptive", "enabled", "disabled", "between_tools"}:
        return "thinking.type: Input should be 'adaptive', 'enabled', 'disabled'"
    if thinking["type"] == "enabled" and not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
        return "`max_tokens` must be greater than `thinking.budget_tokens`."
    return ""


def _fault_of_marks(body: Body) -> str:
    marks = sum(1 for unit in units(body) if "cache_control" in unit)
    return "" if marks <= 4 else f"A maximum of 4 blocks with cache_control; found {marks}."


def _fault_of_messages(body: Body) -> str:
    messages = merged(body.get("messages") or [])
    if not messages or messages[0][0] != "user":
        return "messages: first message must use the user role"
    called: set[str] = set()
    for index, (role, content) in enumerate(messages):
        before = messages[index - 1][1] if index else []
        if what := _fault_of_content(role, content, before if role == "user" else [], called):
            return f"messages.{index}: {what}"
    last = [block["id"] for block in messages[-1][1] if block["type"] == "tool_use"]
    if messages[-1][0] == "assistant" and last:
        return f"`tool_use` ids were found without `tool_result` blocks: {', '.join(last)}"
    return ""


def _fault_of_content(
    role: str, content: Sequence[Body], before: Sequence[Body], called: set[str]
) -> str:
    if not content:
        return "all messages must have non-empty content"
    for block in content:
        if not all(one["text"].strip() for one in (block, *_inner(block)) if "text" in one):
            return "text content blocks must contain non-whitespace text"
        if block["type"] == "thinking" and block["signature"] != sign(block["thinking"]):
            return "Invalid `signature` in `thinking` block"
        if block["type"] == "tool_use":
            if block["id"] in called:
                return "`tool_use` ids must be unique"
            called.add(block["id"])
    if role == "assistant":
        return ""
    return _fault_of_results(content, [one["id"] for one in before if one["type"] == "tool_use"])


def _inner(block: Body) -> Sequence[Body]:
    inner = block.get("content") if block["type"] == "tool_result" else ()
    return () if isinstance(inner, str | None) else inner


def _fault_of_results(content: Sequence[Body], asked: Sequence[str]) -> str:
    given = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
    if unknown := [one for one in given if one not in asked]:
        return f"unexpected `tool_use_id` found in `tool_result` blocks: {unknown[0]}"
    if len(set(given)) < len(given):
        return "each tool_use must have a single result"
    if missing := [one for one in asked if one not in given]:
        return f"`tool_use` ids were found without `tool_result` blocks: {', '.join(missing)}"
    kinds = [block["type"] == "tool_result" for block in content]
    if kinds != sorted(kinds, reverse=True):
        return "`tool_result` blocks must come first in the message"
    return ""


def merged(messages: Sequence[Body]) -> list[tuple[str, list[Body]]]:
    """Return messages as the API reads them: neighbours of one role are one."""
    read: list[tuple[str, list[Body]]] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        if read and read[-1][0] == message["role"]:
            read[-1][1].extend(blocks)
        else:
            read.append((message["role"], blocks))
    return read


# What is counted


def units(body: Body) -> list[Body]:
    """Return what is read, in the order in which it is cached."""
    system = body.get("system") or []
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else list(system)
    said = [block for _, content in merged(body.get("messages") or []) for block in content]
    return [*body.get("tools", []), *blocks, *said]


def count(body: Body) -> int:
    return sum(tokens(_unmarked(unit)) for unit in units(body))


def _unmarked(unit: Body) -> dict[str, Any]:
    return {key: value for key, value in unit.items() if key != "cache_control"}


#: How many blocks before a mark are looked at for what was read before.
_LOOKED_BACK = 20


class Cache:
    """What was read before, by the hash of the prefix."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def usage(self, body: Body) -> dict[str, Any]:
        """Count a request's input, and keep the prefixes that it marks."""
        at, read, kept = 0, 0, 0
        written = {"5m": 0, "1h": 0}
        so_far = hashlib.sha256(body["model"].encode())
        marked = [index for index, unit in enumerate(units(body)) if "cache_control" in unit]
        for index, unit in enumerate(units(body)):
            plain = _unmarked(unit)
            at += tokens(plain)
            so_far.update(json.dumps(plain, sort_keys=True).encode())
            is_looked_at = any(0 <= mark - index < _LOOKED_BACK for mark in marked)
            if is_looked_at and so_far.hexdigest() in self._known:
                read = kept = at
                written = {"5m": 0, "1h": 0}
            elif mark := unit.get("cache_control"):
                written[mark.get("ttl", "5m")] += at - kept
                kept = at
                self._known.add(so_far.hexdigest())
        return {
            "input_tokens": at - kept,
            "cache_creation_input_tokens": sum(written.values()),
            "cache_read_input_tokens": read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": written["5m"],
                "ephemeral_1h_input_tokens": written["1h"],
            },
            "service_tier": "standard",
        }


# What is said


def whole(turn: Any, body: Body, usage: Body) -> dict[str, Any]:
    content = list(turn.content[:-1] if turn.cut < 1 else turn.content)
    return {
        **_head(body),
        "content": content,
        "stop_reason": turn.stop_reason,
        "stop_details": turn.stop_details,
        "usage": {**usage, "output_tokens": tokens(content)},
    }


def _head(body: Body) -> dict[str, Any]:
    made = hashlib.sha256(json.dumps(body["messages"], sort_keys=True).encode()).hexdigest()[:12]
    return {
        "id": f"msg_{made}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def events(turn: Any, body: Body, usage: Body, rng: Random) -> Iterator[bytes]:
    """Yield what is streamed, event by event."""
    start = {**_head(body), "usage": {**usage, "output_tokens": 1}}
    yield event("message_start", {"type": "message_start", "message": start})
    yield event("ping", {"type": "ping"})
    for index, block in enumerate(turn.content):
        share = turn.cut if index == len(turn.content) - 1 else 1.0
        yield from _block_events(index, block, share, rng)
    written = tokens(turn.content)
    for reason, so_far in ((None, written // 2), (turn.stop_reason, written)):
        delta = {"stop_reason": reason, "stop_sequence": None, "stop_details": None}
        if reason:
            delta["stop_details"] = turn.stop_details
        counted = {"output_tokens": so_far, "input_tokens": usage["input_tokens"]}
        data = {"type": "message_delta", "delta": delta, "usage": counted}
        yield event("message_delta", data)
    yield event("message_stop", {"type": "message_stop"})


def _block_events(index: int, block: Body, share: float, rng: Random) -> Iterator[bytes]:
    begun, deltas = _deltas(block, rng)
    data = {"type": "content_block_start", "index": index, "content_block": begun}
    yield event("content_block_start", data)
    for delta in deltas[: round(len(deltas) * share)]:
        data = {"type": "content_block_delta", "index": index, "delta": delta}
        yield event("content_block_delta", data)
        if rng.random() < 0.05:
            yield event("ping", {"type": "ping"})
    yield event("content_block_stop", {"type": "content_block_stop", "index": index})


def _deltas(block: Body, rng: Random) -> tuple[Body, list[Body]]:
    """Return a block as it begins, and what comes after."""
    if block["type"] == "text":
        said = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"], rng)]
        return {**block, "text": ""}, said
    if block["type"] == "thinking":
        thought = pieces(block["thinking"], rng)
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in thought]
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {**block, "thinking": "", "signature": ""}, [*deltas, signed]
    if block["type"] in {"tool_use", "server_tool_use"}:
        spelled = json.dumps(block["input"], ensure_ascii=rng.random() < 0.5)
        parts = ["", *pieces(spelled, rng)] if block["input"] else [""]
        given = [{"type": "input_json_delta", "partial_json": piece} for piece in parts]
        return {**block, "input": {}}, given
    return block, []


def pieces(words: str, rng: Random) -> list[str]:
    """Cut a text anywhere."""
    cut: list[str] = []
    at = 0
    while at < len(words):
        size = rng.randint(1, 6)
        cut.append(words[at : at + size])
        at += size
    return cut


# What else it knows


def models() -> dict[str, Any]:
    can = {"supported": True}
    cannot = {"supported": False}
    thinking = {"adaptive": can, "enabled": cannot, "disabled": can, "between_tools": cannot}
    one = {
        "type": "model",
        "id": "claude-sonnet-5-5",
        "display_name": "Claude Sonnet 5.5",
        "created_at": "2026-09-28T00:00:00Z",
        "deprecated_at": None,
        "lifecycle": "active",
        "retires_at": None,
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
        "capabilities": {
            "batch": can,
            "citations": can,
            "code_execution": cannot,
            "effort": {"supported": True, "low": can, "medium": can, "high": can, "max": can},
            "image_input": can,
            "pdf_input": can,
            "structured_outputs": can,
            "thinking": {"supported": True, "types": thinking},
        },
    }
    old = {
        **one,
        "id": "claude-sonnet-4-5",
        "lifecycle": "deprecated",
        "retires_at": "2026-11-30T00:00:00Z",
        "max_tokens": 64_000,
        "max_input_tokens": 200_000,
        "capabilities": None,
    }
    return {"data": [one, old], "has_more": False, "first_id": one["id"], "last_id": old["id"]}


class Batches:
    """Batches: each is in progress when it is first asked about, then it has ended."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._made: dict[str, Sequence[Body]] = {}
        self._count = 0
        self._asked: dict[str, int] = {}
        #: How often a batch is still in progress.
        self.rounds = 2
        #: Whether none can be made.
        self.is_down = False
        #: Is called before it is said that a batch was made.
        self.on_made: Callable[[str], object] = lambda _: None

    def answer(self, method: str, path: str, body: Any, url: str) -> tuple[int, Any]:
        parts = path.removeprefix("/v1/messages/batches").strip("/").split("/")
        if method == "POST" and parts == [""] and self.is_down:
            return 500, error({"type": "api_error", "message": "It is down."})
        if method == "POST" and parts == [""]:
            self._count += 1
            name = f"msgbatch_{self._count}"
            self._made[name] = body["requests"]
            self.on_made(name)
            return 200, self._shown(name, url)
        if parts == [""]:
            shown = [self._shown(name, url) for name in reversed(self._made)]
            return 200, {"data": shown, "has_more": False, "first_id": None, "last_id": None}
        if parts[0] not in self._made:
            return 404, error({"type": "not_found_error", "message": "No such batch."})
        if parts[1:] == ["results"]:
            return 200, self._results(parts[0])
        self._asked[parts[0]] = self._asked.get(parts[0], 0) + 1
        return 200, self._shown(parts[0], url)

    def delete(self, name: str) -> None:
        """Forget a batch, as somebody may have the service do."""
        del self._made[name]

    def _shown(self, name: str, url: str) -> dict[str, Any]:
        has_ended = self._asked.get(name, 0) > self.rounds
        size = len(self._made[name])
        counts = {"processing": 0 if has_ended else size, "succeeded": size if has_ended else 0}
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if has_ended else "in_progress",
            "request_counts": {**counts, "errored": 0, "canceled": 0, "expired": 0},
            "created_at": f"2026-11-01T00:00:{int(name.removeprefix('msgbatch_')) % 60:02}Z",
            "expires_at": "2026-11-02T00:00:00Z",
            "ended_at": "2026-11-01T01:00:00Z" if has_ended else None,
            "cancel_initiated_at": None,
            "archived_at": None,
            "results_url": f"{url}/v1/messages/batches/{name}/results" if has_ended else None,
        }

    def _results(self, name: str) -> bytes:
        lines = [
            json.dumps({"custom_id": one["custom_id"], "result": self._result(one["params"])})
            for one in reversed(self._made[name])
        ]
        return "\n".join(lines).encode()

    def _result(self, params: Body) -> dict[str, Any]:
        if what := fault(params):
            return {"type": "errored", "error": error(_invalid(what))}
        turn = self._api.answer(params)
        if turn.breaks:
            return {"type": turn.breaks}
        if turn.status != 200:
            return {"type": "errored", "error": error(turn.error)}
        message = whole(turn, params, self._api.cache.usage(params))
        return {"type": "succeeded", "message": message}


def _invalid(what: str) -> dict[str, Any]:
    return {"type": "invalid_request_error", "message": what}
