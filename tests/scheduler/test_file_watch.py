"""Schedules of files: a change makes one run, once it has settled."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.event import RunChanged
from iaiflow_lab.model.schedule import Catchup, FileChange, Overlap, Rule
from iaiflow_lab.scheduler.files import FileWatch
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, schedules, watched_files
from iaiflow_lab.service.schedule_rows import ScheduleSpec

FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}


@pytest.fixture
def data(workspace):
    (workspace / "data").mkdir()
    (workspace / "data" / "a.csv").write_text("1")
    return workspace / "data"


@pytest.fixture
def session(workspace, data, simulate):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    with open_session(workspace, simulate(5).world) as opened:
        yield opened


@pytest.fixture
def watch(session):
    return make_watch(session)


def make_watch(session):
    told = []
    made = FileWatch(session, lambda: load_catalog(session.workspace), told.append)
    made.told = told
    return made


def add(session, *patterns, **change):
    rule = Rule(FileChange(patterns or ("data/*.csv",)))
    spec = ScheduleSpec("tick.flow.json", rule, overlap=Overlap.ALLOW)
    return schedules.add(session, replace(spec, **change), load_catalog(session.workspace))


def reasons(session):
    """Return why each run was queued, the oldest first."""
    found = []
    for run in reversed(history.list_runs(session)):
        events = [event for _, event in history.events(session, run.id)]
        found.append(next(e.reason for e in events if isinstance(e, RunChanged)))
    return found


def looks(watch, times=3):
    return [fired for _ in range(times) for fired in watch.look()]


def test_what_is_there_already_is_no_change(session, watch):
    add(session)
    assert looks(watch) == []


def test_a_new_file_and_a_changed_one_make_a_run_each_time(session, watch, data):
    add(session)
    watch.look()
    (data / "b.csv").write_text("2")
    (fired,) = looks(watch)
    assert len(fired.runs) == 1
    (data / "a.csv").write_text("11")
    (data / "b.csv").write_text("22")
    looks(watch)
    assert reasons(session) == [
        "Schedule 'tick': data/b.csv changed.",
        "Schedule 'tick': data/a.csv and 1 more changed.",
    ]
    assert looks(watch) == []


def test_a_file_that_still_grows_is_waited_for(session, watch, data):
    add(session)
    watch.look()
    for size in range(5):
        (data / "b.csv").write_text("x" * size)
        assert watch.look() == []
    assert len(watch.look()) == 1


def test_the_same_contents_are_no_change(session, watch, data):
    add(session)
    watch.look()
    os.utime(data / "a.csv", ns=(1, 1))
    (data / "a.csv").write_text("1")
    assert looks(watch) == []
    (data / "a.csv").unlink()
    assert looks(watch) == []
    assert schedules.get(session, "tick").seen == "{}"


def test_two_that_look_make_one_run(session, data):
    add(session)
    both = [make_watch(session), make_watch(session)]
    for watch in both:
        watch.look()
    (data / "b.csv").write_text("2")
    assert len([fired for _ in range(3) for watch in both for fired in watch.look()]) == 1


@pytest.mark.parametrize(("catchup", "runs"), [(Catchup.NONE, 0), (Catchup.LATEST, 1)])
def test_a_change_while_nothing_looked(session, data, catchup, runs):
    add(session, catchup=catchup)
    (data / "b.csv").write_text("2")
    watch = make_watch(session)
    (fired,) = looks(watch)
    assert (len(fired.runs), fired.missed) == (runs, 1 - runs)
    missed = [miss.message for miss in schedules.misses(session)]
    assert missed == (["data/b.csv changed while nothing looked."] if not runs else [])
    (data / "b.csv").write_text("33")
    assert len(looks(watch)[0].runs) == 1


def test_a_pause_forgets_what_changed_meanwhile(session, watch, data):
    add(session)
    schedules.pause(session, "tick")
    (data / "b.csv").write_text("2")
    assert looks(watch) == []
    schedules.resume(session, "tick")
    assert looks(watch) == []


def test_a_change_counts_from_the_start_until_the_end(workspace, data, simulate):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    simulated = simulate(5)
    with open_session(workspace, simulated.world) as session:
        first = simulated.clock.now()
        rule = Rule(FileChange(("data/*.csv",)), start=first + 100, end=first + 200)
        spec = ScheduleSpec("tick.flow.json", rule)
        schedules.add(session, spec, load_catalog(workspace))
        watch = make_watch(session)
        (data / "a.csv").write_text("11")
        assert looks(watch) == []
        simulated.clock.wall = first + 100
        assert len(looks(watch)) == 1
        simulated.clock.wall = first + 201
        (data / "a.csv").write_text("111")
        assert looks(watch) == []
        with pytest.raises(InputError, match="never fires"):
            schedules.edit(session, "tick", spec, load_catalog(workspace))


def test_only_files_below_the_workspace_count(session, watch, data, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text("1")
    (data / "link.csv").symlink_to(outside)
    add(session, "**/*")
    seen = json.loads(schedules.get(session, "tick").seen)
    assert sorted(seen) == ["data/a.csv", "tick.flow.json"]
    outside.write_text("22")
    assert looks(watch) == []


def test_too_many_files_are_said_once(session, watch, data, monkeypatch):
    add(session)
    monkeypatch.setattr(watched_files, "MAX_FILES", 1)
    (data / "b.csv").write_text("2")
    assert looks(watch) == []
    assert len(watch.told) == 1
    assert "More than 1 files match data/*.csv" in watch.told[0]
