"""Where a run is shown while it goes on. Only the thread that waits for the run draws."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from iaiflow_lab.lab import table
from iaiflow_lab.lab.questions import Give, Questions
from iaiflow_lab.lab.words import duration
from iaiflow_lab.model.event import Event
from iaiflow_lab.model.progress import RunProgress

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(slots=True)
class Heading:
    """Which run is shown."""

    #: The flow's name.
    flow: str
    run_id: str
    #: Put before every step path of the run; not shown.
    prefix: str
    #: When the run started, in seconds since the Unix epoch.
    started_at: float
    #: What is happening to the whole run; "" when it just runs.
    note: str = ""

    def foot(self, progress: RunProgress, now: float) -> str:
        """Return the line below the table."""
        took = duration(max(0.0, now - self.started_at))
        note = f" · {self.note}" if self.note and not progress.state else ""
        return f"{self.flow}: {progress.state or 'running'} · {took} · {self.run_id}{note}"


class Screen(Protocol):
    """Shows one run."""

    def take(self, event: Event) -> None:
        """Note an event that `progress` has taken."""
        ...

    def draw(self) -> None:
        """Show the present state."""
        ...

    def close(self) -> None:
        """Show the last state, for good."""
        ...


class NotebookScreen:
    """One display of a cell that is updated in place and stays as it ended."""

    def __init__(self, progress: RunProgress, heading: Heading, give: Give | None) -> None:
        self._progress = progress
        self._heading = heading
        self._handle: Any = None
        self._questions = None if give is None else Questions(give)

    def take(self, event: Event) -> None:
        """Note what is asked; the table shows everything else."""
        if self._questions is not None:
            self._questions.take(event)

    def draw(self) -> None:
        """Update the table, and the questions below it."""
        self._draw_table()
        if self._questions is not None:
            self._questions.draw()

    def _draw_table(self) -> None:
        now = time()
        shown = (self._progress, now, self._heading.foot(self._progress, now), self._heading.prefix)
        bundle = {"text/html": table.html(*shown), "text/plain": table.text(*shown)}
        if self._handle is None:
            display = import_module("IPython.display").display
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def close(self) -> None:
        """Show the table as it ended."""
        self._draw_table()
        if self._questions is not None:
            self._questions.close()


class TerminalScreen:
    """A table that changes in place."""

    def __init__(self, progress: RunProgress, heading: Heading) -> None:
        from rich.console import Console
        from rich.live import Live

        def shown() -> Table:
            now = time()
            foot = heading.foot(progress, now)
            return table.rich_table(progress, now, foot, heading.prefix)

        screen = Console(stderr=True, highlight=False)
        self._live = Live(console=screen, auto_refresh=False, get_renderable=shown)
        self._live.start()

    def take(self, event: Event) -> None:
        """Do nothing: the table shows it."""

    def draw(self) -> None:
        """Draw the table anew."""
        self._live.refresh()

    def close(self) -> None:
        """Leave the table as it ended."""
        self._live.stop()


class Lines:
    """Plain lines, for log files and pipes."""

    def __init__(self, progress: RunProgress, heading: Heading) -> None:
        self._progress = progress
        self._heading = heading
        self._noted = ""

    def take(self, event: Event) -> None:
        """Write what is worth a line."""
        line = table.line_about(event, self._heading.prefix)
        if line:
            sys.stderr.write(line + "\n")

    def draw(self) -> None:
        """Write the note, once; other lines are written as events come."""
        if self._heading.note != self._noted:
            self._noted = self._heading.note
            sys.stderr.write(self._heading.foot(self._progress, time()) + "\n")

    def close(self) -> None:
        """Write the last line."""
        sys.stderr.write(self._heading.foot(self._progress, time()) + "\n")


class NoScreen:
    """Shows nothing."""

    def take(self, event: Event) -> None:
        """Do nothing."""

    def draw(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def open_screen(
    progress: RunProgress, heading: Heading, *, quiet: bool = False, give: Give | None = None
) -> Screen:
    """Return where this process shows a run: its notebook, its terminal, or standard error.

    Args:
        progress: How far it is.
        heading: Which run it is.
        quiet: Whether nothing is shown.
        give: Takes answers of people who look at the cell; None: they are not asked there.
    """
    if quiet:
        return NoScreen()
    if in_notebook():
        return NotebookScreen(progress, heading, give)
    if sys.stderr.isatty():
        return TerminalScreen(progress, heading)
    return Lines(progress, heading)


def in_marimo() -> bool:
    """Say whether this is a cell of a marimo notebook."""
    module = sys.modules.get("marimo")
    return module is not None and bool(module.running_in_notebook())


def in_notebook() -> bool:
    """Say whether this process is the kernel of a notebook."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None
