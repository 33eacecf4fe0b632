"""Cancelling: what is recorded is what happened."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from harness import PATIENCE, Lab, flow

from iaiflow_lab.engine import step
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node, Retry
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand


@pytest.fixture
def going() -> threading.Event:
    return threading.Event()


@pytest.fixture
def ended() -> threading.Event:
    return threading.Event()


@pytest.fixture(params=["async", "stream", "obeys", "raises", "loop", "generator"])
def one_node(  # noqa: C901, PLR0915  a node of each kind
    request: pytest.FixtureRequest, lab: Lab, going: threading.Event, ended: threading.Event
) -> Flow:
    """Return a flow with one node of a kind that ends when it is told to."""

    @node("t.async")
    async def awaits() -> None:
        going.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @node("t.stream")
    async def stream():
        going.set()
        yield 1
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @node("t.obeys")
    def obeys(ctx: Context) -> str:
        going.set()
        while not ctx.cancelled:
            time.sleep(0.001)
        ended.set()
        return "half of it"

    @node("t.raises")
    def raises(ctx: Context) -> str:
        going.set()
        try:
            while True:
                ctx.raise_if_cancelled()
                time.sleep(0.001)
        finally:
            ended.set()

    @node("t.loop")
    def loop() -> None:
        going.set()
        try:
            while True:
                pass
        finally:
            ended.set()

    @node("t.generator")
    def generator():
        going.set()
        try:
            while True:
                time.sleep(0.001)
                yield 1
        finally:
            ended.set()

    lab.add(awaits, stream, obeys, raises, loop, generator)
    return flow({"a": f"t.{request.param}", "b": "t.async"}, "a -> b.nothing")


def single(made: Flow) -> Flow:
    return Flow(name="one", nodes={"a": made.nodes["a"]})


def test_a_cancelled_step_has_ended(
    lab: Lab, one_node: Flow, going: threading.Event, ended: threading.Event
) -> None:
    handle = lab.start(single(one_node))
    assert going.wait(PATIENCE)
    handle.cancel()
    result = handle.wait(PATIENCE)
    assert ended.is_set()
    assert result.state == "cancelled"
    assert result.stuck == ()
    assert lab.states() == {"a": "cancelled"}


def test_giving_back_records_nothing(
    lab: Lab, one_node: Flow, going: threading.Event, ended: threading.Event
) -> None:
    handle = lab.start(single(one_node))
    assert going.wait(PATIENCE)
    handle.give_back()
    assert handle.wait(PATIENCE).state == "queued"
    assert ended.is_set()
    assert lab.states() == {}


def test_inside_a_map_too(
    lab: Lab, one_node: Flow, going: threading.Event, ended: threading.Event
) -> None:
    @node("t.each")
    def each() -> Expand:
        return Expand(single(one_node), [{}], lambda _: {})

    lab.add(each)
    handle = lab.start(flow({"m": "t.each"}))
    assert going.wait(PATIENCE)
    handle.cancel()
    result = handle.wait(PATIENCE)
    assert ended.is_set()
    assert result.stuck == ()
    assert lab.states() == {"m": "cancelled", "m[0]/a": "cancelled"}


@pytest.fixture
def stubborn(lab: Lab, going: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what releases a node that nothing can stop."""
    monkeypatch.setattr(step, "STOP_GRACE", 0.02)
    release = threading.Event()

    @node("t.stubborn")
    def never() -> None:
        going.set()
        release.wait(PATIENCE)

    lab.add(never)
    yield release
    release.set()


@pytest.mark.parametrize("in_map", [False, True])
def test_a_stubborn_thread_is_named(
    lab: Lab, stubborn: threading.Event, going: threading.Event, in_map: bool
) -> None:
    @node("t.each")
    def each() -> Expand:
        return Expand(flow({"a": "t.stubborn"}), [{}], lambda _: {})

    lab.add(each)
    handle = lab.start(flow({"a": "t.each" if in_map else "t.stubborn"}))
    assert going.wait(PATIENCE)
    handle.cancel()
    result = handle.wait(PATIENCE)
    assert result.stuck == (("a[0]/a",) if in_map else ("a",))
    assert result.stuck[0] not in lab.states(), "it has not ended, so it is not cancelled"


def test_a_person_may_stop_waiting_for_a_stubborn_thread(
    lab: Lab, stubborn: threading.Event, going: threading.Event
) -> None:
    handle = lab.start(flow({"a": "t.stubborn"}), interactive=True)
    assert going.wait(PATIENCE)
    handle.cancel()
    handle.cancel()
    assert handle.wait(PATIENCE).stuck == ("a",)


