"""What calls of models cost, by a dated table of list prices (`prices.json`) and one's own.

The table has what Anthropic's own API asks for; clouds and regions may ask for more. A workspace
says what it pays in config.toml, in dollars per million tokens:

    [prices.my-model]
    input = 0.5
    output = 2.0
    cache_read = 0.05   # and cache_write_5m, cache_write_1h; without them it is as input

Nothing is known of other models, and then a limit of money cannot be kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, Final

from iaiflow_agents.usage import Usage

_MILLION: Final = 1_000_000
#: The day in the name of a version, such as `claude-haiku-4-5-20251001` or `...@20251001`.
_DAY: Final = re.compile(r"[-@]20\d{6}\Z")

#: Prices by the names of `Usage`, as config.toml has them, by model.
OwnPrices = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Price:
    """What a model asks for, in dollars per million tokens."""

    #: By the names of `Usage`.
    rates: Mapping[str, float]
    #: What is paid for all of a call that reads more than `above`; None: there is no difference.
    long: Mapping[str, float] | None = None
    #: Tokens read, of any kind.
    above: int = 0
    #: What is paid of it in a batch, as a factor.
    batch: float = 1.0

    def of(self, usage: Usage, *, in_batch: bool = False) -> float:
        """Return what a call costs, in dollars; several calls have to be priced one by one."""
        is_long = self.long is not None and usage.all_input > self.above
        rates = self.long if self.long is not None and is_long else self.rates
        cost = sum(getattr(usage, f.name) * rates[f.name] for f in fields(Usage)) / _MILLION
        return cost * self.batch if in_batch else cost


def price_of(model: str, own: OwnPrices | None = None) -> Price | None:
    """Return what a model asks for; None when nobody knows.

    Args:
        model: The model's id in requests.
        own: What the workspace pays, which comes first.
    """
    plain = _DAY.sub("", model)
    for name in (model, plain):
        if own and name in own:
            return _own(own[name])
    table = _table()
    said: Mapping[str, Any] | None = table["models"].get(plain)
    if said is None:
        return None
    return Price(said, said.get("long"), said.get("above", 0), table["batch"])


def cost(
    model: str, usage: Usage, own: OwnPrices | None = None, *, in_batch: bool = False
) -> float | None:
    """Return what a call cost, in dollars; None when nobody knows the price.

    Args:
        model: The model's id in requests.
        usage: What one call took; several have to be priced one by one.
        own: What the workspace pays, which comes first.
        in_batch: Whether it was part of a batch.
    """
    price = price_of(model, own)
    return None if price is None else price.of(usage, in_batch=in_batch)


def dated() -> str:
    """Return the day on which the table was right, as an ISO date."""
    return _table()["date"]


def _own(given: Mapping[str, float]) -> Price:
    rates = {f.name: float(given.get(f.name, given["input"])) for f in fields(Usage)}
    return Price(rates, batch=float(given.get("batch", 1.0)))


@cache
def _table() -> Mapping[str, Any]:
    return json.loads(files("iaiflow_agents").joinpath("prices.json").read_bytes())
