"""How a notebook run fails: each way has its own sentence."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence

from iaiflow_lab.errors import NotebookError
from iaiflow_lab.model.names import shorten
from iaiflow_lab.notebook import resource_limits

#: What people are told of a notebook whose kernel was ended because its flows only wait.
PARKED = (
    "The notebook waits, and its kernel was ended; when it can go on, it runs again from its top, "
    "and its recorded steps are restored at once."
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_TRACE_LIMIT = 8_000
#: Signals by which a process ends itself.
_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}
)


class CellError(NotebookError):
    """A cell raised.

    Args:
        place: The notebook and the cell, for people.
        name: The exception's class.
        value: Its text.
        traceback: The lines that the kernel printed.
        remedy: What to do about it, when that is known.
    """

    code = "cell-failed"

    def __init__(
        self, place: str, name: str, value: str, traceback: Sequence[str], *, remedy: str = ""
    ) -> None:
        #: The exception's class.
        self.name = name
        #: The user's own traceback, as plain text.
        self.trace = user_trace(traceback)
        text = shorten(plain(value).strip().partition("\n")[0], 300)
        super().__init__(f"{name}: {text}" if text else name, where=place, remedy=remedy)


class ParkedError(NotebookError):
    """The notebook only waits, and is executed again when it can go on."""

    code = "notebook-parked"


class CellTimeoutError(NotebookError):
    """A cell ran longer than it may."""

    code = "cell-timeout"


class NotebookTimeoutError(NotebookError):
    """All cells together ran longer than they may."""

    code = "notebook-timeout"


class KernelStartError(NotebookError):
    """The kernel's process did not come up."""

    code = "kernel-start-failed"


class KernelDiedError(NotebookError):
    """The kernel's process ended while the notebook was running."""

    code = "kernel-died"


def plain(text: str) -> str:
    """Return `text` without the escape sequences that colour it."""
    return _ANSI.sub("", text)


def user_trace(lines: Sequence[str]) -> str:
    """Return a kernel's traceback as plain text, its frame and headline left out."""
    text = plain("\n".join(lines)).splitlines()
    kept = [line for line in text if line.strip("-") and "Traceback (most recent" not in line]
    return "\n".join(kept)[-_TRACE_LIMIT:]


def obituary(
    status: int | None,
    memory: int,
    limit: int | None,
    place: str,
    limits: Mapping[str, int] | None = None,
) -> KernelDiedError:
    """Say how a kernel's process ended.

    Args:
        status: Its exit status, negative for a signal; None when it is not known.
        memory: The most memory that was seen, in bytes; 0 when it is not known.
        limit: The most memory that it could have, in bytes; None when there is no limit.
        place: What it was doing, for people.
        limits: What it might use, as `resource_limits` has it.
    """
    facts = [_cause(status)]
    if memory:
        of = f" of {_size(limit)} limit" if limit else ""
        facts.append(f"memory {_size(memory)}{of}")
    remedy = _advice(status)
    if limits and "cpu_s" in limits and status == -signal.SIGXCPU:
        remedy = resource_limits.sentence(limits, "cpu_s")
    return KernelDiedError(f"The kernel died ({', '.join(facts)}).", where=place, remedy=remedy)


def _cause(status: int | None) -> str:
    if status is None:
        return "exit status unknown"
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"signal {-status}, {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def _advice(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return "If nobody killed it, it took more memory than there was."
    if status is not None and status >= 0:
        return "End a notebook early with sys.exit(), not with os._exit()."
    if status is not None and -status in _CRASHES:
        return "A library in compiled code failed; run the cell alone to find it."
    return "Something outside ended it; run the notebook again."


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
