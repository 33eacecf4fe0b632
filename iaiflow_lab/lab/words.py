"""How times, texts and states are written for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from iaiflow_lab.model.progress import NodeLine
from iaiflow_lab.model.run import StepState

#: One sign for each state of a step; its name always stands beside it.
SIGNS: Final = {
    StepState.PENDING: "○",
    StepState.RUNNING: "▶",
    StepState.RETRYING: "↻",
    StepState.WAITING: "◷",
    StepState.COMPLETED: "✓",
    StepState.FAILED: "✗",
    StepState.SKIPPED: "·",
    StepState.CANCELLED: "■",
}

#: Where an outcome came from that was not made now, as it stands behind the state.
ORIGINS: Final = {
    "cache": ", from the cache",
    "pin": ", from its pin",
    "replay": ", from the run that is retried",
}

#: Colours of run and step states on a terminal.
STYLES: Final = {
    "completed": "green",
    "failed": "bold red",
    "cancelled": "magenta",
    "running": "cyan",
    "claimed": "cyan",
    "retrying": "yellow",
    "waiting": "yellow",
    "queued": "blue",
    "draft": "dim",
    "pending": "dim",
    "skipped": "dim",
}


def local_time(seconds: float | None) -> str:
    """Return a time as people read it, in their own zone; "" for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """Return a length of time in few characters, such as `0.25 s`, `3 m 05 s`; "" for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"


def one_line(text: str, limit: int = 80) -> str:
    """Return the first line of `text`, cut to `limit` characters, without control characters."""
    first = next(iter(text.strip().splitlines()), "")
    visible = "".join(c if c.isprintable() else " " for c in first)
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def elapsed(line: NodeLine, now: float) -> float | None:
    """Return how long a node has taken until `now` or its end, in seconds."""
    if line.started_at is None:
        return None
    is_open = line.ended_at is None or line.state is StepState.RUNNING
    return max(0.0, (now if is_open else line.ended_at or now) - line.started_at)


def items(line: NodeLine) -> str:
    """Return how many of a node's steps have ended, such as `3/16`; "" when it is a single one."""
    known = max(len(line.steps), line.expected or 0)
    return f"{line.settled}/{known}" if known > 1 else ""
