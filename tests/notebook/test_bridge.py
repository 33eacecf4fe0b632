from __future__ import annotations

import os
import socket
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from iaiflow_lab.errors import LabError, NotFoundError, StaleFenceError
from iaiflow_lab.model.event import OutputRef, StepFinished, StepLog, SubstepRecorded
from iaiflow_lab.model.run import StepState
from iaiflow_lab.notebook import inside, wire
from iaiflow_lab.notebook.bridge import Bridge


@pytest.fixture
def bridge(context, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inside, "_runs", {})
    with Bridge(context) as opened:
        for name, value in opened.environment.items():
            monkeypatch.setenv(name, value)
        yield opened
        for run in inside._runs.values():
            run._line.close()


def finished(path: str) -> StepFinished:
    return StepFinished(at=1, step=path, node="clean", type="t", state=StepState.COMPLETED)


@contextmanager
def next_claim(context, monkeypatch: pytest.MonkeyPatch):
    """Execute the notebook once more, as after a crash, and give the kernel's side."""
    context.given = context.given.next_claim()
    with Bridge(context) as again:
        for name, value in again.environment.items():
            monkeypatch.setenv(name, value)
        run = open_run()
        yield run
        run._line.close()


def open_run() -> inside.InsideRun:
    for known in inside._runs.values():
        known._line.close()
    inside._runs.clear()
    run = inside.current_run()
    assert run is not None
    return run


def test_outside_a_run_there_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(wire.SOCKET, raising=False)
    assert inside.current_run() is None


def test_the_socket_is_private_and_goes_with_the_run(context):
    with Bridge(context) as bridge:
        path = Path(bridge.environment[wire.SOCKET])
        assert len(os.fsencode(path)) < 100
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.parent.exists()


def test_events_artifacts_and_cache_reach_the_run(bridge, context):
    run = inside.current_run()
    assert run is not None
    assert run is inside.current_run()
    assert (run.run_id, run.step, run.run_dir) == ("run_1", "report", context.run_dir)
    events = [finished("report/1:clean"), StepLog(at=2, step="x", stream="stdout", text="ü")]
    run.journal.append(events)
    assert context.given.events == events
    digest = run.artifacts.put(memoryview(b"\x00" * 100_000))
    assert run.artifacts.get(digest) == b"\x00" * 100_000
    assert run.artifacts.path(digest) is None
    with pytest.raises(NotFoundError):
        run.artifacts.get("none")
    run.cache.put("k", {"out": OutputRef("json", inline=1)}, None)
    assert run.cache.get_many(["k", "other"]) == {"k": {"out": OutputRef("json", inline=1)}}


def test_calls_are_numbered_and_found_again(bridge, context, monkeypatch):
    run = inside.current_run()
    assert run is not None
    first, second = run.open_call("v1", {"x": 1}), run.open_call("v1", {"x": 2})
    assert (first.prefix, second.prefix) == ("report/1:", "report/2:")
    assert not first.steps
    run.journal.append([finished("report/1:clean"), finished("report/2:clean")])
    run.journal.append(
        [SubstepRecorded(at=1, step="report/2:clean", key="k", output=OutputRef("json", inline=1))]
    )
    with next_claim(context, monkeypatch) as run:
        assert run.open_call("v1", {"x": 1}).steps.keys() == {"report/1:clean"}
        same = run.open_call("v1", {"x": 2})
        assert same.steps.keys() == {"report/2:clean"}
        assert same.substeps.keys() == {("report/2:clean", "k")}
        assert run.open_call("v1", {"x": 1}).prefix == "report/3:"


@pytest.mark.parametrize(
    ("version", "inputs", "reason"),
    [("v2", {"x": 1}, "another flow version"), ("v1", {"x": 9}, "other inputs")],
)
def test_a_call_that_differs_starts_again_and_says_so(
    bridge, context, monkeypatch, version, inputs, reason
):
    run = inside.current_run()
    assert run is not None
    run.open_call("v1", {"x": 1})
    run.journal.append([finished("report/1:clean")])
    with next_claim(context, monkeypatch) as run:
        call = run.open_call(version, inputs)
    assert call.prefix == "report/1.2:"
    assert not call.steps
    logs = [event for event in context.given.events if isinstance(event, StepLog)]
    assert reason in logs[0].text


@pytest.mark.parametrize(
    ("attempt", "prefix"), [(1, "report/1:"), (2, "report/1.2:")], ids=["resumed", "tried again"]
)
def test_a_call_that_failed_starts_again_when_the_notebook_is_tried_again(
    bridge, context, monkeypatch, attempt: int, prefix: str
):
    run = inside.current_run()
    assert run is not None
    run.open_call("v1", {})
    run.open_call("v1", {})
    failed = replace(finished("report/1:clean"), state=StepState.FAILED)
    run.journal.append([failed, finished("report/2:clean")])
    context.attempt = attempt
    with next_claim(context, monkeypatch) as run:
        first, second = run.open_call("v1", {}), run.open_call("v1", {})
    assert first.prefix == prefix
    assert second.steps.keys() == {"report/2:clean"}


def test_inputs_that_are_no_json_equal_nothing():
    assert inside.hash_inputs({"b": 1, "a": 2}) == inside.hash_inputs({"a": 2, "b": 1})
    assert inside.hash_inputs({"a": object()}) != inside.hash_inputs({"a": object()})


def test_a_stale_fence_reaches_both_sides(bridge, context):
    run = inside.current_run()
    assert run is not None
    context.given.is_stale = True
    with pytest.raises(StaleFenceError):
        run.journal.append([finished("report/1:clean")])
    assert isinstance(bridge.stale, StaleFenceError)


def test_a_wrong_token_is_refused(bridge, monkeypatch):
    monkeypatch.setenv(wire.TOKEN, "guess")
    with pytest.raises(LabError, match="token"):
        inside.current_run()


def test_a_lost_worker_is_one_sentence(context, monkeypatch):
    monkeypatch.setattr(inside, "_runs", {})
    with Bridge(context) as opened:
        for name, value in opened.environment.items():
            monkeypatch.setenv(name, value)
        run = inside.current_run()
    assert run is not None
    with pytest.raises(inside.WorkerLostError, match="can no longer be reached"):
        run.journal.append([finished("report/1:clean")])
    with pytest.raises(inside.WorkerLostError):
        inside.current_run()


def test_nonsense_on_the_socket_harms_nobody(bridge):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[wire.SOCKET])
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert inside.current_run() is not None
