"""Calls of tools that were allowed: side by side, each made once and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from iaiflow_agents.blocks import Block, text, tool_result
from iaiflow_agents.budget import Meter, Spent
from iaiflow_agents.gate import Approved
from iaiflow_agents.records import Company, Records, plain
from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_agents.trace import Trace
from iaiflow_lab.errors import LabError

#: Calls that are made at the same time.
AT_ONCE: Final = 8
#: The tool by which an agent keeps a list of what is to be done.
PLAN: Final = "plan"


@dataclass(frozen=True, slots=True)
class Helped:
    """What a sub-agent gave."""

    result: ToolResult
    spent: Spent
    #: Its trace, as it ended; empty when it did not begin, or failed.
    trace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What a sub-agent is asked."""

    arguments: Mapping[str, Any]
    #: Where it records what it does.
    records: Records
    #: Is given its trace while it works.
    show: Callable[[Mapping[str, Any]], None]
    #: Whether whoever asks has read words of strangers.
    tainted: bool


#: Has a sub-agent do a call.
Helper = Callable[[Task], Awaitable[Helped]]


@dataclass(frozen=True, slots=True)
class Done:
    """What the calls of one turn gave."""

    #: What the model is told, by the id of the call.
    results: Mapping[str, Block]
    #: Whether some of it are words of strangers.
    untrusted: bool
    #: The answer of the agent that the conversation was handed to; None: it was not.
    handed_off: str | None = None


class Work:
    """Makes calls.

    Args:
        records: Where results are recorded.
        helpers: Sub-agents by the names of their tools.
        hand_offs: Names of those whose answer is the agent's own.
        meter: Counts the time.
        trace: Shows how calls go on.
    """

    def __init__(
        self,
        records: Records,
        helpers: Mapping[str, Helper],
        hand_offs: frozenset[str],
        meter: Meter,
        trace: Trace,
    ) -> None:
        self._records, self._helpers, self._hand_offs = records, helpers, hand_offs
        self._meter, self._trace = meter, trace
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def do(self, calls: Sequence[Approved], *, tainted: bool) -> Done:
        """Make calls, or take what is recorded of them.

        Args:
            calls: What may be called.
            tainted: Whether words of strangers were read before.
        """
        made = await asyncio.gather(*(self._do(call, tainted=tainted) for call in calls))
        pairs = list(zip(calls, made, strict=True))
        own = [r["seconds"] for c, r in pairs if c.tool.name not in self._helpers]
        self._meter.add(Spent(seconds=max(own, default=0.0)))
        over = [c for c, r in pairs if c.tool.name in self._hand_offs and not r["is_error"]]
        handed_off = next((str(r["content"]) for c, r in pairs if c in over), None)
        return Done(
            {call.id: _result(call, record) for call, record in pairs},
            any(record["untrusted"] for record in made),
            handed_off,
        )

    async def _do(self, call: Approved, *, tainted: bool) -> Mapping[str, Any]:
        async with self._at_once:
            record, is_new = await self._records.once(
                f"tool:{call.id}",
                lambda: self._call(call, tainted=tainted),
                self._company(call.tool),
            )
        if call.tool.name in self._helpers and not is_new:  # else its own meter has counted it
            spent = record.get("spent")
            seconds = Spent(seconds=record["seconds"])  # it failed, and left nothing else
            self._meter.add(Spent.from_dict(spent) if spent else seconds)
        state = "failed" if record["is_error"] else "done"
        known = {"trace": record["trace"]} if "trace" in record else {}
        shown = _text(record["content"])
        self._trace.change(call.id, state=state, result=shown, seconds=record["seconds"], **known)
        if call.tool.name == PLAN and not record["is_error"]:
            self._trace.plan(_items(call.arguments))
        return record

    def _company(self, tool: Tool) -> Company:
        """Say what may go on beside a call: nothing beside one that may wait for people itself."""
        if tool.name in self._helpers:
            return "whole"
        return "alone" if tool.timeout is None or tool.label.startswith("mcp:") else "beside"

    async def _call(self, call: Approved, *, tainted: bool) -> Mapping[str, Any]:
        helper = self._helpers.get(call.tool.name)
        more: dict[str, Any] = {}
        left = None if helper else self._meter.seconds_left  # the meter of a helper knows this one
        clock = self._records.context.work_clock(left)
        try:
            async with clock:  # people who are asked may take days
                if helper is None:
                    result = await call.tool.call(self._asked(call, tainted=tainted))
                else:
                    helped = await helper(self._task(call, tainted=tainted))
                    result = helped.result
                    more = {"spent": helped.spent.to_dict()}
                    if helped.trace:
                        more["trace"] = helped.trace
        except TimeoutError:
            result = ToolResult("It was stopped: the agent's time is over.", is_error=True)
        except LabError as error:
            result = ToolResult(str(error), is_error=True)
        except Exception as error:
            result = ToolResult(f"{type(error).__name__}: {error}", is_error=True)
        return {
            "tool": call.tool.name,
            "content": result.content,
            "is_error": result.is_error,
            "untrusted": result.untrusted or call.tool.untrusted,
            "seconds": clock.worked,
            **more,
        }

    def _task(self, call: Approved, *, tainted: bool) -> Task:
        return Task(
            call.arguments,
            self._records.below(call.id),
            lambda data: self._trace.change(call.id, trace=data),
            tainted,
        )

    def _asked(self, call: Approved, *, tainted: bool) -> ToolCall:
        records = self._records
        return ToolCall(
            records.name(call.id),
            call.arguments,
            records.key_of(call.id),
            records.context,
            is_tainted=tainted,
        )


def _items(arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = arguments.get("items")
    listed = cast("list[Any]", items) if isinstance(items, list) else []
    return [cast("Mapping[str, Any]", item) for item in listed if isinstance(item, Mapping)]


def _result(call: Approved, record: Mapping[str, Any]) -> Block:
    content: Any = plain(record["content"])
    if call.note:
        blocks: list[Block] = [text(content)] if isinstance(content, str) else list(content)
        content = [text(call.note), *blocks]
    return tool_result(call.id, content, is_error=record["is_error"])


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = cast("list[Block]", content)
    return "\n".join(str(b.get("text", f"({b.get('type')})")) for b in blocks)
