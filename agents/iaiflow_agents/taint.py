"""Whether an agent begins with words of strangers, and whether a call of it gave such."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.strangers import BEGIN, TAINT, come_from_strangers

_TABLES: Final = "tables"


async def strange_inputs(
    context: Context, tables: Collection[str], *, untrusted: bool = False
) -> tuple[bool, bool]:
    """Say whether strangers may have written some of what an agent begins with.

    It is found once and recorded, so that a run that goes on decides as before.

    Args:
        context: The agent's step.
        tables: The inputs that are tables, which are read by tools only.
        untrusted: Whether its configuration says so.

    Returns:
        Whether it is so of words, and of tables.
    """
    origins = list(context.origins())
    if not origins and not untrusted:
        return False, False

    def find() -> dict[str, bool]:
        words = [one for one in origins if one.port not in tables]
        held = [one for one in origins if one.port in tables or (tables and not one.port)]
        is_tainted = untrusted or come_from_strangers(context, words)
        return {TAINT: is_tainted, _TABLES: come_from_strangers(context, held)}

    found = await context.aonce(BEGIN, lambda: asyncio.to_thread(find))  # traces can be long
    return found[TAINT], found[_TABLES]


async def ran_strangers(context: Context, key: str) -> bool:
    """Say whether strangers may have written what a flow gave that an agent ran.

    Args:
        context: The agent's step.
        key: The key under which it ran.
    """
    ran = list(context.ran(key))
    return bool(ran) and await asyncio.to_thread(come_from_strangers, context, ran)
