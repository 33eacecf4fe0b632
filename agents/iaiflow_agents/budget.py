"""What an agent may spend: steps, tokens, money, time. A limit that is reached ends its run.

Before each call of a model it is estimated what the call can take at most, and the answer is made
to fit; afterwards what it took is added. So a limit is exceeded by one call's misjudgement at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    #: Dollars that all agents of the run may take together.
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
    #: Dollars, as far as prices are known.
    cost: float = 0.0
    #: Seconds of work.
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.steps + other.steps,
            self.usage + other.usage,
            self.cost + other.cost,
            self.seconds + other.seconds,
        )

    def of(self, limit: Limit) -> float:
        """Return how much of a limit is used."""
        return self.usage.total if limit == "tokens" else getattr(self, limit)

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


class Meter:
    """Counts against a budget, and against that of whoever this agent works for.

    Args:
        budget: The limits.
        above: The meter of the agent that asked this one; None: nobody did.
    """

    def __init__(self, budget: Budget, above: Meter | None = None) -> None:
        self.budget = budget
        self.spent = Spent()
        self._above = above

    @property
    def limits_cost(self) -> bool:
        """Whether money is limited, here or above."""
        above = self._above is not None and self._above.limits_cost
        return self.budget.cost is not None or self.budget.run_cost is not None or above

    @property
    def run_cost(self) -> float | None:
        """Dollars that all agents of the run may take, as this one or one above has it."""
        above = None if self._above is None else self._above.run_cost
        known = [limit for limit in (self.budget.run_cost, above) if limit is not None]
        return min(known, default=None)

    def add(self, spent: Spent) -> None:
        """Count what was spent."""
        self.spent += spent
        if self._above is not None:
            self._above.add(spent)

    def check(self) -> None:
        """See whether anything is left.

        Raises:
            BudgetReached: A limit is reached.
        """
        for limit in get_args(Limit):
            most = getattr(self.budget, limit)
            if most is not None and self.spent.of(limit) >= most:
                raise BudgetReached(limit, self.budget)
        if self._above is not None:
            self._above.check()

    def admit(self, reads: Usage, max_tokens: int, price: Price) -> int:
        """Return how many tokens the next answer may have, `max_tokens` at most.

        Args:
            reads: What the call reads, by estimate.
            max_tokens: How long the answer may be otherwise.
            price: What tokens cost.

        Raises:
            BudgetReached: The call does not fit.
        """
        self.check()
        room, limit = self._room(reads, price)
        if room < min(max_tokens, SHORTEST):
            raise BudgetReached(limit, self.budget)
        allowed = min(max_tokens, int(min(room, max_tokens)))
        return allowed if self._above is None else self._above.admit(reads, allowed, price)

    def _room(self, reads: Usage, price: Price) -> tuple[float, Limit]:
        """Return how long an answer fits, in tokens, and which limit says so."""
        rooms: list[tuple[float, Limit]] = [(inf, "tokens")]
        if self.budget.tokens is not None:
            rooms.append((self.budget.tokens - self.spent.usage.total - reads.total, "tokens"))
        if self.budget.cost is not None:
            rooms.append((affordable(self.budget.cost - self.spent.cost, reads, price), "cost"))
        return min(rooms)

    @property
    def seconds_left(self) -> float | None:
        """How long the next call may take, in seconds; None: as long as it likes."""
        own = None if self.budget.seconds is None else self.budget.seconds - self.spent.seconds
        above = None if self._above is None else self._above.seconds_left
        found = [left for left in (own, above) if left is not None]
        return max(0.0, min(found)) if found else None

    @property
    def tightest(self) -> Budget:
        """The budget whose time runs out first: this one, or one above."""
        own = inf if self.budget.seconds is None else self.budget.seconds - self.spent.seconds
        above = None if self._above is None else self._above.seconds_left
        if self._above is None or above is None or own <= above:
            return self.budget
        return self._above.tightest


def affordable(dollars: float, reads: Usage, price: Price) -> float:
    """Return how long an answer may be, in tokens, that costs so much with what the call reads."""
    read = price(reads) or 0.0
    left = dollars - read
    if left <= 0:
        return 0
    # Some models ask more for an answer to a long question.
    million = (price(reads + Usage(output=_MILLION)) or 0.0) - read
    return left / million * _MILLION if million else inf
