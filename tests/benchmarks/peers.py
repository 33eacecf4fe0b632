"""The same graphs on other engines. Each method runs one once and returns seconds."""

from __future__ import annotations

import asyncio
import itertools
import operator
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Annotated, Any, Protocol, TypedDict

#: The barrier graph: A -> B; A -> C -> D; B, D -> E, with the seconds of each.
BARRIER = {"a": 0.0, "b": 0.2, "c": 0.05, "d": 0.15, "e": 0.0}
BARRIER_EDGES = (("a", "b"), ("a", "c"), ("c", "d"), ("b", "e"), ("d", "e"))


class Peer(Protocol):
    """One other engine."""

    name: str

    def chain(self, count: int) -> float: ...
    def fan(self, count: int) -> float: ...
    def map(self, count: int, seconds: float) -> float: ...
    def barrier(self) -> float: ...


def found() -> tuple[list[Peer], list[str]]:
    """Return the engines that are installed, and the names of those that are not."""
    peers: list[Peer] = []
    missing: list[str] = []
    for name, made in (("LangGraph", LangGraph), ("pydantic-graph", PydanticGraph), ("Dask", Dask)):
        try:
            peers.append(made())
        except ImportError:
            missing.append(name)
    return peers, missing


def _awaited(call: Callable[[], Any]) -> float:
    """Return how long awaiting `call()` takes on a running loop, in seconds."""

    async def measured() -> float:
        started = time.perf_counter()
        await call()
        return time.perf_counter() - started

    return asyncio.run(measured())


class State(TypedDict):
    """What flows through a LangGraph graph."""

    x: Annotated[int, operator.add]


class LangGraph:
    """LangGraph's StateGraph, compiled beforehand."""

    name = "LangGraph"

    def __init__(self) -> None:
        import langgraph.graph  # noqa: F401

    def chain(self, count: int) -> float:
        return self._run(self._chain(count), count)

    @cache  # noqa: B019
    def _chain(self, count: int) -> Any:
        names = [f"n{i}" for i in range(count)]
        return self._graph(dict.fromkeys(names, 0.0), tuple(itertools.pairwise(names)))

    def fan(self, count: int) -> float:
        return self._run(self._fan(count), count)

    @cache  # noqa: B019
    def _fan(self, count: int) -> Any:
        return self._graph({f"n{i}": 0.0 for i in range(count)}, ())

    def map(self, count: int, seconds: float) -> float:
        from langgraph.graph import END, START, StateGraph
        from langgraph.types import Send

        async def item(state: State) -> State:
            await asyncio.sleep(seconds)
            return {"x": 1}

        graph = StateGraph(State)
        graph.add_node("item", item)
        graph.add_conditional_edges(START, lambda _: [Send("item", {"x": 0})] * count, ["item"])
        graph.add_edge("item", END)
        return self._run(graph.compile(), count)

    def barrier(self) -> float:
        return self._run(self._graph(BARRIER, BARRIER_EDGES), 10)

    def _graph(self, nodes: dict[str, float], edges: tuple[tuple[str, str], ...]) -> Any:
        from langgraph.graph import END, START, StateGraph

        graph = StateGraph(State)
        for name, seconds in nodes.items():
            graph.add_node(name, _state_node(seconds))
        after = {name: [a for a, b in edges if b == name] for name in nodes} if edges else {}
        if len(edges) == len(nodes) - 1:
            after = {b: [a] for a, b in edges}
        for name in nodes:
            before = after.get(name, [])
            if not before:
                graph.add_edge(START, name)
            else:
                graph.add_edge(before if len(before) > 1 else before[0], name)
        for name in set(nodes) - {a for a, _ in edges}:
            graph.add_edge(name, END)
        return graph.compile()

    def _run(self, graph: Any, count: int) -> float:
        return _awaited(lambda: graph.ainvoke({"x": 0}, {"recursion_limit": count + 10}))


def _state_node(seconds: float) -> Any:
    async def run(state: State) -> State:
        if seconds:
            await asyncio.sleep(seconds)
        return {"x": 1}

    return run


