"""Identifiers: unique, and sorted by the time they were made."""

from __future__ import annotations

from random import Random

from iaiflow_lab.clock import Clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_TIME_CHARACTERS = 10  # 50 bits of milliseconds
_RANDOM_CHARACTERS = 16  # 80 bits


class Ids:
    """Makes identifiers such as `run_01hf3c…`: 50 bits of time, then 80 random bits (as ULID).

    Args:
        clock: Gives the time part.
        rng: Gives the random part.
    """

    def __init__(self, clock: Clock, rng: Random) -> None:
        self._clock = clock
        self._rng = rng

    def new(self, prefix: str) -> str:
        """Return a fresh identifier that starts with `prefix` and an underscore."""
        milliseconds = int(self._clock.now() * 1000)
        moment = _base32(milliseconds, _TIME_CHARACTERS)
        chance = _base32(self._rng.getrandbits(5 * _RANDOM_CHARACTERS), _RANDOM_CHARACTERS)
        return f"{prefix}_{moment}{chance}"


def _base32(number: int, width: int) -> str:
    shifts = range(5 * (width - 1), -1, -5)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in shifts)
