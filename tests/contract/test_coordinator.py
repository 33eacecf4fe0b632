"""What every coordinator promises (`iaiflow_lab/queue/protocol.py`)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from iaiflow_lab.errors import ConflictError, InputError, NotFoundError, StaleFenceError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.protocol import Settlement

ONE, TWO = "worker:elsewhere:1:1:one", "worker:elsewhere:2:1:two"
COMPLETED = Settlement(RunState.COMPLETED)
DEFAULT = ["default"]


def finished(step, state=StepState.COMPLETED, **more):
    return ev.StepFinished(at=1.0, step=step, node=step, type="t", state=state, **more)


def take(rig, owner=ONE, queues=DEFAULT, run_id=""):
    claim = rig.coordinator.claim(owner, queues, run_id)
    assert claim is not None
    rig.coordinator.start(claim.run_id, claim.fence)
    return claim


def states(rig, run_id):
    return [event.state for event in rig.events(run_id) if isinstance(event, ev.RunChanged)]


def test_a_run_goes_its_way_and_its_journal_tells_it(rig):
    run_id = rig.put(inputs='{"topic": "x"}', timeout=9.0, budget='{"calls": 3}', use_cache=True)
    claim = rig.coordinator.claim(ONE, DEFAULT)
    assert (claim.run_id, claim.fence, claim.attempt) == (run_id, 1, 1)
    assert (claim.inputs, claim.timeout, claim.use_cache) == ({"topic": "x"}, 9.0, True)
    assert claim.budget == {"calls": 3}
    assert rig.state(run_id) is RunState.CLAIMED
    rig.coordinator.start(run_id, 1)
    rig.coordinator.append(run_id, 1, [finished("a")])
    outputs = {"out": ev.OutputRef("json", inline=3)}
    rig.coordinator.settle(run_id, 1, Settlement(RunState.COMPLETED, outputs=outputs))
    assert states(rig, run_id) == ["queued", "claimed", "running", "completed"]
    assert rig.events(run_id)[-1].outputs == outputs


def test_nothing_due_gives_nothing(rig):
    assert rig.coordinator.claim(ONE, DEFAULT) is None
    assert rig.coordinator.claim(ONE, []) is None


def test_priority_then_due_time_then_id(rig):
    now = rig.clock.now()
    late = rig.put(run_at=now - 1)
    early = rig.put(run_at=now - 2)
    urgent = rig.put(priority=-1)
    same = sorted([rig.put(run_at=now - 1.5), rig.put(run_at=now - 1.5)])
    order = [take(rig).run_id for _ in range(5)]
    assert order == [urgent, early, *same, late]


def test_a_worker_takes_from_its_queues_only(rig):
    gpu = rig.put(queue="gpu")
    assert rig.coordinator.claim(ONE, DEFAULT) is None
    assert take(rig, queues=["default", "gpu"]).run_id == gpu


def test_a_delayed_run_waits_for_its_moment_and_announces_it(rig):
    run_id = rig.put(run_at=rig.clock.now() + 60)
    assert rig.coordinator.claim(ONE, DEFAULT) is None
    while rig.coordinator.changed():
        pass
    rig.clock.advance(59)
    assert rig.coordinator.claim(ONE, DEFAULT) is None
    assert not rig.coordinator.changed()
    rig.clock.advance(1)
    assert rig.coordinator.changed()
    assert take(rig).run_id == run_id


def test_a_clock_that_jumps_back_delays_nothing(rig):
    run_id = rig.put()
    rig.clock.wall -= 3_600
    assert take(rig).run_id == run_id


def test_changes_are_noticed_once(rig):
    rig.coordinator.changed()
    assert not rig.coordinator.changed()
    rig.put()
    assert rig.coordinator.changed()
    assert not rig.coordinator.changed()


def test_exactly_one_run_may_be_asked_for(rig):
    rig.put()
    wanted = rig.put(priority=9)
    assert take(rig, queues=[], run_id=wanted).run_id == wanted
    assert rig.coordinator.claim(TWO, [], wanted) is None
    with pytest.raises(NotFoundError, match="no run"):
        rig.coordinator.claim(TWO, [], "run_unknown")


def test_a_private_queue_serves_its_owner_only(rig):
    run_id = rig.put(queue=f"kernel:{ONE}")
    assert rig.coordinator.claim(TWO, [], run_id) is None
    assert take(rig, ONE, [], run_id).run_id == run_id


def test_limits_hold_for_queues_and_flows(rig):
    assert rig.coordinator.limits() == {"queue:narrow": 1, "flow:one": 1}
    first, second = rig.put(queue="narrow"), rig.put(queue="narrow")
    claim = take(rig, queues=["narrow"])
    assert claim.run_id == first
    assert rig.coordinator.claim(TWO, ["narrow"]) is None
    assert rig.coordinator.claim(TWO, [], second) is None
    rig.coordinator.settle(first, claim.fence, COMPLETED)
    assert take(rig, TWO, ["narrow"]).run_id == second

    held, blocked, free = rig.put(flow="one"), rig.put(flow="one"), rig.put(priority=5)
    assert take(rig).run_id == held
    assert take(rig).run_id == free
    assert rig.coordinator.claim(TWO, [], blocked) is None


@pytest.mark.parametrize(
    "write",
    [
        lambda c, run, fence: c.start(run, fence),
        lambda c, run, fence: c.append(run, fence, [finished("late")]),
        lambda c, run, fence: c.settle(run, fence, COMPLETED),
    ],
)
def test_every_write_under_a_stale_fence_is_refused(rig, write):
    claim = take(rig) if rig.put() else None
    rig.coordinator.release(ONE, "it was killed")
    with pytest.raises(StaleFenceError):
        write(rig.coordinator, claim.run_id, claim.fence)
    again = take(rig, TWO)
    before = rig.events(claim.run_id)
    with pytest.raises(StaleFenceError):
        write(rig.coordinator, claim.run_id, claim.fence)
    assert again.fence > claim.fence
    assert rig.events(claim.run_id) == before


def test_a_crash_raises_the_attempt_and_keeps_what_was_recorded(rig):
    run_id = rig.put()
    claim = take(rig)
    once = ev.SubstepRecorded(at=1.0, step="b", key="k", output=ev.OutputRef("json", inline=1))
    error = ev.ErrorInfo("boom", "It failed.")
    retrying = ev.StepRetrying(at=1.0, step="c", node="c", attempt=2, due=9.0, error=error)
    rig.coordinator.append(run_id, claim.fence, [finished("a"), once, retrying])
    assert rig.coordinator.release(ONE, "it was killed") == [run_id]
    again = take(rig, TWO)
    assert (again.attempt, again.steps, again.substeps) == (2, [finished("a")], [once])
    assert (again.attempts, again.due) == ({"c": 2}, {"c": 9.0})
    with pytest.raises(ConflictError) as refusal:
        rig.coordinator.append(run_id, again.fence, [finished("z"), finished("a")])
    assert refusal.value.code == "step-settled"
    assert [event for event in rig.events(run_id) if getattr(event, "step", "") == "z"] == []


@pytest.mark.parametrize(
    "passing",
    [
        finished("a", StepState.CANCELLED),
        finished("a", outputs={"out": ev.OutputRef("live", preview="<Model>")}),
    ],
)
def test_an_outcome_that_nobody_can_go_on_from_may_be_followed_by_another(rig, passing):
    run_id = rig.put()
    claim = take(rig)
    rig.coordinator.append(run_id, claim.fence, [passing])
    rig.coordinator.settle(run_id, claim.fence, Settlement(RunState.QUEUED))
    again = take(rig)
    started = ev.StepStarted(at=1.0, step="a", node="a", type="t")
    rig.coordinator.append(run_id, again.fence, [started])
    rig.coordinator.append(run_id, again.fence, [finished("a")])
    with pytest.raises(ConflictError):
        rig.coordinator.append(run_id, again.fence, [finished("a")])
    rig.coordinator.release(ONE, "it was killed")
    assert take(rig).steps == [finished("a")]


def test_a_claim_tells_how_long_the_run_was_executed(rig):
    run_id = rig.put(timeout=100.0)
    for elapsed in (0.0, 7.0, 14.0):
        claim = take(rig)
        assert claim.elapsed == pytest.approx(elapsed)
        rig.clock.advance(7)
        rig.coordinator.settle(run_id, claim.fence, Settlement(RunState.QUEUED))
        rig.clock.advance(1_000)  # queued


def test_a_backoff_without_a_worker_does_not_count_for_the_limit(rig):
    run_id = rig.put(timeout=100.0)
    claim = take(rig)
    rig.clock.advance(3)
    settlement = Settlement(RunState.RETRYING, due=rig.clock.now() + 600)
    rig.coordinator.settle(run_id, claim.fence, settlement)
    rig.clock.advance(900)
    assert take(rig).elapsed == pytest.approx(3.0)


def test_of_a_lost_worker_the_time_until_its_last_event_counts(rig):
    run_id = rig.put(timeout=100.0)
    claim = take(rig)
    rig.clock.advance(5)
    event = ev.StepStarted(at=rig.clock.now(), step="a", node="a", type="t")
    rig.coordinator.append(run_id, claim.fence, [event])
    rig.clock.advance(50_000)  # nobody was there to notice
    rig.coordinator.release(ONE, "it was killed")
    assert take(rig).elapsed == pytest.approx(5.0)


def test_giving_back_raises_no_attempt(rig):
    run_id = rig.put()
    for fence in (1, 2, 3, 4, 5):
        claim = take(rig)
        assert (claim.run_id, claim.attempt, claim.fence) == (run_id, 1, fence)
        rig.coordinator.settle(run_id, fence, Settlement(RunState.QUEUED))


def test_a_run_that_crashes_too_often_fails(rig):
    run_id = rig.put()
    for _ in range(3):
        take(rig)
        rig.coordinator.release(ONE, "it was killed")
    last = rig.events(run_id)[-1]
    assert (last.state, last.error.code) == (RunState.FAILED, "crashed")
    assert rig.coordinator.claim(ONE, DEFAULT) is None


def test_the_end_of_a_kernel_fails_its_run(rig):
    run_id = rig.put(queue=f"kernel:{ONE}")
    take(rig, ONE, [], run_id)
    rig.coordinator.release(ONE, "its process ended")
    assert rig.events(run_id)[-1].error.code == "kernel-lost"


def test_silence_loses_a_run_and_beating_keeps_it(rig):
    run_id = rig.put()
    claim = take(rig)
    for _ in range(4):
        rig.clock.advance(6)
        assert rig.coordinator.beat(ONE).lost == []
        assert rig.coordinator.sweep() == []
    rig.clock.advance(10.5)
    assert rig.coordinator.sweep() == [run_id]
    assert rig.coordinator.beat(ONE).lost == [run_id]
    assert take(rig, TWO).fence == claim.fence + 1


def test_wall_clock_jumps_take_no_live_run_away(rig):
    rig.put()
    take(rig)
    for jump in (3_600, -7_200, 86_400):
        rig.clock.wall += jump
        assert rig.coordinator.sweep() == []


def test_what_nobody_executes_is_cancelled_at_once(rig):
    run_id = rig.put()
    assert rig.cancel(run_id) is RunState.CANCELLED
    claimed = rig.put()
    claim = rig.coordinator.claim(ONE, DEFAULT)
    assert rig.cancel(claimed) is RunState.CANCELLED
    with pytest.raises(StaleFenceError):
        rig.coordinator.start(claimed, claim.fence)
    assert rig.coordinator.claim(ONE, DEFAULT) is None


def test_a_running_run_is_cancelled_by_its_worker(rig):
    run_id = rig.put()
    claim = take(rig)
    assert not rig.coordinator.cancel_requested(run_id)
    assert rig.cancel(run_id) is RunState.RUNNING
    assert rig.coordinator.cancel_requested(run_id)
    assert rig.coordinator.beat(ONE).cancel == [run_id]
    rig.coordinator.settle(run_id, claim.fence, Settlement(RunState.CANCELLED))
    assert rig.state(run_id) is RunState.CANCELLED
    assert rig.cancel(run_id) is RunState.CANCELLED


def test_a_cancellation_outlives_its_worker(rig):
    died, gave_back = rig.put(), rig.put()
    take(rig, ONE)
    claim = take(rig, TWO)
    rig.cancel(died)
    rig.cancel(gave_back)
    rig.coordinator.release(ONE, "it was killed")
    rig.coordinator.settle(gave_back, claim.fence, Settlement(RunState.QUEUED))
    assert rig.state(died) is rig.state(gave_back) is RunState.CANCELLED


def test_what_has_ended_is_not_cancelled(rig):
    run_id = rig.put()
    rig.coordinator.settle(run_id, take(rig).fence, COMPLETED)
    with pytest.raises(ConflictError, match="completed already"):
        rig.cancel(run_id)


def test_a_backoff_frees_the_worker_until_it_is_due(rig):
    run_id = rig.put()
    due = rig.clock.now() + 30
    rig.coordinator.settle(run_id, take(rig).fence, Settlement(RunState.RETRYING, due=due))
    assert rig.state(run_id) is RunState.RETRYING
    assert rig.coordinator.claim(ONE, DEFAULT) is None
    rig.clock.advance(30)
    assert rig.coordinator.changed()
    again = take(rig)
    assert (again.run_id, again.attempt) == (run_id, 1)


def test_a_settlement_must_be_one(rig):
    run_id = rig.put()
    claim = take(rig)
    with pytest.raises(InputError, match="settled as running"):
        rig.coordinator.settle(run_id, claim.fence, Settlement(RunState.RUNNING))
    with pytest.raises(InputError, match="when it is due"):
        rig.coordinator.settle(run_id, claim.fence, Settlement(RunState.RETRYING))
    with pytest.raises(InputError, match="not by an event"):
        rig.coordinator.append(
            run_id, claim.fence, [ev.RunChanged(at=1.0, state=RunState.COMPLETED)]
        )
    assert rig.state(run_id) is RunState.RUNNING


def test_an_unstarted_run_cannot_complete(rig):
    rig.put()
    claim = rig.coordinator.claim(ONE, DEFAULT)
    with pytest.raises(ConflictError, match="cannot become completed"):
        rig.coordinator.settle(claim.run_id, claim.fence, COMPLETED)


def test_a_retry_replays_completed_steps_of_the_other_run(rig):
    old = rig.put()
    claim = take(rig)
    failed = finished("b", StepState.FAILED)
    rig.coordinator.append(old, claim.fence, [finished("a"), failed, finished("after[0]/x")])
    rig.coordinator.settle(old, claim.fence, Settlement(RunState.FAILED))
    rig.put(retry_of=old, rerun='["after"]')
    assert take(rig).replay == [finished("a")]


def test_claims_of_many_threads_are_exclusive(rig):
    runs = {rig.put() for _ in range(60)}

    def drain(owner):
        taken = []
        while claim := rig.coordinator.claim(owner, DEFAULT):
            rig.coordinator.start(claim.run_id, claim.fence)
            rig.coordinator.settle(claim.run_id, claim.fence, COMPLETED)
            taken.append(claim.run_id)
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [
            run for runs in pool.map(drain, [f"worker:t:{n}:1:x" for n in range(6)]) for run in runs
        ]
    assert sorted(taken) == sorted(runs)


def test_whoever_holds_a_run_is_given_the_secrets_of_its_project(rig):
    run_id = rig.put()
    rig.set_secret("KEY", "canary-hunter2-tail")
    claim = take(rig)
    told = rig.coordinator.secret(run_id, claim.fence, "KEY")
    assert (told.value, told.version) == ("canary-hunter2-tail", 1)
    assert "canary" not in repr(told)
    with pytest.raises(NotFoundError, match="Secret OTHER isn't set in project default"):
        rig.coordinator.secret(run_id, claim.fence, "OTHER")
    with pytest.raises(StaleFenceError):
        rig.coordinator.secret(run_id, claim.fence + 1, "KEY")
    rig.coordinator.settle(run_id, claim.fence, COMPLETED)
    with pytest.raises(StaleFenceError):
        rig.coordinator.secret(run_id, claim.fence, "KEY")
