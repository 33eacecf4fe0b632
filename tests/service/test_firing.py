"""Firing schedules: which runs are made of which moments, and what is noted about the others."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from iaiflow_lab.model.event import RunChanged
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState
from iaiflow_lab.model.schedule import Catchup, Cron, Interval, Once, Overlap, Rule
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import firing, flows, history, open_session, runs, schedules
from iaiflow_lab.service.schedule_rows import ScheduleSpec

HOUR = 3_600
SPEC = ScheduleSpec(
    "example.flow.json", Rule(Interval(float(HOUR))), inputs={"n": 3}, overlap=Overlap.ALLOW
)
WORKER = "worker:elsewhere:1:1:one"


@pytest.fixture
def simulated(simulate):
    return simulate(3)


@pytest.fixture
def session(workspace, simulated, flow, types):
    with open_session(workspace, simulated.world) as opened:
        flows.save(opened, "example.flow.json", flow, types)
        yield opened


def made_for(session, schedule):
    """Return the moments of a schedule's runs, in the order in which they are claimed."""
    ids = [run.id for run in history.list_runs(session)]
    with session.store.db.read() as reader:
        rows = [reader.one("run_by_id", ("default", run_id)) for run_id in ids]
    mine = sorted((r["run_at"], r["due_at"]) for r in rows if r["schedule_id"] == schedule.id)
    return [due for _, due in mine]


def missed(session):
    return sorted((miss.due_at, miss.reason) for miss in schedules.misses(session))


def claim(session):
    found = session.coordinator.claim(WORKER, ["default"])
    if found is not None:
        session.coordinator.start(found.run_id, found.fence)
    return found


def test_each_moment_makes_one_run(session, types, simulated):
    made = schedules.add(session, SPEC, types)
    first = made.next_due
    assert firing.fire_due(session, types) == []
    for number in range(3):
        simulated.clock.wall = first + number * HOUR + 0.01
        (fired,) = firing.fire_due(session, types)
        assert (fired.name, len(fired.runs), fired.missed) == ("example", 1, 0)
        assert firing.fire_due(session, types) == []
    assert made_for(session, made) == [first, first + HOUR, first + 2 * HOUR]
    after = schedules.get(session, "example")
    assert (after.last_due, after.next_due) == (first + 2 * HOUR, first + 3 * HOUR)
    assert (after.last_run, after.last_state) == (fired.runs[0], RunState.QUEUED)
    run = history.get(session, fired.runs[0])
    assert (run.flow, run.inputs["n"], run.state) == ("example.flow.json", 3, "queued")
    queued = next(e for _, e in history.events(session, run.id) if isinstance(e, RunChanged))
    assert queued.reason.startswith("Schedule 'example', due 20")


def test_a_moment_is_fired_by_one_of_many_and_not_again(session, types, simulated):
    made = schedules.add(session, SPEC, types)
    simulated.clock.wall = made.next_due
    results = [firing.fire(session, made.id, made.next_due, types) for _ in range(3)]
    assert [result is not None for result in results] == [True, False, False]
    with session.store.db.write() as tx:  # somebody sets it back
        tx.run("schedule_pause", {"id": made.id, "paused": 0, "next_due": made.next_due,
               "next_fire": made.next_due, "seen": None, "now": made.changed_at,
               "known": made.changed_at})  # fmt: skip
    (again,) = firing.fire_due(session, types)
    assert again.runs == []
    assert made_for(session, made) == [made.next_due]


def test_what_was_edited_meanwhile_is_not_fired_as_it_was(session, types, simulated):
    made = schedules.add(session, replace(SPEC, rule=Rule(Cron("0 * * * *"))), types)
    simulated.clock.wall = made.next_due - 1
    schedules.edit(session, made.id, replace(made.spec, inputs={"n": 4}), types)
    simulated.clock.wall = made.next_due
    (fired,) = firing.fire_due(session, types)
    assert history.get(session, fired.runs[0]).inputs["n"] == 4


def test_a_schedule_of_one_moment_ends(session, types, simulated):
    made = schedules.add(session, replace(SPEC, rule=Rule(Once("2030-01-01"), "UTC")), types)
    simulated.clock.wall = made.next_due
    assert len(firing.fire_due(session, types)[0].runs) == 1
    assert schedules.get(session, made.id).state == "ended"
    simulated.clock.advance(1e6)
    assert firing.fire_due(session, types) == []


def test_jitter_is_chosen_once_and_waited_for(session, types, simulated):
    made = schedules.add(session, replace(SPEC, rule=Rule(Interval(100.0), jitter_s=50.0)), types)
    assert made.next_due < made.next_fire < made.next_due + 50
    simulated.clock.wall = made.next_fire - 0.001
    assert firing.fire_due(session, types) == []
    simulated.clock.wall = made.next_fire
    (fired,) = firing.fire_due(session, types)
    assert (len(fired.runs), fired.missed) == (1, 0)
    assert made_for(session, made) == [made.next_due]
    assert schedules.get(session, made.id).next_due == made.next_due + 100


