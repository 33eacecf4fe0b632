"""Processes that die at every crash point, or at any moment: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS, POINTS
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.store.journal import events_after, outcomes
from iaiflow_lab.store.store import Store
from iaiflow_lab.world import real_world

pytestmark = [pytest.mark.slow, pytest.mark.fault]

#: Claims runs for ever: two steps each, an artifact, the end. Prints what was acknowledged.
WORKER = """
import sys
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue import connect
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.world import real_world

world = real_world()
coordinator = connect(sys.argv[1], world)
owner = owner_name("worker", world.ids)

def step(name, **more):
    return ev.StepFinished(
        at=world.clock.now(), step=name, node=name, type="t", state=StepState.COMPLETED, **more
    )

while claim := coordinator.claim(owner, ["default"]):
    coordinator.start(claim.run_id, claim.fence)
    done = {outcome.step for outcome in claim.steps}
    for name in ("a", "b"):
        if name not in done:
            size = 50_000
            digest = coordinator.artifacts.put(f"{claim.run_id}/{name}".encode() * 2_000)
            output = ev.OutputRef("bytes", artifact=digest, size=size)
            coordinator.append(claim.run_id, claim.fence, [step(name, outputs={"out": output})])
            print("step", claim.run_id, name, flush=True)
    coordinator.settle(claim.run_id, claim.fence, Settlement(RunState.COMPLETED))
    print("end", claim.run_id, flush=True)
"""

ELSEWHERE = ("step.", "signal.", "fire.", "notify.", "remove.", "collect.")
STORE_POINTS = [point for point in POINTS if not point.startswith(ELSEWHERE)]


@pytest.fixture
def store(workspace):
    opened = Store.open(workspace, real_world())
    with opened.db.write() as tx:
        tx.run("version_put", ("default", "v", "{}", 0.0))
    yield opened
    opened.close()


def put(store: Store) -> str:
    now = store.world.clock.now()
    request = enqueue.Request("default", "f", "", "v", "{}", "default", 0, now, max_attempts=100)
    with store.db.write() as tx:
        return enqueue.put(tx, store.world, request)


def start_worker(workspace: Path, crash_at: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(workspace)],
        env={**os.environ, CRASH_AT: crash_at},
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged(output: str) -> set[tuple[str, ...]]:
    return {tuple(line.split()) for line in output.splitlines() if line.count(" ")}


def check(store: Store, runs: list[str], known: set[tuple[str, ...]]) -> None:
    """Every run has ended once, each step is recorded once, and what was acknowledged is there."""
    with store.db.read() as reader:
        for run_id in runs:
            events = [event for _, event in events_after(reader, run_id)]
            ends = [e for e in events if isinstance(e, ev.RunChanged) and e.state == "completed"]
            steps = [e.step for e in events if isinstance(e, ev.StepFinished)]
            assert len(ends) == 1
            assert sorted(steps) == ["a", "b"]
            for outcome in outcomes(reader, run_id):
                assert store.artifacts.verify(outcome.outputs["out"].artifact)
    recorded = {("step", run_id, name) for run_id in runs for name in ("a", "b")}
    assert known <= recorded | {("end", run_id) for run_id in runs}


def integrity(store: Store) -> str:
    with sqlite3.connect(store.db.path) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return found


@pytest.mark.parametrize("point", STORE_POINTS)
@pytest.mark.parametrize("arrival", [1, 3])
def test_a_crash_point(store, workspace, point, arrival):
    runs = [put(store) for _ in range(3)]
    dying = start_worker(workspace, f"{point}:{arrival}")
    known = acknowledged(dying.communicate()[0])
    assert dying.returncode == CRASH_STATUS  # the point was reached
    coordinator = LocalCoordinator(store)
    before = {run_id: state(store, run_id) for run_id in runs}
    freed = coordinator.sweep()
    coordinator.close()
    held = [run_id for run_id in runs if before[run_id] in {"claimed", "running"}]
    assert freed == sorted(held)  # a dead process is noticed without waiting for its lease
    finishing = start_worker(workspace)
    known |= acknowledged(finishing.communicate()[0])
    assert finishing.returncode == 0
    check(store, runs, known)
    assert integrity(store) == "ok"


def state(store: Store, run_id: str) -> RunState:
    with store.db.read() as reader:
        row = reader.one("run_head", (run_id,))
        assert row is not None
        return row["state"]


def test_sigkill_at_any_moment(store, workspace, soak):
    """A worker is killed after a random number of acknowledgements, over and over."""
    rng = random.Random(11)
    runs = [put(store) for _ in range(soak(60, 600))]
    known: set[tuple[str, ...]] = set()
    coordinator = LocalCoordinator(store)
    for _ in range(soak(12, 300)):
        process = start_worker(workspace)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.randrange(1, 8))]
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0]
        known |= acknowledged("".join(lines) + rest[: rest.rfind("\n") + 1])
        coordinator.sweep()
    last = start_worker(workspace)
    known |= acknowledged(last.communicate()[0])
    coordinator.close()
    check(store, runs, known)
    assert integrity(store) == "ok"


def test_four_processes_lose_nothing(store, workspace, soak):
    runs = [put(store) for _ in range(soak(200, 5_000))]
    workers = [start_worker(workspace) for _ in range(4)]
    outputs = [acknowledged(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0]
    ended = [line[1] for output in outputs for line in output if line[0] == "end"]
    assert sorted(ended) == sorted(runs)  # each by exactly one of them
    check(store, runs, set())
