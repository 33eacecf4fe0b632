"""How much of the machine one kernel may take.

Also a program that limits itself and then becomes another one, for kernels that are started from
nothing: `python resource_limits.py JSON COMMAND...`. It needs the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

#: The system's name of each limit, and what it counts.
RESOURCES: Final = {
    "memory": ("RLIMIT_AS", "bytes of address space"),
    "cpu_s": ("RLIMIT_CPU", "seconds of processor time"),
    "files": ("RLIMIT_NOFILE", "open files"),
    "processes": ("RLIMIT_NPROC", "processes and threads of this user"),
    "file_size": ("RLIMIT_FSIZE", "bytes in one file"),
}
#: Between the signal that ends a process for its processor time and the one that nothing survives,
#: in seconds.
_LAST_SECOND: Final = 1
#: What a cell shows when it met a limit: class and a part of the text.
_SIGNS: Final = {
    "memory": (("MemoryError", ""), ("OutOfMemoryError", ""), ("ComputeError", "memory")),
    "files": (("OSError", "Too many open files"),),
    "processes": (
        ("BlockingIOError", "temporarily unavailable"),
        ("RuntimeError", "can't start new thread"),
    ),
    "file_size": (("OSError", "File too large"),),
}


def apply(limits: Mapping[str, int]) -> None:
    """Limit this process and everything that it starts from now on.

    Args:
        limits: By the names in `RESOURCES`; a limit above the one in force counts as that one.
    """
    import resource

    for name, value in limits.items():
        kind: int = getattr(resource, RESOURCES[name][0])
        _, highest = resource.getrlimit(kind)
        hard = value + _LAST_SECOND if name == "cpu_s" else value
        if highest != resource.RLIM_INFINITY:
            hard = min(hard, highest)
        resource.setrlimit(kind, (min(value, hard), hard))


def limited(limits: Mapping[str, int], command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` within limits; the same one when there are none."""
    if not limits:
        return list(command)
    return [sys.executable, "-I", "-S", __file__, json.dumps(dict(limits)), *command]


def explain(limits: Mapping[str, int], name: str, text: str) -> str:
    """Say which limit an exception of a cell comes from; "" when it comes from none.

    Args:
        limits: The limits in force.
        name: The exception's class.
        text: Its text.
    """
    for limit, signs in _SIGNS.items():
        if limit in limits and any(name == kind and part in text for kind, part in signs):
            return sentence(limits, limit)
    return ""


def sentence(limits: Mapping[str, int], name: str) -> str:
    """Return the sentence about a limit that was met."""
    return f"A kernel may have {limits[name]:,} {RESOURCES[name][1]} here (kernel_limits.{name})."


if __name__ == "__main__":
    apply(json.loads(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  the command is the kernel's, no shell's
