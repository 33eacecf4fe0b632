"""Flows that wait in this process: they are answered from elsewhere and never parked."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from iaiflow_lab import Flow, Lab
from iaiflow_lab.model.run import WaitKind


@pytest.fixture(autouse=True)
def _in_a_workspace(here: Path) -> None:
    """Every test here has one."""


def begin(flow: Flow) -> tuple[threading.Thread, list]:
    ended: list = []
    thread = threading.Thread(target=lambda: ended.append(flow.run(show=False)))
    thread.start()
    return thread, ended


def waiting(lab: Lab, steps: int = 1):
    """Wait until so many steps of a run wait, and return it."""
    pause = threading.Event()
    for _ in range(6_000):  # a minute at least: only a hang takes so long
        found = [run for run in lab.runs.ls() if len(run.waits) == steps]
        if found:
            return found[0]
        pause.wait(0.01)
    raise AssertionError("nothing waits")


def test_a_run_of_this_process_is_approved_from_another_thread() -> None:
    lab = Lab()
    flow = Flow("asks")
    flow.add("approval", id="ask", value=5, message="Go on?")
    thread, ended = begin(flow)
    run = waiting(lab)
    assert (run.state, run.waits[0].kind) == ("running", WaitKind.APPROVAL)
    wait = lab.runs.approve(run.id, reason="Yes.")
    assert (wait.step, wait.message) == ("ask", "Go on?")
    thread.join(60)
    assert ended[0]["ask"].outputs["approved"] == 5
    assert ended[0]["ask"].outputs["answer"]["reason"] == "Yes."


def test_a_run_of_this_process_hears_signals_and_refusals() -> None:
    lab = Lab()
    flow = Flow("hears")
    flow.add("wait.signal", id="hear", name="go")
    flow.add("approval", id="ask")
    thread, ended = begin(flow)
    run = waiting(lab, steps=2)
    lab.runs.signal(run.id, "go", {"n": 1})
    lab.runs.refuse(run.id, "ask")
    thread.join(60)
    assert ended[0]["hear"].outputs["payload"] == {"n": 1}
    assert "refused" in ended[0]["ask"].outputs
