"""The engine beside plain asyncio and other engines: the same graphs, in turns."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import floors, peers
from benchmarks.report import Row, medians, timed
from harness import Lab, chain, flow

from iaiflow_lab.engine.executor import start
from iaiflow_lab.engine.live_cache import LiveCache
from iaiflow_lab.model.event import Event, WaitAnswered
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand
from iaiflow_lab.store.store import Store
from iaiflow_lab.world import real_world

Measure = Callable[[], float]


@node("bench.plus")
async def plus(value: int = 0) -> int:
    return value + 1


@node("bench.sync")
def sync() -> int:
    return 1


@node("bench.sleep")
async def sleep(values: list[int] = [], *, seconds: float = 0.0) -> int:  # noqa: B006
    await asyncio.sleep(seconds)
    return 1


@node("bench.map")
async def each(*, count: int, seconds: float) -> Expand:
    return Expand(
        Flow(name="item", nodes={"sleep": Node("bench.sleep", {"seconds": seconds})}),
        [{}] * count,
        lambda found: {"out": len(found)},
    )


class Recorder:
    """Hands out journals of fresh runs in a real SQLite store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(folder, real_world())
        self.coordinator = LocalCoordinator(self.store)
        with self.store.db.write() as tx:
            tx.run("version_put", ("default", "v", "{}", 0.0))

    def journal(self) -> Any:
        """Return the journal of a run that was queued, claimed and started just now."""
        now = self.store.world.clock.now()
        request = enqueue.Request("default", "f", "", "v", "{}", "default", 0, now, max_attempts=5)
        with self.store.db.write() as tx:
            run_id = enqueue.put(tx, self.store.world, request)
        claim = self.coordinator.claim("worker:bench:1:1:x", ["default"], run_id=run_id)
        assert claim is not None
        self.coordinator.start(claim.run_id, claim.fence)
        return _Journal(self.coordinator, claim.run_id, claim.fence)

    def close(self) -> None:
        self.coordinator.close()
        self.store.close()


class _Journal:
    def __init__(self, coordinator: LocalCoordinator, run_id: str, fence: int) -> None:
        self._coordinator, self._run_id, self._fence = coordinator, run_id, fence

    def append(self, events: Sequence[Event]) -> None:
        self._coordinator.append(self._run_id, self._fence, events)

    def answers(self) -> Sequence[WaitAnswered]:
        return self._coordinator.answers(self._run_id, self._fence)


class Ours:
    """Runs flows on this engine."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder, plus, sync, sleep, each)
        self.recorder = Recorder(folder)

    def bare(self, made: Flow, **rest: Any) -> Measure:
        """Return what times one run without a journal."""
        setup = self.lab.setup(made, journal=None, **rest)
        return lambda: timed(lambda: _completed(setup))

    def recorded(self, made: Flow) -> Measure:
        """Return what times one run into the real journal."""

        def measure() -> float:
            journal = self.recorder.journal()
            artifacts = self.recorder.coordinator.artifacts
            setup = self.lab.setup(made, journal=journal, artifacts=artifacts)
            return timed(lambda: _completed(setup))

        return measure


def _completed(setup: Any) -> None:
    result = start(setup).wait()
    assert result.state == "completed", result.error


@contextmanager
def _ours() -> Iterator[Ours]:
    with tempfile.TemporaryDirectory() as folder:
        made = Ours(Path(folder))
        try:
            yield made
        finally:
            made.recorder.close()


def measure(count: int = 1_000, depth: int = 10_000, repeats: int = 7) -> list[Row]:
    """Return the engine's rows.

    Args:
        count: Nodes or items of each graph.
        depth: Nodes of the deep chain.
        repeats: Runs of each contender; medians are reported.
    """
    others, missing = peers.found()
    note = f"not installed: {', '.join(missing)}" if missing else ""
    us = 1e6 / count
    with _ours() as ours:
        bench = _Bench(others, repeats, note)
        long, wide = chain("bench.plus", count), flow({f"n{i}": "bench.plus" for i in range(count)})
        cached = ours.bare(long, live_cache=LiveCache(), interactive=True)
        cached()
        mapped = flow({"m": Node("bench.map", {"count": count, "seconds": 0.01})})
        every = flow({f"n{i}": "bench.sync" for i in range(count)})
        return [
            bench.row(
                f"chain of {count:,}, bare", "us a node", us, 30, ours.bare(long),
                lambda: floors.chain(count), lambda peer: peer.chain(count),
            ),
            bench.row(f"chain of {count:,}, recorded", "us a node", us, 100, ours.recorded(long)),
            bench.row(
                f"fan-out of {count:,}, bare", "us a node", us, 30, ours.bare(wide),
                lambda: floors.fan(count), lambda peer: peer.fan(count),
            ),
            bench.row(f"fan-out of {count:,}, recorded", "us a node", us, 100, ours.recorded(wide)),
            bench.row(
                f"map of {count:,} x 10 ms", "ms", 1e3, 60, ours.bare(mapped),
                lambda: floors.sleeps(count, 0.01), lambda peer: peer.map(count, 0.01),
            ),
            bench.row(
                f"{count:,} sync nodes", "us a node", us, 150, ours.bare(every),
                lambda: floors.hops(count),
            ),
            bench.row(
                "barrier test, ideal 200 ms", "ms", 1e3, 210, ours.bare(_barrier()),
                None, lambda peer: peer.barrier(),
            ),
            bench.row(f"unchanged chain of {count:,}, again", "ms", 1e3, 20, cached),
            bench.row(
                f"chain of {depth:,}, bare", "us a node", 1e6 / depth, None,
                ours.bare(chain("bench.plus", depth)), lambda: floors.chain(depth),
            ),
        ]  # fmt: skip


class _Bench:
    def __init__(self, others: list[peers.Peer], repeats: int, note: str) -> None:
        self._others = others
        self._repeats = repeats
        self._note = note

    def row(
        self,
        name: str,
        unit: str,
        scale: float,
        target: float | None,
        ours: Measure,
        floor: Measure | None = None,
        peer: Callable[[peers.Peer], float] | None = None,
    ) -> Row:
        """Measure all contenders in turns."""
        contenders: dict[str, Measure] = {"ours": ours}
        if floor is not None:
            contenders["floor"] = floor
        if peer is not None:
            contenders |= {other.name: _bound(peer, other) for other in self._others}
        for contender in contenders.values():
            _warm(contender)
        gc.collect()
        gc.freeze()  # what one contender imported must not slow down the collections of the others
        found, notes = medians(contenders, self._repeats)
        values = {who: seconds * scale for who, seconds in found.items()}
        if peer is not None and self._note:
            notes.append(self._note)
        return Row(
            name,
            values.pop("ours", None),
            unit,
            target,
            floor=values.pop("floor", None),
            peers=values,
            note="; ".join(notes),
        )


def _bound(peer: Callable[[peers.Peer], float], other: peers.Peer) -> Measure:
    return lambda: peer(other)


def _warm(measure: Measure) -> None:
    try:
        measure()
    except Exception:  # reported when it is measured
        return


def _barrier() -> Flow:
    nodes = {name: Node("bench.sleep", {"seconds": s}) for name, s in peers.BARRIER.items()}
    return flow(nodes, *(f"{a} -> {b}.values" for a, b in peers.BARRIER_EDGES))
