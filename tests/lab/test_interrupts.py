"""A run is cancelled only when its threads have ended; otherwise it says what goes on."""

from __future__ import annotations

import _thread
import threading
from pathlib import Path

import pytest

from iaiflow_lab import Flow, Lab, node
from iaiflow_lab.engine.executor import Handle
from iaiflow_lab.lab.failure import FlowFailedError

started, released = threading.Event(), threading.Event()


@node
def blocked() -> None:
    started.set()
    released.wait()


def test_a_second_interrupt_leaves_a_blocked_node_and_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked = threading.Semaphore(0)
    cancel = Handle.cancel

    def counted(handle: Handle) -> None:
        cancel(handle)
        asked.release()

    def interrupt_twice() -> None:
        started.wait()
        for _ in range(2):
            _thread.interrupt_main()
            asked.acquire()

    monkeypatch.setattr(Handle, "cancel", counted)
    with Flow("Blocked") as flow:
        blocked()
    interrupter = threading.Thread(target=interrupt_twice)
    interrupter.start()
    try:
        with pytest.raises(FlowFailedError, match="told to end, but 'blocked' goes on") as failed:
            flow.run()
    finally:
        released.set()
        interrupter.join()
    assert failed.value.run.error.code == "still-running"
    assert [run.state for run in Lab(here).runs.ls()] == ["failed"]
    assert "cancelling; interrupt again" in capsys.readouterr().err
