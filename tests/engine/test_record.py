"""What is recorded is not executed again: resume, replay, durability, fences."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl
import pytest
from harness import PATIENCE, Lab, MemoryJournal, chain, flow, record_of

from iaiflow_lab.engine.ports import Record
from iaiflow_lab.errors import StaleFenceError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Node, Retry
from iaiflow_lab.sdk.annotations import Table
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def counted(lab: Lab, calls: list[str]) -> Lab:
    @node("t.plus")
    async def plus(ctx: Context, value: int = 0) -> int:
        calls.append(ctx.step)
        return value + 1

    @node("t.table")
    def table(ctx: Context) -> Table:
        calls.append(ctx.step)
        return pl.DataFrame({"x": [1, 2]})

    @node("t.height")
    def height(ctx: Context, rows: Table) -> int:
        calls.append(ctx.step)
        return rows.height

    @node("t.live")
    def live(ctx: Context) -> Any:
        calls.append(ctx.step)
        return threading.Event()

    @node("t.fail")
    def fail(ctx: Context, value: int = 0) -> int:
        calls.append(ctx.step)
        raise ValueError("no")

    @node("t.items")
    def items(ctx: Context, values: list[Any]) -> int:
        calls.append(ctx.step)
        return len(values)

    lab.add(plus, table, height, live, fail, items)
    return lab


def again(lab: Lab, made: Any, **rest: Any) -> Any:
    """Go on from what is recorded, in a new journal that knows it."""
    record = record_of(lab.journal.events)
    return lab.run(made, record=record, **rest)


def test_recorded_steps_never_run_again(counted: Lab, calls: list[str]) -> None:
    made = chain("t.plus", 5)
    counted.run(made)
    first = record_of(counted.journal.events)
    some = Record(steps={path: first.steps[path] for path in ("n0", "n1")})
    calls.clear()
    counted.journal = MemoryJournal()
    result = counted.run(made, record=some)
    assert result.outputs == {"n4": 5}
    assert calls == ["n2", "n3", "n4"]
    assert set(counted.states()) == {"n2", "n3", "n4"}
    assert set(result.steps) == {"n0", "n1", "n2", "n3", "n4"}


def test_tables_come_back_from_artifacts(counted: Lab, calls: list[str]) -> None:
    made = flow({"t": "t.table", "h": "t.height"}, "t -> h.rows")
    counted.run(made)
    record = Record(steps={"t": record_of(counted.journal.events).steps["t"]})
    calls.clear()
    counted.journal = MemoryJournal()
    result = counted.run(made, record=record)
    assert result.outputs == {"h": 2}
    assert result.values["t"]["out"].equals(pl.DataFrame({"x": [1, 2]}))
    assert calls == ["h"]


def test_a_single_stored_value_is_still_the_only_item_of_a_list(counted: Lab) -> None:
    @node("t.any")
    def anything() -> Any:
        return b"bytes"

    counted.add(anything)
    made = flow({"a": "t.any", "n": "t.items"}, "a -> n.values")
    assert counted.run(made).outputs == {"n": 1}
    record = Record(steps={"a": record_of(counted.journal.events).steps["a"]})
    counted.journal = MemoryJournal()
    assert counted.run(made, record=record).outputs == {"n": 1}


def test_a_live_output_is_made_again(counted: Lab, calls: list[str]) -> None:
    made = flow({"l": "t.live", "n": "t.items"}, "l -> n.values")
    counted.run(made)
    record = Record(steps={"l": record_of(counted.journal.events).steps["l"]})
    assert record.steps["l"].outputs["out"].encoding == "live"
    calls.clear()
    counted.journal = MemoryJournal()
    counted.run(made, record=record)
    assert calls == ["l", "n"]


def test_other_code_keeps_what_is_recorded_and_says_so(counted: Lab, calls: list[str]) -> None:
    made = chain("t.plus", 2)

    @node("t.plus")
    async def first(value: int = 0) -> int:
        return value + 1

    @node("t.plus")
    async def second(value: int = 0) -> int:
        return value + 2

    counted.add(first)
    counted.run(made)
    record = Record(steps={"n0": record_of(counted.journal.events).steps["n0"]})
    counted.journal = MemoryJournal()
    counted.add(second)
    assert counted.run(made, record=record).outputs == {"n1": 3}
    assert [e.step for e in counted.journal.of(ev.CodeChanged)] == ["n0"]


def test_a_recorded_failure_stays_one(counted: Lab, calls: list[str]) -> None:
    made = flow({"f": "t.fail"})
    counted.run(made)
    calls.clear()
    result = again(counted, made)
    assert (result.state, calls) == ("failed", [])
    assert result.error is not None
    assert result.error.message == "ValueError: no"


def test_replay_of_another_run_takes_what_was_completed(counted: Lab, calls: list[str]) -> None:
    made = flow(
        {"a": "t.plus", "b": "t.plus", "f": Node("t.fail", join="all_done")},
        "a -> b.value",
        "b -> f.value",
    )
    counted.run(made)
    replay = record_of(counted.journal.events).steps
    counted.journal = MemoryJournal()
    calls.clear()
    result = counted.run(made, replay=replay)
    assert result.state == "failed"
    assert calls == ["f"]
    assert counted.sources() == {"a": "replay", "b": "replay", "f": "executed"}


def test_a_write_starts_only_when_what_it_depends_on_is_committed(lab: Lab) -> None:
    committed: list[list[str]] = []

    @node("t.plus")
    async def plus(value: int = 0) -> int:
        return value + 1

    @node("t.write", effects="write")
    async def write(value: int) -> int:
        committed.append(sorted(lab.states()))
        return value

    def listen(event: ev.Event) -> None:
        if isinstance(event, ev.StepFinished) and event.step == "b":
            threading.Timer(0.01, lab.journal.gate.set).start()

    lab.add(plus, write)
    lab.journal.gate.clear()
    made = flow({"a": "t.plus", "b": "t.plus", "w": "t.write"}, "a -> b.value", "b -> w.value")
    assert lab.run(made, listener=listen).state == "completed"
    assert committed == [["a", "b"]]


def test_sync_durability_commits_a_step_before_the_next_starts(lab: Lab) -> None:
    seen: list[list[str]] = []

    @node("t.plus")
    async def plus(value: int = 0) -> int:
        seen.append(sorted(lab.states()))
        return value + 1

    lab.add(plus)
    lab.run(chain("t.plus", 3), durability="sync")
    assert seen == [[], ["n0"], ["n0", "n1"]]


def test_batches_spare_commits(lab: Lab) -> None:
    @node("t.plus")
    async def plus(value: int = 0) -> int:
        return value + 1

    lab.add(plus)
    lab.run(chain("t.plus", 300))
    assert len(lab.journal.of(ev.StepFinished)) == 300
    assert len(lab.journal.batches) < 100


def test_a_stale_fence_ends_everything(lab: Lab) -> None:
    going = threading.Event()
    ended = threading.Event()

    @node("t.loop")
    def loop() -> None:
        going.set()
        try:
            while True:
                pass
        finally:
            ended.set()

    @node("t.next")
    def following(value: Any) -> None:
        raise AssertionError

    lab.add(loop, following)
    lab.journal.refusal = StaleFenceError("Another worker holds the run.")
    handle = lab.start(flow({"a": "t.loop", "b": "t.next"}, "a -> b.value"))
    with pytest.raises(StaleFenceError):
        handle.wait(PATIENCE)
    assert not going.is_set() or ended.is_set()
    assert lab.journal.events == []


def test_a_journal_that_cannot_write_ends_the_run_with_its_reason(counted: Lab) -> None:
    counted.journal.refusal = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        counted.run(chain("t.plus", 3))


def test_once_is_once(lab: Lab) -> None:
    made: list[str] = []

    @node("t.pay")
    def pay(ctx: Context) -> list[Any]:
        receipt = ctx.once("pay", lambda: made.append("paid") or "receipt 1")
        table = ctx.once("table", lambda: pl.DataFrame({"x": [1]}))
        if ctx.attempt < 3:
            raise ConnectionError
        return [receipt, ctx.once("pay", lambda: "never"), table.height]

    @node("t.apay")
    async def apay(ctx: Context) -> str:
        async def buy() -> str:
            made.append("bought")
            return "ticket"

        await ctx.aonce("buy", buy)
        return await ctx.aonce("buy", buy)

    lab.add(pay, apay)
    flow_ = flow({"a": Node("t.pay", retry=Retry(attempts=3, initial=0)), "b": "t.apay"})
    result = lab.run(flow_)
    assert result.outputs == {"a": ["receipt 1", "receipt 1", 1], "b": "ticket"}
    assert sorted(made) == ["bought", "paid"]
    substeps = record_of(lab.journal.events).substeps
    lab.journal = MemoryJournal()
    again_ = lab.run(flow_, record=Record(substeps=substeps))
    assert again_.outputs == result.outputs
    assert sorted(made) == ["bought", "paid"]


def test_only_unfinished_items_of_a_map_run_again(counted: Lab, calls: list[str]) -> None:
    @node("t.each")
    def each(ctx: Context) -> Expand:
        body = flow({"p": "t.plus"}, "params.item -> p.value", parameters={"item": {}})
        return Expand(
            body,
            [{"item": i} for i in range(4)],
            lambda all_: {"out": [found["p"] for found in all_]},
        )

    counted.add(each)
    made = flow({"m": "t.each"})
    counted.run(made)
    steps = record_of(counted.journal.events).steps
    record = Record(steps={path: steps[path] for path in ("m[0]/p", "m[2]/p")})
    calls.clear()
    counted.journal = MemoryJournal()
    result = counted.run(made, record=record)
    assert result.values["m"] == {"out": [1, 2, 3, 4]}
    assert sorted(calls) == ["m[1]/p", "m[3]/p"]


def test_a_flow_called_by_a_node_that_is_tried_again(counted: Lab, calls: list[str]) -> None:
    @node("t.call")
    def call(ctx: Context) -> int:
        out = ctx.run_flow("1", chain("t.plus", 2), {})
        if ctx.attempt == 1:
            raise ConnectionError
        return out["n1"] + ctx.run_node("2", "t.plus", value=10)["out"]

    counted.add(call)
    made = flow({"c": Node("t.call", retry=Retry(attempts=2, initial=0))})
    assert counted.run(made).outputs == {"c": 13}
    assert calls == ["c/1:n0", "c/1:n1", "c/2:node"]
