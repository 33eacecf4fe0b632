"""One execution of a notebook: what it is given, and whom it tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from iaiflow_lab.model.event import Event


def _nobody_listens(event: Event) -> None:
    del event


def _nobody_stops() -> BaseException | None:
    return None


def _never_rested() -> float:
    return 0.0


def _not_kept(name: str, path: Path) -> None:
    del name, path


@dataclass(frozen=True, slots=True)
class Session:
    """What the engine needs beside the notebook itself."""

    #: The notebook's name, for messages.
    source: str
    #: The kernel's working directory.
    folder: Path
    #: Where the output notebook is written as it grows; None: nowhere.
    output: Path | None
    #: Folder for the kernel's log and for texts that are too long for the notebook.
    run_dir: Path
    #: The step that cell events belong to.
    step: str = ""
    #: Private folder for the kernel's sockets, which goes with the kernel; None: a new one.
    sockets: Path | None = None
    #: Added to the kernel's environment.
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    #: What the kernel may use at most, as `resource_limits` has it.
    kernel_limits: Mapping[str, int] = field(default_factory=dict[str, int])
    #: Longest time for one cell, in seconds; None: no limit.
    cell_timeout: float | None = None
    #: Longest time for all cells, in seconds; None: no limit.
    timeout: float | None = None
    #: Longest time for the kernel to come up, in seconds.
    start_timeout: float = 60.0
    #: How long an interrupted cell may go on before the kernel is killed, in seconds.
    grace: float = 5.0
    #: Position of the cell that was injected, from 0; None when none was.
    injected: int | None = None
    #: Whether the kernel runs on another interpreter and is asked what it consists of.
    ask_environment: bool = False
    #: Told every event, on the execution's thread.
    record: Callable[[Event], None] = _nobody_listens
    #: Asked often: why the notebook must end now; None to go on.
    stopped: Callable[[], BaseException | None] = _nobody_stops
    #: Asked often: for how long, in all, the notebook has done nothing but wait, in seconds.
    rested: Callable[[], float] = _never_rested
    #: Given each text that was too long for the notebook: its name and the file that holds it.
    keep: Callable[[str, Path], None] = _not_kept
    #: The wall clock, in seconds since the Unix epoch.
    now: Callable[[], float] = time.time

    def place(self, index: int, source: str) -> str:
        """Name a cell for people, by its number in the source notebook and its first line.

        Args:
            index: Position in the executed notebook, from 0.
            source: The cell's text.
        """
        lines = [line.strip() for line in source.splitlines() if line.strip()]
        first = (lines or [""])[0][:80]
        if index == self.injected:
            return f"{self.source}, the injected parameters: {first}"
        number = index + 1 if self.injected is None or index < self.injected else index
        return f"{self.source}, cell {number}: {first}"
