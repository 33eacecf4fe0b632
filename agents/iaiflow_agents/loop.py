"""The loop of an agent: ask the model, pass the gate, call tools, make room, ask again.

It is a LangGraph graph without a checkpointer: what the model said and what tools gave are
sub-steps of the run. Whoever goes on with a run starts the loop anew, and what is recorded answers
at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal, TypedDict

from iaiflow_agents import blocks, compaction
from iaiflow_agents.blocks import Block, Message
from iaiflow_agents.budget import BudgetReached, Meter, Spent
from iaiflow_agents.calls import Answer, Caller
from iaiflow_agents.errors import TOO_LONG, ModelFault
from iaiflow_agents.gate import Approved, Gate
from iaiflow_agents.models.protocol import Request
from iaiflow_agents.records import Records
from iaiflow_agents.tools.handoff import HANDOFF
from iaiflow_agents.trace import Trace
from iaiflow_agents.work import Work
from iaiflow_lab.errors import NodeError

#: How often in a row the model may pause, or be cut off in a call, before the run ends.
_PAUSES: Final = 20
_CUT_OFF: Final = 2
#: Rounds of an agent without a limit of steps.
_ENDLESS: Final = 1_000_000
_CUT_CALL: Final = (
    "This call was not made: the answer ended before its arguments were complete. Give shorter "
    "arguments, or do it in several calls."
)
_NO_CALL: Final = "This call was not made: the answer did not end with it."


@dataclass(frozen=True, slots=True)
class Talk:
    """What one run of the loop works with."""

    records: Records
    caller: Caller
    gate: Gate
    work: Work
    meter: Meter
    trace: Trace
    #: Everything that is the same in each call of the model.
    request: Request
    #: How many tokens a conversation may have before it is made shorter; None: any.
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How an agent ended."""

    #: What it said last.
    text: str
    #: The whole conversation, verbatim.
    messages: Sequence[Message]
    #: Why it did not end by itself: "budget-cost", "refusal", "max-tokens", "handoff:billing", ...;
    #: "" when it did.
    stopped: str
    #: The same as a sentence.
    reason: str
    spent: Spent
    #: Whether words of strangers were read.
    tainted: bool


class _State(TypedDict):
    messages: list[Message]
    #: Calls of the model so far.
    n: int
    #: Where the loop goes on.
    goto: Literal["model", "gate", "tools", "compact", "end"]
    uses: list[Block]
    approved: list[Approved]
    results: Mapping[str, Block]
    tainted: bool
    #: What was said before the model paused.
    said: str
    pauses: int
    cut_off: int
    #: How often the conversation was made shorter.
    compactions: int
    text: str
    stopped: str
    reason: str


@dataclass(slots=True)
class _Seen:
    """Ids of calls in one conversation; some servers use the same ones again and again."""

    ids: set[str] = field(default_factory=set[str])

    def distinct(self, content: Sequence[Block], n: int) -> list[Block]:
        """Return an answer whose calls have ids of their own."""
        made: list[Block] = []
        for index, block in enumerate(content):
            given = block
            if block["type"] == "tool_use" and (not block["id"] or block["id"] in self.ids):
                given = {**block, "id": f"{block['id'] or 'call'}-{n}-{index}"}
            if given["type"] == "tool_use":
                self.ids.add(given["id"])
            made.append(given)
        return made


async def converse(talk: Talk, messages: Sequence[Message], *, tainted: bool = False) -> Ended:
    """Run the loop until the model is done or a limit is reached.

    Args:
        talk: What it works with.
        messages: The conversation so far; the user spoke last.
        tainted: Whether it holds words of strangers.

    Raises:
        ModelFault: The model gives no answer.
        NodeError: LangGraph is not installed.
    """
    graph = await asyncio.to_thread(_graph)
    begin: _State = {
        "messages": list(messages),
        "n": 0,
        "goto": "model",
        "uses": [],
        "approved": [],
        "results": {},
        "tainted": tainted,
        "said": "",
        "pauses": 0,
        "cut_off": 0,
        "compactions": 0,
        "text": "",
        "stopped": "",
        "reason": "",
    }
    steps = talk.meter.budget.steps or _ENDLESS
    config = {"recursion_limit": 10 * steps + 20}
    try:
        end = await graph.ainvoke(begin, config, context=_Run(talk, _known_ids(messages)))
    except Exception as error:
        talk.trace.move("failed", str(error))
        raise
    finally:
        talk.trace.close()
    talk.trace.spend(talk.meter.spent)
    reason = end["reason"]
    talk.trace.move("stopped" if end["stopped"] else "done", reason)
    talk.trace.close()
    return Ended(
        text=end["text"] or talk.trace.text,
        messages=end["messages"],
        stopped=end["stopped"],
        reason=reason,
        spent=talk.meter.spent,
        tainted=end["tainted"],
    )


