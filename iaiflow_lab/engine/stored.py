"""A recorded output that nobody has needed yet."""

from __future__ import annotations

from dataclasses import dataclass

from iaiflow_lab.model.event import OutputRef


@dataclass(frozen=True, slots=True)
class Stored:
    """Stands for the value until it is read."""

    ref: OutputRef
