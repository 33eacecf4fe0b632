"""Fingerprints change with what a node would compute, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from iaiflow_lab import Flow, node
from iaiflow_lab.canvas.stale import fingerprints
from iaiflow_lab.model.flow import Flow as Definition
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.sdk.node import CELL_TYPES

#: What a node names in its module.
FACTOR = 2


@pytest.fixture(autouse=True)
def _types() -> Iterator[None]:
    kept = dict(CELL_TYPES)
    yield
    CELL_TYPES.clear()
    CELL_TYPES.update(kept)


def chain(template: str = "Hello {{params.name}}", **more: Any) -> Definition:
    with Flow("Chain", parameters={"name": {"default": "a"}, "other": {"default": 1}}) as flow:
        first = flow.add("text.template", id="first", template=template, **more)
        second = flow.add("text.template", id="second", template="{{x}}!", inputs={"x": first})
        flow.add("text.template", id="third", template="{{x}}?", inputs={"x": second})
        flow.add("text.template", id="alone", template="alone")
    return flow.build()


def changed(before: Any, after: Any) -> set[str]:
    return {node_id for node_id in before if before[node_id] != after[node_id]}


def prints(flow: Definition, folder: Path | None = None, **inputs: Any) -> dict[str, str | None]:
    return fingerprints(flow, load_catalog(folder), inputs, folder)


def test_a_changed_configuration_reaches_what_follows() -> None:
    assert changed(prints(chain()), prints(chain("Bye"))) == {"first", "second", "third"}
    assert None not in prints(chain()).values()


@pytest.mark.parametrize("setting", [{"title": "X"}, {"retry": 3}, {"timeout": 5.0}])
def test_what_changes_no_output_makes_nothing_stale(setting: dict[str, Any]) -> None:
    assert changed(prints(chain()), prints(chain(**setting))) == set()


def test_inputs_reach_who_takes_them() -> None:
    assert changed(prints(chain()), prints(chain(), name="b")) == {"first", "second", "third"}
    assert changed(prints(chain()), prints(chain(), other=2)) == set()
    frame = pl.DataFrame({"a": [1]})
    assert prints(chain(), name=frame) == prints(chain(), name=frame)
    assert changed(prints(chain(), name=frame), prints(chain(), name=frame.clone()))


def test_changed_code_makes_its_node_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    @node("cell.times")
    def times(x: int = 1) -> int:
        return x * FACTOR

    with Flow("Code") as flow:
        flow.add("cell.times", id="a")
        flow.add("delay", id="b")
    before = prints(flow.build())
    monkeypatch.setitem(globals(), "FACTOR", 3)
    assert changed(before, prints(flow.build())) == {"a"}

    @node("cell.times")
    def other(x: int = 1) -> int:
        return x + FACTOR

    assert changed(before, prints(flow.build())) == {"a"}


def test_code_in_a_nested_flow_counts() -> None:
    def define(function: Callable[[int], int]) -> None:
        node("cell.item")(function)

    def one(x: int) -> int:
        return x + 1

    def two(x: int) -> int:
        return x + 2

    with Flow("Body", parameters={"item": {}}) as body:
        body.add("cell.item", id="i", inputs={"x": body.params["item"]})
    with Flow("Outer") as flow:
        flow.add("map", id="each", body=body, items=[1, 2])
    define(one)
    before = prints(flow.build())
    define(two)
    assert changed(before, prints(flow.build())) == {"each"}


def test_a_nested_flow_in_a_file_counts(tmp_path: Path) -> None:
    with Flow("Outer") as flow:
        flow.add("subflow", id="part", body="part.flow.json")
    before = prints(flow.build(), tmp_path)
    (tmp_path / "part.flow.json").write_text("{}")
    assert changed(before, prints(flow.build(), tmp_path)) == {"part"}


def test_files_of_nodes_are_read_not_imported(tmp_path: Path) -> None:
    (tmp_path / ".iaiflow").mkdir()
    (tmp_path / "flow_nodes").mkdir()
    file = tmp_path / "flow_nodes" / "mine.py"
    code = "from iaiflow_lab import node\n@node('mine.one')\ndef one() -> int:\n    return 1\n"
    file.write_text(f"{code}raise SystemExit\n")
    with Flow("Mine") as flow:
        flow.add("mine.one", id="a")
    before = prints(flow.build(), tmp_path)
    assert before["a"] is not None
    file.write_text(f"{code}# changed\n")
    assert changed(before, prints(flow.build(), tmp_path)) == {"a"}


def test_what_is_not_known_has_none() -> None:
    with Flow("Odd") as flow:
        flow.add("no.such.type", id="a")
        flow.add("text.template", id="b", template="{{x}}")
        flow.connect("a.out -> b.x")
        flow.add("text.template", id="c", template="{{x}}")
        flow.connect("c.out -> c.x")
        flow.add("text.template", id="d", template="{{x}}")
        flow.connect("gone.out -> d.x")
    assert prints(flow.build()) == {"a": None, "b": None, "c": None, "d": None}


def test_a_pin_stands_for_all_before_it() -> None:
    def pinned(value: str, template: str) -> Definition:
        return chain(template, pin={"out": value})

    assert changed(prints(pinned("x", "1")), prints(pinned("x", "2"))) == set()
    assert changed(prints(pinned("x", "1")), prints(pinned("y", "1"))) == {
        "first",
        "second",
        "third",
    }
