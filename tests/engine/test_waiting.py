"""A node that waits: the answer reaches it, or the execution ends and another one goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from harness import LIMITS, PATIENCE, Lab, MemoryJournal, flow, record_of

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState, WaitKind
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand
from iaiflow_lab.sdk.waiting import Answer

LATER = 10_000.0


def asker(calls: list[str], kind: str = "approval", *, is_async: bool = True, **how: Any) -> Any:
    """Return a node type that waits and gives what it was told."""

    @node("t.ask", effects="read")
    async def coroutine(ctx: Context, value: Any = None) -> list[Any]:
        calls.append(ctx.step)
        return shown(await ctx.awaits("k", kind, **how))

    @node("t.ask", effects="read")
    def sync(ctx: Context, value: Any = None) -> list[Any]:
        calls.append(ctx.step)
        return shown(ctx.wait("k", kind, **how))

    return coroutine if is_async else sync


def shown(answer: Answer) -> list[Any]:
    return [str(answer.outcome), answer.value, answer.by]


@node("t.one")
def one(value: Any = None) -> int:
    return 1


BOTH = pytest.mark.parametrize("is_async", [True, False])


@BOTH
def test_a_run_in_which_everything_waits_ends_and_goes_on_with_the_answer(lab: Lab, is_async):
    calls: list[str] = []
    lab.add(asker(calls, is_async=is_async, message="Ship?", form={"type": "object"}), one)
    made = flow({"first": "t.one", "ask": "t.ask", "last": "t.one"}, "first -> ask.value",
                "ask -> last.value")  # fmt: skip
    parked = lab.run(made)
    assert (parked.state, parked.due, parked.answers) == (RunState.WAITING, None, 0)
    (asked,) = lab.journal.of(ev.StepWaiting)
    assert (asked.step, asked.key, asked.wait_kind) == ("ask", "k", "approval")
    assert (asked.message, asked.form) == ("Ship?", {"type": "object"})
    assert lab.states() == {"first": "completed"}

    lab.journal.answer("ask", {"n": 1}, "approved")
    ended = lab.run(made, record=record_of(lab.journal.events))
    assert ended.state is RunState.COMPLETED
    assert ended.values["ask"]["out"] == ["approved", {"n": 1}, "anna"]
    assert calls == ["ask", "ask"], "called again from its start"
    assert ended.answers == 1


@BOTH
def test_an_answer_reaches_a_node_while_others_run(lab: Lab, is_async):
    calls: list[str] = []
    go_on = threading.Event()

    @node("t.busy", effects="read")
    def busy() -> None:
        assert go_on.wait(PATIENCE)

    lab.add(asker(calls, "signal", name="go", is_async=is_async), busy)
    handle = lab.start(flow({"ask": "t.ask", "busy": "t.busy"}))
    lab.journal.answer("ask", 5)
    handle.look()
    while not lab.journal.of(ev.StepFinished, "ask"):
        time.sleep(0.001)
    go_on.set()
    result = handle.wait(PATIENCE)
    assert result.state is RunState.COMPLETED
    assert result.values["ask"]["out"] == ["answered", 5, "anna"]
    assert calls == ["ask"]


def test_an_answer_that_is_there_when_the_wait_opens_is_taken(lab: Lab):
    class Quick(type(lab.journal)):
        def append(self, events):
            super().append(events)
            for event in events:
                if isinstance(event, ev.StepWaiting):
                    self.answer(event.step, "early")

    lab.journal = Quick()
    lab.add(asker([], "signal", name="go"))
    result = lab.run(flow({"ask": "t.ask"}))
    assert result.values["ask"]["out"] == ["answered", "early", "anna"]


def test_a_short_delay_keeps_the_worker_and_a_long_one_frees_it(lab: Lab):
    @node("t.delay", effects="read")
    async def delay(ctx: Context, *, seconds: float) -> list[Any]:
        return shown(await ctx.awaits("k", WaitKind.DELAY, due=ctx.now() + seconds))

    lab.add(delay)
    short = lab.run(flow({"d": Node("t.delay", {"seconds": 0.1})}))
    assert short.values["d"]["out"] == ["due", None, ""]
    long = lab.run(flow({"other": Node("t.delay", {"seconds": LATER})}))
    assert long.state is RunState.WAITING


def test_the_first_moment_counts_when_the_node_is_called_again(lab: Lab):
    @node("t.delay", effects="read")
    async def delay(ctx: Context) -> str:
        return str((await ctx.awaits("k", "delay", due=ctx.now() + LATER)).outcome)

    lab.add(delay)
    made = flow({"d": "t.delay"})
    before = time.time()
    lab.run(made)
    record = record_of(lab.journal.events)
    assert lab.run(made, record=record).state is RunState.WAITING
    first, again = lab.journal.of(ev.StepWaiting)
    assert first.due == again.due
    assert first.due >= before + LATER


def test_what_comes_too_late_fails_the_step_unless_there_is_a_default(lab: Lab):
    due = time.time() + 0.05
    lab.add(asker([], "signal", name="go", due=due))
    failed = lab.run(flow({"ask": "t.ask"}))
    assert (failed.state, failed.error.code) == (RunState.FAILED, "wait-timeout")
    assert "waited in vain" in failed.error.message


def test_a_default_stands_in_for_an_answer(lab: Lab):
    lab.add(asker([], "approval", due=time.time() + 0.05, default={"n": 0}))
    result = lab.run(flow({"ask": "t.ask"}))
    assert result.values["ask"]["out"] == ["timed-out", {"n": 0}, ""]


def test_what_is_recorded_is_not_repeated_around_a_wait(lab: Lab):
    made: list[int] = []

    @node("t.order", effects="read")
    def order(ctx: Context) -> list[Any]:
        number = ctx.once("number", lambda: made.append(1) or len(made))
        first = ctx.wait("first", "approval")
        second = ctx.wait("second", "signal", name="go")
        return [number, str(first.outcome), second.value]

    lab.add(order)
    graph = flow({"order": "t.order"})
    assert lab.run(graph).state is RunState.WAITING
    lab.journal.answer("order", outcome="refused", key="first")
    assert lab.run(graph, record=record_of(lab.journal.events)).state is RunState.WAITING
    lab.journal.answer("order", 7, key="second")
    ended = lab.run(graph, record=record_of(lab.journal.events))
    assert ended.values["order"]["out"] == [1, "refused", 7]
    assert made == [1]


def test_a_parked_thread_is_unwound_and_no_except_goes_on(lab: Lab):
    seen: list[str] = []

    @node("t.stubborn", effects="read")
    def stubborn(ctx: Context) -> None:
        try:
            ctx.wait("k", "approval")
        except Exception:
            seen.append("except")
        finally:
            seen.append("finally")
        seen.append("after")

    lab.add(stubborn)
    parked = lab.run(flow({"s": "t.stubborn"}))
    assert (parked.state, parked.stuck) == (RunState.WAITING, ())
    assert seen == ["finally"]


def test_the_items_of_a_map_wait_side_by_side(lab: Lab):
    calls: list[str] = []

    @node("t.map")
    async def each(*, count: int, width: int | None = None) -> Expand:
        body = Flow(name="item", nodes={"ask": Node("t.ask")})
        return Expand(
            body, [{}] * count, lambda found: {"out": [f["ask"] for f in found]}, concurrency=width
        )

    lab.add(asker(calls), each)
    made = flow({"m": Node("t.map", {"count": 5})})
    assert lab.run(made).state is RunState.WAITING
    for number in (3, 1, 4, 0):
        lab.journal.answer(f"m[{number}]/ask", number, "approved")
    again = lab.run(made, record=record_of(lab.journal.events))
    assert again.state is RunState.WAITING
    lab.journal.answer("m[2]/ask", 2, "refused")
    ended = lab.run(made, record=record_of(lab.journal.events))
    assert [value for _, value, _ in ended.values["m"]["out"]] == [0, 1, 2, 3, 4]
    assert calls.count("m[2]/ask") == 3
    assert calls.count("m[0]/ask") == 2


def test_more_threads_wait_than_there_are_and_the_run_is_parked_all_the_same(lab: Lab):
    nodes = {f"n{number}": "t.ask" for number in range(70)}
    lab.add(asker([], is_async=False))
    parked = lab.run(flow(nodes))
    assert parked.state is RunState.WAITING
    waiting = lab.journal.of(ev.StepWaiting)
    assert 0 < len(waiting) < 70
    for event in waiting:
        lab.journal.answer(event.step, outcome="approved")
    assert lab.run(flow(nodes), record=record_of(lab.journal.events)).state is RunState.WAITING
    for event in lab.journal.of(ev.StepWaiting)[len(waiting) :]:
        lab.journal.answer(event.step, outcome="approved")
    ended = lab.run(flow(nodes), record=record_of(lab.journal.events))
    assert ended.state is RunState.COMPLETED


@BOTH
@pytest.mark.slow
def test_a_time_limit_does_not_count_the_wait(lab: Lab, is_async):
    @node("t.sub")
    async def sub(*, limit: float) -> Expand:
        body = Flow(name="body", nodes={"ask": Node("t.ask", timeout=limit)})
        return Expand(body, [{}], lambda found: {"out": found[0]["ask"]}, indexed=False)

    for limit in LIMITS:
        lab.journal = MemoryJournal()
        lab.add(asker([], "delay", due=time.time() + 1.5 * limit, is_async=is_async), sub)
        result = lab.run(flow({"s": Node("t.sub", {"limit": limit}, timeout=limit)}))
        if result.state is RunState.COMPLETED:
            break
    assert result.state is RunState.COMPLETED, result.error


def test_a_time_limit_goes_on_after_the_wait(lab: Lab):
    @node("t.slow", effects="read")
    async def slow(ctx: Context) -> None:
        await ctx.awaits("k", "delay", due=ctx.now() + 0.05)
        await asyncio.sleep(3_600)

    lab.add(slow)
    result = lab.run(flow({"s": Node("t.slow", timeout=0.2)}))
    assert (result.state, result.error.code) == (RunState.FAILED, "timeout")


def test_a_failure_beside_a_wait_ends_the_run(lab: Lab):
    @node("t.fail", effects="read")
    def fail() -> None:
        raise ValueError("no luck")

    lab.add(asker([]), fail)
    result = lab.run(flow({"ask": "t.ask", "fail": "t.fail"}))
    assert result.state is RunState.FAILED
    assert lab.states() == {"fail": "failed", "ask": "cancelled"}


def until_waiting(lab: Lab) -> None:
    while not lab.journal.of(ev.StepWaiting):
        time.sleep(0.001)


def test_a_wait_that_a_node_gives_up_is_left(lab: Lab):
    @node("t.impatient", effects="read")
    async def impatient(ctx: Context) -> str:
        waiting = asyncio.ensure_future(ctx.awaits("k", "approval"))
        await asyncio.to_thread(until_waiting, lab)
        waiting.cancel()
        try:
            await waiting
        except asyncio.CancelledError:
            return "gave up"
        return "?"

    lab.add(impatient)
    result = lab.run(flow({"i": "t.impatient"}), interactive=True)
    assert result.values["i"]["out"] == "gave up"
    assert [event.key for event in lab.journal.of(ev.WaitLeft)] == ["k"]


def test_one_node_may_wait_for_several_things(lab: Lab):
    @node("t.two", effects="read")
    async def two(ctx: Context) -> list[Any]:
        found = await asyncio.gather(
            ctx.awaits("a", "signal", name="a"), ctx.awaits("b", "signal", name="b")
        )
        return [answer.value for answer in found]

    lab.add(two)
    made = flow({"t": "t.two"})
    assert lab.run(made).state is RunState.WAITING
    lab.journal.answer("t", 2, key="b")
    assert lab.run(made, record=record_of(lab.journal.events)).state is RunState.WAITING
    lab.journal.answer("t", 1, key="a")
    assert lab.run(made, record=record_of(lab.journal.events)).values["t"]["out"] == [1, 2]


def test_an_interactive_run_is_never_parked(lab: Lab):
    heard: list[ev.Event] = []
    lab.add(asker([]))
    handle = lab.start(flow({"ask": "t.ask"}), interactive=True, listener=heard.append)
    lab.journal.answer("ask", outcome="approved")
    time.sleep(0.1)  # longer than a worker would stay
    handle.look()
    assert handle.wait(PATIENCE).values["ask"]["out"] == ["approved", None, "anna"]
    assert [type(event).__name__ for event in heard][1:3] == ["StepWaiting", "WaitAnswered"]


@BOTH
def test_cancelling_ends_a_wait(lab: Lab, is_async):
    lab.add(asker([], is_async=is_async))
    handle = lab.start(flow({"ask": "t.ask"}), interactive=True)
    while not lab.journal.of(ev.StepWaiting):
        time.sleep(0.001)
    handle.cancel()
    assert handle.wait(PATIENCE).state is RunState.CANCELLED
    assert lab.journal.of(ev.WaitLeft) == []


def test_a_run_that_nobody_records_waits_for_moments_only(lab: Lab):
    lab.add(asker([], "delay", due=time.time() + 0.05))
    result = lab.run(flow({"ask": "t.ask"}), journal=None)
    assert result.values["ask"]["out"] == ["due", None, ""]
    lab.add(asker([], "approval"))
    failed = lab.run(flow({"ask": "t.ask"}), journal=None)
    assert failed.error.code == "wait-invalid"
    assert "nobody can answer" in failed.error.message


@pytest.mark.parametrize(
    ("kind", "how", "words"),
    [
        ("holiday", {}, "'holiday' is nothing to wait for"),
        ("delay", {}, "needs a moment"),
        ("until", {"due": float("nan")}, "no moment"),
        ("signal", {}, "needs the name"),
        ("approval", {"name": "x"}, "ended by no signal"),
        ("approval", {"form": {"x": {1}}}, "no JSON"),
        ("approval", {"timeout": 3}, "'timeout' means nothing"),
    ],
)
def test_a_wait_that_could_never_end_is_refused(lab: Lab, kind, how, words):
    lab.add(asker([], kind, **how))
    result = lab.run(flow({"ask": "t.ask"}))
    assert result.error.code == "wait-invalid"
    assert words in result.error.message


def test_a_journal_that_cannot_be_asked_ends_the_run(lab: Lab):
    class Broken(type(lab.journal)):
        def answers(self):
            raise OSError("gone")

    lab.journal = Broken()
    lab.add(asker([]))
    with pytest.raises(OSError, match="gone"):
        lab.run(flow({"ask": "t.ask"}))
