"""Maps, subflows and flows called by nodes: steps of their own, shown under their node."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated, Any

import pytest
from harness import LIMITS, PATIENCE, Lab, MemoryJournal, flow

from iaiflow_lab.engine.context import refuse_nested_run
from iaiflow_lab.errors import NotFoundError, RunError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.sdk.annotations import As
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Done, Expand, Failed, Skip

BODY = flow({"p": "t.plus"}, "params.item -> p.value", parameters={"item": {"type": "any"}})


@node("t.plus")
async def plus(value: int) -> int:
    if value < 0:
        raise ValueError(f"{value} is negative")
    return value + 1


@node("t.map")
def each(
    values: list[Any], *, concurrency: int | None = None, keep_going: bool = False
) -> Annotated[Expand, As("list[any]")]:
    return Expand(
        BODY,
        [{"item": value} for value in values],
        lambda found: {"out": [f.message if isinstance(f, Failed) else f["p"] for f in found]},
        concurrency=concurrency,
        keep_going=keep_going,
    )


@node("t.sub")
def sub(value: int) -> Expand:
    return Expand(BODY, [{"item": value}], lambda found: dict(found[0]), indexed=False)  # type: ignore[arg-type]


@pytest.fixture
def maps(lab: Lab) -> Lab:
    lab.add(plus, each, sub)
    return lab


def over(values: list[Any], **config: Any) -> Flow:
    return flow({"m": Node("t.map", {"values": values, **config})})


def test_every_item_is_a_step(maps: Lab) -> None:
    result = maps.run(over([1, 2, 3]))
    assert result.values["m"] == {"out": [2, 3, 4]}
    assert maps.states() == dict.fromkeys(["m", "m[0]/p", "m[1]/p", "m[2]/p"], "completed")
    (expanded,) = maps.journal.of(ev.StepExpanded)
    assert (expanded.step, expanded.items) == ("m", 3)


def test_no_items(maps: Lab) -> None:
    assert maps.run(over([])).values["m"] == {"out": []}


def test_the_first_failure_ends_the_map_and_is_told_with_its_item(maps: Lab) -> None:
    result = maps.run(over([1, -2, 3], concurrency=1))
    assert result.error is not None
    assert (result.error.step, result.error.message) == ("m[1]/p", "ValueError: -2 is negative")
    assert isinstance(result.exception, ValueError)
    assert "raise ValueError" in result.error.trace
    assert maps.states() == {"m[0]/p": "completed", "m[1]/p": "failed", "m": "failed"}


def test_a_failed_item_need_not_stop_the_others(maps: Lab) -> None:
    result = maps.run(over([1, -2, 3], keep_going=True))
    assert result.values["m"] == {"out": [2, "ValueError: -2 is negative", 4]}
    assert maps.states()["m[1]/p"] == "failed"


@pytest.mark.parametrize(("limit", "most"), [(None, 6), (2, 2), (1, 1)])
def test_the_limit_is_respected_and_used(lab: Lab, limit: int | None, most: int) -> None:
    inside = 0
    seen: list[int] = []
    full = asyncio.Event()

    @node("t.plus")
    async def counting(value: int) -> int:
        nonlocal inside
        inside += 1
        seen.append(inside)
        if inside == most:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        inside -= 1
        return value

    lab.add(counting, each)
    assert lab.run(over([0] * 6, concurrency=limit)).state == "completed"
    assert max(seen) == most


def test_the_nodes_own_limit_beats_the_types(lab: Lab) -> None:
    @node("t.plus")
    async def alone(value: int) -> int:
        assert not lock.locked()
        async with lock:
            await asyncio.sleep(0)
        return value

    lock = asyncio.Lock()
    lab.add(alone, each)
    made = flow({"m": Node("t.map", {"values": [0] * 5, "concurrency": 5}, concurrency=1)})
    assert lab.run(made).state == "completed"


def test_a_subflow_carries_no_index(maps: Lab) -> None:
    result = maps.run(flow({"s": Node("t.sub", {"value": 4})}))
    assert result.values["s"] == {"p": 5}
    assert set(maps.states()) == {"s", "s/p"}


def test_a_map_in_a_map(maps: Lab) -> None:
    @node("t.outer")
    def outer() -> Expand:
        body = flow({"m": "t.map"}, "params.row -> m.values", parameters={"row": {}})
        return Expand(
            body, [{"row": [1, 2]}, {"row": [3]}], lambda found: {"out": [f["m"] for f in found]}
        )

    maps.add(outer)
    result = maps.run(flow({"o": "t.outer"}))
    assert result.values["o"] == {"out": [[2, 3], [4]]}
    assert {"o[0]/m[1]/p", "o[1]/m[0]/p", "o[1]/m"} <= set(maps.states())


def test_live_values_go_into_a_body(lab: Lab) -> None:
    value = object()

    @node("t.same")
    def same(value: Any) -> bool:
        return value is expected

    @node("t.map1")
    def one() -> Expand:
        body = flow({"s": "t.same"}, "params.item -> s.value", parameters={"item": {"type": "any"}})
        return Expand(body, [{"item": value}], lambda found: {"out": found[0]["s"]})

    expected = value
    lab.add(same, one)
    assert lab.run(flow({"m": "t.map1"})).values["m"] == {"out": True}


@pytest.mark.slow
def test_a_failing_run_leaves_no_item_open(maps: Lab) -> None:
    going = threading.Event()

    @node("t.hang")
    async def hang() -> None:
        going.set()
        await asyncio.Event().wait()

    @node("t.after")
    def after() -> None:
        going.wait(PATIENCE / 2)
        raise ValueError("now")

    @node("t.limited")
    def limited() -> Expand:
        return Expand(flow({"h": "t.hang"}), [{}], lambda _: {})

    maps.add(hang, after, limited)
    for limit in LIMITS:
        maps.journal = MemoryJournal()
        result = maps.run(flow({"m": Node("t.limited", timeout=limit), "f": "t.after"}))
        assert result.state == "failed"
        if going.is_set():
            break
    assert maps.states() == {"f": "failed", "m": "failed", "m[0]/h": "cancelled"}


def test_skip_and_done(lab: Lab) -> None:
    @node("t.maybe")
    def maybe() -> str | Skip:
        return Skip("Nothing new.")

    @node("t.done")
    def done() -> Done:
        return Done({"one": 1})

    lab.add(maybe, done)
    result = lab.run(flow({"m": "t.maybe", "d": "t.done"}))
    assert result.steps["m"].reason == "Nothing new."
    assert lab.states() == {"m": "skipped", "d": "completed"}
    assert result.values["d"] == {"one": 1}


def test_everything_that_a_context_gives(lab: Lab) -> None:
    @node("t.all")
    def everything(ctx: Context, *, more: str = "") -> str:
        ctx.log("hello", level="DEBUG")
        ctx.progress(1, 4, "quarter")
        ctx.metric("rows", 5, "rows")
        ctx.emit("part")
        with ctx.span("inner", size=3):
            pass
        digest = ctx.artifact("note.txt", "text")
        assert ctx.now() > 0
        assert not ctx.cancelled
        return f"{ctx.node_id} {ctx.step} {ctx.run_id} {ctx.secret('key')} {digest[:4]}"

    lab.add(everything)
    object.__setattr__(lab.secrets, "known", {"key": "s3cret"})
    result = lab.run(flow({"a": "t.all"}))
    assert result.outputs["a"].startswith("a a run_1 s3cret ")
    kinds = [type(event).__name__ for event in lab.journal.events]
    assert kinds == [
        "StepStarted",
        "StepLog",
        "StepProgress",
        "StepMetric",
        "StepOutput",
        "StepSpan",
        "ArtifactMade",
        "StepFinished",
    ]
    with pytest.raises(NotFoundError):
        lab.secrets.get("other")


def test_async_flows_inside_a_node(maps: Lab) -> None:
    @node("t.call")
    async def call(ctx: Context) -> int:
        found = await ctx.arun_flow("1", BODY, {"item": 1})
        return found["p"] + (await ctx.arun_node("2", "t.plus", value=5))["out"]

    maps.add(call)
    assert maps.run(flow({"c": "t.call"})).outputs == {"c": 8}
    assert set(maps.states()) == {"c", "c/1:p", "c/2:node"}


def test_a_failure_below_a_node_names_the_step_below(maps: Lab) -> None:
    @node("t.call")
    def call(ctx: Context) -> int:
        return ctx.run_node("1", "t.plus", value=-1)["out"]

    maps.add(call)
    result = maps.run(flow({"c": "t.call"}))
    assert result.error is not None
    assert result.error.step == "c/1:node"
    assert maps.states() == {"c": "failed", "c/1:node": "failed"}


def test_running_a_flow_inside_a_node_is_refused_with_the_remedy() -> None:
    with pytest.raises(RunError, match=r"ctx\.run_flow"):
        refuse_nested_run()
