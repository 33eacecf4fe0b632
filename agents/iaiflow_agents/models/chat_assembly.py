"""A chat completion put together from its chunks, as content blocks."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from iaiflow_agents.blocks import Block, text_of
from iaiflow_agents.models.assembly import read_arguments
from iaiflow_agents.models.estimate import estimate, tokens_in
from iaiflow_agents.models.faults import truncated
from iaiflow_agents.models.protocol import Delta, Reply, Request
from iaiflow_agents.usage import Usage

_REASONS: Final = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
}
_NOTHING: Final[Mapping[str, Any]] = {}


class ChatAssembly:
    """Takes the chunks of one completion in their order; only a whole one becomes a `Reply`.

    Args:
        request: What was asked.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._blocks: list[dict[str, Any]] = []
        self._pieces: list[list[str]] = []
        #: Which block a call of a tool is, by its number among the calls; the latest of a number.
        self._calls: dict[int, int] = {}
        self._reason = ""
        self._counted: Mapping[str, Any] | None = None
        self._id = ""
        self._model = ""

    def take(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        """Take the next chunk; yields what of it is to be shown."""
        self._id = chunk.get("id") or self._id
        self._model = chunk.get("model") or self._model
        self._counted = chunk.get("usage") or self._counted
        for choice in _each(chunk, "choices"):
            delta: Mapping[str, Any] = choice.get("delta") or _NOTHING
            thought = delta.get("reasoning_content") or delta.get("reasoning")
            if isinstance(thought, str) and thought:
                yield Delta("thinking", thought, self._add("thinking", thought))
            if said := delta.get("content"):
                yield Delta("text", said, self._add("text", said))
            for call in _each(delta, "tool_calls"):
                yield self._call(call)
            self._reason = choice.get("finish_reason") or self._reason

    def _add(self, kind: str, piece: str) -> int:
        """Add to the last block, or begin one if that is of another kind."""
        if not self._blocks or self._blocks[-1]["type"] != kind:
            self._begin({"type": kind})
        self._pieces[-1].append(piece)
        return len(self._blocks) - 1

    def _begin(self, block: dict[str, Any]) -> int:
        self._blocks.append(block)
        self._pieces.append([])
        return len(self._blocks) - 1

    def _call(self, call: Mapping[str, Any]) -> Delta:
        function: Mapping[str, Any] = call.get("function") or _NOTHING
        number = int(call.get("index") or 0)
        if number not in self._calls or self._is_another(call, self._calls[number]):
            made = call.get("id") or f"call_{secrets.token_hex(8)}"
            block = {"type": "tool_use", "id": made, "name": function.get("name") or ""}
            self._calls[number] = self._begin(block)
        index = self._calls[number]
        piece = function.get("arguments") or ""
        self._pieces[index].append(piece)
        return Delta("tool", piece, index, self._blocks[index]["name"])

    def _is_another(self, call: Mapping[str, Any], index: int) -> bool:
        """Say whether a call only has the number of the one before: some servers do not count."""
        is_named = bool((call.get("function") or _NOTHING).get("name"))
        return is_named and call.get("id") not in (None, "", self._blocks[index]["id"])

    @property
    def usage(self) -> Usage | None:
        """What is billed so far, None before the answer begins.

        Services say it at the end, and some never; until then it is estimated.
        """
        if self._counted:
            return _usage(self._counted)
        if not self._id and not self._blocks:
            return None
        said = sum(tokens_in("".join(pieces)) for pieces in self._pieces)
        return Usage(input=estimate(self._request), output=said)

    def reply(self) -> Reply:
        """Return the answer.

        Raises:
            ModelFault: `model-truncated`, it is not whole.
        """
        request = self._request
        if not self._reason:
            raise truncated(request.model, "the connection ended before it did", self.usage)
        reason = _REASONS.get(self._reason, self._reason)  # others never make calls
        if reason == "end_turn" and self._calls:
            reason = "tool_use"
        content = self._content(reason)
        return Reply(
            content=tuple(content),
            stop_reason=reason,
            usage=self.usage or Usage(),
            model=self._model or request.model,
            id=self._id,
            stop_details={"type": "refusal", "explanation": text_of(content)}
            if reason == "refusal"
            else None,
        )

    def _content(self, reason: str) -> list[Block]:
        content: list[Block] = []
        for index, block in enumerate(self._blocks):
            said = "".join(self._pieces[index])
            if block["type"] != "tool_use":
                content.append(_said(block["type"], said))
                continue
            arguments = read_arguments(said or "{}")
            if arguments is not None and block["name"]:
                content.append({**block, "input": arguments})
            elif reason == "tool_use":
                raise truncated(self._request.model, "a call of a tool is no JSON", self.usage)
        return content


def _each(said: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return cast("list[Mapping[str, Any]]", said.get(name) or [])


def _said(kind: str, words: str) -> Block:
    return {"type": kind, kind: words, **({"signature": ""} if kind == "thinking" else {})}


def _usage(counted: Mapping[str, Any]) -> Usage:
    details: Mapping[str, Any] = counted.get("prompt_tokens_details") or _NOTHING
    cached = int(details.get("cached_tokens") or 0)
    read = int(counted.get("prompt_tokens") or 0)
    written = int(counted.get("completion_tokens") or 0)
    return Usage(input=max(0, read - cached), cache_read=cached, output=written)
