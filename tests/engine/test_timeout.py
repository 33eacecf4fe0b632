"""A call that takes too long fails; a thread that goes on is named."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest
from harness import PATIENCE, Lab, flow

from iaiflow_lab.engine import step
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node, Retry
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand

pytestmark = pytest.mark.slow

#: A time limit within which a node begins on the busiest machine, in seconds.
LIMIT = 2.0


def hanging(name: str) -> Flow:
    return flow({"a": Node(name, timeout=LIMIT)})


def check_timed_out(lab: Lab, name: str) -> None:
    result = lab.run(hanging(name))
    assert result.state == "failed"
    assert result.error is not None
    assert result.error.code == "timeout"
    assert result.error.message.startswith("Node 'a' took longer than 2 s.")
    assert result.stuck == ()
    assert lab.states() == {"a": "failed"}


def test_async(lab: Lab) -> None:
    cleaned = threading.Event()

    @node("t.hang")
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    lab.add(hang)
    check_timed_out(lab, "t.hang")
    assert cleaned.is_set()


def test_async_generator(lab: Lab) -> None:
    @node("t.hang")
    async def hang() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    lab.add(hang)
    check_timed_out(lab, "t.hang")


def test_thread_in_a_python_loop(lab: Lab) -> None:
    ended = threading.Event()

    @node("t.hang")
    def hang() -> None:
        try:
            while True:
                pass
        finally:
            ended.set()

    lab.add(hang)
    check_timed_out(lab, "t.hang")
    assert ended.is_set()


def test_thread_that_obeys(lab: Lab) -> None:
    @node("t.hang")
    def hang(ctx: Context) -> str:
        while not ctx.cancelled:
            time.sleep(0.001)
        return "too late"

    lab.add(hang)
    check_timed_out(lab, "t.hang")


def test_stubborn_thread(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "STOP_GRACE", 0.02)
    release = threading.Event()

    @node("t.hang")
    def hang() -> None:
        release.wait(PATIENCE)  # one C call: nothing can stop it

    lab.add(hang)
    made = flow({"a": Node("t.hang", timeout=LIMIT, retry=Retry(attempts=5, initial=0))})
    result = lab.run(made)
    release.set()
    assert result.state == "failed"
    assert result.stuck == ("a",)
    assert len(lab.journal.of(ev.StepStarted)) == 1, "a step that still runs must not run twice"


def test_a_timeout_of_the_node_itself_is_its_own(lab: Lab) -> None:
    @node("t.own")
    async def own() -> None:
        raise TimeoutError("the database is slow")

    lab.add(own)
    result = lab.run(flow({"a": Node("t.own", timeout=60)}))
    assert result.error is not None
    assert result.error.code == "TimeoutError"


def test_map(lab: Lab) -> None:
    @node("t.hang")
    async def hang(item: int) -> int:
        if item:
            await asyncio.Event().wait()
        return item

    @node("t.each")
    def each() -> Expand:
        body = flow({"h": "t.hang"}, "params.item -> h.item")
        return Expand(body, [{"item": 0}, {"item": 1}], lambda found: {"out": len(found)})

    lab.add(hang, each)
    result = lab.run(flow({"a": Node("t.each", timeout=LIMIT)}))
    assert result.error is not None
    assert result.error.code == "timeout"
    assert lab.states() == {"a": "failed", "a[0]/h": "completed", "a[1]/h": "cancelled"}


def test_map_that_is_tried_again_keeps_its_ended_items(lab: Lab) -> None:
    calls: list[int] = []

    @node("t.hang")
    async def hang(item: int) -> int:
        calls.append(item)
        if calls.count(1) == 1 and item:
            await asyncio.Event().wait()
        return item

    @node("t.each")
    def each() -> Expand:
        body = flow({"h": "t.hang"}, "params.item -> h.item")
        return Expand(
            body, [{"item": 0}, {"item": 1}], lambda found: {"out": [f["h"] for f in found]}
        )

    lab.add(hang, each)
    made = flow({"a": Node("t.each", timeout=LIMIT, retry=Retry(attempts=2, initial=0))})
    assert lab.run(made).values["a"] == {"out": [0, 1]}
    assert sorted(calls) == [0, 1, 1]
    assert lab.states() == {"a": "completed", "a[0]/h": "completed", "a[1]/h": "completed"}
