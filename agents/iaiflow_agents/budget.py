"""What an agent may spend: steps, tokens, money, time. A limit that is reached ends its run.

Before each call of a model it is estimated what the call can take at most, the answer is made to
fit, and what it may take is held while it goes on, from agents that work for the same one too;
afterwards what it took is added. So steps, tokens and money are exceeded by misjudgement alone.
Time is nobody's to hold: what goes on side by side may use all that is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, Final, Literal, get_args

from iaiflow_agents.usage import Usage
from iaiflow_lab.errors import NodeError

Limit = Literal["steps", "tokens", "cost", "seconds"]
#: What tokens cost, in dollars; None when nobody knows.
Price = Callable[[Usage], float | None]

#: An answer that may not be as long as this, in tokens, is not asked for.
SHORTEST: Final = 64
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard limits; None: no limit.

    Raises:
        NodeError: A limit is no positive number.
    """

    #: Calls of a model.
    steps: int | None = 50
    #: Tokens read and written, of all calls together.
    tokens: int | None = None
    #: Dollars.
    cost: float | None = None
    #: Seconds of work; waiting for people does not count.
    seconds: float | None = None
    #: Dollars that all models of the run may take together; the run may have a budget of its own.
    run_cost: float | None = None

    def __post_init__(self) -> None:
        for limit in (*get_args(Limit), "run_cost"):
            value = getattr(self, limit)
            if value is not None and not (isfinite(value) and value > 0):
                raise NodeError(
                    f"A budget of {value} {limit} allows nothing.",
                    where=limit,
                    remedy="Give a number above 0, or leave it out.",
                    code="budget-invalid",
                )

    def to_dict(self) -> dict[str, float | None]:
        """Return the limits by name."""
        return {limit: getattr(self, limit) for limit in get_args(Limit)}


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls took."""

    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    #: Dollars; None: nobody knows, as the price of some of it is not known.
    cost: float | None = 0.0
    #: Seconds of work.
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.steps + other.steps,
            self.usage + other.usage,
            None if self.cost is None or other.cost is None else self.cost + other.cost,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            self.steps - other.steps,
            self.usage - other.usage,
            None if self.cost is None or other.cost is None else self.cost - other.cost,
            self.seconds - other.seconds,
        )

    def of(self, limit: Limit) -> float:
        """Return how much of a limit is used; what nobody knows may be any amount."""
        used = self.usage.total if limit == "tokens" else getattr(self, limit)
        return inf if used is None else used

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, for a record."""
        return {
            "steps": self.steps,
            "usage": self.usage.to_dict(),
            "cost": self.cost,
            "seconds": self.seconds,
        }

    @classmethod
    def from_dict(cls, recorded: Mapping[str, Any]) -> Spent:
        """Return what `to_dict` made."""
        usage = Usage.from_dict(recorded["usage"])
        return cls(recorded["steps"], usage, recorded["cost"], recorded["seconds"])


class BudgetReached(Exception):  # noqa: N818 - not an error: it ends a run with what was done
    """No further call fits into the budget.

    Args:
        limit: Which limit is reached.
        of: The budget that it is a limit of, or one sentence for people.
    """

    def __init__(self, limit: Limit, of: Budget | str) -> None:
        self.limit: Limit = limit
        #: One sentence for people.
        self.reason = of if isinstance(of, str) else _REASONS[limit].format(getattr(of, limit))
        super().__init__(self.reason)


_REASONS: Final[dict[Limit, str]] = {
    "steps": "The limit of {:,} steps is reached.",
    "tokens": "The limit of {:,} tokens is reached.",
    "cost": "The limit of ${:,.2f} is reached.",
    "seconds": "The limit of {:,.0f} s of work is reached.",
}


