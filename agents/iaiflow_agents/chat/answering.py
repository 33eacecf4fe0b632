"""How a question is carried out: a run of one node, followed from its beginning to its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from iaiflow_agents import blocks
from iaiflow_agents.chat import kernel
from iaiflow_agents.chat.partners import Partner
from iaiflow_agents.chat.thread import State
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import OUT, PARAMS, Edge, Flow, Node
from iaiflow_lab.model.run import RunState
from iaiflow_lab.sdk.node import CELL_TYPES

if TYPE_CHECKING:
    from iaiflow_lab.interactive.audience import Beginning, Ending

_AGENT: Final = "agent"
#: What stands before the agent in its run: nodes that are not executed, and give what is there.
_GIVER: Final = Node("python", {"code": "def main():\n    return None\n"})
_TRACE: Final = "trace"
#: Characters of a result of a call, when the answer that it belongs to was stopped.
_RESULT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended."""

    state: State
    #: The `agent-trace/1` as JSON; "" when there is none.
    trace: str
    #: Why there is no answer.
    fault: str
    #: The whole conversation, as the agent gave it; None: it gave none.
    messages: Sequence[Mapping[str, Any]] | None
    #: What it had said until it was stopped, in words; "" when nothing.
    begun: str
    #: Whether words of strangers were read.
    untrusted: bool


class Answering:
    """Follows the run that answers a question.

    Args:
        changed: Told that there is news; on the engine's thread.
        ended: Told how it ended, once.
    """

    def __init__(self, changed: Callable[[], None], ended: Callable[[Outcome], None]) -> None:
        self._changed, self._ended = changed, ended
        self._lock = threading.Lock()
        self._beginning: Beginning | None = None
        #: Whether it was cancelled before it began.
        self._is_cancelled = False
        self._trace: Mapping[str, Any] = {}
        self._waits: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def run_id(self) -> str:
        """The run; "" before it has begun."""
        return "" if self._beginning is None else self._beginning.run_id

    @property
    def trace(self) -> str:
        """What the agent does, as JSON; "" before it does something."""
        return json.dumps(self._trace, ensure_ascii=False) if self._trace else ""

    @property
    def asks(self) -> list[dict[str, Any]]:
        """What is asked of people now."""
        with self._lock:
            return list(self._waits.values())

    def cancel(self) -> None:
        """Ask the run to end; at the second time it is left."""
        with self._lock:
            beginning = self._beginning
            self._is_cancelled = self._is_cancelled or beginning is None
        if beginning is not None:
            beginning.cancel()

    def flush(self) -> None:
        """Block until what was told of is committed."""
        if self._beginning is not None:
            self._beginning.flush()

    @property
    def prefix(self) -> str:
        """What stands before every step path."""
        return "" if self._beginning is None else self._beginning.prefix

    # -- as a follower of a run: on any thread ----------------------------------------------------

    def follow(self, beginning: Beginning) -> bool:
        """Take that the run begins."""
        with self._lock:
            self._beginning = beginning
        if self._is_cancelled:
            beginning.cancel()
        return True

    def take(self, event: ev.Event) -> None:
        """Take what happens."""
        match event:
            case ev.StepOutput(step=step, port=port, value=value):
                if port == _TRACE and step == self.prefix + _AGENT and value is not None:
                    self._trace = value
                    self._changed()
            case ev.StepWaiting():
                self._wait(event)
            case ev.WaitAnswered() | ev.WaitLeft():
                with self._lock:
                    self._waits.pop((event.step, event.key), None)
                self._changed()
            case _:
                pass

    def _wait(self, event: ev.StepWaiting) -> None:
        with self._lock:
            self._waits[event.step, event.key] = {
                "step": event.step.removeprefix(self.prefix),
                "key": event.key,
                "kind": event.wait_kind,
                "name": event.name,
                "message": event.message,
                "form": event.form,
                "due": event.due,
            }
        self._changed()

    def note(self, text: str) -> None:
        """Do nothing: a chat shows no notes."""

    def end(self, ending: Ending) -> None:
        """Take how the run ended."""
        with self._lock:
            self._waits.clear()
        sight = None if self._beginning is None else self._beginning.sight
        none: Mapping[str, Any] = {}
        outputs = none if sight is None else sight.outputs.get(self.prefix + _AGENT, none)
        self._ended(self._outcome(ending, outputs))

    def _outcome(self, ending: Ending, outputs: Mapping[str, Any]) -> Outcome:
        if ending.state is RunState.COMPLETED and "messages" in outputs:
            trace = outputs[_TRACE]
            return Outcome(
                state="stopped" if outputs["stopped"] else "done",
                trace=json.dumps(trace, ensure_ascii=False),
                fault="",
                messages=outputs["messages"],
                begun="",
                untrusted=bool(trace.get("untrusted")),
            )
        is_stopped = ending.state is RunState.CANCELLED
        state: State = "stopped" if is_stopped else "failed"
        why = "" if ending.error is None else ending.error.message
        self._trace = _ended_trace(self._trace, state, why)
        return Outcome(
            state=state,
            trace=self.trace,
            fault="" if is_stopped else why or "The run ended without an answer.",
            messages=None,
            begun=_begun(self._trace),
            untrusted=bool(_calls(self._trace)),  # nobody has said what they gave
        )