def _known_ids(messages: Sequence[Message]) -> _Seen:
    uses = [use for message in messages for use in blocks.tool_uses(message["content"])]
    return _Seen({use["id"] for use in uses})


@cache
def _graph() -> Any:
    """Return the compiled graph; LangGraph takes a second or two to import.

    Raises:
        NodeError: It is not installed.
    """
    try:
        langgraph: Any = import_module("langgraph.graph")
    except ImportError as error:
        raise NodeError(
            "Agents need the package langgraph.",
            remedy='Run: pip install "iaiflow-lab[agents]"',
            code="agents-not-installed",
        ) from error
    graph = langgraph.StateGraph(_State, context_schema=_Run)
    nodes = {"model": _model, "gate": _gate, "tools": _tools, "compact": _compact}
    for name, function in nodes.items():
        graph.add_node(name, _node(function))
        graph.add_conditional_edges(name, _next, [*nodes, langgraph.END])
    graph.add_edge(langgraph.START, "model")
    return graph.compile()


async def _next(state: _State) -> str:  # a plain function would be called in a thread
    return "__end__" if state["goto"] == "end" else state["goto"]  # LangGraph's END


@dataclass(frozen=True, slots=True)
class _Run:
    talk: Talk
    seen: _Seen


def _node(function: Callable[[_State, _Run], Any]) -> Callable[..., Any]:
    """Return a graph's node of a function of the state and the run."""

    async def node(state: Any, runtime: Any) -> Any:
        return await function(state, runtime.context)

    runtime: Any = import_module("langgraph.runtime")
    node.__annotations__ |= {"state": _State, "runtime": runtime.Runtime[_Run]}
    return node


# -- the nodes ------------------------------------------------------------------------------------


async def _model(state: _State, run: _Run) -> dict[str, Any]:
    """Ask the model and see what it wants."""
    talk, n = run.talk, state["n"] + 1
    talk.trace.begin(n)
    request = replace(talk.request, messages=state["messages"])
    try:
        answer = await talk.caller.ask(f"model:{n}", request)
    except BudgetReached as reached:
        return _stop(f"budget-{reached.limit}", reached.reason)
    except ModelFault as fault:
        if fault.code == TOO_LONG:
            return {"n": n, "goto": "compact", "stopped": "context"}
        raise
    content = run.seen.distinct(answer.content, n)
    talk.trace.replied({**answer.record, "content": content}, talk.meter.spent)
    messages = state["messages"]
    if content:
        messages = [*messages, blocks.assistant(content)]
    return {"n": n, "messages": messages, "stopped": "", **_after(state, answer, content)}


def _after(state: _State, answer: Answer, content: Sequence[Block]) -> dict[str, Any]:
    """Return where the loop goes on after an answer."""
    uses = blocks.tool_uses(content)
    text = state["said"] + answer.text
    match answer.stop_reason:
        case "tool_use" if uses:
            return {"goto": "gate", "uses": uses, "said": "", "pauses": 0, "cut_off": 0}
        case "max_tokens" | "model_context_window_exceeded" if uses:
            return _cut_off(state, answer, uses, text)
        case "pause_turn" if not uses and state["pauses"] < _PAUSES:
            return {"goto": "compact", "said": text, "pauses": state["pauses"] + 1}
        case _:
            return _last(answer, uses, text)


def _last(answer: Answer, uses: Sequence[Block], text: str) -> dict[str, Any]:
    """End with an answer; calls that it holds although it waits for none are not made."""
    stopped, reason = _why(answer)
    if not uses:
        return _stop(stopped, reason, text=text)
    why = reason or "The model called tools and ended without waiting for what they give."
    return {**_stop(stopped or "unknown", why, text=text), **_refused(uses, _NO_CALL)}


def _why(answer: Answer) -> tuple[str, str]:
    """Return why the agent ends with this answer: a code, and a sentence; both "" when done."""
    match answer.stop_reason:
        case "end_turn" | "stop_sequence":
            return "", ""
        case "max_tokens" if answer.shortened_by:
            why = f"The answer was cut off where {answer.whose} ends."
            return f"budget-{answer.shortened_by}", why
        case "max_tokens":
            return "max-tokens", "The answer was cut off: it is longer than max_tokens."
        case "model_context_window_exceeded":
            return "context", "The model can read and write no more."
        case "refusal":
            return "refusal", _refusal(answer)
        case reason:
            return "unknown", f"The model stopped for a reason of its own: {reason}."


