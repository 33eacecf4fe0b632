"""What is left of the machine's disk and memory, behind a small door: it can be simulated."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

#: Where the kernel shows control groups, and of which one this process is (Linux).
_GROUPS: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")


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

        return min([psutil.virtual_memory().available, *free_in_groups()])


def free_in_groups(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> list[int]:
    """Return how many bytes of memory each control group around this process leaves to it.

    A container has less than its machine. What the system only keeps of files, and gives up when
    memory is wanted, counts as free. Groups without a limit are left out, and all of version 1.

    Args:
        groups: The folder that shows them.
        membership: The file that says of which one the process is.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if own is None:
        return []
    folder = groups / own
    free: list[int] = []
    for group in (folder, *folder.parents):
        with suppress(OSError, ValueError):  # it has no limit, or is not shown in a container
            free.append(_free_in(group))
        if group == groups:
            break
    return free


def _free_in(group: Path) -> int:
    """Return how many bytes a control group has left.

    Raises:
        OSError: It is not shown.
        ValueError: It has no limit.
    """
    limit, used = (int((group / f"memory.{what}").read_text()) for what in ("max", "current"))
    counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return max(0, limit - used + int(counts.get("inactive_file", 0)))
