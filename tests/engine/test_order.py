"""What runs when: no barriers, no recursion, joins and branches."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, TypedDict

import pytest
from harness import PATIENCE, Lab, chain, flow

from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model.flow import Node
from iaiflow_lab.sdk.node import node


@node("t.one")
def one() -> int:
    return 1


@node("t.plus")
async def plus(value: int = 0) -> int:
    return value + 1


@node("t.total")
def total(values: list[int]) -> int:
    return sum(values)


@node("t.fail")
def fail(value: Any = None) -> int:
    raise ValueError("no luck")


@node("t.show")
def show(a: Any = None, b: Any = None) -> str:
    return f"{a},{b}"


class Branches(TypedDict, total=False):
    yes: int
    no: int


@node("t.fork")
def fork(value: int, *, limit: int = 0) -> Branches:
    return {"yes": value} if value > limit else {"no": value}


TYPES = (one, plus, total, fail, show, fork)


@pytest.fixture
def basics(lab: Lab) -> Lab:
    lab.add(*TYPES)
    return lab


def test_a_chain_of_ten_thousand(basics: Lab) -> None:
    result = basics.run(chain("t.plus", 10_000), journal=None)
    assert result.outputs == {"n9999": 10_000}


def test_values_flow_and_the_last_nodes_are_the_outputs(basics: Lab) -> None:
    made = flow(
        {"a": "t.one", "b": "t.plus", "c": "t.plus", "d": "t.total"},
        "a -> b.value",
        "a -> c.value",
        "b -> d.values",
        "c -> d.values",
    )
    result = basics.run(made)
    assert result.state == "completed"
    assert result.outputs == {"d": 4}
    assert result.values["b"] == {"out": 2}
    assert set(basics.states().values()) == {"completed"}


def test_named_outputs(basics: Lab) -> None:
    made = flow({"a": "t.one", "b": "t.plus"}, "a -> b.value", outputs={"x": "a.out", "y": "b"})
    assert basics.run(made).outputs == {"x": 1, "y": 2}


def test_an_empty_flow_completes(basics: Lab) -> None:
    assert basics.run(flow({})).state == "completed"


def test_a_follower_runs_while_a_sibling_of_its_parent_still_works(lab: Lab) -> None:
    follower_ran = threading.Event()

    @node("t.slow")
    def slow(value: int) -> bool:
        return follower_ran.wait(PATIENCE)

    @node("t.follow")
    async def follow(value: int) -> bool:
        follower_ran.set()
        return True

    lab.add(*TYPES, slow, follow)
    made = flow(
        {"a": "t.one", "slow": "t.slow", "quick": "t.plus", "after": "t.follow", "end": "t.total"},
        "a -> slow.value",
        "a -> quick.value",
        "quick -> after.value",
        "slow -> end.values",
        "after -> end.values",
    )
    assert lab.run(made).values["slow"] == {"out": True}


def test_sync_nodes_run_at_the_same_time(lab: Lab) -> None:
    together = threading.Barrier(8)

    @node("t.meet")
    def meet() -> int:
        together.wait(PATIENCE)
        return 1

    lab.add(meet)
    assert lab.run(flow({f"m{i}": "t.meet" for i in range(8)})).state == "completed"


def test_async_nodes_run_at_the_same_time(lab: Lab) -> None:
    waiting: list[asyncio.Future[None]] = []

    @node("t.meet")
    async def meet() -> int:
        waiting.append(asyncio.get_running_loop().create_future())
        if len(waiting) == 8:
            for future in waiting:
                future.set_result(None)
        await waiting[-1]
        return 1

    lab.add(meet)
    assert lab.run(flow({f"m{i}": "t.meet" for i in range(8)})).state == "completed"


def test_a_branch_that_is_not_taken_is_skipped(basics: Lab) -> None:
    made = flow(
        {"a": "t.one", "if": "t.fork", "yes": "t.plus", "no": "t.plus", "after": "t.plus"},
        "a -> if.value",
        "if.yes -> yes.value",
        "if.no -> no.value",
        "no -> after.value",
    )
    result = basics.run(made)
    assert result.state == "completed"
    assert result.outputs == {"yes": 2}
    assert basics.states() == {
        "a": "completed",
        "if": "completed",
        "yes": "completed",
        "no": "skipped",
        "after": "skipped",
    }


def test_a_list_drops_what_was_skipped(basics: Lab) -> None:
    made = flow(
        {"a": "t.one", "if": "t.fork", "yes": "t.plus", "no": "t.plus", "end": "t.total"},
        "a -> if.value",
        "if.yes -> yes.value",
        "if.no -> no.value",
        "yes -> end.values",
        "no -> end.values",
    )
    assert basics.run(made).outputs == {"end": 2}


@pytest.mark.parametrize(
    ("join", "state", "shown"),
    [("all", "skipped", None), ("any", "completed", "1,None"), ("all_done", "completed", "1,None")],
)
def test_joins_when_one_port_has_no_value(
    basics: Lab, join: Any, state: str, shown: str | None
) -> None:
    made = flow(
        {"a": "t.one", "if": "t.fork", "end": Node("t.show", join=join)},
        "a -> if.value",
        "if.yes -> end.a",
        "if.no -> end.b",
    )
    result = basics.run(made)
    assert basics.states()["end"] == state
    assert result.outputs.get("end") == shown


@pytest.mark.parametrize(
    ("join", "state"), [("all", "skipped"), ("any", "skipped"), ("all_done", "completed")]
)
def test_joins_when_nothing_arrives(basics: Lab, join: Any, state: str) -> None:
    made = flow(
        {"a": "t.one", "if": "t.fork", "end": Node("t.show", join=join)},
        "a -> if.value",
        "if.no -> end.a",
        "if.no -> end.b",
    )
    basics.run(made)
    assert basics.states()["end"] == state


def test_any_goes_with_the_first_and_ignores_later_ones(lab: Lab) -> None:
    joined = threading.Event()
    calls: list[Any] = []

    @node("t.late")
    def late() -> str:
        assert joined.wait(PATIENCE)
        return "late"

    @node("t.take")
    def take(a: Any = None, b: Any = None) -> str:
        calls.append((a, b))
        joined.set()
        return "taken"

    lab.add(one, late, take)
    made = flow(
        {"a": "t.one", "b": "t.late", "end": Node("t.take", join="any")}, "a -> end.a", "b -> end.b"
    )
    assert lab.run(made).outputs == {"end": "taken"}
    assert calls == [(1, None)]


def test_a_failed_branch_without_value(basics: Lab) -> None:
    made = flow(
        {
            "bad": Node("t.fail", on_error="continue"),
            "behind": "t.plus",
            "end": Node("t.show", join="all_done"),
        },
        "bad -> behind.value",
        "bad -> end.a",
    )
    result = basics.run(made)
    assert result.state == "completed"
    assert result.outputs == {"end": "None,None"}
    assert basics.states() == {"bad": "failed", "behind": "skipped", "end": "completed"}


def test_the_error_output_excludes_the_others(basics: Lab) -> None:
    made = flow(
        {"bad": Node("t.fail", on_error="port"), "fine": "t.plus", "handler": "t.show"},
        "bad -> fine.value",
        "bad.error -> handler.a",
    )
    result = basics.run(made)
    assert basics.states() == {"bad": "failed", "fine": "skipped", "handler": "completed"}
    assert result.values["bad"]["error"] == {
        "code": "ValueError",
        "message": "ValueError: no luck",
        "step": "bad",
    }


def test_the_error_output_is_left_out_when_all_is_well(basics: Lab) -> None:
    made = flow(
        {"a": Node("t.one", on_error="port"), "fine": "t.plus", "handler": "t.show"},
        "a -> fine.value",
        "a.error -> handler.a",
    )
    basics.run(made)
    assert basics.states() == {"a": "completed", "fine": "completed", "handler": "skipped"}


def test_a_failure_ends_the_run_and_starts_nothing_more(basics: Lab) -> None:
    made = flow({"bad": "t.fail", "next": "t.plus"}, "bad -> next.value")
    result = basics.run(made)
    assert result.state == "failed"
    assert result.error is not None
    assert (result.error.code, result.error.step) == ("ValueError", "bad")
    assert isinstance(result.exception, ValueError)
    assert basics.states() == {"bad": "failed"}


def test_the_trace_shows_the_users_lines_only(basics: Lab) -> None:
    result = basics.run(flow({"bad": "t.fail"}))
    assert result.error is not None
    assert 'raise ValueError("no luck")' in result.error.trace
    assert "iaiflow_lab" not in result.error.trace
    assert "concurrent" not in result.error.trace


def test_what_runs_beside_a_failure_is_still_recorded(lab: Lab) -> None:
    failed = threading.Event()

    @node("t.beside")
    def beside() -> int:
        assert failed.wait(PATIENCE)
        return 1

    lab.add(fail, beside)

    def listen(event: Any) -> None:
        if getattr(event, "state", "") == "failed":
            failed.set()

    result = lab.run(flow({"bad": "t.fail", "beside": "t.beside"}), listener=listen)
    assert result.state == "failed"
    assert lab.states() == {"bad": "failed", "beside": "completed"}


def test_skip_if(basics: Lab) -> None:
    made = flow(
        {
            "a": "t.one",
            "b": Node("t.plus", skip_if="value > params['limit']"),
            "c": Node("t.plus", skip_if="value > 5"),
        },
        "a -> b.value",
        "a -> c.value",
        parameters={"limit": {"type": "integer", "default": 0}},
    )
    basics.run(made)
    assert basics.states() == {"a": "completed", "b": "skipped", "c": "completed"}
    assert basics.run(made, {"limit": 3}, journal=None).values["b"] == {"out": 2}


def test_a_skip_condition_that_fails_is_the_nodes_failure(basics: Lab) -> None:
    result = basics.run(flow({"a": Node("t.one", skip_if="nothing > 1")}))
    assert result.state == "failed"
    assert result.error is not None
    assert result.error.step == "a"


def test_parameters_feed_edges_and_have_defaults(basics: Lab) -> None:
    made = flow({"a": "t.plus"}, "params.start -> a.value", parameters={"start": {"default": 5}})
    assert basics.run(made).outputs == {"a": 6}
    assert basics.run(made, {"start": 1}, journal=None).outputs == {"a": 2}


def test_an_edge_beats_the_configuration(basics: Lab) -> None:
    made = flow({"a": "t.one", "b": Node("t.plus", {"value": 40})}, "a -> b.value")
    assert basics.run(made).outputs == {"b": 2}
    alone = flow({"b": Node("t.plus", {"value": 40})})
    assert basics.run(alone, journal=None).outputs == {"b": 41}


def test_an_edge_feeds_a_configuration_field(basics: Lab) -> None:
    made = flow({"a": "t.one", "if": Node("t.fork", {"value": 1})}, "a -> if.limit")
    assert basics.run(made).values["if"] == {"no": 1}


def test_a_cycle_is_refused_before_anything_runs(basics: Lab) -> None:
    with pytest.raises(FlowError, match="Cycle"):
        basics.run(flow({"a": "t.plus", "b": "t.plus"}, "a -> b.value", "b -> a.value"))
    assert basics.journal.events == []


def test_an_unknown_node_type_is_refused(basics: Lab) -> None:
    with pytest.raises(FlowError, match=r"'t\.nothing' isn't installed"):
        basics.run(flow({"a": "t.nothing"}))


def test_a_wrong_configuration_is_refused_before_anything_runs(basics: Lab) -> None:
    with pytest.raises(NodeError, match=r"limit: .* valid integer") as refused:
        basics.run(flow({"if": Node("t.fork", {"value": 1, "limit": "many"})}))
    assert refused.value.where == "nodes.if.config"


def test_two_runs_at_the_same_time(lab: Lab) -> None:
    meeting = threading.Barrier(2)

    @node("t.meet")
    def meet(value: int) -> int:
        meeting.wait(PATIENCE)
        return value

    lab.add(meet)
    made = flow({"m": "t.meet"}, "params.n -> m.value")
    handles = [lab.start(made, {"n": n}, journal=None) for n in (1, 2)]
    assert [handle.wait(PATIENCE).outputs["m"] for handle in handles] == [1, 2]


async def _awaited(lab: Lab) -> int:
    result = await lab.start(flow({"a": "t.one"})).result()
    return result.outputs["a"]


def test_a_run_can_be_awaited_on_another_loop(basics: Lab) -> None:
    assert asyncio.run(_awaited(basics)) == 1
