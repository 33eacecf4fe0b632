"""How many tokens a call of a model took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, or of several; each kind has its own price."""

    #: Input that was neither read from the cache nor written to it.
    input: int = 0
    #: Input written to the cache for five minutes.
    cache_write_5m: int = 0
    #: Input written to the cache for an hour.
    cache_write_1h: int = 0
    #: Input read from the cache.
    cache_read: int = 0
    #: What the model wrote, its thinking included.
    output: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(  # spelled out: a run adds up thousands
            self.input + other.input,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.cache_read + other.cache_read,
            self.output + other.output,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    @property
    def all_input(self) -> int:
        """All that the model read."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read

    @property
    def total(self) -> int:
        """All that the model read and wrote."""
        return self.all_input + self.output

    def to_dict(self) -> dict[str, int]:
        """Return it as JSON, for a record."""
        return asdict(self)

    @classmethod
    def from_dict(cls, recorded: Mapping[str, Any]) -> Usage:
        """Return what `to_dict` made; kinds that are not there are 0."""
        return cls(**{f.name: int(recorded.get(f.name) or 0) for f in fields(cls)})