@pytest.mark.parametrize(
    ("catchup", "late", "makes", "misses"),
    [
        (Catchup.NONE, 30, [0], []),
        (Catchup.NONE, 90, [], [0]),
        (Catchup.NONE, 3 * HOUR + 30, [3], [0, 1, 2]),
        (Catchup.NONE, 3 * HOUR + 90, [], [0, 1, 2, 3]),
        (Catchup.LATEST, 90, [0], []),
        (Catchup.LATEST, 3 * HOUR + 90, [3], [0, 1, 2]),
        (Catchup.ALL, 90, [0], []),
        (Catchup.ALL, 3 * HOUR + 90, [0, 1, 2, 3], []),
    ],
)
def test_moments_that_were_missed(session, types, simulated, catchup, late, makes, misses):
    made = schedules.add(session, replace(SPEC, catchup=catchup), types)
    simulated.clock.wall = made.next_due + late
    (fired,) = firing.fire_due(session, types)
    assert made_for(session, made) == [made.next_due + n * HOUR for n in makes]
    assert missed(session) == [(made.next_due + n * HOUR, "down") for n in misses]
    assert (len(fired.runs), fired.missed) == (len(makes), len(misses))
    assert schedules.get(session, made.id).next_due > simulated.clock.now()
    assert schedules.get(session, made.id).last_due == made.next_due + late // HOUR * HOUR


def test_a_long_absence_is_bounded_and_said(session, types, simulated):
    rule = Rule(Interval(1.0))
    spec = replace(SPEC, rule=rule, catchup=Catchup.ALL, overlap=Overlap.QUEUE)
    made = schedules.add(session, spec, types)
    simulated.clock.advance(5_000_000)
    (fired,) = firing.fire_due(session, types)
    assert len(fired.runs) == firing.MOST_MISSED
    (miss,) = schedules.misses(session)
    assert miss.due_at == made.next_due
    assert miss.message == "More than 1,000 moments were missed; only the newest are listed."
    schedules.edit(session, made.id, replace(made.spec, catchup=Catchup.NONE), types)
    simulated.clock.advance(5_000_000)
    firing.fire_due(session, types)
    assert len(schedules.misses(session, limit=10_000)) == 1_000


def test_runs_that_are_made_up_for_go_in_their_order(session, types, simulated):
    spec = replace(SPEC, catchup=Catchup.ALL, overlap=Overlap.QUEUE)
    made = schedules.add(session, spec, types)
    simulated.clock.wall = made.next_due + 2 * HOUR + 1
    firing.fire_due(session, types)
    for number in range(3):
        held = claim(session)
        with session.store.db.read() as reader:
            row = reader.one("run_by_id", ("default", held.run_id))
        assert row["due_at"] == made.next_due + number * HOUR
        assert claim(session) is None
        session.coordinator.settle(held.run_id, held.fence, Settlement(RunState.COMPLETED))


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("overlap", list(Overlap))
def test_an_earlier_run_that_has_not_ended(session, types, simulated, overlap, is_running):
    made = schedules.add(session, replace(SPEC, overlap=overlap), types)
    simulated.clock.wall = made.next_due
    first = firing.fire_due(session, types)[0].runs[0]
    held = claim(session) if is_running else None
    simulated.clock.wall = made.next_due + HOUR
    (fired,) = firing.fire_due(session, types)
    before = history.get(session, first)
    match overlap:
        case Overlap.ALLOW:
            assert len(fired.runs) == 1
            assert (claim(session) is not None) is True
        case Overlap.SKIP:
            assert (fired.runs, fired.overlapped) == ([], 1)
            (miss,) = schedules.misses(session, "example")
            assert miss.message == f"Run {first} was still {before.state}."
        case Overlap.QUEUE:
            assert (claim(session) is None) is is_running
            assert not before.cancel_requested
        case Overlap.CANCEL:
            assert before.state == ("running" if is_running else "cancelled")
            assert before.cancel_requested is is_running
            assert (claim(session) is None) is is_running
    if held is not None:
        session.coordinator.settle(first, held.fence, Settlement(RunState.COMPLETED))
        following = claim(session)
        expected = fired.runs if overlap in {Overlap.QUEUE, Overlap.CANCEL} else []
        assert ([following.run_id] if following else []) == expected


def test_a_target_that_cannot_run_is_a_miss_and_the_schedule_goes_on(
    session, types, simulated, workspace, flow
):
    made = schedules.add(session, SPEC, types)
    healthy = schedules.add(session, replace(SPEC, name="healthy", version="1"), types)
    file = workspace / "example.flow.json"
    kept = file.read_text()
    file.unlink()
    simulated.clock.wall = made.next_due
    other, gone = sorted(firing.fire_due(session, types), key=lambda fired: fired.refusal)
    assert gone.refusal.startswith("There is no flow 'example.flow.json'")
    assert (gone.runs, len(other.runs)) == ([], 1)
    file.write_text("{")
    simulated.clock.wall += HOUR
    firing.fire_due(session, types)
    flows.save(session, "example.flow.json", Flow("Broken", nodes={"a": Node("needy")}), types)
    simulated.clock.wall += HOUR
    firing.fire_due(session, types)
    file.write_text(kept)
    simulated.clock.wall += HOUR
    firing.fire_due(session, types)
    assert made_for(session, made) == [made.next_due + 3 * HOUR]
    assert missed(session) == [(made.next_due + n * HOUR, "refused") for n in range(3)]
    assert len(made_for(session, healthy)) == 4