def begin(
    partner: Partner,
    messages: Sequence[blocks.Message],
    tables: Mapping[str, Any],
    answering: Answering,
    *,
    untrusted: bool,
) -> str:
    """Begin the run that answers, and return its id.

    Args:
        partner: Who is asked.
        messages: The conversation; the person spoke last.
        tables: What `sql` sees, by name.
        answering: Follows it.
        untrusted: Whether strangers wrote some of it.

    Raises:
        LabError: It could not be started.
    """
    given = {**partner.values, **tables, "history": list(messages)}
    makers = {port: f"{port}_given" for port in given}
    config = {**partner.node.config, "prompt": "", "untrusted": untrusted}
    if partner.own is not None:
        CELL_TYPES[partner.own.node.name] = partner.own.node
    wires = [Edge(maker, OUT, _AGENT, port) for port, maker in makers.items()]
    of_parameters = [Edge(PARAMS, name, _AGENT, port) for port, name in partner.wired.items()]
    flow = Flow(
        partner.title,
        parameters=partner.parameters,
        nodes={
            **dict.fromkeys(makers.values(), _GIVER),
            _AGENT: replace(partner.node, config=config),
        },
        edges=(*wires, *of_parameters),
    )
    values = {makers[port]: {OUT: value} for port, value in given.items()}
    work = kernel.Work(flow, _AGENT, values, partner.inputs, partner.folder)
    return kernel.begin(work, answering)


# -- what is left of an answer that was not finished ----------------------------------------------


def _ended_trace(trace: Mapping[str, Any], state: State, why: str) -> Mapping[str, Any]:
    """Return the trace of an agent that could not say itself that it ended."""
    if not trace or trace["state"] in ("done", "stopped", "failed"):
        return trace
    return {**trace, "state": state, "reason": why}


def _calls(trace: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    turns = cast("list[Mapping[str, Any]]", trace.get("turns", []))
    return [call for turn in turns for call in turn["calls"]]


def _begun(trace: Mapping[str, Any]) -> str:
    """Return what was said and called, for whoever goes on with the conversation."""
    turns = cast("list[Mapping[str, Any]]", trace.get("turns", []))
    made: list[str] = []
    for turn in turns:
        made += [turn["text"]] if turn["text"] else []
        made += [_call(call) for call in turn["calls"]]
    return "\n".join([*made, "[The answer was stopped here.]"]) if made else ""


def _call(call: Mapping[str, Any]) -> str:
    arguments = json.dumps(call["arguments"], ensure_ascii=False, default=str)[:_RESULT]
    result = f": {call['result'][:_RESULT]}" if call["result"] else ""
    return f"[{call['name']}({arguments}) {call['state']}{result}]"