@pytest.mark.parametrize("in_map", [False, True])
def test_a_person_may_stop_waiting_for_an_async_node_that_goes_on(
    lab: Lab, going: threading.Event, in_map: bool
) -> None:
    release = threading.Event()

    @node("t.deaf")
    async def deaf() -> int:
        going.set()
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
        return 1

    @node("t.each")
    def each() -> Expand:
        return Expand(flow({"a": "t.deaf"}), [{}], lambda _: {})

    lab.add(deaf, each)
    handle = lab.start(flow({"m": "t.each" if in_map else "t.deaf"}), interactive=True)
    assert going.wait(PATIENCE)
    handle.cancel()
    handle.cancel()
    result = handle.wait(PATIENCE)
    release.set()
    assert result.stuck == (("m[0]/a",) if in_map else ("m",))
    assert lab.states() == {}


def test_a_blocked_event_loop_is_left_and_the_next_run_has_another(
    lab: Lab, going: threading.Event
) -> None:
    release = threading.Event()

    @node("t.blocks")
    async def blocks() -> None:
        going.set()
        release.wait(PATIENCE)

    @node("t.one")
    def one() -> int:
        return 1

    lab.add(blocks, one)
    handle = lab.start(flow({"a": "t.blocks"}), interactive=True)
    assert going.wait(PATIENCE)
    handle.cancel()
    handle.cancel()
    result = handle.leave()
    assert result.stuck == ("a",)
    assert lab.run(flow({"b": "t.one"})).outputs == {"b": 1}
    release.set()
    handle.wait(PATIENCE)
    assert lab.states() == {"b": "completed"}, "what ends later is recorded no more"


def test_a_step_that_has_not_started_is_not_recorded(lab: Lab, going: threading.Event) -> None:
    @node("t.wait")
    async def wait() -> int:
        going.set()
        await asyncio.Event().wait()
        return 1

    @node("t.next")
    def following(value: int) -> int:
        return value

    lab.add(wait, following)
    handle = lab.start(flow({"a": "t.wait", "b": "t.next"}, "a -> b.value"))
    assert going.wait(PATIENCE)
    handle.cancel()
    handle.wait(PATIENCE)
    assert lab.states() == {"a": "cancelled"}


def test_an_async_node_that_finishes_anyway_is_completed(lab: Lab, going: threading.Event) -> None:
    @node("t.finish")
    async def finish() -> int:
        going.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 5
        return 1

    lab.add(finish)
    handle = lab.start(flow({"a": "t.finish"}))
    assert going.wait(PATIENCE)
    handle.cancel()
    result = handle.wait(PATIENCE)
    assert lab.states() == {"a": "completed"}
    assert result.state == "completed", "every node has run"


def test_a_node_that_answers_a_give_back_with_an_error_has_not_failed(
    lab: Lab, going: threading.Event
) -> None:
    @node("t.upset")
    async def upset() -> None:
        going.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise ConnectionError("the connection is gone") from error

    lab.add(upset)
    handle = lab.start(flow({"a": "t.upset"}))
    assert going.wait(PATIENCE)
    handle.give_back()
    assert handle.wait(PATIENCE).state == "queued"
    assert lab.states() == {}


def test_cancelling_before_anything_has_started(lab: Lab) -> None:
    @node("t.one")
    def one() -> int:
        return 1

    lab.add(one)
    handle = lab.start(flow({f"n{i}": "t.one" for i in range(5)}))
    handle.cancel()
    result = handle.wait(PATIENCE)
    assert result.state in ("cancelled", "completed")
    assert len(lab.states()) == len(lab.journal.of(ev.StepStarted))


def test_cancelling_after_the_end_changes_nothing(lab: Lab) -> None:
    @node("t.one")
    def one() -> int:
        return 1

    lab.add(one)
    handle = lab.start(flow({"a": "t.one"}))
    assert handle.wait(PATIENCE).state == "completed"
    handle.cancel()
    handle.give_back()
    assert handle.done
    assert handle.wait(PATIENCE).state == "completed"


def test_a_pause_between_attempts_is_interrupted(lab: Lab) -> None:
    pausing = threading.Event()

    @node("t.fail")
    def fail() -> None:
        raise RuntimeError

    def listen(event: Any) -> None:
        if isinstance(event, ev.StepRetrying):
            pausing.set()

    lab.add(fail)
    made = flow({"a": Node("t.fail", retry=Retry(attempts=2, initial=4, max=4))})
    handle = lab.start(made, listener=listen)
    assert pausing.wait(PATIENCE)
    handle.cancel()
    assert handle.wait(PATIENCE).state == "cancelled"
    assert lab.states() == {"a": "cancelled"}
