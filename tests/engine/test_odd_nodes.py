"""Nodes that do what no node should: the run goes on, or fails with their name."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from harness import Lab, flow

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Node
from iaiflow_lab.sdk.annotations import Table, Template
from iaiflow_lab.sdk.node import node


class Strange(BaseException):
    """Neither an Exception nor an exit."""


def leave() -> None:
    sys.exit(3)


def interrupt() -> None:
    raise KeyboardInterrupt


def strange() -> None:
    raise Strange("hm")


def stop() -> None:
    next(iter(()))


def cancel() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("what", "code"),
    [
        (leave, "node-exit"),
        (interrupt, "node-exit"),
        (strange, "node-exit"),
        (stop, "RuntimeError"),
        (cancel, "CancelledError"),
    ],
)
def test_whatever_a_node_raises_is_its_failure(
    lab: Lab, what: Any, code: str, is_async: bool
) -> None:
    @node("t.odd")
    def sync() -> None:
        what()

    @node("t.odd")
    async def coroutine() -> None:
        await asyncio.sleep(0)
        what()

    lab.add(coroutine if is_async else sync)
    result = lab.run(flow({"a": "t.odd"}))
    assert result.state == "failed"
    assert result.error is not None
    assert (result.error.code, result.error.step) == (code, "a")
    assert lab.states() == {"a": "failed"}


@node("t.words")
def words() -> list[str]:
    return ["a"]


@node("t.number")
def number(value: float) -> float:
    return value


@node("t.table")
def table(rows: Table) -> str:
    return "ok"


@node("t.wrong")
def wrong() -> float:
    return "five"  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("nodes", "edges", "sentence"),
    [
        (
            {"w": "t.words", "n": "t.number"},
            ["w -> n.value"],
            "Input 'value' of node 'n' should be a number, but a list arrived.",
        ),
        (
            {"w": "t.words", "n": "t.table"},
            ["w -> n.rows"],
            "Input 'rows' of node 'n' should be a table, but a list arrived.",
        ),
        ({"n": "t.number"}, [], "Input 'value' of node 'n' has no value."),
        (
            {"n": "t.wrong"},
            [],
            "Output 'out' of node 'n' should be a number, but the node returned a str.",
        ),
    ],
)
def test_kinds_that_do_not_fit(lab: Lab, nodes: Any, edges: list[str], sentence: str) -> None:
    lab.add(words, number, table, wrong)
    result = lab.run(flow(nodes, *edges))
    assert result.error is not None
    assert result.error.message.startswith(sentence)
    assert result.error.trace == ""


def test_an_annotation_that_cannot_be_read(lab: Lab) -> None:
    class Local:
        pass

    @node("t.local")
    def local() -> Local:
        return Local()

    lab.add(local)
    with pytest.raises(NodeError, match=r"An annotation of node type 't\.local' can't be read"):
        lab.run(flow({"a": "t.local"}))


def test_a_generator_shows_its_parts_and_ends_with_the_last(lab: Lab) -> None:
    @node("t.sync")
    def sync() -> Iterator[int]:
        yield 1
        yield 2

    @node("t.async")
    async def coroutine() -> AsyncIterator[int]:
        yield 1
        yield 2

    lab.add(sync, coroutine)
    result = lab.run(flow({"a": "t.sync", "b": "t.async"}))
    assert result.outputs == {"a": 2, "b": 2}
    for step in "ab":
        parts = lab.journal.of(ev.StepOutput, step)
        assert [(e.preview, e.count) for e in parts] == [("1", 1), ("2", 2)]


def test_a_generator_may_return_something_else(lab: Lab) -> None:
    @node("t.sync")
    def sync() -> Any:
        yield 1
        return "all"

    lab.add(sync)
    assert lab.run(flow({"a": "t.sync"})).outputs == {"a": "all"}


def test_templates(lab: Lab) -> None:
    @node("t.text")
    def text(*, text: Template, **names: Any) -> str:
        return text

    lab.add(text, words)
    made = flow(
        {"w": "t.words", "t": Node("t.text", {"text": "{{params.who}}: {{word[0]}}"})},
        "w -> t.word",
        parameters={"who": {"default": "me"}},
    )
    assert lab.run(made).outputs == {"t": "me: a"}


def test_a_mutated_input_does_not_change_what_was_recorded(lab: Lab) -> None:
    @node("t.spoil")
    def spoil(values: list[str]) -> list[str]:
        values.append("b")
        return values

    lab.add(words, spoil)
    lab.journal.gate.clear()
    handle = lab.start(
        flow({"w": "t.words", "s": "t.spoil"}, "w -> s.values"),
        listener=lambda e: (
            lab.journal.gate.set() if isinstance(e, ev.StepFinished) and e.step == "s" else None
        ),
    )
    handle.wait(60)
    recorded = {e.step: e.outputs["out"].inline for e in lab.journal.of(ev.StepFinished)}
    assert recorded == {"w": ["a"], "s": ["a", "b"]}


def test_nodes_bound_to_the_kernels_loop(lab: Lab) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    @node("t.bound", loop="kernel")
    async def bound() -> int:
        loops.append(asyncio.get_running_loop())
        print("hello")
        return 1

    async def kernel() -> Any:
        loop = asyncio.get_running_loop()
        result = await lab.start(flow({"a": "t.bound"}), kernel_loop=loop).result()
        return loop, result

    lab.add(bound)
    loop, result = asyncio.run(kernel())
    assert loops == [loop]
    assert result.outputs == {"a": 1}
    assert lab.log("a") == "hello\n"
    refused = lab.run(flow({"a": "t.bound"}), journal=None)
    assert refused.error is not None
    assert refused.error.code == "needs-kernel-loop"


def test_an_engine_works_in_a_forked_child(lab: Lab) -> None:
    lab.add(words)
    lab.run(flow({"w": "t.words"}), journal=None)
    pid = os.fork()
    if pid == 0:
        try:
            result = lab.run(flow({"w": "t.words"}), journal=None)
            os._exit(0 if result.outputs == {"w": ["a"]} else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_sync_nodes_leave_no_exception_pending_in_the_interpreter(tmp_path):
    """In CPython 3.11 a profiled function would hang, and everything would be slow."""
    script = (
        "import cProfile\n"
        "from iaiflow_lab import Flow\n"
        "with Flow('one') as flow:\n"
        "    flow.add('text.template', template='a')\n"
        "flow.run(show=False)\n"
        "profile = cProfile.Profile()\n"
        "profile.runcall(sum, [1, 2])\n"
        "profile.runcall(lambda: [n for n in range(10)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, timeout=60, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_repr_that_never_ends_stops_no_other_node(lab: Lab) -> None:
    class Endless:
        def __repr__(self) -> str:
            threading.Event().wait()
            return ""

    @node("t.odd")
    async def odd() -> Any:
        return Endless()

    @node("t.after")
    async def after(x: Any) -> str:
        return type(x).__name__

    lab.add(odd, after)
    result = lab.run(flow({"a": "t.odd", "b": "t.after"}, "a -> b.x"))
    assert result.outputs == {"b": "Endless"}
    shown = lab.journal.of(ev.StepFinished, "a")[0].outputs["out"].preview
    assert shown.endswith(".Endless object>")
