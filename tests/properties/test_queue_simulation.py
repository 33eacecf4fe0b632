"""Workers, kernels and users over simulated days: a seed decides who acts, who dies, and when."""

from __future__ import annotations

from itertools import pairwise

import pytest

from iaiflow_lab.errors import ConflictError, StaleFenceError
from iaiflow_lab.faults import POINTS
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import TERMINAL, TRANSITIONS, RunState, StepState
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.settings import Settings
from iaiflow_lab.store.journal import events_after
from iaiflow_lab.store.store import Store

SETTINGS = Settings(lease_s=10.0, max_attempts=4, limits={"flow:f0": 1})
STEPS = ("a", "b", "c")
CRASHES = [point for point in POINTS if point.split(".")[0] in {"claim", "append", "settle"}]


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
                self.day.seen_done(self.claim)
            return
        run_id, fence = self.claim.run_id, self.claim.fence
        if coordinator.cancel_requested(run_id):
            self.finish(Settlement(RunState.CANCELLED))
        elif self.left:
            step = self.left.pop(0)
            coordinator.append(run_id, fence, [finished(step)])
            self.day.done.setdefault(run_id, set()).add(step)
        else:
            self.finish(self.day.rng.choice(ENDINGS))

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
        self.store = Store.open(folder, self.world, SETTINGS)
        self.coordinator = LocalCoordinator(self.store, boot="boot")
        with self.store.db.write() as tx:
            tx.run("version_put", ("default", "v", "{}", 0.0))
        self.workers = [Worker(n, self) for n in range(3)]
        self.runs: list[str] = []
        self.done: dict[str, set[str]] = {}

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
            self.rng.choices([*chances, self.work], [10, 2, 10, 15, 63])[0]()

    def finish(self):
        """Let everything come to its end, without further crashes."""
        for _ in range(20_000):
            for worker in self.workers:
                try:
                    worker.act()
                except StaleFenceError:
                    worker.claim = None
            self.supervise()
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
