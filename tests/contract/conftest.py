"""The implementations of the coordinator that must all behave alike.

An implementation joins by one more entry in `RIGS`: how to make one, and how its runs are written
down, cancelled and read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from iaiflow_lab.model.event import AnyEvent
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue import enqueue, signals
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.queue.protocol import Coordinator
from iaiflow_lab.settings import Settings
from iaiflow_lab.store.journal import events_after
from iaiflow_lab.store.store import Store
from iaiflow_lab.store.waits import Answer

SETTINGS = Settings(lease_s=10.0, max_attempts=3, limits={"queue:narrow": 1, "flow:one": 1})


class Rig(Protocol):
    """A coordinator with what the contract does not cover: writing runs down and reading them."""

    coordinator: Coordinator
    clock: Any

    def put(self, **request: Any) -> str: ...
    def cancel(self, run_id: str) -> RunState: ...
    def signal(self, run_id: str, name: str, payload: Any, dedupe: str | None = None) -> Any: ...
    def answer(self, run_id: str, step: str, given: Answer) -> Any: ...
    def set_secret(self, name: str, value: str) -> None: ...
    def state(self, run_id: str) -> RunState: ...
    def events(self, run_id: str) -> list[AnyEvent]: ...
    def close(self) -> None: ...


class LocalRig:
    def __init__(self, folder: Path, simulated: Any) -> None:
        self._world = simulated.world
        self.clock = simulated.clock
        self.store = Store.open(folder, self._world, SETTINGS)
        self.coordinator = LocalCoordinator(self.store, boot="boot-1")
        with self.store.db.write() as tx:
            tx.run("version_put", ("default", "v1", '{"format":"iaiflow/1","nodes":{}}', 0.0))

    def put(self, **request: Any) -> str:
        self.clock.advance(0.001)  # no two runs are written in the same instant
        wanted = {
            "project": "default",
            "flow": "f",
            "source": "f.flow.json",
            "version": "v1",
            "inputs": "{}",
            "queue": "default",
            "priority": 0,
            "run_at": self.clock.now(),
            "max_attempts": SETTINGS.max_attempts,
        }
        with self.store.db.write() as tx:
            return enqueue.put(tx, self._world, enqueue.Request(**wanted | request))

    def cancel(self, run_id: str) -> RunState:
        with self.store.db.write() as tx:
            return enqueue.cancel(tx, self._world, run_id, "asked")

    def signal(self, run_id: str, name: str, payload: Any, dedupe: str | None = None) -> Any:
        with self.store.db.write() as tx:
            sent = signals.Signal(name, payload, "anna", dedupe)
            return signals.deliver(tx, self._world, run_id, sent)

    def answer(self, run_id: str, step: str, given: Answer) -> Any:
        with self.store.db.write() as tx:
            return signals.answer(tx, self._world, run_id, step, given)

    def set_secret(self, name: str, value: str) -> None:
        self.store.secrets().set(name, value, "anna")

    def state(self, run_id: str) -> RunState:
        with self.store.db.read() as reader:
            row = reader.one("run_head", (run_id,))
            assert row is not None
            return RunState(row["state"])

    def events(self, run_id: str) -> list[AnyEvent]:
        with self.store.db.read() as reader:
            return [event for _, event in events_after(reader, run_id)]

    def close(self) -> None:
        self.coordinator.close()
        self.store.close()


RIGS: dict[str, Callable[[Path, Any], Rig]] = {"local": LocalRig}


@pytest.fixture(params=RIGS)
def rig(
    request: pytest.FixtureRequest, workspace: Path, simulate: Callable[[int], Any]
) -> Iterator[Rig]:
    made = RIGS[request.param](workspace, simulate(7))
    yield made
    made.close()
