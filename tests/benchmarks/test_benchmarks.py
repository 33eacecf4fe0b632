"""Every benchmark runs, on tiny graphs; how fast is not asked here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import (
    agent_bench,
    canvas_bench,
    canvas_browser,
    engine_bench,
    import_bench,
    notebook_bench,
    recovery_bench,
    report,
    schedule_bench,
)
from rich.console import Console

pytestmark = [pytest.mark.benchmark, pytest.mark.slow]


@pytest.mark.filterwarnings("ignore")  # of the engines beside ours
def test_the_engine_is_measured_and_shown(tmp_path: Path) -> None:
    rows = engine_bench.measure(count=5, depth=10, repeats=1)
    assert all(row.ours is not None and row.ours > 0 for row in rows)
    with (tmp_path / "shown.txt").open("w") as file:
        report.show({"engine": rows}, Console(file=file, width=200))
    report.write({"engine": rows}, tmp_path / "rows.json")
    written = json.loads((tmp_path / "rows.json").read_text())["groups"]["engine"]
    assert [row["name"] for row in written] == [row.name for row in rows]
    assert all(row.name in (tmp_path / "shown.txt").read_text() for row in rows)


@pytest.mark.filterwarnings("ignore")  # of the engines beside ours
def test_agents_are_measured() -> None:
    assert all(row.ours for row in agent_bench.measure(steps=3, agents=2, repeats=1))


def test_new_processes_are_measured() -> None:
    assert all(row.ours for row in import_bench.measure(repeats=1))


@pytest.mark.filterwarnings("ignore")  # of papermill and nbclient
def test_notebook_runs_are_measured() -> None:
    rows = notebook_bench.measure(runs_each=1, burst=2, peers_burst=1)
    assert all(row.ours for row in rows), [row.note for row in rows]


def test_recoveries_are_measured() -> None:
    rows = recovery_bench.measure(kills=2, backlog=20, held=2, starts=3)
    assert all(row.ours for row in rows)


def test_schedules_are_measured() -> None:
    rows = {row.name: row for row in schedule_bench.measure(20, bursts=2, burst=5, singles=5)}
    twice = rows.pop("three clocks: moments fired twice")
    assert twice.ours == 0
    assert all(row.ours for row in rows.values())


def test_a_contender_that_fails_is_a_note() -> None:
    def broken() -> float:
        raise RecursionError

    found, notes = report.medians({"a": lambda: 1.0, "b": broken}, 3)
    assert found == {"a": 1.0}
    assert notes == ["b: RecursionError"]


@pytest.mark.browser
def test_the_canvas_is_measured() -> None:
    rows = canvas_bench.measure(nodes=[20], rates=[100], busy_nodes=[10], seconds=0.5, samples=1)
    assert all(row.ours for row in rows), [row.note for row in rows]
    (busy,) = [row for row in rows if "of a kernel" in row.name]
    assert busy.note.endswith(" 0 lost")


def test_a_canvas_that_cannot_be_measured_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(canvas_browser, "PAGE", tmp_path)
    monkeypatch.setenv("IAIFLOW_CHROMIUM", "chromium")
    (row,) = canvas_bench.measure()
    assert row.ours is None
    assert "not built" in row.note
