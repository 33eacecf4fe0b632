"""A notebook step without an engine: what it records, keeps and is told."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab.errors import NotFoundError, RunCancelledError, StaleFenceError
from iaiflow_lab.model.event import Event, OutputRef, StepFinished, StepLog, SubstepRecorded
from iaiflow_lab.notebook import fork_wire, warm_kernels
from iaiflow_lab.notebook.kernel_server import KernelServer
from iaiflow_lab.settings import Settings, make_state_dir


class FakeDelegate:
    """Keeps what a kernel reports, as the journal would."""

    def __init__(self) -> None:
        self.steps: dict[str, StepFinished] = {}
        self.substeps: list[SubstepRecorded] = []
        self.events: list[Event] = []
        self.blobs: dict[str, bytes] = {}
        self.cached: dict[str, Mapping[str, OutputRef]] = {}
        self.is_stale = False
        self.waits: list[Any] = []
        self.resting = self.rested = 0.0
        self.may_park = False

    def park(self) -> None:
        raise AssertionError("it may not be parked")

    def answers(self) -> list[Any]:
        return []

    def append(self, events: Sequence[Event]) -> None:
        if self.is_stale:
            raise StaleFenceError("Another worker holds run run_1.")
        self.events.extend(events)

    def next_claim(self) -> FakeDelegate:
        """Return what another claim of the run is given."""
        made = FakeDelegate()
        made.steps = self.steps | {e.step: e for e in self.events if isinstance(e, StepFinished)}
        made.substeps = [
            *self.substeps,
            *(e for e in self.events if isinstance(e, SubstepRecorded)),
        ]
        return made

    def put_artifact(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def get_artifact(self, digest: str) -> bytes:
        try:
            return self.blobs[digest]
        except KeyError:
            raise NotFoundError(f"Nothing is stored under {digest}.") from None

    def cache_get(self, keys: Sequence[str]) -> dict[str, Mapping[str, OutputRef]]:
        return {key: self.cached[key] for key in keys if key in self.cached}

    def cache_put(self, key: str, outputs: Mapping[str, OutputRef], ttl: float | None) -> None:
        self.cached[key] = outputs


class FakeContext:
    """The context of one notebook step."""

    run_id = "run_1"
    step = "report"
    node_id = "report"
    attempt = 1
    idempotency_key = "key"
    budgets = ()

    def __init__(self, folder: Path) -> None:
        self.params: dict[str, Any] = {}
        self.workspace = self.folder = folder
        self.run_dir = folder / "run"
        self.cancelled = False
        self.events: list[Event] = []
        self.artifacts: dict[str, bytes] = {}
        self.given = FakeDelegate()
        self._changed = threading.Condition()

    def raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise RunCancelledError("The run was cancelled.")

    def now(self) -> float:
        return time.time()

    def record(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[Event], bool]) -> None:
        """Block until an event is recorded."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self.events)), timeout=60)

    def log(self, message: str, *, level: str = "INFO") -> None:
        self.record(StepLog(at=0, step=self.step, stream="log", text=message, level=level))

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        del done, total, text

    def artifact(self, name: str, data: bytes | str, media_type: str = "") -> str:
        del media_type
        self.artifacts[name] = data.encode() if isinstance(data, str) else data
        return hashlib.sha256(self.artifacts[name]).hexdigest()

    def delegate(self) -> FakeDelegate:
        return self.given

    def texts(self, index: int) -> str:
        """Return the stream text that was sent live for a cell."""
        outputs = [
            e.output
            for e in self.events
            if getattr(e, "index", None) == index and hasattr(e, "output")
        ]
        return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


@pytest.fixture(scope="session")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., KernelServer]:
    """Return `make_server(settings)`: a fork server in a workspace of its own, not yet opened."""
    if reason := warm_kernels.why_impossible():
        pytest.skip(reason)

    def make(**settings: Any) -> KernelServer:
        workspace = tmp_path_factory.mktemp("server")
        make_state_dir(workspace)
        return KernelServer(workspace, Settings(**settings), tell=lambda sentence: None)

    return make


def is_ready(server: KernelServer) -> bool:
    """Say whether a kernel waits at a server."""
    try:
        return warm_kernels.ask_state(str(server.socket))["ready"] > 0
    except warm_kernels.ColdError:
        return False


@pytest.fixture(name="is_ready", scope="session")
def _is_ready() -> Callable[[KernelServer], bool]:
    return is_ready


@pytest.fixture(scope="session")
def shared_server(make_server: Callable[..., KernelServer]) -> Iterator[KernelServer]:
    """Return a fork server that many tests take their kernels from."""
    with make_server() as server:
        while not is_ready(server):
            time.sleep(0.02)
        yield server


@pytest.fixture(params=["cold", "warm"])
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have kernels started from nothing, then taken from a fork server."""
    server = request.getfixturevalue("shared_server").socket if request.param == "warm" else ""
    monkeypatch.setattr(warm_kernels, "_PATIENCE", 60.0)  # a busy machine may be slow to fork
    monkeypatch.setenv(fork_wire.SOCKET, str(server))
    return request.param


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return FakeContext(tmp_path)


@pytest.fixture
def write_notebook(tmp_path: Path) -> Callable[..., Path]:
    """Return `write(*cells, name=, metadata=)`; a cell is its source, or (source, tags)."""

    def write(
        *cells: str | tuple[str, list[str]],
        name: str = "made.ipynb",
        metadata: dict[str, Any] | None = None,
    ) -> Path:
        pairs = [cell if isinstance(cell, tuple) else (cell, []) for cell in cells]
        content = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {} if metadata is None else metadata,
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{index}",
                    "metadata": {"tags": tags} if tags else {},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for index, (source, tags) in enumerate(pairs)
            ],
        }
        path = tmp_path / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write
