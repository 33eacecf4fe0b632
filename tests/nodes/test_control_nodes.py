from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from harness import flow

from iaiflow_lab.errors import LabError, NodeError
from iaiflow_lab.model.file import dump
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node

SHOUT = {
    "name": "shout",
    "parameters": {"item": {"type": "any"}, "mark": {"type": "string", "default": "!"}},
    "nodes": {"up": {"type": "text.template", "config": {"template": "{{item}}{{params.mark}}"}}},
    "edges": ["params.item -> up.item"],
}


@pytest.mark.parametrize(
    ("condition", "inputs", "branch"),
    [
        ("value > 3", {"value": 4}, "true"),
        ("value > 3", {"value": 3}, "false"),
        ("len(rows) > params.least", {"value": 1, "rows": [1, 2]}, "true"),
        ('value == "x" and not is_empty(rows)', {"value": "x", "rows": []}, "false"),
    ],
)
def test_a_condition_takes_one_of_two_branches(call, condition, inputs, branch) -> None:
    outputs = call("if", inputs, {"least": 1}, condition=condition)
    assert outputs == {branch: inputs["value"]}


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("value", "neither true nor false"),
        ("value.__class__", "attribute|can't|not"),
        ("__import__('os')", "function|not"),
        ("nothing > 1", "nothing"),
        ("", "no expression|empty"),
    ],
)
def test_conditions_that_do_not_decide_are_explained(call, condition: str, says: str) -> None:
    with pytest.raises(LabError, match=says):
        call("if", {"value": 4}, condition=condition)


@pytest.mark.parametrize(("value", "merged"), [(5, "big"), (1, "small")])
def test_branches_meet_again(lab, value: int, merged: str) -> None:
    made = flow(
        {
            "choose": Node("if", {"condition": "value > 3"}),
            "big": Node("text.template", {"template": "big"}),
            "small": Node("text.template", {"template": "small"}),
            "end": Node("merge", join="any"),
        },
        "params.value -> choose.value",
        "choose.true -> big.x",
        "choose.false -> small.x",
        "big -> end.values",
        "small -> end.values",
        parameters={"value": {"type": "integer"}},
    )
    result = lab.run(made, {"value": value})
    assert result.values["end"]["out"] == merged
    assert sorted(lab.states().values()).count("skipped") == 1


@pytest.mark.parametrize(("keep", "out"), [("first", 1), ("last", 2), ("all", [1, 2])])
def test_several_values_are_merged_as_asked(call, keep: str, out: Any) -> None:
    assert call("merge", {"values": [1, 2]}, keep=keep)["out"] == out


def test_nothing_to_merge_is_explained(call) -> None:
    with pytest.raises(NodeError, match="No branch brought"):
        call("merge", {"values": []})


@pytest.mark.parametrize("items", [["a", "b"], pl.DataFrame({"item": ["a", "b"]})])
def test_a_map_runs_its_body_for_each_item(call, items: Any) -> None:
    body = SHOUT
    if isinstance(items, pl.DataFrame):
        template = "{{word}}{{params.mark}}"
        body = {
            "parameters": {"word": {"type": "string"}, "mark": {"type": "string"}},
            "nodes": {"up": {"type": "text.template", "config": {"template": template}}},
            "edges": ["params.word -> up.word"],
        }
        items = items.rename({"item": "word"}).lazy()
    made = call("map", {"items": items, "mark": "?"}, body=body)
    assert made == {"out": ["a?", "b?"], "errors": []}


def test_a_row_is_an_object_and_knows_its_position(call) -> None:
    body = {
        "parameters": {"item": {"type": "json"}, "index": {"type": "integer"}},
        "nodes": {"t": {"type": "text.template", "config": {"template": "{{i}} {{row.name}}"}}},
        "edges": ["params.index -> t.i", "params.item -> t.row"],
    }
    made = call("map", {"items": pl.DataFrame({"name": ["x", "y"]})}, body=body)
    assert made["out"] == ["0 x", "1 y"]


def test_failed_items_are_listed_when_the_others_go_on(call) -> None:
    code = "def main(item):\n    return 1 / item\n"
    body = {
        "parameters": {"item": {"type": "number"}},
        "nodes": {"d": {"type": "python", "config": {"code": code}}},
        "edges": ["params.item -> d.item"],
    }
    made = call("map", {"items": [1, 0, 2]}, body=body, keep_going=True, concurrency=1)
    assert made["out"] == [1.0, None, 0.5]
    assert [error["index"] for error in made["errors"]] == [1]
    assert "division" in made["errors"][0]["message"]
    with pytest.raises(Exception, match="division"):
        call("map", {"items": [1, 0, 2]}, body=body)


