"""Before tools are called: what the policy says, and what a person says who is asked.

What a person is asked is a wait of the run: it outlives kernels, workers and restarts, and its
answer is recorded. All questions of one turn are asked together.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from iaiflow_agents.blocks import Block, tool_result
from iaiflow_agents.policy import Policy, Verdict
from iaiflow_agents.records import Records
from iaiflow_agents.tools.tool import Tool
from iaiflow_agents.trace import Trace
from iaiflow_lab.model.names import did_you_mean, listed
from iaiflow_lab.model.run import WaitKind, WaitOutcome
from iaiflow_lab.sdk.waiting import Answer, Asking

#: Characters of the arguments that a question shows; the form has all of them.
_SHOWN: Final = 2_000


@dataclass(frozen=True, slots=True)
class Approved:
    """A call that may be made."""

    id: str
    tool: Tool
    arguments: Mapping[str, Any]
    #: What the model has to know beside the result; "" for nothing.
    note: str = ""


@dataclass(slots=True)
class Decided:
    """What became of the calls that a model asked for."""

    approved: list[Approved] = field(default_factory=list[Approved])
    #: What the model is told of the others, by the id of the call.
    refused: dict[str, Block] = field(default_factory=dict[str, Block])


class Gate:
    """Decides on calls of tools.

    Args:
        records: Where questions are recorded.
        policy: The rules.
        tools: The tools by the names that the model uses.
        trace: Shows what is decided.
        ask_limit: How long an answer is waited for, in seconds; None: for ever.
    """

    def __init__(
        self,
        records: Records,
        policy: Policy,
        tools: Mapping[str, Tool],
        trace: Trace,
        ask_limit: float | None = None,
    ) -> None:
        self._records, self._policy, self._tools = records, policy, tools
        self._trace, self._limit = trace, ask_limit

    async def decide(self, uses: Sequence[Block], *, tainted: bool) -> Decided:
        """Decide on all calls of a turn; returns once every question is answered.

        Args:
            uses: The model's `tool_use` blocks.
            tainted: Whether words of strangers were read before.
        """
        decided = Decided()
        asked: list[tuple[Approved, Verdict]] = []
        for use in uses:
            call = self._known(use, decided)
            if call is None:
                continue
            verdict = self._policy.decide(call.tool, call.arguments, tainted=tainted)
            match verdict.decision:
                case "allow":
                    decided.approved.append(call)
                case "ask":
                    asked.append((call, verdict))
                case "deny":
                    self._refuse(decided, call, f"The policy refuses this call. {verdict.reason}")
        if asked:
            await self._ask_all(asked, decided, tainted=tainted)
        return decided

    def _known(self, use: Block, decided: Decided) -> Approved | None:
        """Return the call as it may be decided on; None when there can be none."""
        id_, name, given = str(use["id"]), str(use["name"]), use.get("input")
        tool = self._tools.get(name)
        is_object = isinstance(given, Mapping)
        arguments = cast("Mapping[str, Any]", given if is_object else {})
        self._trace.call(id_, name, arguments, tool.source if tool else "")
        if tool is None:
            near = did_you_mean(name, self._tools) or f"There are: {listed(self._tools)}."
            self._tell(decided, id_, f"There is no tool {name!r}. {near}", "failed")
            return None
        if not is_object:
            self._tell(decided, id_, "The arguments are no JSON object.", "failed")
            return None
        return Approved(id_, tool, arguments)

    def _refuse(self, decided: Decided, call: Approved, reason: str) -> None:
        self._tell(decided, call.id, reason, "refused")

    def _tell(self, decided: Decided, id_: str, said: str, state: str) -> None:
        decided.refused[id_] = tool_result(id_, said, is_error=True)
        self._trace.change(id_, state=state, result=said)

    async def _ask_all(
        self, asked: Sequence[tuple[Approved, Verdict]], decided: Decided, *, tainted: bool
    ) -> None:
        for call, verdict in asked:
            self._trace.change(call.id, state="asking", reason=verdict.reason)
        names = ", ".join(call.tool.shown for call, _ in asked)
        self._trace.move("asking", f"Somebody is asked whether to call {names}.")
        answers = await asyncio.gather(*(self._ask(call, verdict) for call, verdict in asked))
        self._trace.move("calling")
        for (call, _), answer in zip(asked, answers, strict=True):
            self._take(call, answer, decided, tainted=tainted)

    async def _ask(self, call: Approved, verdict: Verdict) -> Answer:
        how: Asking = {
            "message": question(call, verdict.reason),
            "form": form(call, verdict.reason),
        }
        if self._limit is not None:
            how["due"], how["default"] = self._records.context.now() + self._limit, None
        return await self._records.wait(f"ask:{call.id}", WaitKind.APPROVAL, **how)

    def _take(self, call: Approved, answer: Answer, decided: Decided, *, tainted: bool) -> None:
        """Follow what the person said."""
        value: Any = answer.value
        said = cast("dict[str, Any]", value if isinstance(value, dict) else {})
        who = answer.by or "A person"
        if answer.outcome is WaitOutcome.TIMED_OUT:
            self._refuse(decided, call, "Nobody answered in time whether this may be called.")
            return
        if not answer.approved or said.get("decision") == "refuse":
            why = answer.reason or str(said.get("reason") or "no reason was given")
            self._refuse(decided, call, f"{who} refused this call: {why}")
            return
        if call.tool.concern:
            call.tool.approve()
        changed = said.get("arguments")
        if said.get("decision") != "change" or not isinstance(changed, dict):
            self._trace.change(call.id, state="running")
            decided.approved.append(call)
            return
        self._change(call, cast("dict[str, Any]", changed), who, decided, tainted=tainted)

    def _change(
        self, call: Approved, changed: dict[str, Any], who: str, decided: Decided, *, tainted: bool
    ) -> None:
        verdict = self._policy.decide(call.tool, changed, tainted=tainted)
        if verdict.decision == "deny":
            self._refuse(decided, call, f"The policy refuses the changed call. {verdict.reason}")
            return
        self._trace.change(call.id, state="running", arguments=changed)
        spelled = json.dumps(changed, ensure_ascii=False)
        note = f"[{who} changed the arguments to {spelled}; this is the result of that call.]"
        decided.approved.append(Approved(call.id, call.tool, changed, note))


def question(call: Approved, reason: str) -> str:
    """Return what a person is asked, as text."""
    spelled = json.dumps(dict(call.arguments), ensure_ascii=False, indent=1)
    if len(spelled) > _SHOWN:
        spelled = f"{spelled[:_SHOWN]}… ({len(spelled) - _SHOWN:,} more characters)"
    source = f" ({call.tool.source})" if call.tool.source else ""
    return f"Call {call.tool.shown}{source}? {reason}\n{spelled}"


def form(call: Approved, reason: str) -> dict[str, Any]:
    """Return the form of the answer; an answer without a value allows the call as it is."""
    tool = call.tool
    return {
        "type": "object",
        "properties": {
            "decision": {
                "type": "string",
                "title": "Decision",
                "enum": ["allow", "change", "refuse"],
                "default": "allow",
            },
            "arguments": {
                "type": "object",
                "title": "Arguments",
                "description": "Taken when the decision is `change`.",
                "default": dict(call.arguments),
            },
            "reason": {
                "type": "string",
                "title": "Reason",
                "description": "What the agent is told when the decision is `refuse`.",
                "default": "",
            },
        },
        "x-call": {
            "id": call.id,
            "tool": tool.shown,
            "source": tool.source,
            "effects": tool.effects,
            "sends": tool.sends,
            "why": reason,
            "schema": dict(tool.schema),
        },
    }
