"""What nodes that ask models without a conversation take from the purse of their run."""

from __future__ import annotations

from typing import Any

from iaiflow_agents.budget import BudgetReached, Spent
from iaiflow_agents.purse import Share, spent_of, tell
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.context import Context


class Charge:
    """Admits a call of known size, and records what it took.

    Args:
        context: The step's.
        model: What is asked, as prices name it.
    """

    def __init__(self, context: Context, model: str) -> None:
        self._context, self._model = context, model
        self._share = Share(context)

    async def admit(self, most: Spent, remedy: str) -> None:
        """Hold what a call may take until `free`.

        Args:
            most: What that is at most.
            remedy: What to do when it does not fit.

        Raises:
            NodeError: It does not fit into the run's budget.
        """
        if most.cost is None and self._share.limits_cost:
            raise self.unpriced()
        try:
            await self._share.admit(most.usage, 0, lambda _: most.cost, most.steps)
        except BudgetReached as reached:
            code = f"budget-{reached.limit}"
            raise NodeError(reached.reason, remedy=remedy, code=code) from None

    async def record(self, key: str, spent: Spent, told: Spent | None = None) -> None:
        """Record what is taken, once.

        Args:
            key: Tells it from other records of the step.
            spent: What is taken, or given back.
            told: What the history is told; None: nothing.
        """

        async def made() -> dict[str, Any]:
            if told is not None:
                tell(self._context, told.usage, told.cost)
            return spent.to_dict()

        self._share.spend(key, spent_of(await self._context.aonce(key, made)))

    def free(self) -> None:
        """Hold nothing any more: the call has ended."""
        self._share.free()

    def unpriced(self) -> NodeError:
        """Return the refusal of a limit of money that nobody could keep."""
        return NodeError(
            f"No price of the model {self._model!r} is known, so a limit of money can't be kept.",
            remedy=f'Write what it costs in config.toml, [prices."{self._model}"].',
            code="budget-cost",
        )
