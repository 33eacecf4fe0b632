"""Claim -> complete per second beside a bare SQLite table; enqueue; how soon an idle worker starts.

Everything is measured in one process and one run, on the same disk: compare the rows, not machines.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.store.store import Store
from iaiflow_lab.world import real_world

OWNER = "worker:bench:1:1:x"
COMPLETED = Settlement(RunState.COMPLETED)


def measure(runs: int = 3_000, idle: int = 100) -> list[dict[str, Any]]:
    """Return one row a measurement: name, value, unit, target."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder), real_world())
        coordinator = LocalCoordinator(store)
        with store.db.write() as tx:
            tx.run("version_put", ("default", "v", "{}", 0.0))
        # Interleaved in rounds: a busy moment of the machine hits both.
        rounds = [_round(store, coordinator, Path(folder, "bare.db"), runs // 5) for _ in range(5)]
        rows = [
            _row("enqueue", statistics.median(r[0] for r in rounds), "runs/s"),
            _row("claim -> complete", statistics.median(r[1] for r in rounds), "runs/s", 3_000),
            _row("bare SQLite table", statistics.median(r[2] for r in rounds), "runs/s"),
            _row("share of bare SQLite", statistics.median(r[1] / r[2] for r in rounds), "ratio"),
            _row("idle start, p50", _idle_start(store, coordinator, idle) * 1_000, "ms", 5),
            _row("journal, in batches", _journal(store, coordinator) * 1e6, "us/event", 15),
        ]
        coordinator.close()
        store.close()
    return rows


def _row(name: str, value: float, unit: str, target: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "target": target}


def _round(
    store: Store, coordinator: LocalCoordinator, bare: Path, runs: int
) -> tuple[float, float, float]:
    enqueued = _rate(lambda: _put(store), runs)
    completed = _rate(lambda: _complete(coordinator), runs)
    return enqueued, completed, _bare(bare, runs)


def _rate(action: Callable[[], Any], times: int) -> float:
    started = perf_counter()
    for _ in range(times):
        action()
    return times / (perf_counter() - started)


def _put(store: Store) -> str:
    now = store.world.clock.now()
    request = enqueue.Request("default", "f", "", "v", "{}", "default", 0, now, max_attempts=5)
    with store.db.write() as tx:
        return enqueue.put(tx, store.world, request)


def _complete(coordinator: LocalCoordinator) -> None:
    claim = coordinator.claim(OWNER, ["default"])
    assert claim is not None
    coordinator.start(claim.run_id, claim.fence)
    coordinator.settle(claim.run_id, claim.fence, COMPLETED)


def _bare(path: Path, runs: int) -> float:
    """Return what the same disk does without states, fences, events: two updates a run."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, state TEXT)")
    connection.execute("CREATE INDEX IF NOT EXISTS due ON jobs (id) WHERE state = 'queued'")
    connection.executemany("INSERT INTO jobs (state) VALUES (?)", [("queued",)] * runs)

    def complete() -> None:
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(
            "UPDATE jobs SET state = 'claimed' WHERE id ="
            " (SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1) RETURNING id"
        ).fetchall()
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE jobs SET state = 'completed' WHERE id = ?", found[0])
        connection.execute("COMMIT")

    rate = _rate(complete, runs)
    connection.close()
    return rate


def _idle_start(store: Store, coordinator: LocalCoordinator, times: int) -> float:
    """Return the median time from an enqueue to its claim by a worker that waits, in seconds."""
    taken: list[float] = []
    ready, ended = threading.Semaphore(0), threading.Event()

    def wait_for_runs() -> None:
        while not ended.is_set():
            if coordinator.changed() and (claim := coordinator.claim(OWNER, ["default"])):
                taken.append(perf_counter())
                coordinator.start(claim.run_id, claim.fence)
                coordinator.settle(claim.run_id, claim.fence, COMPLETED)
                ready.release()
            sleep(0.002)

    worker = threading.Thread(target=wait_for_runs)
    worker.start()
    asked: list[float] = []
    for _ in range(times):
        sleep(0.01)
        asked.append(perf_counter())
        _put(store)
        ready.acquire()
    ended.set()
    worker.join()
    return statistics.median(end - start for start, end in zip(asked, taken, strict=True))


def _journal(store: Store, coordinator: LocalCoordinator, steps: int = 3_000) -> float:
    _put(store)
    claim = coordinator.claim(OWNER, ["default"])
    assert claim is not None
    events: list[ev.Event] = []
    for number in range(steps):
        name = f"n{number}"
        output = {"out": ev.OutputRef("json", inline=number)}
        events += (
            ev.StepStarted(at=1.0, step=name, node=name, type="t"),
            ev.StepLog(at=1.0, step=name, stream="stdout", text="hello"),
            ev.StepFinished(
                at=1.0, step=name, node=name, type="t", state=StepState.COMPLETED, outputs=output
            ),
        )
    started = perf_counter()
    for first in range(0, len(events), 256):
        coordinator.append(claim.run_id, claim.fence, events[first : first + 256])
    return (perf_counter() - started) / len(events)


if __name__ == "__main__":
    for row in measure():
        target = "" if row["target"] is None else f"   (target {row['target']})"
        print(f"{row['name']:24} {row['value']:>12,.2f} {row['unit']}{target}")
