"""Whether there is room for another run: disk for what it records, memory for its kernel."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from iaiflow_lab.settings import Settings
from iaiflow_lab.world import World

#: How old a reading may be, in seconds.
_FRESH_S: Final = 1.0
_MB: Final = 1_000_000
_SENTENCES: Final = {"disk": "The disk is nearly full", "memory": "Memory is short"}


@dataclass(frozen=True, slots=True)
class Shortage:
    """What there is too little of."""

    what: Literal["disk", "memory"]
    #: Bytes that are left.
    free: int
    #: Bytes that have to be left before a run begins.
    needed: int

    @property
    def message(self) -> str:
        """What is short and what follows from it, as one sentence."""
        return (
            f"{_SENTENCES[self.what]}: {self.free / _MB:,.0f} MB free, {self.needed / _MB:,.0f} MB "
            f"needed; queued runs begin when there is room again."
        )


class Room:
    """The room that a workspace has on its machine; any thread may ask.

    Args:
        folder: The state folder, which is on the disk that counts.
        settings: Say how much has to be left.
        world: Gives the readings and their age.
    """

    def __init__(self, folder: Path, settings: Settings, world: World) -> None:
        self._folder = folder
        self._world = world
        self._least_disk = settings.min_free_disk_mb * _MB
        self._least_memory = settings.min_free_memory_mb * _MB
        self._known: Shortage | None = None
        self._stale_at = float("-inf")

    def shortage(self) -> Shortage | None:
        """Return what there is too little of, as it was a second ago at most; None: nothing."""
        now = self._world.clock.monotonic()
        if now >= self._stale_at:
            self._known = self._look()
            self._stale_at = now + _FRESH_S
        return self._known

    def is_full(self, reserve: int) -> bool:
        """Say whether less than `reserve` bytes can still be written."""
        return self._least_disk > 0 and self._free_disk() < reserve

    def has_beside(self, size: int) -> bool:
        """Say whether `size` bytes more could be written and leave room for runs."""
        return self._least_disk > 0 and self._free_disk() >= self._least_disk + size

    def _look(self) -> Shortage | None:
        if self._least_disk and (free := self._free_disk()) < self._least_disk:
            return Shortage("disk", free, self._least_disk)
        if self._least_memory and (free := self._world.machine.free_memory()) < self._least_memory:
            return Shortage("memory", free, self._least_memory)
        return None

    def _free_disk(self) -> int:
        try:
            return self._world.machine.free_disk(self._folder)
        except OSError:  # the folder is gone: whoever uses it says so
            return sys.maxsize
