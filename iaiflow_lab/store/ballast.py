"""A file that is given up when the disk is full, so that what happens can still be recorded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: How much it holds, in bytes.
BALLAST_SIZE: Final = 16_000_000
#: With less than this the disk counts as full, in bytes: a few transactions fill it.
FULL: Final = 2_000_000
_BLOCK: Final = bytes(1_000_000)


class Ballast:
    """The ballast of a workspace; any process may hold or release it.

    Args:
        folder: The state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    @property
    def size(self) -> int:
        """How many bytes it has now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def is_held(self) -> bool:
        """Whether the whole of it is there."""
        return self.size >= BALLAST_SIZE

    def hold(self) -> bool:
        """Take the space, where it is not held yet; says whether it is held now."""
        if self.is_held:
            return True
        try:
            with self._path.open("wb") as file:
                _allocate(file.fileno())
        except OSError:  # there is no room for it
            self.release()
        return self.is_held

    def release(self) -> bool:
        """Give the space back; says whether there was any to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _allocate(descriptor: int) -> None:
    """Have the disk give all the space now: a file with holes would keep none."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, BALLAST_SIZE)
        return
    for _ in range(BALLAST_SIZE // len(_BLOCK)):
        os.write(descriptor, _BLOCK)
    os.fsync(descriptor)
