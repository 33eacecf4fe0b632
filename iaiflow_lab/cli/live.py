"""Watching a run: a table that changes in place on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from time import time
from typing import TYPE_CHECKING

import typer

from iaiflow_lab.cli.output import console, local_time, one_line
from iaiflow_lab.lab.table import line_about, rich_table
from iaiflow_lab.model.event import Event
from iaiflow_lab.model.progress import RunProgress

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
            line = line_about(event)
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
    state = progress.state or ""
    return rich_table(progress, now, one_line(f"{state}  {progress.reason}", 200))
