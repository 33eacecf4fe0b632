"""Workers, kernels and users over simulated days: a seed decides who acts, who dies, and when."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from iaiflow_lab.errors import ConflictError, NotFoundError, StaleFenceError
from iaiflow_lab.faults import POINTS
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import TERMINAL, TRANSITIONS, RunState, StepState
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import Session, waits
from iaiflow_lab.settings import Settings
from iaiflow_lab.store.journal import events_after
from iaiflow_lab.store.store import Store

SETTINGS = Settings(lease_s=10.0, max_attempts=4, limits={"flow:f0": 1})
STEPS = ("a", "b", "c")
CRASHES = [
    point for point in POINTS if point.split(".")[0] in {"claim", "append", "settle", "signal"}
]
#: The step that waits, and for what.
WAITS = "b"


class Worker:
    """One process: claims, executes step by step, settles; may pause longer than its lease."""

    def __init__(self, name, day):
        self.place, self.day = name, day
        self.lives = 0
        self.start()

    def start(self):
        """Begin a new process, with a name of its own."""
        self.lives += 1
        self.name = f"worker:elsewhere:{self.place}:{self.lives}:x"
        self.claim, self.left = None, []

    def act(self):
        coordinator = self.day.coordinator
        if self.claim is None:
            self.claim = coordinator.claim(self.name, ["default"])
            if self.claim is not None:
                coordinator.start(self.claim.run_id, self.claim.fence)
                done = {step.step for step in self.claim.steps}
                self.left = [step for step in STEPS if step not in done]
                self.opened, self.seen = False, 0
                self.day.seen_done(self.claim)
            return
        run_id, fence = self.claim.run_id, self.claim.fence
        if coordinator.cancel_requested(run_id):
            self.finish(Settlement(RunState.CANCELLED))
        elif self.left[:1] == [WAITS] and not self.is_answered():
            self.wait()
        elif self.left:
            step = self.left.pop(0)
            coordinator.append(run_id, fence, [finished(step)])
            self.day.done.setdefault(run_id, set()).add(step)
        else:
            self.finish(self.day.rng.choice(ENDINGS))

    def is_answered(self):
        """Say whether the wait has ended; as an engine does, from what it was told."""
        return any(answer.step == WAITS for answer in self.known())

    def known(self):
        return self.day.coordinator.answers(self.claim.run_id, self.claim.fence)

    def wait(self):
        """Open the wait; at the next turn, park unless an answer has come."""
        run_id, fence = self.claim.run_id, self.claim.fence
        if self.opened:
            self.finish(Settlement(RunState.WAITING, seen=self.seen))
            return
        self.seen = len(self.known())
        kind, name, due = self.day.wait_of(run_id)
        event = ev.StepWaiting(
            at=1.0, step=WAITS, node=WAITS, key="k", wait_kind=kind, name=name, due=due
        )
        self.day.coordinator.append(run_id, fence, [event])
        self.opened = True

    def finish(self, settlement):
        if settlement.state is RunState.RETRYING:
            due = self.day.clock.now() + self.day.rng.uniform(1, 60)
            settlement = Settlement(RunState.RETRYING, due=due)
        claim, self.claim = self.claim, None
        self.day.coordinator.settle(claim.run_id, claim.fence, settlement)


ENDINGS = [
    Settlement(RunState.COMPLETED),
    Settlement(RunState.COMPLETED),
    Settlement(RunState.FAILED),
    Settlement(RunState.QUEUED),
    Settlement(RunState.RETRYING),
]


def finished(step):
    state = StepState.COMPLETED
    return ev.StepFinished(at=1.0, step=step, node=step, type="t", state=state)


class Day:
    """A simulated stretch of time over one workspace."""

    def __init__(self, folder, simulated, crash):
        self.world, self.clock, self.faults, self.rng = simulated
        self.crash = crash
        folder.mkdir()
        self.store = Store.open(folder, self.world, SETTINGS)
        self.coordinator = LocalCoordinator(self.store, boot="boot")
        self.session = Session(self.store, self.coordinator, self.world, "default", folder)
        with self.store.db.write() as tx:
            tx.run("version_put", ("default", "v", "{}", 0.0))
        self.workers = [Worker(n, self) for n in range(3)]
        self.runs: list[str] = []
        self.done: dict[str, set[str]] = {}
        #: What each run waits for: kind, name of the signal, moment.
        self.waits: dict[str, tuple[str, str, float | None]] = {}
        #: Signals that were accepted, by run, and decisions that were.
        self.sent: dict[str, list[str]] = {}
        self.decided: dict[str, list[str]] = {}

    def wait_of(self, run_id):
        if run_id not in self.waits:
            kind, name = self.rng.choice([("signal", "go"), ("approval", ""), ("delay", "")])
            due = self.clock.now() + self.rng.uniform(0, 200)
            if kind != "delay" and self.rng.random() < 0.5:
                due = None
            self.waits[run_id] = (kind, name, due)
        return self.waits[run_id]

    def close(self):
        self.coordinator.close()
        self.store.close()

    def seen_done(self, claim):
        """A step whose recording was acknowledged is in every later claim."""
        known = {step.step for step in claim.steps}
        assert self.done.get(claim.run_id, set()) <= known

    def put(self):
        delay = self.rng.choice([0.0, 0.0, 30.0])
        request = enqueue.Request(
            "default",
            f"f{self.rng.randrange(3)}",
            "",
            "v",
            "{}",
            "default",
            self.rng.randrange(3),
            self.clock.now() + delay,
            SETTINGS.max_attempts,
        )
        with self.store.db.write() as tx:
            run_id = enqueue.put(tx, self.world, request)
        self.runs.append(run_id)

    def cancel(self):
        if self.runs:
            try:
                with self.store.db.write() as tx:
                    enqueue.cancel(tx, self.world, self.rng.choice(self.runs), "asked")
            except ConflictError:
                pass  # it had ended

    def answer(self):
        """Somebody sends a signal or decides, perhaps more than once, and may crash meanwhile."""
        if not self.runs:
            return
        run_id = self.rng.choice(self.runs)
        if self.rng.random() < 0.1:
            self.faults.armed = self.rng.choice(["signal.before_commit", "signal.after_commit"])
        try:
            self.send(run_id)
            self.decide(run_id)
        except (ConflictError, NotFoundError):
            pass  # it has ended, waits for something else, or was answered
        except self.crash:
            pass  # it may have been accepted; nobody was told
        finally:
            self.faults.armed = ""

    def send(self, run_id):
        mark = f"{len(self.sent.get(run_id, []))}:{self.rng.randrange(3)}"
        waits.signal(self.session, run_id, "go", mark, sender="anna", dedupe=mark)
        self.sent.setdefault(run_id, []).append(mark)

    def decide(self, run_id):
        verb = self.rng.choice([waits.approve, waits.refuse])
        self.decided.setdefault(run_id, []).append(verb(self.session, run_id, by="ben").step)

    def work(self):
        worker = self.rng.choice(self.workers)
        if self.rng.random() < 0.05:
            self.faults.armed = self.rng.choice(CRASHES)
        try:
            worker.act()
        except StaleFenceError:
            worker.claim = None  # another one has it
        except self.crash:
            if self.rng.random() < 0.5:  # its supervisor saw it; else the lease has to pass
                self.coordinator.release(worker.name, "it was killed")
            worker.start()
        finally:
            self.faults.armed = ""

    def supervise(self):
        for worker in self.workers:
            if self.rng.random() < 0.8:
                self.coordinator.beat(worker.name)
        self.coordinator.sweep()

    def pass_time(self):
        self.clock.advance(self.rng.choice([0.1, 1.0, 5.0, 12.0]))
        if self.rng.random() < 0.05:
            self.clock.wall += self.rng.choice([-3_600.0, 3_600.0])

    def run(self, actions):
        for _ in range(actions):
            chances = [self.put, self.cancel, self.supervise, self.pass_time]
            self.rng.choices([*chances, self.answer, self.work], [10, 2, 10, 15, 8, 63])[0]()

    def finish(self):
        """Let everything come to its end, without further crashes."""
        for _ in range(20_000):
            for worker in self.workers:
                try:
                    worker.act()
                except StaleFenceError:
                    worker.claim = None
            self.supervise()
            self.answer()
            self.clock.advance(1.0)
            with self.store.db.read() as reader:
                states = {reader.one("run_head", (run,))["state"] for run in self.runs}
            if states <= TERMINAL:
                return
        raise AssertionError(f"runs that never end: {states}")

    def check(self):
        with self.store.db.read() as reader:
            for run_id in self.runs:
                events = [event for _, event in events_after(reader, run_id)]
                history = [e.state for e in events if isinstance(e, ev.RunChanged)]
                moves = pairwise(history)
                assert all(new in TRANSITIONS[old] for old, new in moves)
                assert len([state for state in history if state in TERMINAL]) == 1
                settled = [e.step for e in events if isinstance(e, ev.StepFinished)]
                assert len(settled) == len(set(settled))
                assert self.done.get(run_id, set()) <= set(settled)
                self.check_waits(reader, run_id, events)

    def check_waits(self, reader, run_id, events):
        """A wait has one outcome; what was accepted was taken, or is kept for the next wait."""
        answers = [event for event in events if isinstance(event, ev.WaitAnswered)]
        assert len(answers) <= 1
        by_people = [answer for answer in answers if answer.by == "ben"]
        assert len(self.decided.get(run_id, [])) <= len(by_people)
        taken = {answer.value for answer in answers if answer.by == "anna"}
        kept = {json.loads(row["payload"]) for row in reader.all("signals_early", (run_id, "go"))}
        assert not taken & kept
        assert set(self.sent.get(run_id, [])) <= taken | kept


@pytest.mark.slow
def test_simulated_days_lose_and_double_nothing(simulate, crash, soak, tmp_path):
    for seed in range(soak(10, 10_000)):
        day = Day(tmp_path / str(seed), simulate(seed), crash)
        try:
            day.run(150)
            day.finish()
            day.check()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        finally:
            day.close()
