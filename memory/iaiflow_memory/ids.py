"""Identifiers that sort by the time at which they were made (UUID version 7), and their keys."""

from __future__ import annotations

import hashlib
import os
import uuid


def new_id(now: float) -> str:
    """Return a fresh identifier.

    Args:
        now: The present, in seconds since the epoch.
    """
    milliseconds = int(now * 1000) & (2**48 - 1)
    chance = int.from_bytes(os.urandom(10))
    number = milliseconds << 80 | chance
    number = number & ~(0xF << 76) | 7 << 76  # the version
    number = number & ~(0x3 << 62) | 2 << 62  # the variant
    return str(uuid.UUID(int=number))


def key_of(memory: str) -> int:
    """Return the number by which a memory or an episode is looked for; others may share it.

    Args:
        memory: The id.
    """
    digest = hashlib.md5(memory.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little")  # as DuckDB's md5_number_lower
