"""What people see of an agent while it works: turns, calls of tools, totals; the `agent-trace/1`.

It is folded from the pieces of answers on their way and from what was recorded. Whoever goes on
with a run folds the records once more, so that nothing of it is missing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from iaiflow_agents import blocks
from iaiflow_agents.budget import Budget, Spent
from iaiflow_agents.models.protocol import Delta
from iaiflow_lab.safe.redact import RESOLVED

State = Literal["thinking", "calling", "asking", "waiting", "done", "stopped", "failed"]
Data = dict[str, Any]

KIND: Final = "agent-trace/1"
#: Largest trace, in characters of JSON.
LARGEST: Final = 56_000
#: Shortest time between two showings, in seconds.
PAUSE: Final = 0.05
#: Characters that texts are cut to until the trace is small enough; the last turn's keep four times
#: as many.
_CUTS: Final = (8_000, 2_000, 500, 120, 40)
#: Characters of a result that are kept at all.
_RESULT: Final = 8_000


class Trace:
    """Folds what happens and shows it now and then; lives on one event loop.

    Args:
        agent: Who works.
        model: With what.
        is_scripted: Whether the answers come from a script.
        budget: The limits that are shown beside the totals.
        show: Is given the trace as JSON data, and what it says in a few words; those are "" when
            only more of the same came.
    """

    def __init__(
        self,
        agent: str,
        model: str,
        budget: Budget,
        show: Callable[[Data, str], None],
        *,
        is_scripted: bool = False,
    ) -> None:
        self.model, self.is_scripted = model, is_scripted
        self.state: State = "thinking"
        self.reason = ""
        self._agent, self._budget = agent, budget
        self._show = show
        self._turns: list[Data] = []
        self._calls: dict[str, Data] = {}
        self._plan: list[Data] = []
        self._spent = Spent()
        self._timer: asyncio.TimerHandle | None = None
        self._shown_at = 0.0

    @property
    def text(self) -> str:
        """What the agent said last."""
        said = (turn["text"] for turn in reversed(self._turns))
        return next((text for text in said if text), "")

    def begin(self, n: int) -> None:
        """Note that the model is asked; asked again, what it began to say is forgotten."""
        if not self._turns or self._turns[-1]["stop_reason"]:
            self._turns.append({})
        self._turns[-1] = {
            "n": n,
            "text": "",
            "thinking": "",
            "stop_reason": "",
            "usage": {},
            "cost": None,
            "seconds": 0.0,
            "calls": [],
        }
        self.move("thinking")

    def piece(self, delta: Delta) -> None:
        """Add a piece of the answer."""
        turn = self._turns[-1]
        if delta.kind in ("text", "thinking"):
            turn[delta.kind] += delta.text
        elif delta.tool and not delta.text:
            turn["calling"] = delta.tool
        self._soon()

    def replied(self, record: Mapping[str, Any], spent: Spent) -> None:
        """Take the whole answer, as it was recorded."""
        content: Sequence[blocks.Block] = record["content"]
        turn = self._turns[-1]
        turn.pop("calling", None)
        turn.update(
            text=blocks.text_of(content),
            thinking=blocks.thinking_of(content),
            stop_reason=record["stop_reason"],
            usage=record["usage"],
            cost=record["cost"],
            seconds=record["seconds"],
        )
        self.spend(spent)

    def spend(self, spent: Spent) -> None:
        """Take the totals."""
        self._spent = spent
        self._soon()

    def call(self, id_: str, name: str, arguments: Mapping[str, Any], source: str) -> None:
        """Note that a tool is to be called."""
        call: Data = {"id": id_, "name": name, "arguments": dict(arguments), "state": "running"}
        self._calls[id_] = {**call, "result": "", "seconds": 0.0, "source": source}
        self._turns[-1]["calls"].append(self._calls[id_])
        self._soon()

    def change(self, id_: str, **known: Any) -> None:
        """Note what became of a call: its state, result, seconds, arguments, or a trace of it."""
        if isinstance(known.get("result"), str):
            known["result"] = _cut(known["result"], _RESULT)
        self._calls[id_].update(known)
        self._soon()

    def plan(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Take the list of what is to be done."""
        self._plan = [
            {"text": str(item.get("text", "")), "done": bool(item.get("done"))} for item in items
        ]
        self._soon()

    def move(self, state: State, reason: str = "") -> None:
        """Take a new state and show it at once."""
        self.state, self.reason = state, reason
        self.flush(self.summary)

    def close(self) -> None:
        """Show nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def summary(self) -> str:
        """The trace in a few words."""
        turns = len(self._turns)
        doing = {"thinking": self.model, "calling": self._calling()}.get(self.state, self.reason)
        tokens = f"{self._spent.usage.total:,} tokens"
        return f"{self.state} {doing}".strip() + f" (turn {turns}, {tokens}{self._cost()})"

    def _cost(self) -> str:
        cost = self._spent.cost
        if cost is None:
            return ", price not known"
        return f", ${cost:.4f}" if cost else ""

    def _calling(self) -> str:
        names = [call["name"] for call in self._calls.values() if call["state"] == "running"]
        return ", ".join(names[:3])

    def data(self) -> Data:
        """Return the trace as JSON data of at most `LARGEST` characters."""
        made = self._whole()
        size = _size(made)
        turns: list[Data] = made["turns"]
        for longest in _CUTS:
            if size <= LARGEST:
                return made
            older = [_shortened(turn, longest) for turn in turns[:-1]]
            made["turns"] = [*older, _shortened(turns[-1], 4 * longest)]
            made["is_cut"] = True
            size = _size(made)
        while size > LARGEST and made["turns"]:
            dropped = made["turns"].pop(0)
            made["omitted"] = made.get("omitted", 0) + 1
            size -= _size(dropped)
        return made

    def _whole(self) -> Data:
        usage = self._spent.usage
        totals = {
            "steps": self._spent.steps,
            "input": usage.all_input,
            "output": usage.output,
            "cache_read": usage.cache_read,
            "cache_write": usage.cache_write_5m + usage.cache_write_1h,
            "cost": self._spent.cost,
            "currency": "USD",
            "seconds": self._spent.seconds,
        }
        return {
            "kind": KIND,
            "agent": self._agent,
            "model": self.model,
            "is_scripted": self.is_scripted,
            "state": self.state,
            "turns": [_seen(turn) for turn in self._turns],
            "totals": totals,
            "limits": self._budget.to_dict(),
            "reason": self.reason,
            "plan": self._plan,
        }

    def _soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            pause = max(0.0, self._shown_at + PAUSE - loop.time())
            self._timer = loop.call_later(pause, self.flush)

    def flush(self, said: str = "") -> None:
        """Show the trace now."""
        self.close()
        self._shown_at = asyncio.get_running_loop().time()
        self._show(self.data(), said)


def _seen(turn: Data) -> Data:
    """Return a turn as it may be shown: on its way, it can end in the middle of a secret."""
    made = {**turn, "calls": [dict(call) for call in turn["calls"]]}
    if not turn["stop_reason"]:
        made |= {part: RESOLVED.clipped(turn[part]) for part in ("text", "thinking")}
    return made


def _size(data: Any) -> int:
    return len(json.dumps(data, ensure_ascii=False))


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text) - longest:,} more characters)"


def _shortened(turn: Data, longest: int) -> Data:
    """Return a turn whose texts are cut."""
    made = {**turn, **{key: _cut(turn[key], longest) for key in ("text", "thinking")}}
    made["calls"] = [_short_call(call, longest) for call in turn["calls"]]
    return made


def _short_call(call: Data, longest: int) -> Data:
    made = {**call, "result": _cut(call["result"], longest)}
    made["arguments"] = {
        name: _cut(value, longest) if isinstance(value, str) else _small(value, longest)
        for name, value in call["arguments"].items()
    }
    if longest <= 500:
        made.pop("trace", None)
    return made


def _small(value: Any, longest: int) -> Any:
    spelled = json.dumps(value, ensure_ascii=False, default=str)
    return value if len(spelled) <= longest else _cut(spelled, longest)
