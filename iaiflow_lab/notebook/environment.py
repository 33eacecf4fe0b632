"""What a run is executed with: interpreter, packages, machine, and the state of the sources."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

#: Files with uncommitted changes that are listed; more are only counted.
MAX_DIRTY: Final = 100
#: Longest time for a question to git, in seconds.
_GIT_TIMEOUT = 2.0
#: Asked of a kernel that runs on another interpreter: one expression, one JSON text.
QUESTION: Final = (
    "__import__('json').dumps({'executable': __import__('sys').executable,"
    " 'python': __import__('platform').python_version(),"
    " 'packages': {d.name: d.version for d in"
    " __import__('importlib.metadata').metadata.distributions()}})"
)


def describe_environment(folder: Path) -> dict[str, Any]:
    """Return facts about this process and the sources in `folder`; never fails.

    Args:
        folder: A folder inside the repository of the flow or notebook, if there is one.
    """
    facts: dict[str, Any] = {
        "executable": sys.executable,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": _packages(),
    }
    git = describe_sources(folder)
    return facts | ({"git": git} if git else {})


def describe_sources(folder: Path) -> dict[str, Any]:
    """Return the commit and the changed files of the repository around `folder`; {} without one."""
    try:
        answer = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "-z"],
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return _read_status(answer.stdout.decode(errors="replace").split("\0"))


def _read_status(entries: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"commit": "", "branch": ""}
    dirty: list[str] = []
    remaining = iter(entries)
    for entry in remaining:
        kind, _, rest = entry.partition(" ")
        if entry.startswith("# branch.oid "):
            facts["commit"] = rest.partition(" ")[2]
        elif entry.startswith("# branch.head "):
            facts["branch"] = rest.partition(" ")[2]
        elif kind in _FIELDS:
            dirty.append(entry.split(" ", _FIELDS[kind])[-1])
            if kind == "2":
                next(remaining, None)  # the name before the renaming
    return facts | {"dirty": sorted(dirty)[:MAX_DIRTY], "dirty_count": len(dirty)}


#: Fields before the path, by the kind of an entry: changed, renamed, unmerged, untracked.
_FIELDS = {"1": 8, "2": 9, "u": 10, "?": 1}


@cache  # a process goes on with what it has imported, whatever is installed meanwhile
def _packages() -> dict[str, str]:
    try:
        return {item.name: item.version for item in metadata.distributions()}
    except Exception:  # a broken installation is no reason to refuse a run
        return {}