def test_a_run_by_hand_leaves_the_moments_alone(session, types, simulated):
    made = schedules.add(session, replace(SPEC, overlap=Overlap.QUEUE), types)
    by_hand = [firing.run_now(session, "example", types) for _ in range(2)]
    assert schedules.get(session, made.id).next_due == made.next_due
    assert claim(session).run_id == min(by_hand)
    assert claim(session) is None
    simulated.clock.wall = made.next_due
    assert len(firing.fire_due(session, types)[0].runs) == 1


def test_a_retry_of_a_scheduled_run_is_a_run_of_its_own(session, types, simulated):
    made = schedules.add(session, SPEC, types)
    simulated.clock.wall = made.next_due
    (run_id,) = firing.fire_due(session, types)[0].runs
    runs.cancel(session, run_id)
    runs.retry(session, run_id, types)
    assert made_for(session, made) == [made.next_due]


@pytest.mark.parametrize("point", ["fire.before_commit", "fire.after_commit"])
def test_a_crash_while_firing_makes_one_run(session, types, simulated, crash, point):
    made = schedules.add(session, SPEC, types)
    simulated.clock.wall = made.next_due
    simulated.faults.armed = point
    with pytest.raises(crash):
        firing.fire_due(session, types)
    assert len(made_for(session, made)) == (point == "fire.after_commit")
    firing.fire_due(session, types)
    assert made_for(session, made) == [made.next_due]


@pytest.mark.parametrize(("late", "commits"), [(0, 1), (59 * HOUR, 3)])
def test_schedules_with_many_moments_are_not_written_together(
    session, types, simulated, monkeypatch, late, commits
):
    spec = replace(SPEC, catchup=Catchup.ALL)
    made = [schedules.add(session, replace(spec, name=f"s{n}"), types) for n in range(3)]
    simulated.clock.wall = made[-1].next_due + late
    reached = []
    monkeypatch.setattr(simulated.faults, "reach", reached.append)
    fired = firing.fire_due(session, types)
    assert [len(each.runs) for each in fired] == [late // HOUR + 1] * 3
    assert reached.count("fire.before_commit") == commits


def lose_zone(session, ids):
    """Have schedules whose zone this machine does not know."""
    with sqlite3.connect(session.store.db.path) as database:
        rows = [(schedule_id,) for schedule_id in ids]
        database.executemany("UPDATE schedules SET zone = 'Mars/X' WHERE id = ?", rows)
    database.close()


def test_schedules_that_cannot_be_reckoned_keep_no_other_from_firing(
    session, types, simulated, monkeypatch
):
    monkeypatch.setattr(firing, "_TOGETHER", 2)
    broken = [schedules.add(session, replace(SPEC, name=f"broken{n}"), types) for n in range(5)]
    sound = schedules.add(session, replace(SPEC, name="sound"), types)
    lose_zone(session, [each.id for each in broken])
    simulated.clock.wall = sound.next_due + 1
    first, *failed = firing.fire_due(session, types)
    assert (first.name, len(first.runs), first.failure) == ("sound", 1, "")
    assert sorted(each.name for each in failed) == [each.spec.name for each in broken]
    assert all("Mars/X" in each.failure and not each.runs for each in failed)
    assert made_for(session, sound) == [sound.next_due]


def test_who_is_stopped_leaves_what_is_due(session, types, simulated, monkeypatch):
    monkeypatch.setattr(firing, "_TOGETHER", 2)
    made = [schedules.add(session, replace(SPEC, name=f"s{n}"), types) for n in range(5)]
    simulated.clock.wall = made[-1].next_due + 1
    assert len(firing.fire_due(session, types, lambda: True)) == 2
    assert len(firing.fire_due(session, types)) == 3


def test_what_cannot_be_written_keeps_no_other_of_its_transaction_from_firing(
    session, types, simulated, monkeypatch
):
    made = [schedules.add(session, replace(SPEC, name=f"s{n}"), types) for n in range(5)]
    work_off = firing._Firing.work_off

    def fails_once(self, agenda):
        if self.fired.name == "s2":
            raise ZeroDivisionError("never")
        return work_off(self, agenda)

    monkeypatch.setattr(firing._Firing, "work_off", fails_once)
    simulated.clock.wall = made[0].next_due + 1
    *_, failed = firing.fire_due(session, types)
    assert (failed.name, failed.failure) == ("s2", "ZeroDivisionError: never")
    assert [len(made_for(session, each)) for each in made] == [1, 1, 0, 1, 1]
    monkeypatch.undo()
    assert [fired.name for fired in firing.fire_due(session, types)] == ["s2"]
