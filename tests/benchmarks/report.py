"""Rows of measurements as one table for people and as JSON for programs."""

from __future__ import annotations

import gc
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One measurement, and what it stands beside."""

    #: What was measured.
    name: str
    #: What this project needs, in `unit`; None: it could not be measured.
    ours: float | None
    unit: str
    #: What it should need at most (or at least, when more is better).
    target: float | None = None
    more_is_better: bool = False
    #: What the bare machine needs: the least that anything here can reach.
    floor: float | None = None
    #: What others need for the same, by name.
    peers: Mapping[str, float] = field(default_factory=dict)
    #: What a reader must know.
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        if self.target is None or self.ours is None:
            return None
        return self.ours >= self.target if self.more_is_better else self.ours <= self.target


def medians(
    contenders: Mapping[str, Callable[[], float]], repeats: int
) -> tuple[dict[str, float], list[str]]:
    """Return the median of each contender in seconds, and a note for each that failed.

    All take turns, so that a busy moment of the machine hits all of them.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    notes: dict[str, str] = {}
    for _ in range(repeats):
        for name, measure in contenders.items():
            if name in notes:
                continue
            try:
                taken[name].append(measure())
            except Exception as error:
                said = (name, type(error).__name__, str(error)[:120])
                notes[name] = ": ".join(filter(None, said))
    found = {name: statistics.median(times) for name, times in taken.items() if times}
    return {name: value for name, value in found.items() if name not in notes}, list(notes.values())


def timed(action: Callable[[], object]) -> float:
    """Return how long `action` takes, in seconds; the garbage of earlier actions is not its own."""
    gc.collect()
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def show(groups: Mapping[str, list[Row]], console: Console) -> None:
    """Print all groups as tables; behind each other engine, how many times ours it needs."""
    for group, rows in groups.items():
        table = Table(title=group, title_justify="left", padding=(0, 1, 0, 0), box=SIMPLE_HEAD)
        table.add_column("what", overflow="fold")
        names = list(dict.fromkeys(name for row in rows for name in row.peers))
        for heading in ("ours", "target", "met", "floor", *names):
            table.add_column(heading, justify="right", overflow="fold")
        table.add_column("unit")
        for row in rows:
            table.add_row(
                row.name,
                _number(row.ours),
                _target(row),
                {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[row.is_met],
                _number(row.floor),
                *(_peer(row, name) for name in names),
                row.unit,
            )
        console.print(table)
        for note in dict.fromkeys(row.note for row in rows if row.note):
            console.print(f"  {note}")


def _peer(row: Row, name: str) -> str:
    value = row.peers.get(name)
    if value is None or not row.ours:
        return _number(value)
    return f"{_number(value)} ({value / row.ours:.1f}x)"


def _target(row: Row) -> str:
    sign = ">=" if row.more_is_better else "<="
    return "" if row.target is None else f"{sign} {_number(row.target)}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(groups: Mapping[str, list[Row]], path: Path) -> None:
    """Write all groups as JSON."""
    found = {
        "machine": {"python": platform.python_version(), "platform": platform.platform()},
        "groups": {
            group: [asdict(row) | {"met": row.is_met} for row in rows]
            for group, rows in groups.items()
        },
    }
    path.write_text(json.dumps(found, indent=2) + "\n")
