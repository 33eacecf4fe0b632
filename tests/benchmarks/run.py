"""Measure and show: `python tests/benchmarks/run.py [--only engine,queue] [--json FILE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    agent_bench,
    agent_paint,
    canvas_bench,
    engine_bench,
    import_bench,
    notebook_bench,
    queue_bench,
    recovery_bench,
    report,
    schedule_bench,
)
from benchmarks.report import Row


def _queue() -> list[Row]:
    return [
        Row(
            found["name"],
            found["value"],
            found["unit"],
            found["target"],
            more_is_better=found["unit"] in ("runs/s", "ratio"),
        )
        for found in queue_bench.measure()
    ]


GROUPS: dict[str, Callable[[], list[Row]]] = {
    "engine": engine_bench.measure,
    "queue": _queue,
    "notebook": notebook_bench.measure,
    "recovery": recovery_bench.measure,
    "schedule": schedule_bench.measure,
    "import": import_bench.measure,
    "canvas": canvas_bench.measure,
    "agent": agent_bench.measure,
    "agent-paint": agent_paint.measure,
}


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups, with commas between")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    asked = parser.parse_args()
    unknown = set(asked.only.split(",")) - GROUPS.keys()
    if unknown:
        parser.error(f"there is no group {min(unknown)!r}; there are {', '.join(GROUPS)}")
    groups = {name: GROUPS[name]() for name in asked.only.split(",")}
    report.show(groups, Console())
    if asked.json:
        report.write(groups, asked.json)


if __name__ == "__main__":
    main()
