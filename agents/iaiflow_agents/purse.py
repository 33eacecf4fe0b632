"""What all models of a run may take together, however many are asked at the same time.

What was spent follows from the records of the run, so that it is right after a restart. What calls
on their way may take at most is held: near a limit, calls go one after another. Only a call that is
really made is decided on; what is recorded stands, whatever others have spent since.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from math import inf
from typing import Any, Final, cast
from weakref import WeakValueDictionary

from iaiflow_agents.budget import SHORTEST, Budget, BudgetReached, Limit, Price, Spent, room
from iaiflow_agents.usage import Usage
from iaiflow_lab.model.budget import Allowance, RunBudget, describe
from iaiflow_lab.sdk.context import Context

#: The records of paid calls; those of agents that help stand below the id of a call.
_PAID: Final = re.compile(r"(?s)(?:.*/)?(?:model|compact):.+")
#: What runs call the limits of agents.
_NAMES: Final[Mapping[Limit, str]] = {"steps": "calls", "tokens": "tokens", "cost": "cost"}


class _Purse:
    """What the models of one run take, as far as this process knows."""

    def __init__(self) -> None:
        #: By step and key of the record.
        self._spent: dict[tuple[str, str], Spent] = {}
        #: What calls on their way take at most, by whose they are.
        self._held: dict[Share, Spent] = {}
        self._changed = asyncio.Event()

    def unread(self, context: Context) -> dict[tuple[str, str], Spent]:
        """Return what the run has recorded, also in other processes, and is not counted yet."""
        found = context.recorded(_PAID)
        return {(s, k): spent_of(read()) for s, k, read in found if (s, k) not in self._spent}

    def count(self, spent: Mapping[tuple[str, str], Spent]) -> None:
        """Count what recorded calls took; once, however often it is told."""
        self._spent.update(spent)

    def taken(self, prefix: str) -> Spent:
        """Return what is spent or held by the steps whose paths begin so."""
        spent = (spent for (step, _), spent in self._spent.items() if step.startswith(prefix))
        held = (most for share, most in self._held.items() if share.step.startswith(prefix))
        return sum(held, sum(spent, Spent()))

    @property
    def is_held(self) -> bool:
        """Whether calls are on their way."""
        return bool(self._held)

    def hold(self, share: Share, most: Spent) -> None:
        """Keep what a call that begins may take."""
        self._held[share] = most

    def free(self, share: Share) -> None:
        """Keep nothing for it any more."""
        if self._held.pop(share, None) is not None:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def change(self) -> None:
        """Wait until a call has ended."""
        await self._changed.wait()


#: Those of the runs in this process that ask models.
_PURSES: Final[WeakValueDictionary[str, _Purse]] = WeakValueDictionary()


class Share:
    """A step's hand in the purse of its run.

    Args:
        context: The step's.
        run_cost: Dollars that all models of the run may take, as the step has it; None: as the run
            has it.
    """

    def __init__(self, context: Context, run_cost: float | None = None) -> None:
        self.step: Final = context.step
        self._context = context
        own = [] if run_cost is None else [Allowance({"cost": run_cost})]
        self._allowances = [*context.budgets, *own]
        purse = _PURSES.get(context.run_id)
        if purse is None:
            purse = _PURSES[context.run_id] = _Purse()
        self._purse = purse

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit; without one, others see what it spends."""
        return bool(self._allowances)

    @property
    def limits_cost(self) -> bool:
        """Whether money is limited."""
        return any("cost" in allowance.limits for allowance in self._allowances)

    async def admit(
        self, reads: Usage, max_tokens: int, price: Price, calls: int = 1
    ) -> tuple[int, Limit | None]:
        """Return how long the next answer may be, and hold what the call may take until `free`.

        Args:
            reads: What the call reads, by estimate.
            max_tokens: How long the answer may be otherwise, in tokens.
            price: What tokens cost.
            calls: As how many calls it counts.

        Returns:
            How many tokens it may have, `max_tokens` at most; and which limit made them fewer.

        Raises:
            BudgetReached: The call does not fit.
        """
        if self.is_limited:  # a kernel asks its worker
            self._purse.count(await asyncio.to_thread(self._purse.unread, self._context))
        found, limit, tightest = self._room(reads, price, calls)
        while found < max_tokens and self._purse.is_held:
            await self._purse.change()
            found, limit, tightest = self._room(reads, price, calls)
        if found < min(max_tokens, SHORTEST):
            raise BudgetReached(limit, f"{_spelled(limit, tightest)} is reached.")
        allowed = int(min(found, max_tokens))
        usage = reads + Usage(output=allowed)
        self._purse.hold(self, Spent(calls, usage, price(usage)))
        return allowed, limit if allowed < max_tokens else None

    def _room(self, reads: Usage, price: Price, calls: int) -> tuple[float, Limit, Allowance]:
        """Return how long an answer fits, in tokens, and what says so."""
        found: list[tuple[float, Limit, Allowance]] = [(inf, "tokens", Allowance({}))]
        for allowance in self._allowances:
            taken = self._purse.taken(allowance.prefix)
            if "cost" in allowance.limits and taken.cost is None:
                raise BudgetReached(
                    "cost",
                    f"{_spelled('cost', allowance)} can't be kept: another agent of it uses a "
                    "model whose price is not known.",
                )
            fits, limit = room(_budget(allowance.limits), taken, reads, price, calls)
            found.append((fits, limit, allowance))
        return min(found, key=lambda each: each[0])

    def spend(self, key: str, spent: Spent) -> None:
        """Count what the recorded call `key` took."""
        self._purse.count({(self.step, key): spent})

    def free(self) -> None:
        """Hold nothing any more: the call has ended."""
        self._purse.free(self)


def spent_of(record: Any) -> Spent:
    """Return what a recorded call took; what others record so took nothing."""
    told = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    usage, cost = told.get("usage"), told.get("cost")
    if not isinstance(usage, dict) or not isinstance(cost, int | float | None):
        return Spent()
    try:
        used = Usage.from_dict(cast("dict[str, Any]", usage))
        steps = int(told.get("steps", "fault" not in told))
        return Spent(steps, used, cost, float(told.get("seconds", 0.0)))
    except (TypeError, ValueError):
        return Spent()


def tell(context: Context, usage: Usage, cost: float | None) -> None:
    """Tell the history what a call took, before it is recorded."""
    if usage.total:
        context.metric("tokens", usage.total)
    if cost:
        context.metric("cost", cost, "USD")


def _budget(limits: RunBudget) -> Budget:
    return Budget(limits.get("calls"), limits.get("tokens"), limits.get("cost"))


def _spelled(limit: Limit, allowance: Allowance) -> str:
    name = _NAMES[limit]
    amount = describe(cast("RunBudget", {name: allowance.limits[name]}))
    whole = "this call of the flow" if allowance.prefix else "the run"
    return f"The limit of {amount} for {whole}"
