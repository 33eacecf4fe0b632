"""Sub-steps of an agent: made once, recorded, and never made again in this run."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Literal, Unpack, cast

from iaiflow_agents.blocks import digest
from iaiflow_lab.model.event import Event
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.waiting import Answer, Asking

_DEEPEST: Final = 100


#: Whether something may go on beside others, has to be alone since it may wait for people, or
#: consists of such things.
Company = Literal["beside", "alone", "whole"]


class _Floor:
    """Sees to it that nothing goes on while a step waits: a run that is parked cuts it off."""

    def __init__(self) -> None:
        self._working = self._waiting = 0
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def taken(self, company: Company) -> AsyncGenerator[None]:
        """Take part in the work; while something waits, or wants to, nothing begins."""
        alone = company == "alone"
        if company != "whole":
            await self._until(lambda: not self._waiting and not (alone and self._working))
            self._working += 1
            self._waiting += alone
        try:
            yield
        finally:
            if company != "whole":
                self._working -= 1
                self._waiting -= alone
                self._tell()

    @asynccontextmanager
    async def still(self) -> AsyncGenerator[None]:
        """Wait once nothing goes on."""
        self._waiting += 1
        try:
            await self._until(lambda: not self._working)
            yield
        finally:
            self._waiting -= 1
            self._tell()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await self._changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Records:
    """Names the sub-steps of one agent inside a step; a sub-agent's stand below its call.

    Args:
        context: The step's.
        prefix: Put before every key.
        floor: What an agent and its sub-agents share.
    """

    def __init__(self, context: Context, prefix: str = "", floor: _Floor | None = None) -> None:
        self.context = context
        self._prefix = prefix
        self._floor = floor or _Floor()

    def below(self, key: str) -> Records:
        """Return the records of a sub-agent."""
        return Records(self.context, f"{self._prefix}{key}/", self._floor)

    async def once(
        self,
        key: str,
        make: Callable[[], Awaitable[Mapping[str, Any]]],
        company: Company = "beside",
    ) -> tuple[dict[str, Any], bool]:
        """Return what is recorded under `key`, made now if it is not; and whether it was made.

        Args:
            key: Tells it from others.
            make: Makes it.
            company: Whether other things may go on meanwhile.
        """
        is_new = False

        async def made() -> dict[str, Any]:
            nonlocal is_new
            is_new = True
            async with self._floor.taken(company):
                return await clean()

        async def clean() -> dict[str, Any]:
            # without secrets, as it is recorded: a model is told none by what a tool gives
            return cast("dict[str, Any]", RESOLVED.data(plain(dict(await make()))))

        return await self.context.aonce(self._prefix + key, made), is_new

    async def wait(self, key: str, kind: WaitKind, **how: Unpack[Asking]) -> Answer:
        """Wait for a moment or an answer; the run may be parked meanwhile."""
        async with self.still():
            return await self.context.awaits(self._prefix + key, kind, **how)

    def still(self) -> AbstractAsyncContextManager[None]:
        """Return a time in which nothing goes on beside: for what may wait for people itself."""
        return self._floor.still()

    def record(self, event: Event) -> None:
        """Add an event of the step to the journal."""
        self.context.record(event)

    def name(self, call: str) -> str:
        """Return the name of a call that no other one in this step has."""
        return self._prefix + call

    def key_of(self, call: str) -> str:
        """Return what tells a call of a tool from every other one, whatever attempt makes it."""
        return digest([self.context.idempotency_key, self._prefix + call])


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON that is read back just so; what is no JSON becomes text."""
    if depth == 0 and values.is_json(value):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {plain(str(key), 1): plain(item, depth + 1) for key, item in items}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in cast("list[Any]", value)]
    return plain(json.dumps(value, default=str), 1)
