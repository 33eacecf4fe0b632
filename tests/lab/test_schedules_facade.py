"""`Lab().schedules`: the same verbs in Python."""

from __future__ import annotations

import json

import pytest

from iaiflow_lab import Lab
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model.schedule import Catchup, FileChange, Interval, Overlap

FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "parameters": {"n": {"type": "integer", "default": 1}},
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}


@pytest.fixture
def schedules(workspace):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    return Lab(workspace).schedules


def test_a_schedule_in_python(schedules):
    made = schedules.add(
        "tick.flow.json", cron="0 6 * * *", zone="Asia/Tokyo", inputs={"n": 2}, overlap="queue",
        catchup="all", jitter="1m", end="2199-01-01", queue="night", priority=3,
        budget={"cost": 2},
    )  # fmt: skip
    assert schedules.ls() == [schedules.get("tick")] == [made]
    assert (made.spec.overlap, made.spec.catchup) == (Overlap.QUEUE, Catchup.ALL)
    assert (made.spec.options.queue, made.spec.rule.jitter_s) == ("night", 60.0)
    assert made.spec.options.budget == {"cost": 2}
    assert [moment.local[11:] for moment in schedules.next("tick", 2)] == ["06:00:00+09:00"] * 2
    assert schedules.pause("tick").state == "paused"
    assert schedules.resume("tick").state == "active"
    run = schedules.run("tick")
    assert schedules.get("tick").last_run == run
    assert schedules.misses() == schedules.fired_by() == []
    schedules.rm("tick")
    assert schedules.ls() == []


def test_an_edit_changes_what_is_given(schedules):
    made = schedules.add("tick.flow.json", every="15m", inputs={"n": 2}, overlap="allow")
    edited = schedules.edit("tick", jitter=30, name="tock", priority=7)
    assert edited.spec.rule.when == Interval(900.0)
    assert edited.spec.rule.start == made.spec.rule.start
    assert (edited.spec.rule.jitter_s, edited.spec.inputs) == (30.0, {"n": 2})
    assert (edited.spec.options.priority, edited.spec.overlap) == (7, Overlap.ALLOW)
    changed = schedules.edit("tock", on_change="data/*.csv", jitter=0)
    assert changed.spec.rule.when == FileChange(("data/*.csv",))
    assert (changed.spec.name, changed.next_due) == ("tock", None)


def test_moments_are_shown_before_saving(schedules):
    assert len(schedules.preview(every=60, start="2190-01-01", zone="UTC")) == 10
    assert schedules.ls() == []


@pytest.mark.parametrize(
    "what",
    [{}, {"cron": "x"}, {"every": 5, "at": "2190-01-01"}, {"every": 5, "overlap": "maybe"},
     {"every": 5, "overlaps": "skip"}, {"every": 5, "version": "soon"},
     {"every": [5]}, {"every": 5, "start": True}],
)  # fmt: skip
def test_what_is_wrong_is_refused(schedules, what):
    with pytest.raises((InputError, NotFoundError)):
        schedules.add("tick.flow.json", **what)
    assert schedules.ls() == []
