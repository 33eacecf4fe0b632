"""When a failed call is tried again, and after how long."""

from __future__ import annotations

from random import Random

from iaiflow_lab.model.flow import Retry


def is_worth_retrying(policy: Retry, attempt: int, error: BaseException) -> bool:
    """Say whether another call follows the failed call number `attempt` (from 1)."""
    if attempt >= policy.attempts or not isinstance(error, Exception):
        return False
    names = {kind.__name__ for kind in type(error).__mro__} | {getattr(error, "code", "")}
    return not policy.on or not names.isdisjoint(policy.on)


def pause(policy: Retry, attempt: int, rng: Random) -> float:
    """Return the pause after the failed call number `attempt`, in seconds."""
    if policy.backoff == "constant":
        seconds = policy.initial
    elif policy.backoff == "random":
        seconds = rng.uniform(policy.initial, max(policy.initial, policy.max))
    else:
        seconds = policy.initial * 2.0 ** min(attempt - 1, 60)
    spread = 1 + policy.jitter * rng.uniform(-1, 1)
    return min(min(seconds, policy.max) * spread, policy.max)