def _cut_off(state: _State, answer: Answer, uses: Sequence[Block], text: str) -> dict[str, Any]:
    """Make none of the calls of an answer that was cut off, and let the model try again."""
    refused = _refused(uses, _CUT_CALL)
    if state["cut_off"] >= _CUT_OFF or answer.shortened_by:
        by = answer.shortened_by
        code = f"budget-{by}" if by else "max-tokens"
        why = "The answer was cut off in the middle of a call; the call was not made."
        return {**_stop(code, why, text=text), **refused}
    return {**refused, "cut_off": state["cut_off"] + 1}


def _refused(uses: Sequence[Block], said: str) -> dict[str, Any]:
    """Make none of these calls, and say so of each: the service wants a result for every one."""
    results = {use["id"]: blocks.tool_result(use["id"], said, is_error=True) for use in uses}
    return {"goto": "tools", "uses": uses, "approved": [], "results": results}


def _refusal(answer: Answer) -> str:
    details: Mapping[str, Any] = answer.record.get("stop_details") or {}
    why = details.get("explanation") or details.get("category")
    return f"The model refused to answer: {why}." if why else "The model refused to answer."


def _stop(stopped: str, reason: str, **more: Any) -> dict[str, Any]:
    return {"goto": "end", "stopped": stopped, "reason": reason, **more}


async def _gate(state: _State, run: _Run) -> dict[str, Any]:
    """Decide on the calls; none is made when nothing is left to read their results with."""
    talk = run.talk
    try:
        talk.meter.check()
    except BudgetReached as reached:
        stop = _stop(f"budget-{reached.limit}", reached.reason)
        said = f"This call was not made. {reached.reason}"
        return {**stop, **_refused(state["uses"], said)}
    talk.trace.move("calling")
    decided = await talk.gate.decide(state["uses"], tainted=state["tainted"])
    return {"goto": "tools", "approved": decided.approved, "results": decided.refused}


async def _tools(state: _State, run: _Run) -> dict[str, Any]:
    """Make the calls and tell the model what they gave, in its order."""
    done = await run.talk.work.do(state["approved"], tainted=state["tainted"])
    results = {**state["results"], **done.results}
    said = blocks.user([results[use["id"]] for use in state["uses"]])
    run.talk.trace.spend(run.talk.meter.spent)
    told: dict[str, Any] = {
        "messages": [*state["messages"], said],
        "tainted": state["tainted"] or done.untrusted,
    }
    if state["stopped"]:
        return {**told, "goto": "end"}
    if done.handed_off is not None:
        return {**told, **_stop("", "", text=done.handed_off)}
    if to := _handed_over(state["approved"], done.results):
        why = f"It handed the conversation over to {to.removeprefix(HANDOFF)}."
        return {**told, **_stop(to, why)}
    return {**told, "goto": "compact" if _is_long(run.talk, told["messages"]) else "model"}


def _is_long(talk: Talk, messages: Sequence[Message]) -> bool:
    """Say whether a conversation comes near to what the model can read."""
    if talk.room is None:
        return False
    return talk.caller.will_read(replace(talk.request, messages=messages)) > talk.room


def _handed_over(calls: Sequence[Approved], results: Mapping[str, Block]) -> str:
    """Return the tool by which the conversation was handed over; "" when it was not."""
    made = (call for call in calls if call.tool.label.startswith(HANDOFF))
    return next((call.tool.label for call in made if not results[call.id].get("is_error")), "")


async def _compact(state: _State, run: _Run) -> dict[str, Any]:
    """Make the conversation shorter when it comes near to what the model can read."""
    talk, messages = run.talk, state["messages"]
    is_forced = state["stopped"] == "context"
    if not is_forced and not _is_long(talk, messages):
        return {"goto": "model"}
    shorter = compaction.with_short_results(messages)
    start = compaction.cut(shorter)
    if start and (is_forced or _is_long(talk, shorter)):
        return await _summarise(state, talk, shorter, start)
    if is_forced and shorter == messages:
        return _stop("context", "The conversation is longer than what the model can read.")
    return {"goto": "model", "stopped": "", "messages": shorter}


async def _summarise(
    state: _State, talk: Talk, messages: Sequence[Message], start: int
) -> dict[str, Any]:
    """Have the model write a summary of what stands before `start`; without one that stays."""
    k = state["compactions"] + 1
    request = compaction.summary_request(talk.request.model, messages[:start])
    summary = ""
    try:
        answer = await talk.caller.ask(f"compact:{k}", request)
        summary = "" if answer.stop_reason == "refusal" else answer.text.strip()
    except BudgetReached as reached:
        return _stop(f"budget-{reached.limit}", reached.reason)
    except ModelFault as fault:
        if fault.code != TOO_LONG:
            raise
    talk.trace.spend(talk.meter.spent)
    if state["stopped"] and not summary:
        return _stop("context", "The conversation is too long, and the model sums up none of it.")
    made = compaction.summarised(messages, start, summary) if summary else messages
    return {"goto": "model", "stopped": "", "messages": made, "compactions": k}
