"""Waiting."""

from __future__ import annotations

import asyncio
from typing import Any

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.node import node

#: Longest delay, in seconds: 365 days.
LONGEST = 365 * 86_400


@node("delay", category="Control", title="Delay")
async def delay(value: Any = None, *, seconds: float) -> Any:
    """Wait, then pass the value on.

    Args:
        value: Anything.
        seconds: How long, from 0 seconds to 365 days.
    """
    if not 0 <= seconds <= LONGEST:
        raise NodeError(
            f"A delay can't last {seconds:g} seconds.",
            remedy=f"Give 0 to {LONGEST:,} seconds (365 days).",
            code="config-invalid",
        )
    await asyncio.sleep(seconds)
    return value
