"""Processes that are killed while they remove runs: the next one leaves nothing of them."""

from __future__ import annotations

import os
import signal
import sqlite3

import pytest

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS
from iaiflow_lab.service import history

pytestmark = [pytest.mark.slow, pytest.mark.fault]

#: Arrivals at which a removal of several runs ends in the middle.
ARRIVALS = ["remove.after_condemn", "remove.before_commit", "remove.before_commit:3"]


@pytest.fixture
def site(make_site):
    """Return a workspace with five runs that have ended."""
    site = make_site()
    supervisor = site.supervise()
    site.old = [site.start_node("probe.big") for _ in range(5)]
    for run_id in site.old:
        site.ended(run_id)
    supervisor.stop()
    return site


def listed(site) -> list[str]:
    return [run.id for run in history.list_runs(site.session)]


def left(site) -> dict[str, int]:
    """Return how many rows of each table belong to no run that can be seen."""
    seen = listed(site)
    marks = ", ".join("?" * len(seen)) or "''"
    connection: sqlite3.Connection = site.session.store.db.connection()
    return {
        table: connection.execute(
            f"SELECT count(*) FROM {table} WHERE run_id NOT IN ({marks})", seen
        ).fetchone()[0]
        for table in ("events", "steps", "substeps", "metrics", "waits", "run_artifacts")
    }


def assert_only_that_is_left(site, run_ids: list[str]) -> None:
    assert listed(site) == run_ids
    assert set(left(site).values()) == {0}
    folders = site.session.store.state / "runs"
    assert {path.name for path in folders.glob("*")} <= set(run_ids)
    connection = site.session.store.db.connection()
    assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] == len(run_ids)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.mark.parametrize("arrival", ARRIVALS)
def test_a_removal_that_ends_at_a_crash_point_is_finished(site, arrival):
    kept = site.old.pop()
    removing = site.command("runs", "rm", *site.old, "--yes", **{CRASH_AT: arrival})
    assert removing.wait(60) == CRASH_STATUS
    assert listed(site) == [kept]
    assert site.command("storage", "--clean").wait(60) == 0
    assert_only_that_is_left(site, [kept])
    assert site.run(kept).steps[0].state == "completed"


def test_removals_that_are_killed_at_any_moment_are_finished(site):
    for run_id in site.old:
        removing = site.command("runs", "rm", run_id, "--yes")
        site.until(lambda run_id=run_id: run_id not in listed(site), "A removal")
        if removing.poll() is None:
            os.kill(removing.pid, signal.SIGKILL)
        removing.wait(60)
    cleaning = [site.command("storage", "--clean") for _ in range(2)]
    assert [each.wait(60) for each in cleaning] == [0, 0]
    assert_only_that_is_left(site, [])
