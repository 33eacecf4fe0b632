"""Watching a run: a table that changes in place on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from time import time
from typing import TYPE_CHECKING, Any

import typer

from iaiflow_lab.cli.output import console, duration, local_time, one_line, plain, styled
from iaiflow_lab.model.event import Event, RunChanged, StepFinished, StepLog, StepRetrying
from iaiflow_lab.model.progress import NodeLine, RunProgress
from iaiflow_lab.model.run import StepState

if TYPE_CHECKING:
    from rich.table import Table

#: How often a terminal is drawn anew, in a second.
_REDRAWS = 8


def watch(events: Iterable[Event], progress: RunProgress) -> None:
    """Show a run until its events end.

    Args:
        events: The run's events in order; iterating may block.
        progress: What is known of the run; takes every event.
    """
    if sys.stdout.isatty():
        _watch_in_place(events, progress)
    else:
        for event in events:
            progress.apply(event)
            line = _line_about(event)
            if line:
                typer.echo(f"{local_time(event.at)}  {line}")


def _watch_in_place(events: Iterable[Event], progress: RunProgress) -> None:
    from rich.live import Live

    screen = console()
    with Live(
        console=screen,
        get_renderable=lambda: progress_table(progress, time()),
        refresh_per_second=_REDRAWS,
    ):
        for event in events:
            progress.apply(event)


def progress_table(progress: RunProgress, now: float) -> Table:
    """Return the table of a run's nodes at the moment `now`, in seconds since the Unix epoch."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim", expand=False)
    table.add_column("Node", no_wrap=True)
    table.add_column("State", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Rows", justify="right", no_wrap=True)
    table.add_column("Progress", no_wrap=True)
    table.add_column("Last output", no_wrap=True, overflow="ellipsis")
    for line in list(progress.lines.values()):
        table.add_row(
            plain("  " * line.depth + line.name),
            styled(line.state),
            duration(elapsed(line, now)),
            "" if line.rows is None else f"{line.rows:,}",
            _how_far(line),
            plain(one_line(line.text)),
        )
    if progress.state is not None:
        table.caption = plain(one_line(f"{progress.state}  {progress.reason}", 200))
        table.caption_justify = "left"
    return table


def elapsed(line: NodeLine, now: float) -> float | None:
    """Return how long a node has taken until `now` or its end, in seconds."""
    if line.started_at is None:
        return None
    is_open = line.ended_at is None or line.state is StepState.RUNNING
    return max(0.0, (now if is_open else line.ended_at or now) - line.started_at)


def _how_far(line: NodeLine) -> Any:
    if line.share is not None and line.state is StepState.RUNNING:
        from rich.progress_bar import ProgressBar

        return ProgressBar(total=1.0, completed=line.share, width=12)
    known = max(len(line.steps), line.expected or 0)
    return f"{line.settled}/{known}" if known > 1 else ""


def _line_about(event: Event) -> str:
    """Return what a log file should say about an event; "" when it is a detail."""
    match event:
        case RunChanged(state=state, reason=reason):
            return f"run {state}" + (f": {reason}" if reason else "")
        case StepFinished(step=step, state=state, usage=usage, error=error):
            took = "" if usage is None else f" in {duration(usage.duration_s)}"
            rows = "" if usage is None or usage.rows is None else f", {usage.rows:,} rows"
            why = "" if error is None else f": {one_line(error.message, 200)}"
            return f"{step} {state}{took}{rows}{why}"
        case StepRetrying(step=step, attempt=attempt, error=error):
            return f"{step} failed at attempt {attempt}: {one_line(error.message, 200)}"
        case StepLog(step=step, stream=stream, text=text) if stream != "progress":
            return "\n".join(f"{step} | {part}" for part in text.rstrip().splitlines())
        case _:
            return ""
