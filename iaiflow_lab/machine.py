"""What is left of the machine's disk and memory, behind a small door: it can be simulated."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol


class Machine(Protocol):
    """Where the readings of disk and memory come from."""

    def free_disk(self, folder: Path) -> int:
        """Return how many bytes this user can still write on the disk of `folder`."""
        ...

    def free_memory(self) -> int:
        """Return how many bytes of memory programs can still take, without swapping."""
        ...


class ThisMachine:
    """The machine that this process runs on."""

    def free_disk(self, folder: Path) -> int:
        """Return how many bytes this user can still write on the disk of `folder`.

        Raises:
            OSError: The folder is gone.
        """
        return shutil.disk_usage(folder).free

    def free_memory(self) -> int:
        """Return how many bytes of memory programs can still take, without swapping."""
        import psutil

        return psutil.virtual_memory().available
