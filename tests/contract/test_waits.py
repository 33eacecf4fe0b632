"""What every coordinator promises of runs that wait: one outcome for each wait, none is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from iaiflow_lab.errors import ConflictError, InputError, NotFoundError, StaleFenceError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState, StepState, WaitOutcome
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.store.waits import Answer

ONE, TWO = "worker:elsewhere:1:1:one", "worker:elsewhere:2:1:two"
APPROVED, REFUSED = Answer(WaitOutcome.APPROVED, by="anna"), Answer(WaitOutcome.REFUSED, by="ben")


def take(rig, owner=ONE):
    claim = rig.coordinator.claim(owner, ["default"])
    assert claim is not None
    rig.coordinator.start(claim.run_id, claim.fence)
    return claim


def started(step):
    return ev.StepStarted(at=1.0, step=step, node=step, type="t")


def waiting(step, kind="approval", key="k", **more):
    return ev.StepWaiting(at=1.0, step=step, node=step, key=key, wait_kind=kind, **more)


def finished(step):
    state = StepState.COMPLETED
    return ev.StepFinished(at=1.0, step=step, node=step, type="t", state=state)


def open_wait(rig, *waits):
    """Claim a run, open waits in it, and return its claim."""
    rig.put()
    claim = take(rig)
    events = [event for wait in waits for event in (started(wait.step), wait)]
    rig.coordinator.append(claim.run_id, claim.fence, events)
    return claim


def park(rig, claim, seen=0, due=None):
    settlement = Settlement(RunState.WAITING, seen=seen, due=due)
    rig.coordinator.settle(claim.run_id, claim.fence, settlement)
    return rig.state(claim.run_id)


def outcomes(rig, run_id):
    found = [event for event in rig.events(run_id) if isinstance(event, ev.WaitAnswered)]
    return [(event.step, event.outcome, event.value, event.by) for event in found]


def test_an_approval_wakes_a_parked_run_and_is_in_the_next_claim(rig):
    asked = waiting("ok", message="Ship it?", form={"type": "object"})
    claim = open_wait(rig, asked)
    assert park(rig, claim) is RunState.WAITING
    assert rig.coordinator.claim(TWO, ["default"]) is None
    rig.answer(claim.run_id, "", Answer(WaitOutcome.APPROVED, {"n": 1}, "anna", "fine"))
    assert rig.state(claim.run_id) is RunState.QUEUED
    again = take(rig, TWO)
    (given,) = again.answers
    assert (given.step, given.key, given.outcome) == ("ok", "k", "approved")
    assert (given.value, given.by, given.reason) == ({"n": 1}, "anna", "fine")
    assert (again.waits, again.attempt) == ([], 1)
    assert rig.coordinator.answers(again.run_id, again.fence) == [given]


def test_a_claim_tells_what_is_still_waited_for(rig):
    asked = waiting("s", "signal", name="go", message="m", due=rig.clock.now() + 9, form={})
    claim = open_wait(rig, asked, waiting("other"))
    park(rig, claim)
    rig.answer(claim.run_id, "other", REFUSED)
    assert take(rig).waits == [asked]


def test_an_answer_is_taken_once(rig):
    claim = open_wait(rig, waiting("ok"))
    park(rig, claim)
    rig.answer(claim.run_id, "ok", APPROVED)
    with pytest.raises(ConflictError, match=r"was approved by anna on ") as refusal:
        rig.answer(claim.run_id, "ok", REFUSED)
    assert refusal.value.code == "wait-answered"
    assert outcomes(rig, claim.run_id) == [("ok", "approved", None, "anna")]


def test_of_many_answers_at_once_one_counts(rig):
    claim = open_wait(rig, waiting("ok"))

    def approve(number):
        try:
            rig.answer(claim.run_id, "ok", Answer(WaitOutcome.APPROVED, by=f"person {number}"))
        except ConflictError:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(approve, range(24))) == 1
    assert len(outcomes(rig, claim.run_id)) == 1


def test_an_answer_that_the_worker_has_not_seen_keeps_the_run_from_parking(rig):
    claim = open_wait(rig, waiting("ok"))
    rig.answer(claim.run_id, "ok", APPROVED)
    assert park(rig, claim, seen=0) is RunState.QUEUED
    again = take(rig)
    rig.coordinator.append(again.run_id, again.fence, [started("ok"), waiting("ok", key="next")])
    assert park(rig, again, seen=1) is RunState.WAITING


def test_a_run_with_nothing_to_wait_for_is_never_parked(rig):
    rig.put()
    assert park(rig, take(rig)) is RunState.QUEUED


def test_a_moment_wakes_a_run_by_itself(rig):
    due = rig.clock.now() + 30 * 86_400
    claim = open_wait(rig, waiting("d", "delay", due=due), waiting("a", due=due + 5))
    assert park(rig, claim) is RunState.WAITING
    rig.clock.advance(30 * 86_400 - 1)
    assert rig.coordinator.claim(ONE, ["default"]) is None
    while rig.coordinator.changed():
        pass
    rig.clock.advance(1)
    assert rig.coordinator.changed()
    again = take(rig)
    assert [(a.step, a.outcome) for a in again.answers] == [("d", "due")]
    assert park(rig, again, seen=1) is RunState.WAITING
    rig.clock.advance(5)
    rig.coordinator.sweep()
    assert rig.state(claim.run_id) is RunState.QUEUED
    assert outcomes(rig, claim.run_id)[-1][:2] == ("a", "timed-out")


def test_a_moment_that_came_before_the_run_parks_queues_it(rig):
    claim = open_wait(rig, waiting("d", "until", due=rig.clock.now() + 2))
    rig.clock.advance(2)
    assert park(rig, claim) is RunState.QUEUED
    assert outcomes(rig, claim.run_id) == [("d", "due", None, "")]


def test_answers_end_what_is_due_for_the_holder_only(rig):
    claim = open_wait(rig, waiting("d", "delay", due=rig.clock.now() + 2))
    assert rig.coordinator.answers(claim.run_id, claim.fence) == []
    rig.clock.advance(2)
    found = rig.coordinator.answers(claim.run_id, claim.fence)
    assert [(a.step, a.outcome) for a in found] == [("d", "due")]
    assert rig.coordinator.answers(claim.run_id, claim.fence) == found
    with pytest.raises(StaleFenceError):
        rig.coordinator.answers(claim.run_id, claim.fence + 1)


def test_an_answer_after_its_time_is_refused_although_nobody_looked(rig):
    claim = open_wait(rig, waiting("ok", due=rig.clock.now() + 2))
    park(rig, claim)
    rig.clock.advance(2)
    with pytest.raises(ConflictError, match="ended by itself"):
        rig.answer(claim.run_id, "ok", APPROVED)
    rig.coordinator.sweep()
    assert outcomes(rig, claim.run_id) == [("ok", "timed-out", None, "")]


def test_a_backoff_beside_a_wait_wakes_the_run_too(rig):
    claim = open_wait(rig, waiting("ok"))
    assert park(rig, claim, due=rig.clock.now() + 20) is RunState.WAITING
    rig.clock.advance(20)
    assert take(rig).run_id == claim.run_id


def test_an_early_signal_is_kept_and_taken_when_its_wait_opens(rig):
    run_id = rig.put()
    assert rig.signal(run_id, "go", {"n": 1}).step == ""
    assert rig.signal(run_id, "go", {"n": 2}).step == ""
    claim = take(rig)
    first, second = waiting("a", "signal", name="go"), waiting("b", "webhook", name="go")
    rig.coordinator.append(run_id, claim.fence, [started("a"), first])
    assert outcomes(rig, run_id) == [("a", "answered", {"n": 1}, "anna")]
    rig.coordinator.append(run_id, claim.fence, [started("b"), second])
    assert outcomes(rig, run_id)[1:] == [("b", "answered", {"n": 2}, "anna")]
    assert park(rig, claim, seen=1) is RunState.QUEUED
    numbers = rig.events(run_id)
    assert [type(event).__name__ for event in numbers].count("WaitAnswered") == 2


def test_the_oldest_wait_of_a_name_takes_the_signal(rig):
    claim = open_wait(rig, waiting("a", "signal", name="go"), waiting("b", "signal", name="stop"))
    later = ev.StepWaiting(at=2.0, step="c", node="c", key="k", wait_kind="signal", name="go")
    rig.coordinator.append(claim.run_id, claim.fence, [later])
    assert rig.signal(claim.run_id, "go", 1).step == "a"
    assert rig.signal(claim.run_id, "go", 2).step == "c"
    assert rig.signal(claim.run_id, "stop", 3).step == "b"
    found = rig.coordinator.answers(claim.run_id, claim.fence)
    assert sorted((a.step, a.value) for a in found) == [("a", 1), ("b", 3), ("c", 2)]


def test_a_signal_with_the_same_mark_is_taken_once(rig):
    claim = open_wait(rig, waiting("a", "signal", name="go"))
    assert rig.signal(claim.run_id, "go", 1, "x").step == "a"
    assert rig.signal(claim.run_id, "go", 1, "x").known
    later = ev.StepWaiting(at=2.0, step="b", node="b", key="k", wait_kind="signal", name="go")
    rig.coordinator.append(claim.run_id, claim.fence, [later])
    assert len(outcomes(rig, claim.run_id)) == 1, "the second one waits for nobody"


def test_what_does_not_fit_the_form_is_refused_and_nothing_is_kept(rig):
    form = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}
    claim = open_wait(rig, waiting("a", "signal", name="go", form=form), waiting("ok", form=form))
    for wrong in ({"n": "x"}, {}, 3, None):
        with pytest.raises(InputError, match="answer"):
            rig.signal(claim.run_id, "go", wrong)
    with pytest.raises(InputError):
        rig.answer(claim.run_id, "ok", APPROVED)
    rig.answer(claim.run_id, "ok", REFUSED)
    assert outcomes(rig, claim.run_id) == [("ok", "refused", None, "ben")]
    assert rig.signal(claim.run_id, "go", {"n": 1}).step == "a"


def test_an_early_signal_that_does_not_fit_is_left_for_another_wait(rig):
    run_id = rig.put()
    rig.signal(run_id, "go", "text")
    rig.signal(run_id, "go", 5)
    claim = take(rig)
    numbers = waiting("a", "signal", name="go", form={"type": "number"})
    rig.coordinator.append(run_id, claim.fence, [numbers, waiting("b", "signal", name="go")])
    assert outcomes(rig, run_id) == [
        ("a", "answered", 5, "anna"),
        ("b", "answered", "text", "anna"),
    ]


def test_what_is_left_takes_no_signal(rig):
    claim = open_wait(rig, waiting("a", "signal", name="go"), waiting("b", "signal", name="go"))
    rig.coordinator.append(claim.run_id, claim.fence, [ev.WaitLeft(at=1.0, step="a", key="k")])
    rig.coordinator.append(claim.run_id, claim.fence, [finished("b")])
    assert rig.signal(claim.run_id, "go", 1).step == ""
    with pytest.raises(NotFoundError, match="does not wait"):
        rig.answer(claim.run_id, "a", Answer(WaitOutcome.ANSWERED))
    rig.coordinator.append(claim.run_id, claim.fence, [waiting("a", "signal", name="go")])
    assert outcomes(rig, claim.run_id) == [("a", "answered", 1, "anna")]


def test_a_wait_that_is_opened_again_keeps_its_first_moment_and_its_answer(rig):
    now = rig.clock.now()
    claim = open_wait(rig, waiting("d", "delay", due=now + 5), waiting("ok"))
    again = [waiting("d", "delay", due=now + 500), waiting("ok")]
    rig.answer(claim.run_id, "ok", APPROVED)
    rig.coordinator.append(claim.run_id, claim.fence, again)
    park(rig, claim, seen=1)
    rig.clock.advance(5)
    rig.coordinator.sweep()
    assert [found[:2] for found in outcomes(rig, claim.run_id)] == [
        ("ok", "approved"),
        ("d", "due"),
    ]


def test_a_worker_cannot_end_a_wait_itself(rig):
    claim = open_wait(rig, waiting("ok"))
    forged = ev.WaitAnswered(at=1.0, step="ok", key="k", outcome="approved")
    with pytest.raises(InputError, match="not by an event"):
        rig.coordinator.append(claim.run_id, claim.fence, [forged])


def test_which_step_is_meant_must_be_clear(rig):
    claim = open_wait(rig, waiting("a"), waiting("b"))
    with pytest.raises(InputError, match="a, b"):
        rig.answer(claim.run_id, "", APPROVED)
    with pytest.raises(NotFoundError, match="'c'"):
        rig.answer(claim.run_id, "c", APPROVED)
    rig.answer(claim.run_id, "a", APPROVED)
    rig.answer(claim.run_id, "", REFUSED)
    assert [found[:2] for found in outcomes(rig, claim.run_id)] == [
        ("a", "approved"),
        ("b", "refused"),
    ]


def test_a_run_that_has_ended_takes_nothing(rig):
    claim = open_wait(rig, waiting("ok"))
    park(rig, claim)
    assert rig.cancel(claim.run_id) is RunState.CANCELLED
    with pytest.raises(ConflictError, match="cancelled already"):
        rig.answer(claim.run_id, "ok", APPROVED)
    with pytest.raises(ConflictError, match="cancelled already"):
        rig.signal(claim.run_id, "go", 1)


def test_a_crash_loses_no_wait_and_no_answer(rig):
    claim = open_wait(rig, waiting("ok"), waiting("s", "signal", name="go"))
    rig.answer(claim.run_id, "ok", APPROVED)
    rig.coordinator.release(ONE, "it was killed")
    again = take(rig, TWO)
    assert [(a.step, a.outcome) for a in again.answers] == [("ok", "approved")]
    assert [wait.step for wait in again.waits] == ["s"]


def test_the_time_in_which_a_run_waits_or_is_queued_again_does_not_count_for_its_limit(rig):
    run_id = rig.put(timeout=100.0)
    claim = take(rig)
    rig.coordinator.append(run_id, claim.fence, [started("ok"), waiting("ok")])
    rig.clock.advance(3)
    park(rig, claim)
    rig.clock.advance(1_000)
    rig.answer(run_id, "ok", APPROVED)
    rig.clock.advance(4_000)  # no worker is free
    assert take(rig).elapsed == pytest.approx(3.0)
