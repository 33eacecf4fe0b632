"""What a batch of questions may take, and took: nothing stops it once it is sent.

So the most that it may take is booked when it is sent, and what it did not take is given back when
it is answered. Both are records of the run, which counts them however often it is parked between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from iaiflow_agents import prices
from iaiflow_agents.budget import Spent
from iaiflow_agents.charge import Charge
from iaiflow_agents.models.batch import SUBMIT
from iaiflow_agents.models.estimate import estimate
from iaiflow_agents.models.protocol import Reply, Request
from iaiflow_agents.usage import Usage
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.context import Context

if TYPE_CHECKING:
    from iaiflow_agents.running import Opened

_BOOKED: Final = "model:batch"
_UNUSED: Final = "model:batch:unused"
_REMEDY: Final = "Raise the limit, lower max_tokens, or ask about fewer."


class Bill:
    """Keeps a batch within the limits of its node and its run.

    Args:
        context: The step's.
        opened: The model.
        requests: What is asked.
    """

    def __init__(self, context: Context, opened: Opened, requests: Sequence[Request]) -> None:
        self._context, self._opened = context, opened
        self._charge = Charge(context, opened.id)
        self._own = context.configured("prices")
        self._most = self._total(Usage(input=estimate(r), output=r.max_tokens) for r in requests)
        self._is_booked = False

    def check(self, max_cost: float | None) -> None:
        """Refuse a batch that may cost more than its node allows.

        Raises:
            NodeError: It may, or nobody knows the price.
        """
        if max_cost is None:
            return
        most = self._most.cost
        if most is None:
            raise self._charge.unpriced()
        if most > max_cost:
            raise NodeError(
                f"These {self._most.steps:,} questions may cost {most:.2f} dollars, more than "
                f"{max_cost:g}.",
                remedy=_REMEDY,
                code="budget-cost",
            )

    async def once(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Do something once, as `Context.aonce` does; a batch is sent if it fits what is left.

        Raises:
            NodeError: It does not fit into the run's budget.
        """
        if key != SUBMIT:
            return await self._context.aonce(key, function)

        async def sent() -> Any:
            await self._charge.admit(self._most, _REMEDY)
            return await function()

        try:
            made = await self._context.aonce(key, sent)
            await self._charge.record(_BOOKED, self._most)
        finally:
            self._charge.free()
        self._is_booked = True
        return made

    async def settle(self, answers: Iterable[object]) -> Spent:
        """Return what answers took, and give back what they did not.

        Args:
            answers: A reply, or what is there without one, for each question.
        """
        took = self._total(answer.usage for answer in answers if isinstance(answer, Reply))
        if self._is_booked:
            await self._charge.record(_UNUSED, took - self._most, took)
        return took

    def _total(self, used: Iterable[Usage]) -> Spent:
        return sum((Spent(1, one, self._price(one)) for one in used), Spent())

    def _price(self, usage: Usage) -> float | None:
        cost = prices.cost(self._opened.id, usage, self._own, in_batch=True)
        return 0.0 if cost is None and self._opened.client.is_scripted else cost
