"""Calls of models and tools by OpenTelemetry's conventions for generative AI.

Agents record each call as a sub-step of their step: `model:N` and `compact:N`, `model:N.K` when it
was tried again, `tool:ID`; those of an agent that was asked by another one stand below the id of
that call. The conventions are in development; the names here are those of version 1.41.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

import msgspec

from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model import event as ev

#: The node type of agents.
AGENT: Final = "agent"
_KEY: Final = re.compile(r"(?:(?P<below>.*)/)?(?P<kind>model|compact|tool):(?P<id>.+)", re.DOTALL)
#: What the conventions call providers that are known here by other names.
_PROVIDERS: Final = {
    "claude": "anthropic",
    "bedrock": "aws.bedrock",
    "bedrock-mantle": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "foundry": "azure.ai.inference",
}

#: What an attribute may hold here.
Plain = str | bool | int | float | Sequence[str]


class _Fault(msgspec.Struct, frozen=True):
    code: str
    what: str


class _Asked(msgspec.Struct, frozen=True):
    """What is recorded of a call of a model."""

    provider: str
    asked: str
    usage: dict[str, int]
    seconds: float
    cost: float | None = None
    model: str = ""
    stop_reason: str = ""
    id: str = ""
    content: list[dict[str, Any]] = []
    fault: _Fault | None = None
    limit: str = ""

    @property
    def failed(self) -> str:
        """Why there is no answer, as a sentence; "": there is one."""
        if self.limit:
            return "The agent's time is over."
        return self.fault.what if self.fault else ""


class _Used(msgspec.Struct, frozen=True):
    """What is recorded of a call of a tool."""

    tool: str
    content: Any
    is_error: bool
    seconds: float


# msgspec learns a type when it is first read, and crashes where two threads begin that at once.
msgspec.json.Decoder(_Asked)


_Shape = TypeVar("_Shape", _Asked, _Used)


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    step: str
    key: str
    #: When it ended, in seconds since the epoch, and how long it took.
    at: float
    seconds: float
    name: str
    #: Whether it goes to a service, or is made here.
    kind: Literal["client", "internal"]
    attributes: Mapping[str, Plain]
    #: Why it failed, as a sentence; "": it did not.
    error: str = ""
    #: The key of the call of a tool that this one is part of; "": of none.
    above: str = ""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a run."""

    #: Yields what the run's steps recorded, anew whenever it is called.
    substeps: Callable[[], Iterable[ev.SubstepRecorded]]
    #: Returns a recorded value.
    read: Callable[[ev.OutputRef], Any]
    #: Whether what models said, and what tools gave, is told as well.
    content: bool = False

    def each(self) -> Iterator[Call]:
        """Yield the calls, in the order in which they ended."""
        tools = {(event.step, event.key) for event in self.substeps() if "tool:" in event.key}
        for event in self.substeps():
            found = _KEY.fullmatch(event.key)
            if found is None:
                continue
            made = self._tool(event, found["id"]) if found["kind"] == "tool" else self._model(event)
            if made is not None:
                above = _above(found["below"] or "")
                inside = next((key for key in above if (event.step, key) in tools), "")
                yield replace(made, above=inside)

    def _model(self, event: ev.SubstepRecorded) -> Call | None:
        asked = self._record(event.output, _Asked)
        if asked is None:
            return None
        told = _told(asked)
        if self.content and not asked.failed:
            told["gen_ai.output.messages"] = _spelled([_message(asked)])
        times = (event.at, asked.seconds)
        name = f"chat {asked.asked}"
        return Call(event.step, event.key, *times, name, "client", told, asked.failed)

    def _tool(self, event: ev.SubstepRecorded, id_: str) -> Call | None:
        used = self._record(event.output, _Used)
        if used is None:
            return None
        told: dict[str, Plain] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": used.tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": id_,
        }
        if used.is_error:
            told["error.type"] = "tool_error"
        if self.content:
            told["gen_ai.tool.call.result"] = _spelled(used.content)
        times, error = (event.at, used.seconds), "The tool failed." if used.is_error else ""
        name = f"execute_tool {used.tool}"
        return Call(event.step, event.key, *times, name, "internal", told, error)

    def _record(self, output: ev.OutputRef, shape: type[_Shape]) -> _Shape | None:
        """Return a record; None when it is gone, or something else that a node has recorded."""
        if output.encoding != "json":
            return None
        try:
            return msgspec.convert(self.read(output), shape)
        except (NotFoundError, msgspec.ValidationError):
            return None


def agent_told(name: str) -> dict[str, Plain]:
    """Return what the conventions say of the work of an agent."""
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}


def _above(prefix: str) -> Iterator[str]:
    """Yield the keys that a call may have in which agents work below `prefix`.

    Ids may hold slashes, so all ways to cut it are tried, the deepest first.
    """
    cuts = [0, *(match.end() for match in re.finditer("/", prefix))]
    for cut in reversed(cuts):
        yield f"{prefix[:cut]}tool:{prefix[cut:]}"


def _told(asked: _Asked) -> dict[str, Plain]:
    read = asked.usage.get("cache_read", 0)
    written = asked.usage.get("cache_write_5m", 0) + asked.usage.get("cache_write_1h", 0)
    told: dict[str, Plain] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(asked.provider, asked.provider),
        "gen_ai.request.model": asked.asked,
        "gen_ai.usage.input_tokens": asked.usage.get("input", 0) + read + written,
        "gen_ai.usage.output_tokens": asked.usage.get("output", 0),
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.cache_creation.input_tokens": written,
    }
    if asked.cost is not None:
        told["iaiflow.cost_usd"] = asked.cost
    if asked.failed:
        told["error.type"] = asked.fault.code if asked.fault else "timeout"
        return told
    told["gen_ai.response.model"] = asked.model
    told["gen_ai.response.finish_reasons"] = [asked.stop_reason]
    if asked.id:
        told["gen_ai.response.id"] = asked.id
    return told


def _message(asked: _Asked) -> dict[str, Any]:
    """Return an answer as the conventions write messages."""
    parts = [part for block in asked.content if (part := _part(block))]
    return {"role": "assistant", "parts": parts, "finish_reason": asked.stop_reason}


def _part(block: Mapping[str, Any]) -> dict[str, Any] | None:
    match block:
        case {"type": "text", "text": text}:
            return {"type": "text", "content": text}
        case {"type": "thinking", "thinking": thought}:
            return {"type": "reasoning", "content": thought}
        case {"type": "tool_use", "id": id_, "name": name, "input": asked}:
            return {"type": "tool_call", "id": id_, "name": name, "arguments": asked}
        case _:
            return None


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
