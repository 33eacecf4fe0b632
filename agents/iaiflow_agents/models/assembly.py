"""An answer put together from the events of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from iaiflow_agents.blocks import Block, is_blank
from iaiflow_agents.models.estimate import tokens_in
from iaiflow_agents.models.faults import truncated
from iaiflow_agents.models.protocol import Delta, Reply
from iaiflow_agents.usage import Usage
from iaiflow_lab.errors import InputError
from iaiflow_lab.safe.load import safe_load

#: Reasons to end with which the last block may stop in its middle.
_CUT_SHORT: Final = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
#: Where each kind of piece belongs in its block.
_GROWS: Final = {"text_delta": "text", "thinking_delta": "thinking"}


class Assembly:
    """Takes the events of one answer in their order; only a whole answer becomes a `Reply`.

    Blocks are kept verbatim. Arguments of a tool are read once, when they are complete: JSON that
    was cut may well be JSON, with other values.

    Args:
        model: The model that was asked, for faults.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._message: dict[str, Any] | None = None
        self._blocks: list[dict[str, Any]] = []
        self._pieces: list[list[str]] = []
        self._closed: set[int] = set()
        self._has_ended = False

    def take(self, event: Mapping[str, Any]) -> Delta | None:
        """Take the next event; returns what of it is to be shown.

        Raises:
            ModelFault: `model-truncated`, it belongs to a block that has not begun.
        """
        match event.get("type"):
            case "message_start":
                self._message = dict(event["message"])
            case "content_block_start":
                return self._begin(event["index"], dict(event["content_block"]))
            case "content_block_delta":
                return self._grow(event["index"], event["delta"])
            case "content_block_stop":
                self._closed.add(event["index"])
            case "message_delta":
                self._note(event["delta"], event.get("usage") or {})
            case "message_stop":
                self._has_ended = True
            case _:
                pass
        return None

    def _begin(self, index: int, block: dict[str, Any]) -> Delta | None:
        if index != len(self._blocks):
            raise truncated(self._model, "a part of it is missing", self.usage)
        self._blocks.append(block)
        self._pieces.append([])
        if block["type"] == "tool_use":
            return Delta("tool", "", index, block["name"])
        return None

    def _grow(self, index: int, delta: Mapping[str, Any]) -> Delta | None:
        if index >= len(self._blocks):
            raise truncated(self._model, "a part of it is missing", self.usage)
        block = self._blocks[index]
        kind = delta["type"]
        if kind in _GROWS:
            place = _GROWS[kind]
            self._pieces[index].append(delta[place])
            return Delta("text" if place == "text" else "thinking", delta[place], index)
        if kind == "input_json_delta":
            self._pieces[index].append(delta["partial_json"])
            is_call = block["type"] == "tool_use"
            return Delta("tool", delta["partial_json"], index, block["name"]) if is_call else None
        if kind == "signature_delta":
            block["signature"] = delta["signature"]
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        return None

    def _note(self, delta: Mapping[str, Any], usage: Mapping[str, Any]) -> None:
        if self._message is None:
            return
        self._message |= {key: value for key, value in delta.items() if value is not None}
        counted = {key: value for key, value in usage.items() if value is not None}
        self._message["usage"] = {**(self._message.get("usage") or {}), **counted}

    @property
    def usage(self) -> Usage | None:
        """What is known to be billed so far; None before the answer begins.

        The service counts what is written at the end only; until then it is estimated.
        """
        if self._message is None:
            return None
        counted = usage_of(self._message.get("usage") or {})
        if self._has_ended:
            return counted
        said = sum(tokens_in("".join(pieces)) for pieces in self._pieces)
        return replace(counted, output=max(counted.output, said))

    def reply(self) -> Reply:
        """Return the answer.

        Raises:
            ModelFault: `model-truncated`, it is not whole.
        """
        message = self._message
        reason = message.get("stop_reason") if message else None
        if message is None or not self._has_ended or not reason:
            raise truncated(self._model, "the connection ended before it did", self.usage)
        return reply_of({**message, "content": self._content(reason)}, self._model)

    def _content(self, reason: str) -> list[Block]:
        whole: list[Block] = []
        for index, block in enumerate(self._blocks):
            made = self._finished(index, block)
            if made is None and reason not in _CUT_SHORT:
                raise truncated(self._model, f"block {index + 1} has no end", self.usage)
            if made is not None and not (reason in _CUT_SHORT and self._has_no_word(index)):
                whole.append(made)
        return whole

    def _has_no_word(self, index: int) -> bool:
        """Say whether a block is the last, and a call of which no argument was told: was it cut?"""
        is_last = index == len(self._blocks) - 1
        is_call = self._blocks[index]["type"] == "tool_use"
        return is_last and is_call and not "".join(self._pieces[index])

    def _finished(self, index: int, block: dict[str, Any]) -> Block | None:
        """Return a block with all its pieces; None when some are missing."""
        pieces = "".join(self._pieces[index])
        if index not in self._closed:
            return None
        if block["type"] in _GROWS.values():
            place = block["type"]
            return {**block, place: block.get(place, "") + pieces}
        if block["type"] in {"tool_use", "server_tool_use"} and pieces:
            arguments = read_arguments(pieces)
            return None if arguments is None else {**block, "input": arguments}
        return block


def read_arguments(spelled: str) -> dict[str, Any] | None:
    """Return the arguments of a call; None when they are no whole JSON object."""
    try:
        arguments = safe_load(spelled)
    except InputError:
        return None
    return cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else None


def reply_of(message: Mapping[str, Any], model: str) -> Reply:
    """Return a whole message of the Messages API as a `Reply`.

    Texts without words and thoughts that were cut before their signature are left out: the API
    refuses them when they come back.
    """
    reason = message["stop_reason"]
    content = tuple(block for block in message["content"] if _may_go_back(block, reason))
    return Reply(
        content=content,
        stop_reason=reason,
        usage=usage_of(message.get("usage") or {}),
        model=message.get("model") or model,
        id=message.get("id") or "",
        stop_details=message.get("stop_details"),
    )


def _may_go_back(block: Block, reason: str) -> bool:
    if is_blank(block):
        return False
    return not (block["type"] == "thinking" and reason in _CUT_SHORT and not block.get("signature"))


def usage_of(counted: Mapping[str, Any]) -> Usage:
    """Return the API's counts; what it does not say for how long it caches, it does for 5 min."""
    created: Mapping[str, Any] = counted.get("cache_creation") or dict[str, Any]()
    an_hour = int(created.get("ephemeral_1h_input_tokens") or 0)
    written = int(counted.get("cache_creation_input_tokens") or 0)
    return Usage(
        input=int(counted.get("input_tokens") or 0),
        cache_write_5m=max(0, written - an_hour),
        cache_write_1h=an_hour,
        cache_read=int(counted.get("cache_read_input_tokens") or 0),
        output=int(counted.get("output_tokens") or 0),
    )
