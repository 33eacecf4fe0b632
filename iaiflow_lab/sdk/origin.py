"""Where the inputs of a step come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """A step whose outputs, or what follows from them, arrived at another one."""

    #: The step's path in the run.
    step: str
    #: The input at which it arrived; "" when it runs the body that the other step stands in, or was
    #: run by one that came before.
    port: str
    #: Whether strangers may have written what it gives, by its node type and those in its bodies.
    untrusted: bool
    #: What its node type calls; None when that is not installed.
    target: Callable[..., Any] | None
    #: Returns its output of a port; None when it has none, or not yet.
    output: Callable[[str], Any]
    #: Yields what its own inputs come from.
    before: Callable[[], Iterator[Origin]]
