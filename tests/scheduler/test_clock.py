"""Clocks in this process: they fire at the moment, notice changes, and stop in order."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import replace

import pytest

from iaiflow_lab.errors import StoreError
from iaiflow_lab.model.schedule import Catchup, Interval, Overlap, Rule
from iaiflow_lab.scheduler.clock import Clock, sentence
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import firing, history, open_session, schedules, servers
from iaiflow_lab.service.firing import Fired
from iaiflow_lab.service.schedule_rows import ScheduleSpec

PATIENCE = 30.0
FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}


class Told:
    """Sentences, and a way to wait for the next that holds a text."""

    def __init__(self):
        self.sentences = []
        self._news = threading.Condition()

    def __call__(self, text):
        with self._news:
            self.sentences.append(text)
            self._news.notify_all()

    def wait_for(self, part, count=1):
        def is_there():
            return sum(part in sentence for sentence in self.sentences) >= count

        with self._news:
            assert self._news.wait_for(is_there, PATIENCE), self.sentences


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def session(workspace):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    with open_session(workspace) as opened:
        yield opened


@pytest.fixture
def make_clock(workspace, told):
    clocks = []

    def make(**more):
        clock = Clock(lambda: open_session(workspace), tell=told, **more)
        clock.start()
        clocks.append(clock)
        return clock

    yield make
    for clock in clocks:
        clock.stop()


def add(session, seconds=1.0, **change):
    spec = ScheduleSpec("tick.flow.json", Rule(Interval(seconds)), overlap=Overlap.ALLOW)
    return schedules.add(session, replace(spec, **change), load_catalog(session.workspace))


def moments(session, schedule):
    with session.store.db.read() as reader:
        rows = [dict(row) for row in reader.all("runs_list", EVERYTHING)]
    return [row["due_at"] for row in rows if row["schedule_id"] == schedule.id]


EVERYTHING = {
    "project": "default",
    "before": "\uffff",
    "states": None,
    "flow": None,
    "queue": None,
    "limit": 10_000,
}


def test_a_schedule_that_is_added_while_the_clock_runs_is_fired(session, make_clock, told):
    make_clock()
    made = add(session)
    told.wait_for("queued run_", 2)
    found = sorted(moments(session, made))
    assert found[:2] == [made.next_due, made.next_due + 1]
    assert all(run.flow == "tick.flow.json" for run in history.list_runs(session))


def test_what_was_missed_is_told_and_handled_at_the_next_start(
    workspace, simulate, make_clock, told
):
    simulated = simulate(1)
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    simulated.clock.wall = 1_000_000_000.0
    with open_session(workspace, simulated.world) as session:
        made = add(session, 30_000_000.0, catchup=Catchup.ALL)
        make_clock()
        told.wait_for("queued run_")
        assert len(moments(session, made)) > 1
        assert min(moments(session, made)) == made.next_due
    assert "more" in told.sentences[0]


def test_clocks_beside_each_other_fire_a_moment_once(session, make_clock, told):
    for _ in range(3):
        make_clock()
    made = [add(session) for _ in range(5)]
    told.wait_for("queued run_", 15)
    for schedule in made:
        found = sorted(moments(session, schedule))
        assert len(found) == len(set(found))
        assert found == [schedule.next_due + number for number in range(len(found))]


def test_a_pause_and_an_edit_reach_a_clock_that_runs(session, make_clock, told):
    make_clock()
    made = add(session, 1_000.0)
    schedules.pause(session, made.id)
    spec = replace(made.spec, rule=Rule(Interval(1.0)))
    edited = schedules.edit(session, made.id, spec, load_catalog(session.workspace))
    assert edited.next_due is None
    resumed = schedules.resume(session, made.id)
    told.wait_for("queued run_")
    assert min(moments(session, made)) == resumed.next_due


def test_a_clock_is_seen_until_it_stops(session, make_clock):
    clock = make_clock(kind="jupyter", address="unix:/run/x")
    (server,) = servers.who_fires(session)
    assert (server.kind, server.address, server.stopped_at) == ("jupyter", "unix:/run/x", None)
    clock.stop()
    (server,) = servers.who_fires(session)
    assert server.stopped_at is not None


def test_a_clock_outlives_a_database_that_cannot_be_used(session, make_clock, told, monkeypatch):
    real, failures = firing.fire_due, []

    def fails_twice(*args):
        if len(failures) < 2:
            failures.append(StoreError("The disk is full.", code="disk-full"))
            raise failures[-1]
        return real(*args)

    monkeypatch.setattr(firing, "fire_due", fails_twice)
    monkeypatch.setattr("iaiflow_lab.scheduler.clock._PAUSE_S", 0.2)
    make_clock()
    made = add(session)
    told.wait_for("queued run_")
    assert told.sentences[:2] == ["The disk is full."] * 2
    assert moments(session, made)


def test_schedules_that_cannot_be_fired_are_told_of_once_and_tried_again(
    session, make_clock, told, monkeypatch
):
    monkeypatch.setattr("iaiflow_lab.scheduler.clock._MOST", 1)
    monkeypatch.setattr("iaiflow_lab.scheduler.clock._PAUSE_S", 0.05)
    broken = [add(session, name=name) for name in ("one", "two", "three")]
    add(session, name="sound")
    with session.store.db.write() as tx:
        for each in broken:
            tx._connection.execute("UPDATE schedules SET zone = 'Mars/X' WHERE id = ?", (each.id,))
    make_clock()
    told.wait_for("'sound' queued run_", 3)
    failures = sorted(said for said in told.sentences if "Mars/X" in said)
    names = [said.split("'")[1] for said in failures]
    assert names == ["one", "three", "two"]
    assert all("cannot be fired: There is no time zone" in said for said in failures)
    with session.store.db.write() as tx:  # such as after an update of the machine's zones
        tx._connection.execute("UPDATE schedules SET zone = 'UTC'")
    told.wait_for("'one' queued run_")


def test_a_clock_that_cannot_register_leaves_nothing_open(workspace, monkeypatch):
    opened = []

    def refuses(session, *_):
        opened.append(session)
        raise StoreError("The disk is full.", code="disk-full")

    monkeypatch.setattr(servers, "register", refuses)
    with pytest.raises(StoreError):
        Clock(lambda: open_session(workspace)).start()
    (session,) = opened
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        session.coordinator.changed()


def test_a_target_that_fails_is_told(session, make_clock, told, workspace):
    make_clock()
    add(session)
    (workspace / "tick.flow.json").unlink()
    told.wait_for("cannot run: There is no flow 'tick.flow.json'")


@pytest.mark.parametrize(
    ("fired", "text"),
    [
        (Fired("a", ["run_1"]), "Schedule 'a' queued run_1."),
        (
            Fired("a", ["run_1", "run_2"], missed=1),
            "Schedule 'a' queued run_1 and 1 more; missed 1 moment while nothing fired schedules.",
        ),
        (
            Fired("a", overlapped=1),
            "Schedule 'a' left out, since the run before has not ended.",
        ),
        (Fired("a"), "Schedule 'a' had fired already."),
    ],
)
def test_what_became_of_a_schedule_is_a_sentence(fired, text):
    assert sentence(fired) == text
