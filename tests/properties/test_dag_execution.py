"""Random graphs against a simple recursive oracle: order, outcomes, resume from any point."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from harness import PATIENCE, Lab, MemoryJournal, record_of
from hypothesis import given, settings
from hypothesis import strategies as st

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Edge, Flow, Node, Retry
from iaiflow_lab.model.run import StepState
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


class Both(TypedDict, total=False):
    """The two outputs of every node."""

    left: str
    right: str


@dataclass(frozen=True)
class Plan:
    """What one node does."""

    #: Calls that fail before one succeeds.
    failures: int
    attempts: int
    on_error: str
    join: str
    skips: bool
    is_async: bool
    #: Which of its two outputs it fills.
    fills: tuple[str, ...]
    #: (node, its output, own port) for each edge; ports are lists.
    edges: tuple[tuple[int, str, str], ...]

    @property
    def fails(self) -> bool:
        return self.failures >= self.attempts

    @property
    def calls(self) -> int:
        return min(self.failures + 1, self.attempts)


@st.composite
def graphs(draw: st.DrawFn, on_error: tuple[str, ...] = ("fail", "continue", "port")) -> list[Plan]:
    plans: list[Plan] = []
    for number in range(draw(st.integers(1, 9))):
        outputs = st.sampled_from(["left", "right", "error"])
        before = st.integers(0, max(0, number - 1))
        edges = st.tuples(before, outputs, st.sampled_from(["a", "b"]))
        drawn = draw(st.lists(edges, max_size=4, unique=True)) if number else []
        error = draw(st.sampled_from(on_error))
        plans.append(
            Plan(
                failures=draw(st.sampled_from([0, 0, 0, 1, 2])),
                attempts=draw(st.integers(1, 3)) if error != "fail" else 3,
                on_error=error,
                join=draw(st.sampled_from(["all", "all", "all_done", "any"])),
                skips=draw(st.integers(0, 7)) == 0,
                is_async=draw(st.booleans()),
                fills=draw(st.sampled_from([("left",), ("right",), ("left", "right"), ()])),
                edges=tuple(drawn),
            )
        )
    if "fail" in on_error and draw(st.booleans()):
        last = draw(st.integers(0, len(plans) - 1))
        plans[last] = Plan(**{**plans[last].__dict__, "on_error": "fail", "failures": 9})
    return plans


class Bench:
    """Runs random graphs and watches every call."""

    def __init__(self, plans: list[Plan], folder: str) -> None:
        self.plans = plans
        self.lab = Lab(Path(folder), self._type("r.async"), self._type("r.sync"))
        self.calls: Counter[str] = Counter()
        self.early: list[str] = []
        self.settled: set[str] = set()

    def _type(self, name: str) -> Any:
        if name == "r.sync":

            @node(name)
            def sync(ctx: Context, a: list[Any] | None = None, b: list[Any] | None = None) -> Both:
                return self._called(ctx, a, b)

            return sync

        @node(name)
        async def coroutine(
            ctx: Context, a: list[Any] | None = None, b: list[Any] | None = None
        ) -> Both:
            await asyncio.sleep(0)
            return self._called(ctx, a, b)

        return coroutine

    def _called(self, ctx: Context, a: Any, b: Any) -> Any:
        self.calls[ctx.step] += 1
        plan = self.plans[int(ctx.step[1:])]
        waits = {f"n{source}" for source, _, _ in plan.edges}
        if plan.join != "any" and not waits <= self.settled:
            self.early.append(ctx.step)
        if ctx.attempt <= plan.failures:
            raise ConnectionError(ctx.step)
        return dict.fromkeys(plan.fills, f"{ctx.step}({a},{b})")

    def flow(self) -> Flow:
        nodes = {
            f"n{i}": Node(
                "r.async" if plan.is_async else "r.sync",
                retry=Retry(attempts=plan.attempts, initial=0),
                on_error=plan.on_error,  # type: ignore[arg-type]
                join=plan.join,  # type: ignore[arg-type]
                skip_if="true" if plan.skips else "",
            )
            for i, plan in enumerate(self.plans)
        }
        edges = tuple(
            Edge(f"n{source}", port, f"n{i}", target)
            for i, plan in enumerate(self.plans)
            for source, port, target in plan.edges
        )
        return Flow(name="random", nodes=nodes, edges=edges)

    def listen(self, event: ev.Event) -> None:
        if isinstance(event, ev.StepFinished):
            self.settled.add(event.step)

    def run(self, **rest: Any) -> Any:
        return self.lab.run(self.flow(), listener=self.listen, **rest)


def oracle(plans: list[Plan]) -> dict[str, tuple[StepState, dict[str, Any]]]:
    """Return the outcome of every node; `any` joins take all that will arrive."""

    @functools.cache
    def outcome(number: int) -> tuple[StepState, dict[str, Any]]:
        plan = plans[number]
        ports: dict[str, list[Any]] = {}
        for source, port, target in plan.edges:
            arrived = outcome(source)[1]
            ports.setdefault(target, []).extend([arrived[port]] if port in arrived else [])
        empty = [port for port, values in ports.items() if not values]
        given = {port: values for port, values in ports.items() if values}
        if empty and (plan.join == "all" or (plan.join == "any" and not given)):
            return StepState.SKIPPED, {}
        if plan.skips:
            return StepState.SKIPPED, {}
        if plan.fails:
            error = {"code": "ConnectionError", "message": f"ConnectionError: n{number}"}
            full = {"error": {**error, "step": f"n{number}"}}
            return StepState.FAILED, full if plan.on_error == "port" else {}
        value = f"n{number}({given.get('a')},{given.get('b')})"
        return StepState.COMPLETED, dict.fromkeys(plan.fills, value)

    return {f"n{i}": outcome(i) for i in range(len(plans))}


def no_any(plans: list[Plan]) -> list[Plan]:
    return [Plan(**{**p.__dict__, "join": "all" if p.join == "any" else p.join}) for p in plans]


@given(graphs(on_error=("continue", "port")).map(no_any))
def test_outcomes_are_those_of_the_oracle(plans: list[Plan]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(plans, folder)
        result = bench.run()
        expected = oracle(plans)
        assert result.state == "completed"
        assert {path: step.state for path, step in result.steps.items()} == {
            path: state for path, (state, _) in expected.items()
        }
        assert {path: dict(outputs) for path, outputs in result.values.items()} == {
            path: outputs for path, (_, outputs) in expected.items()
        }
        assert bench.calls == Counter(
            {
                path: plans[int(path[1:])].calls
                for path, (state, _) in expected.items()
                if state is not StepState.SKIPPED
            }
        )
        assert bench.early == []


@given(graphs())
def test_every_node_settles_once_and_after_its_inputs(plans: list[Plan]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(plans, folder)
        result = bench.run()
        recorded = Counter(e.step for e in bench.lab.journal.of(ev.StepFinished))
        assert set(recorded.values()) <= {1}
        assert bench.early == []
        for path, count in bench.calls.items():
            assert count <= plans[int(path[1:])].attempts
        if result.state == "completed":
            assert set(recorded) == {f"n{i}" for i in range(len(plans))}
        else:
            failed = [p for p, s in result.steps.items() if s.state is StepState.FAILED]
            assert any(plans[int(path[1:])].on_error == "fail" for path in failed)


@given(graphs(on_error=("continue", "port")).map(no_any), st.data())
def test_resume_from_any_prefix_of_the_journal(plans: list[Plan], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(plans, folder)
        whole = bench.run()
        events = bench.lab.journal.events
        record = record_of(events[: data.draw(st.integers(0, len(events)))])
        bench.calls.clear()
        bench.settled |= set(record.steps)
        bench.lab.journal = MemoryJournal()
        result = bench.run(record=record)
        assert result.state == "completed"
        assert dict(result.outputs) == dict(whole.outputs)
        assert not set(bench.calls) & set(record.steps)
        assert not set(bench.lab.states()) & set(record.steps)
        for path, calls in bench.calls.items():
            assert calls == plans[int(path[1:])].calls - record.attempts.get(path, 0)


@settings(max_examples=60)
@given(graphs(on_error=("continue", "port")).map(no_any), st.integers(0, 40), st.booleans())
def test_stopping_at_any_event_and_going_on(
    plans: list[Plan], moment: int, give_back: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(plans, folder)
        seen = 0
        handles: list[Any] = []

        def listen(event: ev.Event) -> None:
            nonlocal seen
            bench.listen(event)
            seen += 1
            if seen > moment and handles:
                handles[0].give_back() if give_back else handles[0].cancel()

        handles.append(bench.lab.start(bench.flow(), listener=listen))
        result = handles[0].wait(PATIENCE)
        stopped = "queued" if give_back else "cancelled"
        assert result.state in (stopped, "completed")
        states = bench.lab.states()
        expected = {path: str(state) for path, (state, _) in oracle(plans).items()}
        assert all(state in ("cancelled", expected[path]) for path, state in states.items())
        if give_back:
            assert "cancelled" not in states.values()
            rest = bench.run(record=record_of(bench.lab.journal.events))
            assert rest.state == "completed"
            assert bench.lab.states() == expected