class PydanticGraph:
    """pydantic-graph's GraphBuilder, built beforehand."""

    name = "pydantic-graph"

    def __init__(self) -> None:
        import pydantic_graph

        self._builder = pydantic_graph.GraphBuilder
        self._append = pydantic_graph.reduce_list_append

    def chain(self, count: int) -> float:
        graph = self._chain(count)
        return _awaited(lambda: graph.run(inputs=0))

    @cache  # noqa: B019
    def _chain(self, count: int) -> Any:
        made = self._builder(input_type=int, output_type=int)
        steps = [made.step(_step(0), node_id=f"n{i}") for i in range(count)]
        made.add(made.edge_from(made.start_node).to(steps[0]))
        for a, b in itertools.pairwise(steps):
            made.add(made.edge_from(a).to(b))
        made.add(made.edge_from(steps[-1]).to(made.end_node))
        return made.build(validate_graph_structure=False)

    def fan(self, count: int) -> float:
        graph = self._fan(count)
        return _awaited(lambda: graph.run(inputs=0))

    @cache  # noqa: B019
    def _fan(self, count: int) -> Any:
        made = self._builder(input_type=int, output_type=list[int])
        steps = [made.step(_step(0), node_id=f"n{i}") for i in range(count)]
        join = made.join(self._append, initial_factory=list)
        made.add(made.edge_from(made.start_node).to(*steps))
        made.add(made.edge_from(*steps).to(join), made.edge_from(join).to(made.end_node))
        return made.build(validate_graph_structure=False)

    def map(self, count: int, seconds: float) -> float:
        made = self._builder(input_type=list[int], output_type=list[int])
        step = made.step(_step(seconds), node_id="item")
        join = made.join(self._append, initial_factory=list)
        made.add(made.edge_from(made.start_node).map().to(step))
        made.add(made.edge_from(step).to(join), made.edge_from(join).to(made.end_node))
        graph = made.build()
        return _awaited(lambda: graph.run(inputs=list(range(count))))

    def barrier(self) -> float:
        made = self._builder(input_type=int, output_type=list[int])
        a, b, c, d = (made.step(_step(BARRIER[name]), node_id=name) for name in "abcd")
        join = made.join(self._append, initial_factory=list)
        made.add(made.edge_from(made.start_node).to(a), made.edge_from(a).to(b, c))
        made.add(made.edge_from(c).to(d), made.edge_from(b, d).to(join))
        made.add(made.edge_from(join).to(made.end_node))
        graph = made.build()
        return _awaited(lambda: graph.run(inputs=0))


def _step(seconds: float) -> Any:
    async def run(ctx: Any) -> int:
        if seconds:
            await asyncio.sleep(seconds)
        return ctx.inputs + 1

    return run


class Dask:
    """Dask's threaded scheduler over a plain task graph."""

    name = "Dask"

    def __init__(self) -> None:
        import dask.threaded

        self._get = dask.threaded.get

    def chain(self, count: int) -> float:
        links = {f"n{i}": (_plus, f"n{i - 1}") for i in range(1, count)}
        return self._run({"n0": (_plus, 0), **links}, [f"n{count - 1}"])

    def fan(self, count: int) -> float:
        return self._run({f"n{i}": (_plus, 0) for i in range(count)})

    def map(self, count: int, seconds: float) -> float:
        return self._run({f"n{i}": (_slept, seconds) for i in range(count)}, threads=100)

    def barrier(self) -> float:
        before = {name: [a for a, b in BARRIER_EDGES if b == name] for name in BARRIER}
        graph = {name: (_slept, BARRIER[name], *before[name]) for name in BARRIER}
        return self._run(graph, ["e"], threads=8)

    def _run(self, graph: dict[str, Any], keys: list[str] | None = None, threads: int = 2) -> float:
        with ThreadPoolExecutor(threads) as pool:
            started = time.perf_counter()
            self._get(graph, keys or list(graph), pool=pool)
            return time.perf_counter() - started


def _plus(value: int) -> int:
    return value + 1


def _slept(seconds: float, *before: Any) -> int:
    time.sleep(seconds)
    return 1
