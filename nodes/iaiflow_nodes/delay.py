"""Waiting."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from annotated_types import Ge, Le

from iaiflow_lab.sdk.node import node

#: Longest delay, in seconds: 365 days.
LONGEST = 365 * 86_400


@node("delay", category="Control", title="Delay")
async def delay(value: Any = None, *, seconds: Annotated[float, Ge(0), Le(LONGEST)]) -> Any:
    """Wait, then pass the value on.

    Args:
        value: Anything.
        seconds: How long, from 0 seconds to 365 days.
    """
    await asyncio.sleep(seconds)
    return value
