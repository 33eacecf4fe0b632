"""An execution ends when everything in it has ended, and not later than it must."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, TypedDict

import pytest
from harness import LIMITS, PATIENCE, Lab, MemoryJournal, edge, flow, record_of

from iaiflow_lab.engine.loop import engine_loop
from iaiflow_lab.engine.ports import Record
from iaiflow_lab.engine.recording import Recording
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node, Retry
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand


class Counted(TypedDict):
    rows: int


def items(body_type: str, count: int) -> Expand:
    """Run a node of one type for each number."""
    parameters = {"i": {"type": "integer"}}
    body = Flow("b", parameters, {"n": Node(body_type)}, (edge("params.i -> n.i"),))
    return Expand(body, [{"i": i} for i in range(count)], lambda _: {"out": None})


def test_a_cancelled_map_waits_for_its_slowest_item(lab: Lab) -> None:
    going, first, ended = threading.Barrier(3), threading.Event(), list[int]()

    @node("t.item")
    def item(i: int) -> None:
        try:
            going.wait(PATIENCE)
            while True:
                time.sleep(0.001)
        finally:
            if i == 1:
                first.wait(PATIENCE)
            ended.append(i)
            first.set()

    @node("t.map")
    def each() -> Expand:
        return items("t.item", 2)

    lab.add(item, each)
    handle = lab.start(flow({"m": "t.map"}))
    going.wait(PATIENCE)
    handle.cancel()
    assert handle.wait(PATIENCE).state == "cancelled"
    assert ended == [0, 1]
    assert lab.states() == {"m[0]/n": "cancelled", "m[1]/n": "cancelled", "m": "cancelled"}


def test_the_clean_up_of_an_item_is_interrupted_once_only(lab: Lab) -> None:
    going, cleaned = threading.Event(), threading.Event()

    @node("t.item")
    async def item(i: int) -> None:
        going.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            cleaned.set()

    @node("t.map")
    def each() -> Expand:
        return items("t.item", 1)

    lab.add(item, each)
    handle = lab.start(flow({"m": "t.map"}))
    assert going.wait(PATIENCE)
    handle.cancel()
    handle.wait(PATIENCE)
    assert cleaned.is_set()


def test_a_failed_run_does_not_wait_for_the_pause_of_another_step(lab: Lab) -> None:
    paused = threading.Event()

    @node("t.fails")
    def fails() -> None:
        paused.wait(PATIENCE)
        raise ValueError("for good")

    @node("t.flaky")
    def flaky() -> None:
        raise ValueError("perhaps")

    def listen(event: ev.Event) -> None:
        if isinstance(event, ev.StepRetrying):
            paused.set()

    lab.add(fails, flaky)
    again = Retry(attempts=2, initial=3_600, max=3_600, jitter=0)
    made = flow({"bad": "t.fails", "flaky": Node("t.flaky", retry=again)})
    result = lab.run(made, listener=listen)
    assert result.state == "failed"
    assert lab.states() == {"bad": "failed", "flaky": "cancelled"}


def test_a_step_that_fails_after_the_run_has_is_not_tried_again(lab: Lab) -> None:
    failed = threading.Event()

    @node("t.fails")
    def fails() -> None:
        raise ValueError("for good")

    @node("t.late")
    def late() -> None:
        failed.wait(PATIENCE)
        raise ValueError("late")

    def listen(event: ev.Event) -> None:
        if isinstance(event, ev.StepFinished):
            failed.set()

    lab.add(fails, late)
    again = Retry(attempts=2, initial=3_600, max=3_600, jitter=0)
    # the second node starts first: what fails at once would keep it from starting
    made = flow({"late": Node("t.late", retry=again), "bad": "t.fails"})
    assert lab.run(made, listener=listen).state == "failed"
    assert lab.states() == {"bad": "failed", "late": "failed"}


@pytest.mark.slow
def test_a_timeout_ends_the_flow_that_a_thread_waits_for(lab: Lab) -> None:
    begun, ended = threading.Event(), threading.Event()

    @node("t.sleeps")
    async def sleeps() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @node("t.calls")
    def calls(ctx: Context) -> Any:
        return ctx.run_node("below", "t.sleeps")

    lab.add(sleeps, calls)
    for limit in LIMITS:
        lab.journal = MemoryJournal()
        result = lab.run(flow({"a": Node("t.calls", timeout=limit)}))
        if begun.is_set():
            break
    assert result.error is not None
    assert result.error.code == "timeout"
    assert ended.is_set()
    assert result.stuck == ()
    assert lab.states() == {"a/below:node": "cancelled", "a": "failed"}


def test_more_threads_may_wait_for_flows_than_there_are_threads(lab: Lab) -> None:
    @node("t.leaf")
    def leaf() -> int:
        return 1

    @node("t.middle")
    def middle(ctx: Context) -> int:
        return ctx.run_node("leaf", "t.leaf")["out"]

    @node("t.outer")
    def outer(ctx: Context) -> int:
        return ctx.run_node("middle", "t.middle")["out"]

    lab.add(leaf, middle, outer)
    result = lab.run(flow({f"n{i}": "t.outer" for i in range(80)}))
    assert set(result.outputs.values()) == {1}


def test_async_nodes_that_wait_in_threads_do_not_hold_up_the_others(lab: Lab) -> None:
    release = threading.Event()

    @node("t.waits")
    async def waits() -> None:
        await asyncio.to_thread(release.wait, PATIENCE)

    @node("t.releases")
    def releases() -> list[int]:
        return [1]

    @node("t.after", effects="write")
    def after(values: list[int]) -> None:
        release.set()

    lab.add(waits, releases, after)
    nodes = {f"w{i}": "t.waits" for i in range(12)} | {"a": "t.releases", "b": "t.after"}
    assert lab.run(flow(nodes, "a -> b.values")).state == "completed"
    assert release.is_set()


def test_what_comes_after_the_end_is_forgotten() -> None:
    journal = MemoryJournal()
    recording = Recording(journal, "batched", lambda _: None)
    recording.close()
    recording.add(ev.StepLog(at=0, step="s", stream="log", text="late"))
    recording.flush()
    assert journal.events == []


def test_what_a_kernel_recorded_is_known_when_its_node_is_tried_again(lab: Lab) -> None:
    known: list[list[str]] = []

    @node("t.kernel")
    def kernel(ctx: Context) -> None:
        delegate = ctx.delegate()
        known.append([*delegate.steps, *(item.key for item in delegate.substeps)])
        if ctx.attempt == 1:
            below = f"{ctx.step}/1:x"
            ref = ev.OutputRef("json", inline=1)
            delegate.append(
                [
                    ev.SubstepRecorded(at=0, step=below, key="k", output=ref),
                    ev.StepFinished(at=0, step=below, node="x", type="t", state="completed"),  # type: ignore[arg-type]
                ]
            )
            raise ValueError("once more")

    lab.add(kernel)
    result = lab.run(flow({"a": Node("t.kernel", retry=Retry(attempts=2, initial=0.01))}))
    assert result.state == "completed"
    assert known == [[], ["a/1:x", "k"]]


def test_each_step_keeps_its_own_pause_when_the_run_goes_on(lab: Lab) -> None:
    calls: list[str] = []

    @node("t.flaky")
    def flaky(ctx: Context) -> None:
        calls.append(ctx.step)
        raise ValueError("perhaps")

    lab.add(flaky)
    now = lab.world.clock.now()
    again = Retry(attempts=3, initial=600, max=600, jitter=0)
    made = flow({"a": Node("t.flaky", retry=again), "b": Node("t.flaky", retry=again)})
    record = Record(attempts={"a": 1, "b": 1}, due={"a": now - 1, "b": now + 300})
    result = lab.run(made, record=record)
    assert calls == ["a"]
    assert (result.state, result.due) == ("retrying", now + 300)


def test_an_output_that_cannot_be_read_any_more_fails_the_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    @node("t.big")
    def big() -> str:
        return "x" * 100_000

    lab.add(big)
    made = flow({"a": "t.big"})
    lab.run(made)
    record = record_of(lab.journal.events)
    lab.journal = MemoryJournal()

    def get(digest: str) -> bytes:
        raise OSError(5, f"can't read {digest}")

    monkeypatch.setattr(lab.artifacts, "get", get)
    result = lab.run(made, record=record)
    assert result.state == "failed"
    assert result.error is not None
    assert "can't read" in result.error.message


def test_a_node_run_by_a_node_gives_its_outputs_by_port(lab: Lab) -> None:
    @node("t.count")
    async def count() -> Counted:
        return {"rows": 3}

    @node("t.calls")
    def calls(ctx: Context) -> list[str]:
        return list(ctx.run_node("below", "t.count"))

    lab.add(count, calls)
    assert lab.run(flow({"a": "t.calls"})).outputs == {"a": ["rows"]}


def test_items_start_nothing_more_once_one_has_failed(lab: Lab) -> None:
    failed = threading.Event()

    @node("t.first")
    def first(i: int) -> int:
        if i == 0:
            raise ValueError("for good")
        failed.wait(PATIENCE)
        return i

    @node("t.second")
    async def second(i: int) -> int:
        return i

    @node("t.map")
    def each() -> Expand:
        links = (edge("params.i -> a.i"), edge("a -> b.i"))
        body = Flow("b", {"i": {}}, {"a": Node("t.first"), "b": Node("t.second")}, links)
        return Expand(body, [{"i": i} for i in range(3)], lambda _: {"out": None})

    def after(turns: int) -> None:
        if turns:
            engine_loop().call_soon(after, turns - 1)
        else:
            failed.set()

    def listen(event: ev.Event) -> None:
        if isinstance(event, ev.StepFinished) and event.step == "m[0]/a":
            after(50)  # turns of the loop, in which the failure reaches the map

    lab.add(first, second, each)
    result = lab.run(flow({"m": "t.map"}), listener=listen)
    assert result.error is not None
    assert result.error.step == "m[0]/a"
    done = {"m[0]/a": "failed", "m[1]/a": "completed", "m[2]/a": "completed", "m": "failed"}
    assert lab.states() == done
