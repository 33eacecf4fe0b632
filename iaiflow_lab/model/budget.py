"""What the models that a run asks may take together; how long it may take is its `timeout`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict, cast

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.names import did_you_mean, shorten


class RunBudget(TypedDict, total=False):
    """Hard limits; what is left out has none."""

    #: US dollars.
    cost: float
    #: Tokens read and written.
    tokens: int
    #: Calls of models.
    calls: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What models may take while some steps of a run are executed, together."""

    limits: RunBudget
    #: What the paths of these steps begin with; "": all of the run.
    prefix: str = ""


_WORDS: Final = {"cost": "${:,.10g}", "tokens": "{:,} token{}", "calls": "{:,} call{} of models"}
_MOST: Final = 10**12
_REMEDY: Final = "Write for example: cost=2 (dollars), tokens=500000, calls=200"


def check_budget(given: Mapping[str, Any] | None) -> RunBudget | None:
    """Return a budget in the order in which it is shown; None when nothing is limited.

    Args:
        given: Limits by name; None: no limit.

    Raises:
        InputError: It is no budget.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"{given!r} is no budget.", where="budget", remedy=_REMEDY)
    for name in given:
        if name not in _WORDS:
            hint = did_you_mean(str(name), _WORDS) or _REMEDY
            what = f"A run has no limit {shorten(str(name))!r}."
            raise InputError(what, where="budget", remedy=hint)
    limits = {name: _limit(name, given[name]) for name in _WORDS if name in given}
    return cast("RunBudget", limits) or None


def read_budget(items: Iterable[str]) -> RunBudget | None:
    """Read `limit=number` arguments.

    Raises:
        InputError: One of them has another form, or is given twice.
    """
    found: dict[str, Any] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals:
            what = f"{shorten(item)!r} is not of the form limit=number."
            raise InputError(what, where="budget", remedy=_REMEDY)
        if name in found:
            raise InputError(f"The limit {name!r} is given twice.", where="budget")
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = text
    return check_budget(found)


def describe(budget: RunBudget) -> str:
    """Return a budget in a few words, such as `$2, 500,000 tokens`."""
    spelled = (
        _WORDS[name].format(limit, "" if limit == 1 else "s") for name, limit in budget.items()
    )
    return ", ".join(spelled)


def _limit(name: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 < value <= _MOST:  # which nan and inf are not
        if name == "cost":
            return float(value)
        if value == int(value):
            return int(value)
    kind = "number" if name == "cost" else "whole number"
    raise InputError(
        f"{name} = {shorten(repr(value))} is no limit.",
        where="budget",
        remedy=f"Give a {kind} above 0, up to {_MOST:,}, or leave it out",
    )