def test_an_empty_map_gives_an_empty_list(call) -> None:
    assert call("map", {"items": []}, body=SHOUT) == {"out": [], "errors": []}


@pytest.mark.parametrize("kind", ["map", "subflow"])
def test_a_body_can_be_a_file_beside_the_flow(call, workspace: Path, kind: str) -> None:
    from iaiflow_lab.model.data import from_data

    (workspace / "shout.flow.json").write_text(dump(from_data(SHOUT, nested=True)))
    inputs = {"items": ["a"]} if kind == "map" else {"item": "a"}
    made = call(kind, inputs, body="shout.flow.json")
    assert (made["out"][0] if kind == "map" else next(iter(made.values()))) == "a!"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("other.txt", "is no flow file"),
        ("../x.flow.json", "can't be used"),
        ("missing.flow.json", "no file"),
        ("bad.flow.json", "JSON"),
        ({"nodes": {"a": {"type": "no.such"}}}, "no.such"),
        ({"nodes": 3}, "nodes"),
        ({"parameters": {"x": {}}, "nodes": {}}, "'x' has no value"),
    ],
)
@pytest.mark.parametrize("kind", ["map", "subflow"])
def test_bodies_that_cannot_run_are_explained(call, workspace: Path, body, says, kind) -> None:
    (workspace / "bad.flow.json").write_text("{")
    with pytest.raises(LabError, match=says):
        call(kind, {"items": [1]} if kind == "map" else {}, body=body)


def test_inputs_that_a_body_does_not_know_are_explained(call) -> None:
    with pytest.raises(NodeError, match="no parameter 'other'; parameters: item, mark"):
        call("subflow", {"item": 1, "other": 2}, body=SHOUT)
    with pytest.raises(NodeError, match="has no items"):
        call("map", {"items": 3}, body=SHOUT)
    with pytest.raises(NodeError, match="concurrency: Input should be"):
        call("map", {"items": []}, body=SHOUT, concurrency=0)


def test_a_delay_passes_its_value_on(call) -> None:
    assert call("delay", {"value": {"a": 1}}, seconds=0)["out"] == {"a": 1}


@pytest.mark.parametrize("seconds", [-1, 365 * 86_400 + 1, float("nan"), float("inf")])
def test_delays_beyond_their_bounds_are_refused(call, seconds: float) -> None:
    with pytest.raises(NodeError, match="seconds: Input should be"):
        call("delay", seconds=seconds)


def test_a_long_delay_ends_with_its_run(lab) -> None:
    made = Flow("t", nodes={"n": Node("delay", {"seconds": 86_400})})
    begun = threading.Event()
    handle = lab.start(made, interactive=True, listener=lambda event: begun.set())
    assert begun.wait(30)
    handle.cancel()
    assert str(handle.wait(60).state) == "cancelled"


def test_a_notebook_must_be_one(call) -> None:
    with pytest.raises(LabError, match="is no notebook"):
        call("notebook", path="a.txt")
    with pytest.raises(LabError, match="no file"):
        call("notebook", path="a.ipynb")
    with pytest.raises(LabError, match="can't be used"):
        call("notebook", path="../a.ipynb")


@pytest.mark.slow
def test_a_notebook_runs_with_wired_parameters(lab, workspace: Path) -> None:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [
        new_code_cell("x = 1", metadata={"tags": ["parameters"]}),
        new_code_cell("print(x * 2)"),
    ]
    nbformat.write(new_notebook(cells=cells), workspace / "a.ipynb")
    before = (workspace / "a.ipynb").read_bytes()
    made = Flow(
        "t",
        parameters={"x": {"type": "integer"}},
        nodes={"n": Node("notebook", {"path": "a.ipynb"})},
        edges=(Edge(PARAMS, "x", "n", "x"),),
    )
    result = lab.run(made, {"x": 21})
    assert result.exception is None
    outputs = result.values["n"]
    assert outputs["cells"] == 3
    assert "42" in Path(outputs["notebook"]).read_text()
    assert (workspace / "a.ipynb").read_bytes() == before
