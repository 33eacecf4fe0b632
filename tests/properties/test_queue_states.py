"""The queue against a pure model: whatever happens, in whatever order, both agree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from iaiflow_lab.errors import ConflictError, NotFoundError, StaleFenceError
from iaiflow_lab.faults import NoFaults
from iaiflow_lab.ids import Ids
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import HELD, TERMINAL, TRANSITIONS, RunState, StepState, WaitOutcome
from iaiflow_lab.queue import enqueue, signals
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.settings import Settings
from iaiflow_lab.store.journal import events_after, outcomes
from iaiflow_lab.store.store import Store
from iaiflow_lab.store.waits import Answer, open_waits
from iaiflow_lab.world import World

LEASE, ATTEMPTS = 10.0, 2
LIMITS = {"queue:q2": 1, "flow:f2": 2}
OWNERS = [f"worker:elsewhere:{n}:1:x" for n in range(2)]
S = RunState


class Clock:
    def __init__(self):
        self.wall, self.uptime = 1_000.0, 50.0

    def now(self):
        return self.wall

    def monotonic(self):
        return self.uptime

    def sleep(self, seconds):
        raise AssertionError("the queue never sleeps")


class Wait:
    """What the model knows of one wait."""

    def __init__(self, step, due):
        self.step, self.due = step, due
        #: How it ended; None while it is open.
        self.outcome = None


class Expected:
    """What the model knows of one run."""

    def __init__(self, state, queue, flow, priority, due, serial=""):
        self.state, self.queue, self.flow = state, queue, flow
        self.priority, self.due, self.serial = priority, due, serial
        self.fence, self.attempt, self.owner = 0, 1, ""
        self.lease = 0.0
        self.cancel = False
        self.steps: set[str] = set()
        self.waits: dict[str, Wait] = {}
        self.early: list[int] = []
        self.timed = False
        self.history = [state]

    def become(self, state):
        assert state in TRANSITIONS[self.state]
        self.state = state
        self.history.append(state)
        if state in TERMINAL:
            self.waits = {step: wait for step, wait in self.waits.items() if wait.outcome}

    @property
    def open(self):
        return [wait for wait in self.waits.values() if wait.outcome is None]

    @property
    def answered(self):
        return len(self.waits) - len(self.open)

    @property
    def has_moment(self):
        return self.state is S.RETRYING or (self.state is S.WAITING and self.timed)

    def end_due(self, now):
        for wait in self.open:
            if wait.due is not None and wait.due <= now:
                wait.outcome = "timed-out"

    def answer(self, step, outcome, now):
        self.waits[step].outcome = outcome
        if self.state is S.WAITING:
            self.due = min(self.due, now)
            self.become(S.QUEUED)

    def lose(self):
        """Its owner has gone."""
        self.owner = ""
        if self.cancel:
            self.become(S.CANCELLED)
        elif self.attempt >= ATTEMPTS:
            self.become(S.FAILED)
        else:
            self.attempt += 1
            self.become(S.QUEUED)


class QueueMachine(RuleBasedStateMachine):
    runs = Bundle("runs")
    claims = Bundle("claims")

    @initialize(target=runs)
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="queue-"))
        self.clock, rng = Clock(), Random(0)
        self.world = World(self.clock, Ids(self.clock, rng), rng, NoFaults())
        self.store = Store.open(
            self.folder, self.world, Settings(lease_s=LEASE, max_attempts=ATTEMPTS, limits=LIMITS)
        )
        self.coordinator = LocalCoordinator(self.store, boot="boot")
        self.expected: dict[str, Expected] = {}
        self.sent = 0
        with self.store.db.write() as tx:
            tx.run("version_put", ("default", "v", "{}", 0.0))
        return multiple(*(self.put("q1", flow, 0, 0.0, draft=False) for flow in ("f1", "f2", "f2")))

    def teardown(self):
        if hasattr(self, "folder"):
            self.coordinator.close()
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(
        target=runs,
        queue=st.sampled_from(["q1", "q2"]),
        flow=st.sampled_from(["f1", "f2"]),
        priority=st.integers(-1, 1),
        delay=st.sampled_from([0.0, 0.0, 5.0]),
        draft=st.booleans(),
        serial=st.sampled_from(["", "", "one by one"]),
    )
    def put_run(self, queue, flow, priority, delay, draft, serial):
        return self.put(queue, flow, priority, delay, draft=draft, serial=serial)

    def put(self, queue, flow, priority, delay, *, draft, serial=""):
        self.clock.wall += 0.001
        due = self.clock.now() + delay
        request = enqueue.Request(
            "default",
            flow,
            "",
            "v",
            "{}",
            queue,
            priority,
            due,
            max_attempts=ATTEMPTS,
            serial=serial,
        )
        with self.store.db.write() as tx:
            run_id = enqueue.put(tx, self.world, request, draft=draft)
        state = S.DRAFT if draft else S.QUEUED
        self.expected[run_id] = Expected(state, queue, flow, priority, due, serial)
        return run_id

    @rule(run_id=runs)
    def queue_draft(self, run_id):
        run = self.expected[run_id]
        with self.store.db.write() as tx:
            if run.state is not S.DRAFT:
                with pytest.raises(ConflictError):
                    enqueue.queue_draft(tx, self.world, run_id)
                return
            enqueue.queue_draft(tx, self.world, run_id)
        run.due = max(run.due, self.clock.now())
        run.become(S.QUEUED)

    @rule(
        target=claims,
        owner=st.sampled_from(OWNERS),
        queues=st.sampled_from([["q1"], ["q2"], ["q1", "q2"]]),
    )
    def claim(self, owner, queues):
        self.wake()
        free = sorted(
            (run.priority, run.due, run_id)
            for run_id, run in self.expected.items()
            if run.state is S.QUEUED and run.queue in queues and run.due <= self.clock.now()
            if not self.is_full(run) and not self.goes_after_another(run)
        )
        claim = self.coordinator.claim(owner, queues)
        if not free:
            assert claim is None
            return multiple()
        assert claim is not None
        run = self.expected[claim.run_id]
        assert claim.run_id == free[0][2]
        run.become(S.CLAIMED)
        run.fence += 1
        run.owner, run.lease = owner, self.clock.uptime + LEASE
        assert (claim.fence, claim.attempt) == (run.fence, run.attempt)
        assert {step.step for step in claim.steps} == run.steps
        return claim

    def is_full(self, run):
        held = [other for other in self.expected.values() if other.state in HELD]
        return any(
            len([other for other in held if getattr(other, kind) == getattr(run, kind)]) >= limit
            for kind in ("queue", "flow")
            for name, limit in LIMITS.items()
            if name == f"{kind}:{getattr(run, kind)}"
        )

    def goes_after_another(self, run):
        return run.serial != "" and any(
            other is not run and other.fence and other.state not in TERMINAL
            for other in self.expected.values()
            if other.serial == run.serial
        )

    def wake(self):
        for run in self.expected.values():
            if run.has_moment and run.due <= self.clock.now():
                run.end_due(self.clock.now())
                run.become(S.QUEUED)

    def holds(self, claim):
        run = self.expected[claim.run_id]
        return run.state in HELD and run.fence == claim.fence

    @rule(claim=claims)
    def start(self, claim):
        run = self.expected[claim.run_id]
        if self.holds(claim) and run.state is S.CLAIMED:
            self.coordinator.start(claim.run_id, claim.fence)
            run.become(S.RUNNING)
        else:
            with pytest.raises(ConflictError):
                self.coordinator.start(claim.run_id, claim.fence)

    @rule(claim=claims, step=st.sampled_from(["a", "b"]))
    def append(self, claim, step):
        run = self.expected[claim.run_id]
        done = ev.StepFinished(at=1.0, step=step, node=step, type="t", state=StepState.COMPLETED)
        events = [ev.StepStarted(at=1.0, step=step, node=step, type="t"), done]
        if not self.holds(claim):
            with pytest.raises(StaleFenceError):
                self.coordinator.append(claim.run_id, claim.fence, events)
        elif step in run.steps:
            with pytest.raises(ConflictError):
                self.coordinator.append(claim.run_id, claim.fence, events)
        else:
            self.coordinator.append(claim.run_id, claim.fence, events)
            run.steps.add(step)

    @rule(
        claim=claims,
        state=st.sampled_from([S.COMPLETED, S.FAILED, S.CANCELLED, S.QUEUED, S.RETRYING]),
    )
    def settle(self, claim, state):
        run = self.expected[claim.run_id]
        due = self.clock.now() + 5 if state is S.RETRYING else None
        wanted = S.CANCELLED if run.cancel and state in {S.QUEUED, S.RETRYING} else state
        if self.holds(claim) and wanted in TRANSITIONS[run.state]:
            self.coordinator.settle(claim.run_id, claim.fence, Settlement(state, due=due))
            run.become(wanted)
            run.owner = ""
            run.due = run.due if due is None or wanted is S.CANCELLED else due
        else:
            with pytest.raises(ConflictError):
                self.coordinator.settle(claim.run_id, claim.fence, Settlement(state, due=due))

    @rule(
        claim=claims,
        step=st.sampled_from(["go", "ok"]),
        delay=st.sampled_from([None, None, 4.0, 20.0]),
    )
    def open_wait(self, claim, step, delay):
        """Open the wait for a signal `go`, or for an approval `ok`."""
        run, now = self.expected[claim.run_id], self.clock.now()
        due = None if delay is None else now + delay
        kind, name = ("signal", "go") if step == "go" else ("approval", "")
        event = ev.StepWaiting(
            at=now, step=step, node=step, key="k", wait_kind=kind, name=name, due=due
        )
        if not self.holds(claim):
            with pytest.raises(StaleFenceError):
                self.coordinator.append(claim.run_id, claim.fence, [event])
            return
        self.coordinator.append(claim.run_id, claim.fence, [event])
        wait = run.waits.setdefault(step, Wait(step, due))
        if step == "go" and wait.outcome is None and run.early:
            wait.outcome = f"answered {run.early.pop(0)}"

    @rule(claim=claims, sees_all=st.booleans(), delay=st.sampled_from([None, None, 6.0]))
    def park(self, claim, sees_all, delay):
        run, now = self.expected[claim.run_id], self.clock.now()
        due = None if delay is None else now + delay
        seen = run.answered if sees_all else 0
        settlement = Settlement(S.WAITING, seen=seen, due=due)
        late = [wait for wait in run.open if wait.due is not None and wait.due <= now]
        moments = [wait.due for wait in run.open if wait.due is not None] + [due] * bool(due)
        has_more = run.answered + len(late) > seen or not (run.open or moments)
        wanted = S.CANCELLED if run.cancel else S.QUEUED if has_more else S.WAITING
        if not self.holds(claim) or wanted not in TRANSITIONS[run.state]:
            with pytest.raises(ConflictError):
                self.coordinator.settle(claim.run_id, claim.fence, settlement)
            return
        self.coordinator.settle(claim.run_id, claim.fence, settlement)
        run.end_due(now)
        run.owner = ""
        run.timed = bool(moments)
        if wanted is S.WAITING and moments:
            run.due = min(moments)
        run.become(wanted)

    @rule(claim=claims)
    def answers(self, claim):
        run = self.expected[claim.run_id]
        if not self.holds(claim):
            with pytest.raises(StaleFenceError):
                self.coordinator.answers(claim.run_id, claim.fence)
            return
        found = self.coordinator.answers(claim.run_id, claim.fence)
        run.end_due(self.clock.now())
        assert {told(answer) for answer in found} == {
            (wait.step, wait.outcome) for wait in run.waits.values() if wait.outcome
        }

    @rule(run_id=runs)
    def signal(self, run_id):
        self.clock.wall += 0.001  # no two signals are sent in the same instant
        run, now = self.expected[run_id], self.clock.now()
        self.sent += 1
        with self.store.db.write() as tx:
            message = signals.Signal("go", self.sent, "anna")
            if run.state in TERMINAL:
                with pytest.raises(ConflictError):
                    signals.deliver(tx, self.world, run_id, message)
                return
            signals.deliver(tx, self.world, run_id, message)
        ended = run.answered
        run.end_due(now)
        if "go" in run.waits and run.waits["go"].outcome is None:
            run.answer("go", f"answered {self.sent}", now)
        else:
            run.early.append(self.sent)
        if run.answered > ended and run.state is S.WAITING:
            run.due = min(run.due, now)
            run.become(S.QUEUED)

    @rule(run_id=runs, outcome=st.sampled_from([WaitOutcome.APPROVED, WaitOutcome.REFUSED]))
    def decide(self, run_id, outcome):
        run, now = self.expected[run_id], self.clock.now()
        wait = run.waits.get("ok")
        is_late = wait is not None and wait.due is not None and wait.due <= now
        can = run.state not in TERMINAL and wait is not None and not wait.outcome and not is_late
        try:
            with self.store.db.write() as tx:
                signals.answer(tx, self.world, run_id, "ok", Answer(outcome, by="anna"))
        except (ConflictError, NotFoundError):
            assert not can
        else:
            assert can
            run.end_due(now)
            run.answer("ok", outcome.value, now)

    @rule(owner=st.sampled_from(OWNERS))
    def crash(self, owner):
        mine = [r for r, run in self.expected.items() if run.state in HELD and run.owner == owner]
        assert sorted(self.coordinator.release(owner, "it was killed")) == sorted(mine)
        for run_id in mine:
            self.expected[run_id].lose()

    @rule(owner=st.sampled_from(OWNERS))
    def beat(self, owner):
        pulse = self.coordinator.beat(owner)
        mine = {r: run for r, run in self.expected.items() if run.owner == owner}
        assert set(pulse.cancel) == {run_id for run_id, run in mine.items() if run.cancel}
        assert not set(pulse.lost) & set(mine)
        for run in mine.values():
            run.lease = self.clock.uptime + LEASE

    @rule(seconds=st.sampled_from([1.0, 6.0, 11.0]), jump=st.sampled_from([0.0, 0.0, 3_600.0]))
    def advance(self, seconds, jump):
        self.clock.wall += seconds + jump
        self.clock.uptime += seconds

    @rule()
    def sweep(self):
        lost = [
            run_id
            for run_id, run in self.expected.items()
            if run.state in HELD and run.lease < self.clock.uptime
        ]
        assert sorted(self.coordinator.sweep()) == sorted(lost)
        self.wake()
        for run_id in lost:
            self.expected[run_id].lose()

    @rule(run_id=runs)
    def cancel(self, run_id):
        run = self.expected[run_id]
        with self.store.db.write() as tx:
            if run.state in TERMINAL - {S.CANCELLED}:
                with pytest.raises(ConflictError):
                    enqueue.cancel(tx, self.world, run_id, "asked")
                return
            state = enqueue.cancel(tx, self.world, run_id, "asked")
        if run.state is S.RUNNING:
            run.cancel = True
        elif run.state is not S.CANCELLED:
            run.owner = ""
            run.become(S.CANCELLED)
        assert state is run.state

    @invariant()
    def both_agree(self):
        if not hasattr(self, "expected"):
            return
        with self.store.db.read() as reader:
            rows = {row["id"]: dict(row) for row in reader.all("runs_list", EVERYTHING)}
            assert rows.keys() == self.expected.keys()  # no run is lost, none appears
            for run_id, run in self.expected.items():
                row = rows[run_id]
                assert (row["state"], row["fence"], row["attempt"], row["owner"]) == (
                    run.state,
                    run.fence,
                    run.attempt,
                    run.owner,
                )
                self.check_journal(reader, run_id, run, row["seq"])

    def check_journal(self, reader: Any, run_id: str, run: Expected, last: int) -> None:
        events = events_after(reader, run_id)
        assert [seq for seq, _ in events] == list(range(1, last + 1))
        history = [event.state for _, event in events if isinstance(event, ev.RunChanged)]
        assert history == run.history
        assert {step.step for step in outcomes(reader, run_id)} == run.steps
        answers = [told(event) for _, event in events if isinstance(event, ev.WaitAnswered)]
        known = [(wait.step, wait.outcome) for wait in run.waits.values() if wait.outcome]
        assert sorted(answers) == sorted(known)  # each wait has one outcome, and the right one
        assert {wait.step for wait in open_waits(reader, run_id)} == {w.step for w in run.open}
        assert run.state is not S.WAITING or run.open or run.timed
        for name, limit in LIMITS.items():
            kind, subject = name.split(":")
            held = [other for other in self.expected.values() if other.state in HELD]
            assert len([other for other in held if getattr(other, kind) == subject]) <= limit


def told(answer):
    value = "" if answer.value is None else f" {answer.value}"
    return answer.step, f"{answer.outcome}{value}"


EVERYTHING = {
    "project": "default",
    "before": "\uffff",
    "states": None,
    "flow": None,
    "queue": None,
    "limit": 10_000,
}


@pytest.mark.slow
def test_the_queue_does_what_the_model_does(soak):
    run_state_machine_as_test(
        QueueMachine,
        settings=settings(max_examples=soak(120, 4_000), stateful_step_count=60, deadline=None),
    )
