"""What counts as arrived at a node: for its joins, for its cache key, and below it."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from harness import Lab, MemoryJournal, flow

from iaiflow_lab.engine.cache_key import value_key
from iaiflow_lab.engine.live_cache import LiveCache
from iaiflow_lab.engine.setup import Targets
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand, Skip


@node("t.one")
async def one() -> int:
    return 1


@node("t.gather")
async def gather(values: list[int], *, unit: str = "") -> list[int]:
    return values


def interactive(lab: Lab, made: Flow, cache: LiveCache, *start: str) -> dict[str, Any]:
    lab.journal = MemoryJournal()
    targets = Targets(start=start)
    result = lab.run(made, interactive=True, live_cache=cache, targets=targets)
    assert result.state == "completed"
    return dict(result.outputs)


def test_a_key_names_only_what_had_arrived_when_the_node_began(lab: Lab) -> None:
    lab.add(one, gather)
    cache = LiveCache()

    def joined(join: Any) -> Flow:
        nodes = {"a": "t.one", "b": "t.one", "m": Node("t.gather", join=join)}
        return flow(nodes, "a -> m.values", "b -> m.values")

    assert interactive(lab, joined("any"), cache) == {"m": [1]}
    assert interactive(lab, joined("all"), cache) == {"m": [1, 1]}


def test_a_parameter_is_no_branch_that_any_may_go_with(lab: Lab) -> None:
    @node("t.skips")
    async def skips() -> Any:
        return Skip("not today")

    @node("t.slow")
    async def slow() -> int:
        await asyncio.sleep(0.05)
        return 2

    lab.add(skips, slow, gather)
    unit = {"unit": {"type": "string"}}
    links = ("a -> m.values", "b -> m.values", "params.unit -> m.unit")
    made = flow(
        {"a": "t.skips", "b": "t.slow", "m": Node("t.gather", join="any")}, *links, parameters=unit
    )
    assert lab.run(made, {"unit": "km"}).outputs == {"m": [2]}
    lab.journal = MemoryJournal()
    none = flow(
        {"a": "t.skips", "b": "t.skips", "m": Node("t.gather", join="any")}, *links, parameters=unit
    )
    lab.run(none, {"unit": "km"})
    assert lab.states()["m"] == "skipped"


@pytest.mark.parametrize("how", ["map", "call"])
def test_what_must_really_run_includes_what_is_below(lab: Lab, how: str) -> None:
    body = Flow("b", nodes={"n": Node("t.one")})

    @node("t.map")
    async def each() -> Expand:
        return Expand(body, [{}], lambda found: {"out": None})

    @node("t.call", effects="write")
    async def call(ctx: Context) -> None:
        await ctx.arun_flow("b", body, {})

    lab.add(one, each, call)
    cache, made = LiveCache(), flow({"m": f"t.{how}"})
    below = "m[0]/n" if how == "map" else "m/b:n"
    interactive(lab, made, cache)
    interactive(lab, made, cache)
    assert lab.sources()[below] == "cache"
    interactive(lab, made, cache, "m")
    assert lab.sources()[below] == "executed"


@pytest.mark.parametrize(
    "value", [float("nan"), b"abc", (1, 2), {1: 2}, {1, 2}, date(2013, 1, 31), {"a": [b""]}]
)
def test_a_value_that_json_holds_only_roughly_has_no_key(value: Any) -> None:
    assert value_key(value) is None


def test_equal_values_of_json_have_equal_keys() -> None:
    assert value_key({"a": 1, "b": [None, 1.5]}) == value_key({"b": [None, 1.5], "a": 1})
    assert value_key(1) != value_key(1.0) != value_key(True)
