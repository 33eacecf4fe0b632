"""Calls of a model: admitted by the budget, tried again when that helps, each attempt recorded."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

from iaiflow_agents import blocks
from iaiflow_agents.budget import BudgetReached, Limit, Meter, Price, Spent
from iaiflow_agents.errors import CODES, TOO_LONG, ModelFault
from iaiflow_agents.models.estimate import Sizes
from iaiflow_agents.models.faults import stalled
from iaiflow_agents.models.protocol import Delta, ModelClient, Reply, Request
from iaiflow_agents.purse import Share, spent_of, tell
from iaiflow_agents.records import Records
from iaiflow_agents.usage import Usage
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.safe.redact import RESOLVED

#: How often a call is tried, counted anew for every attempt of its step.
ATTEMPTS: Final = 6
#: A pause up to this, in seconds, is slept; a longer one is a wait that frees the worker.
SHORT_PAUSE: Final = 5.0
#: Longest pause that a service is granted, in seconds.
LONGEST_PAUSE: Final = 86_400.0
_OWN: Final = "the budget"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, as it is recorded."""

    #: The record: content, stop_reason, stop_details, usage, model, seconds, cost, at; and who was
    #: asked, as traces name them.
    record: Mapping[str, Any]
    #: The budget's limit that made the answer shorter than asked for; None: none did.
    shortened_by: Limit | None = None
    #: Whose limit that is.
    whose: str = _OWN

    @property
    def content(self) -> list[blocks.Block]:
        """What the model said, verbatim."""
        return list(self.record["content"])

    @property
    def text(self) -> str:
        """The texts of it."""
        return blocks.text_of(self.content)

    @property
    def stop_reason(self) -> str:
        """Why it ended."""
        return self.record["stop_reason"]