class Account:
    """What is spent of one budget, and what calls on their way may take of it.

    Args:
        budget: The limits.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.spent = Spent()
        self._held: dict[Meter, Spent] = {}
        self._changed = asyncio.Event()

    @property
    def is_held(self) -> bool:
        """Whether calls are on their way."""
        return bool(self._held)

    def hold(self, meter: Meter, most: Spent) -> None:
        """Keep what a call that begins may take."""
        self._held[meter] = most

    def free(self, meter: Meter) -> None:
        """Keep nothing for it any more."""
        if self._held.pop(meter, None) is not None:
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def change(self) -> None:
        """Wait until a call has ended."""
        await self._changed.wait()

    def check(self) -> None:
        """See whether anything is left.

        Raises:
            BudgetReached: A limit is reached.
        """
        for limit in get_args(Limit):
            most = getattr(self.budget, limit)
            if most is not None and self.spent.of(limit) >= most:
                raise BudgetReached(limit, self.budget)

    def room(self, reads: Usage, price: Price) -> tuple[float, Limit]:
        """Return how long an answer fits, in tokens, and which limit says so."""
        return room(self.budget, sum(self._held.values(), self.spent), reads, price)

    @property
    def seconds_left(self) -> float:
        """How long the next call may take, in seconds."""
        return inf if self.budget.seconds is None else self.budget.seconds - self.spent.seconds


class Meter:
    """Counts against a budget, and against that of whoever this agent works for.

    Args:
        budget: The limits.
        above: The meter of the agent that asked this one; None: nobody did.
    """

    def __init__(self, budget: Budget, above: Meter | None = None) -> None:
        #: Its own, and those above.
        self.accounts: Sequence[Account] = (
            Account(budget),
            *(() if above is None else above.accounts),
        )

    @property
    def budget(self) -> Budget:
        """Its own limits."""
        return self.accounts[0].budget

    @property
    def spent(self) -> Spent:
        """What was spent of them."""
        return self.accounts[0].spent

    @property
    def limits_cost(self) -> bool:
        """Whether money is limited, here or above."""
        budgets = [account.budget for account in self.accounts]
        return any(b.cost is not None or b.run_cost is not None for b in budgets)

    @property
    def run_cost(self) -> float | None:
        """Dollars that all agents of the run may take, as this one or one above has it."""
        limits = [account.budget.run_cost for account in self.accounts]
        return min((limit for limit in limits if limit is not None), default=None)

    def add(self, spent: Spent) -> None:
        """Count what was spent."""
        for account in self.accounts:
            account.spent += spent

    def check(self) -> None:
        """See whether anything is left.

        Raises:
            BudgetReached: A limit is reached.
        """
        for account in self.accounts:
            account.check()

    async def admit(self, reads: Usage, max_tokens: int, price: Price) -> tuple[int, Limit | None]:
        """Return how long the next answer may be, and hold what the call may take until `free`.

        Near a limit, calls of agents that work side by side go one after another.

        Args:
            reads: What the call reads, by estimate.
            max_tokens: How long the answer may be otherwise, in tokens.
            price: What tokens cost.

        Returns:
            How many tokens it may have, `max_tokens` at most; and which limit made them fewer.

        Raises:
            BudgetReached: The call does not fit.
        """
        room, limit, tightest = self._room(reads, price)
        while room < max_tokens and tightest.is_held:  # nothing else can make room
            await tightest.change()
            room, limit, tightest = self._room(reads, price)
        if room < min(max_tokens, SHORTEST):
            raise BudgetReached(limit, tightest.budget)
        allowed = int(min(room, max_tokens))
        usage = reads + Usage(output=allowed)
        for account in self.accounts:
            account.hold(self, Spent(1, usage, price(usage)))
        return allowed, limit if allowed < max_tokens else None

    def _room(self, reads: Usage, price: Price) -> tuple[float, Limit, Account]:
        """Return how long an answer fits into all budgets, in tokens, and what says so."""
        self.check()
        found = [(account.room(reads, price), account) for account in self.accounts]
        (room, limit), tightest = min(found, key=lambda each: each[0][0])
        return room, limit, tightest

    def free(self) -> None:
        """Hold nothing any more: the call has ended, and what it took is added."""
        for account in self.accounts:
            account.free(self)

    @property
    def seconds_left(self) -> float | None:
        """How long the next call may take, in seconds; None: as long as it likes."""
        left = min(account.seconds_left for account in self.accounts)
        return None if left == inf else max(0.0, left)

    @property
    def tightest(self) -> Budget:
        """The budget whose time runs out first: this one, or one above."""
        return min(self.accounts, key=lambda account: account.seconds_left).budget


def room(
    budget: Budget, taken: Spent, reads: Usage, price: Price, calls: int = 1
) -> tuple[float, Limit]:
    """Return how long an answer fits into a budget, in tokens, and which limit says so.

    Below 0, not even what the call reads does.

    Args:
        budget: The limits.
        taken: What is spent, or held.
        reads: What the call reads, by estimate.
        price: What tokens cost.
        calls: As how many calls it counts.
    """
    rooms: list[tuple[float, Limit]] = [(inf, "tokens")]
    if budget.steps is not None and taken.steps + calls > budget.steps:
        rooms.append((-inf, "steps"))
    if budget.tokens is not None:
        rooms.append((budget.tokens - taken.usage.total - reads.total, "tokens"))
    if budget.cost is not None:
        rooms.append((_affordable(budget.cost - taken.of("cost"), reads, price), "cost"))
    return min(rooms)


def _affordable(dollars: float, reads: Usage, price: Price) -> float:
    """Return how long an answer may be, in tokens, that costs so much with what the call reads."""
    read = price(reads) or 0.0
    left = dollars - read
    if left < 0:
        return -inf
    # Some models ask more for an answer to a long question.
    million = (price(reads + Usage(output=_MILLION)) or 0.0) - read
    return left / million * _MILLION if million else inf
