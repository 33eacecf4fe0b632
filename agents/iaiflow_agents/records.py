"""Sub-steps of an agent: made once, recorded, and never made again in this run."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Unpack, cast

from iaiflow_agents.blocks import digest
from iaiflow_lab.model.event import Event
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.waiting import Answer, Asking

_DEEPEST: Final = 100


class Records:
    """Names the sub-steps of one agent inside a step; a sub-agent's stand below its call.

    Args:
        context: The step's.
        prefix: Put before every key.
    """

    def __init__(self, context: Context, prefix: str = "") -> None:
        self.context = context
        self._prefix = prefix

    def below(self, key: str) -> Records:
        """Return the records of a sub-agent."""
        return Records(self.context, f"{self._prefix}{key}/")

    async def once(
        self, key: str, make: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> tuple[dict[str, Any], bool]:
        """Return what is recorded under `key`, made now if it is not; and whether it was made."""
        is_new = False

        async def made() -> dict[str, Any]:
            nonlocal is_new
            is_new = True
            # without secrets, as it is recorded: a model is told none by what a tool gives
            return cast("dict[str, Any]", RESOLVED.data(plain(dict(await make()))))

        return await self.context.aonce(self._prefix + key, made), is_new

    async def wait(self, key: str, kind: WaitKind, **how: Unpack[Asking]) -> Answer:
        """Wait for a moment or an answer; the run may be parked meanwhile."""
        return await self.context.awaits(self._prefix + key, kind, **how)

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