class Caller:
    """Asks one model for one agent.

    Args:
        records: Where answers are recorded.
        client: The way to the model.
        meter: Counts what is spent.
        price: What tokens cost.
        on_delta: Is given the pieces of answers on their way.
        on_pause: Is told why a call is tried again later, and for how long, in seconds.
    """

    def __init__(
        self,
        records: Records,
        client: ModelClient,
        meter: Meter,
        price: Price,
        *,
        on_delta: Callable[[Delta], None],
        on_pause: Callable[[str, float], None],
    ) -> None:
        self._records, self._client = records, client
        self._meter, self._price = meter, price
        self._on_delta, self._on_pause = on_delta, on_pause
        self._share = Share(records.context, meter.run_cost)
        self._sizes = Sizes()
        #: How large the last request was by estimate, and what it took.
        self._last: tuple[int, Usage] = 0, Usage()

    @property
    def spent(self) -> Spent:
        """What was spent so far."""
        return self._meter.spent

    async def ask(self, key: str, request: Request) -> Answer:
        """Return the answer, from the record or from the model.

        Args:
            key: Tells the calls of one agent apart.
            request: What is asked.

        Raises:
            BudgetReached: It does not fit into the budget.
            ModelFault: There is no answer, and trying again has not helped or would not.
        """
        attempts = ATTEMPTS * max(1, self._records.context.attempt)
        for attempt in range(attempts):
            name = f"{key}.{attempt}" if attempt else key
            try:
                record, is_new = await self._records.once(name, lambda: self._attempt(request))
                spent = spent_of(record)
                self._share.spend(self._records.name(name), spent)
                self._meter.add(spent)
            finally:
                self._share.free()
                self._meter.free()
            if "limit" in record:
                raise BudgetReached(record["limit"], self._meter.tightest)
            if "fault" not in record:
                self._last = self._sizes.of(request), Usage.from_dict(record["usage"])
                return Answer(record, record.get("shortened_by"), record.get("whose", _OWN))
            fault = _fault(record["fault"])
            if attempt + 1 == attempts or fault.code == TOO_LONG:
                raise fault
            await self._rest(name, attempt, fault, record["fault"]["pause"], is_new=is_new)
        raise AssertionError  # the last attempt returns or raises

    async def _attempt(self, request: Request) -> Mapping[str, Any]:
        """Ask once; give the reply, the fault after which it is tried again, or the limit."""
        reads = await self._reads(request)
        fitting, limit = await self._meter.admit(reads, request.max_tokens, self._price)
        allowed, by_run = await self._share.admit(reads, fitting, self._price)
        whose = "the run's budget" if by_run else _OWN
        begun = perf_counter()
        time = asyncio.timeout(self._meter.seconds_left)
        try:
            async with time:
                reply = await self._client.stream(
                    replace(request, max_tokens=allowed), self._on_delta
                )
        except TimeoutError:
            usage = reads  # it is billed, and nobody has told how much
            made: dict[str, Any] = {"limit": "seconds"}
            if not time.expired():  # a provider's client raised its own
                made = {"fault": _described(stalled(request.model))}
        except ModelFault as fault:
            usage = fault.usage or Usage()
            # What is too long is made shorter: whoever goes on with the run has to do the same.
            if not fault.is_retryable and fault.code != TOO_LONG:
                raise
            made = {"fault": _described(fault)}
        else:
            usage = reply.usage
            made = {**_reply(reply), "shortened_by": by_run or limit, "whose": whose}
        cost = self._price(usage) if usage.total else 0.0
        tell(self._records.context, usage, cost)
        return {
            **made,
            "provider": self._client.provider,
            "asked": request.model,
            "usage": usage.to_dict(),
            "cost": cost,
            "seconds": perf_counter() - begun,
            "at": self._records.context.now(),
        }

    async def _reads(self, request: Request) -> Usage:
        """Estimate what the call reads: what the last one did, and what was added since."""
        size, last = self._last
        if size:
            count = last.all_input + max(0, self._sizes.of(request) - size)
        else:
            count = await self._count(request)
        if last.cache_read or last.cache_write_5m or last.cache_write_1h:
            kept = min(count, last.all_input)
            return Usage(cache_read=kept, cache_write_5m=count - kept)
        return Usage(input=count)

    async def _count(self, request: Request) -> int:
        is_limited = self._meter.budget.tokens is not None or self._meter.limits_cost
        if is_limited or self._share.is_limited:
            try:
                return await self._client.count(request)
            except ModelFault:
                pass  # the call itself will say what is wrong
        return self._sizes.of(request)

    async def _rest(
        self, name: str, attempt: int, fault: ModelFault, pause: float | None, *, is_new: bool
    ) -> None:
        """Wait before the next attempt; a recorded pause that was slept is not slept again."""
        seconds = min(LONGEST_PAUSE, 0.5 * 2**attempt if pause is None else pause)
        if seconds > SHORT_PAUSE:
            self._on_pause(fault.what, seconds)
            due = self._records.context.now() + seconds
            await self._records.wait(f"later:{name}", WaitKind.DELAY, due=due)
        elif is_new:
            self._on_pause(fault.what, seconds)
            await asyncio.sleep(seconds * random.uniform(1.0, 1.25))  # noqa: S311 - spreads callers

    def will_read(self, request: Request) -> int:
        """Estimate how many tokens a call reads, from records alone."""
        size, last = self._last
        return last.all_input + self._sizes.of(request) - size


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "content": [dict(block) for block in reply.content if _may_be_kept(block)],
        "stop_reason": reply.stop_reason,
        "stop_details": None if reply.stop_details is None else dict(reply.stop_details),
        "model": reply.model,
        "id": reply.id,
    }


def _may_be_kept(block: blocks.Block) -> bool:
    """Say whether a block goes into the record as it is: a signed one with a secret never could."""
    return "signature" not in block or RESOLVED.data(block) is block


def _described(fault: ModelFault) -> dict[str, Any]:
    return {
        "what": fault.what,
        "where": fault.where,
        "remedy": fault.remedy,
        "code": fault.code,
        "pause": fault.retry_after,
    }


def _fault(recorded: Mapping[str, Any]) -> ModelFault:
    code = recorded["code"] if recorded["code"] in CODES else "model-unknown"
    return ModelFault(
        recorded["what"],
        code=code,
        where=recorded["where"],
        remedy=recorded["remedy"],
        retry_after=recorded["pause"],
    )
