"""Runs of one series go one after another, whatever becomes of each."""

from __future__ import annotations

import pytest

from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue.protocol import Settlement

ONE, TWO = "worker:elsewhere:1:1:one", "worker:elsewhere:2:1:two"
DEFAULT = ["default"]
COMPLETED = Settlement(RunState.COMPLETED)


def claim(rig, owner=ONE, run_id=""):
    found = rig.coordinator.claim(owner, DEFAULT, run_id)
    if found is not None:
        rig.coordinator.start(found.run_id, found.fence)
    return found


def series(rig, count=2, name="nightly"):
    return [rig.put(serial=name) for _ in range(count)]


def test_the_next_begins_when_the_one_before_has_ended(rig):
    first, second = series(rig)
    held = claim(rig)
    assert held.run_id == first
    assert claim(rig, TWO) is None
    rig.coordinator.settle(first, held.fence, COMPLETED)
    assert claim(rig, TWO).run_id == second


def test_other_runs_pass(rig):
    first, _ = series(rig)
    other, apart = rig.put(serial="hourly"), rig.put()
    assert [claim(rig).run_id for _ in range(3)] == [first, other, apart]
    assert claim(rig) is None


def test_a_run_named_exactly_waits_as_well(rig):
    first, second = series(rig)
    held = claim(rig)
    assert claim(rig, TWO, second) is None
    rig.coordinator.settle(first, held.fence, COMPLETED)
    assert claim(rig, TWO, second).run_id == second


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RETRYING])
def test_one_that_was_given_back_stays_ahead(rig, state):
    first, second = series(rig)
    held = claim(rig)
    due = rig.clock.now() + 60 if state is RunState.RETRYING else None
    rig.coordinator.settle(first, held.fence, Settlement(state, due=due))
    assert claim(rig, TWO, second) is None
    rig.clock.advance(61)
    assert claim(rig, TWO).run_id == first  # not the second, which was due before


def test_one_that_lost_its_worker_stays_ahead(rig):
    first, second = series(rig)
    assert claim(rig).run_id == first
    assert rig.coordinator.release(ONE, "it was killed") == [first]
    assert claim(rig, TWO, second) is None
    assert claim(rig, TWO).run_id == first


def test_one_that_is_cancelled_lets_the_next_go_when_it_has_ended(rig):
    first, second = series(rig)
    held = claim(rig)
    assert rig.cancel(first) is RunState.RUNNING
    assert claim(rig, TWO) is None
    rig.coordinator.settle(first, held.fence, Settlement(RunState.CANCELLED))
    assert claim(rig, TWO).run_id == second


def test_one_that_never_began_is_in_nobodys_way(rig):
    first, second = series(rig)
    assert claim(rig, ONE, second).run_id == second
    assert claim(rig, TWO, first) is None
    assert rig.cancel(first) is RunState.CANCELLED
