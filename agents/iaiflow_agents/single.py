"""A few calls of a model without a loop: for nodes that ask once, and once more to repair."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from iaiflow_agents import blocks
from iaiflow_agents.blocks import Message
from iaiflow_agents.budget import Budget, BudgetReached, Meter
from iaiflow_agents.calls import Answer, Caller
from iaiflow_agents.models.protocol import Request
from iaiflow_agents.records import Records
from iaiflow_agents.running import check_price, open_model, shower
from iaiflow_agents.spec import ModelChoice
from iaiflow_agents.trace import Trace
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.context import Context


@dataclass(slots=True)
class Desk:
    """A model that a step may ask a few times."""

    caller: Caller
    trace: Trace
    request: Request
    #: The conversation so far.
    messages: list[Message]
    asked: int = 0

    async def ask(self, words: str) -> Answer:
        """Say something and return the answer.

        Raises:
            NodeError: There is no whole answer: a limit is reached, or the model refuses.
            ModelFault: The model gives no answer.
        """
        self.asked += 1
        self.trace.begin(self.asked)
        self.messages.append(blocks.user(words))
        try:
            answer = await self.caller.ask(
                f"model:{self.asked}", replace(self.request, messages=list(self.messages))
            )
        except BudgetReached as reached:
            raise NodeError(
                reached.reason, remedy="Raise the limit.", code=f"budget-{reached.limit}"
            ) from None
        self.trace.replied(answer.record, self.caller.spent)
        self.messages.append(blocks.assistant(answer.content))
        return answer

    @property
    def usage(self) -> dict[str, Any]:
        """What was spent so far."""
        return self.trace.data()["totals"]


@asynccontextmanager
async def desk(
    ctx: Context, choice: ModelChoice, budget: Budget, *, name: str = "", **request: Any
) -> AsyncGenerator[Desk]:
    """Open a model for a few calls of a step; what it says is shown on the port `trace`.

    Args:
        ctx: The step's context.
        choice: The model.
        budget: The limits.
        name: What the trace is called; the node's id when empty.
        **request: Fields of the request, such as `system` and `schema`.

    Raises:
        ModelFault: There is no such model, or no key for it.
    """
    async with AsyncExitStack() as stack:
        opened = await open_model(choice, ctx, stack)
        meter = Meter(budget)
        check_price(opened, meter, ctx)
        scripted = opened.client.is_scripted
        trace = Trace(name or ctx.node_id, choice.name, budget, shower(ctx), is_scripted=scripted)
        caller = Caller(
            Records(ctx),
            opened.client,
            meter,
            opened.price,
            on_delta=trace.piece,
            on_pause=lambda why, pause: trace.move("waiting", f"{why} Again in {pause:,.0f} s."),
        )
        try:
            yield Desk(caller, trace, opened.request(**request), [])
        except Exception as error:
            trace.move("failed", str(error))
            raise
        else:
            trace.move("done")
        finally:
            trace.close()


def require_whole(answer: Answer) -> str:
    """Return the text of an answer that has come to its end.

    Raises:
        NodeError: It was cut off, or the model refused.
    """
    if answer.stop_reason in ("end_turn", "stop_sequence"):
        return answer.text
    if answer.stop_reason == "refusal":
        raise NodeError("The model refused to answer.", code="model-refusal")
    raise NodeError(
        "The answer was cut off before its end.",
        remedy="Raise max_tokens, or the limit of the node.",
        code="model-cut-off",
    )
