"""A run is cancelled only when its threads have ended; otherwise it says what goes on."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from iaiflow_lab import Flow, Lab, node
from iaiflow_lab.engine.executor import Handle
from iaiflow_lab.engine.setup import Result
from iaiflow_lab.lab.failure import FlowFailedError
from iaiflow_lab.sdk.node import NodeType

started, released = threading.Event(), threading.Event()


@node
def blocked() -> None:
    started.set()
    released.wait()


@node
async def blocking() -> None:
    started.set()
    released.wait()


@node
async def deaf() -> None:
    started.set()
    while not released.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _anew() -> None:
    started.clear()
    released.clear()


@pytest.mark.parametrize("kind", [blocked, blocking, deaf], ids=lambda kind: kind.name)
def test_a_second_interrupt_leaves_a_node_that_goes_on_and_says_so(
    here: Path,
    kind: NodeType[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    wait, interrupts = Handle.wait, [KeyboardInterrupt, KeyboardInterrupt]

    def interrupted(handle: Handle, timeout: float | None = None) -> Result:
        started.wait()
        if interrupts:
            raise interrupts.pop()
        return wait(handle, timeout)

    monkeypatch.setattr(Handle, "wait", interrupted)
    with Flow("Blocked") as flow:
        kind(id="step")
    try:
        with pytest.raises(FlowFailedError, match="told to end, but 'step' goes on") as failed:
            flow.run()
    finally:
        released.set()
    assert failed.value.run.error.code == "still-running"
    assert [run.state for run in Lab(here).runs.ls()] == ["failed"]
    assert "cancelling: waiting for `step`; interrupt again" in capsys.readouterr().err
