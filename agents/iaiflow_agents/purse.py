"""What all agents of a run may spend together, however many ask at the same time.

What was spent follows from the records of the run, so that it is right after a restart. What calls
on their way may take at most is held: near the limit, calls go one after another. Only a call that
is really made is decided on; what is recorded stands, whatever others have spent since.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final, cast
from weakref import WeakValueDictionary

from iaiflow_agents.budget import SHORTEST, BudgetReached, Price, affordable
from iaiflow_agents.usage import Usage
from iaiflow_lab.sdk.context import Context

#: The records of paid calls; those of agents that help stand below the id of a call.
_PAID: Final = re.compile(r"(?:.*/)?(?:model|compact):.+", re.DOTALL)


class _Purse:
    """The money of one run in this process."""

    def __init__(self) -> None:
        #: Dollars, by step and key of the record; None: nobody knows.
        self._spent: dict[tuple[str, str], float | None] = {}
        #: What calls on their way take at most, by whose they are.
        self._held: dict[Share, float | None] = {}
        self._changed = asyncio.Event()

    def read(self, context: Context) -> None:
        """Count what the run recorded, also in another process."""
        for step, key, record in context.recorded(_PAID):
            if (step, key) not in self._spent:
                self._spent[step, key] = _cost(record())

    @property
    def taken(self) -> float | None:
        """Dollars that are spent or held; None: nobody knows."""
        total = 0.0
        for cost in (*self._spent.values(), *self._held.values()):
            if cost is None:
                return None
            total += cost
        return total

    @property
    def is_held(self) -> bool:
        """Whether calls are on their way."""
        return bool(self._held)

    def hold(self, share: Share, cost: float | None) -> None:
        """Keep money for a call that begins."""
        self._held[share] = cost

    def free(self, share: Share) -> None:
        """Keep none for it any more."""
        if self._held.pop(share, None) is not None:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    def spend(self, step: str, key: str, cost: float | None) -> None:
        """Count what a recorded call cost; once, however often it is told."""
        self._spent[step, key] = cost

    async def change(self) -> None:
        """Wait until a call has ended."""
        await self._changed.wait()


def _cost(record: Any) -> float | None:
    """Return what a call cost; None when nobody knows. What others record so costs nothing."""
    told = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    cost = told.get("cost")
    if isinstance(cost, int | float):
        return cost
    return None if cost is None and "usage" in told else 0.0


#: Those of the runs in this process whose agents work.
_PURSES: Final[WeakValueDictionary[str, _Purse]] = WeakValueDictionary()


class Share:
    """One agent's hand in the purse of its run.

    Args:
        context: The step's.
        limit: Dollars that all agents of the run may take; None: it spends without a limit of this
            kind, and others see what it spends.
    """

    def __init__(self, context: Context, limit: float | None) -> None:
        self._step, self._limit = context.step, limit
        purse = _PURSES.get(context.run_id)
        if purse is None:
            purse = _PURSES[context.run_id] = _Purse()
        self._purse = purse
        if limit is not None:
            purse.read(context)

    async def admit(self, reads: Usage, max_tokens: int, price: Price) -> int:
        """Return how many tokens the next answer may have, and hold what that costs.

        Args:
            reads: What the call reads, by estimate.
            max_tokens: How long the answer may be otherwise.
            price: What tokens cost.

        Raises:
            BudgetReached: The call does not fit.
        """
        room = self._room(reads, price)
        while room < max_tokens and self._purse.is_held:
            await self._purse.change()
            room = self._room(reads, price)
        if self._limit is not None and room < min(max_tokens, SHORTEST):
            raise BudgetReached("cost", f"The limit of ${self._limit:,.2f} for the run is reached.")
        allowed = int(min(room, max_tokens))
        self._purse.hold(self, price(reads + Usage(output=allowed)))
        return allowed

    def _room(self, reads: Usage, price: Price) -> float:
        if self._limit is None:
            return float("inf")
        taken = self._purse.taken
        if taken is None:
            raise BudgetReached(
                "cost",
                f"The limit of ${self._limit:,.2f} for the run can't be kept: another agent of it "
                "uses a model whose price is not known.",
            )
        return affordable(self._limit - taken, reads, price)

    def spend(self, key: str, cost: float | None) -> None:
        """Count what the recorded call `key` cost."""
        self._purse.spend(self._step, key, cost)

    def free(self) -> None:
        """Hold nothing any more: the call has ended."""
        self._purse.free(self)
