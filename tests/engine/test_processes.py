"""Nodes in processes of their own."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from harness import PATIENCE, Lab, MemoryJournal, flow

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Node
from iaiflow_lab.sdk.catalog import load_catalog

pytestmark = pytest.mark.slow

NODES = """
import os, signal, sys, time
from dataclasses import dataclass
from iaiflow_lab.sdk.annotations import Table
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Skip

@node("p.pid", pool="process")
def pid(*, text: str = "") -> int:
    print("grüße", text)
    print("careful", file=sys.stderr)
    return os.getpid()

@dataclass
class Two:
    table: Table
    count: int

@node("p.double", pool="process")
def double(rows: Table) -> Two:
    import polars as pl
    return Two(rows.with_columns(pl.col("x") * 2), rows.height)

@node("p.fail", pool="process")
def fail() -> None:
    raise ValueError("in there")

@node("p.exit", pool="process")
def leave() -> None:
    os._exit(3)

@node("p.kill", pool="process")
def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

@node("p.skip", pool="process")
def skip() -> int | Skip:
    return Skip("Not today.")

@node("p.live", pool="process")
def live() -> object:
    return object()

@node("p.take", pool="process")
def take(value: object) -> int:
    return 1

@node("p.hang", pool="process")
def hang() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    while True:
        time.sleep(60)

@node("p.async", pool="process")
async def coroutine() -> int:
    return 7

@node("p.table")
def table() -> Table:
    import polars as pl
    return pl.DataFrame({"x": range(200_000)})

@node("p.object")
def thing() -> object:
    return object()
"""


@pytest.fixture
def processes(lab: Lab, workspace: Path) -> Lab:
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "heavy.py").write_text(NODES)
    lab.types = load_catalog(workspace)  # type: ignore[assignment]
    return lab


def test_it_is_another_process_and_its_output_arrives(processes: Lab) -> None:
    result = processes.run(flow({"a": Node("p.pid", {"text": "x" * 100_000}), "b": "p.async"}))
    assert result.outputs["a"] != os.getpid()
    assert result.outputs["b"] == 7
    assert processes.log("a", "stdout") == "grüße " + "x" * 100_000 + "\n"
    assert processes.log("a", "stderr") == "careful\n"
    assert result.steps["a"].usage is not None
    assert result.steps["a"].usage.cpu_s > 0


def test_big_tables_go_in_and_out(processes: Lab) -> None:
    result = processes.run(flow({"t": "p.table", "d": "p.double"}, "t -> d.rows"))
    doubled: pl.DataFrame = result.values["d"]["table"]
    assert doubled["x"].sum() == 2 * sum(range(200_000))
    assert result.values["d"]["count"] == 200_000


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("p.fail", "ValueError", "ValueError: in there"),
        ("p.exit", "process-died", "The process of node type 'p.exit' died (exit status 3)."),
        ("p.kill", "process-died", "The process of node type 'p.kill' died (SIGKILL)."),
        ("p.live", "not-storable", "Output 'out' can't leave its process"),
    ],
)
def test_failures(processes: Lab, name: str, code: str, message: str) -> None:
    result = processes.run(flow({"a": name}))
    assert result.error is not None
    assert result.error.code == code
    assert result.error.message.startswith(message)


def test_skipping_and_inputs_that_cannot_go(processes: Lab) -> None:
    made = flow(
        {"s": "p.skip", "o": "p.object", "t": Node("p.take", on_error="continue")}, "o -> t.value"
    )
    result = processes.run(made)
    assert processes.states() == {"s": "skipped", "o": "completed", "t": "failed"}
    assert result.steps["s"].reason == "Not today."
    assert result.steps["t"].error is not None
    assert result.steps["t"].error.message.startswith("Input 'value' can't go to another process")


def test_a_cancelled_process_that_ignores_everything_is_killed(processes: Lab) -> None:
    going = threading.Event()
    pids: list[int] = []

    def listen(event: Any) -> None:
        if isinstance(event, ev.StepLog):
            pids.append(int(event.text))
            going.set()

    handle = processes.start(flow({"a": "p.hang"}), listener=listen)
    assert going.wait(PATIENCE)
    handle.cancel()
    assert handle.wait(PATIENCE).state == "cancelled"
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_late_process_that_ignores_everything_is_killed(processes: Lab) -> None:
    said = ""
    for limit in (3.0, 10.0, 40.0):  # a busy machine may not have started it by then
        processes.journal = MemoryJournal()
        result = processes.run(flow({"a": Node("p.hang", timeout=limit)}))
        assert result.error is not None
        assert result.error.code == "timeout"
        if said := processes.log("a"):
            break
    assert not Path(f"/proc/{int(said)}").exists()
