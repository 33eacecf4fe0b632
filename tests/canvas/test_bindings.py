"""A value that is opened in the notebook, and the cell that gets it again."""

from __future__ import annotations

import ast
import gc
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

import iaiflow_lab
from iaiflow_lab import Flow, value
from iaiflow_lab.canvas import bindings
from iaiflow_lab.errors import InputError, NotFoundError


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}
    monkeypatch.setattr(bindings, "_variables", lambda: found)
    return found


def test_the_cell_works_by_itself(variables: dict[str, Any]) -> None:
    live = object()
    bound = bindings.bind(live, 'say "x".flow.json', "each[3]/clean", "body")
    assert variables == {"each_3_clean_body": live}
    space: dict[str, Any] = {}
    exec(bound["code"], space)
    assert space["each_3_clean_body"] is live
    assert bound["name"] == "each_3_clean_body"


@pytest.mark.parametrize(
    ("path", "port", "name"),
    [
        ("fetch", "out", "fetch"),
        ("class", "out", "class_"),
        ("list", "out", "list_"),
        ("a-b", "x", "a_b_x"),
        ("2nd", "out", "value_2nd"),
        ("value", "out", "value_"),
    ],
)
def test_names_are_good_and_free(
    variables: dict[str, Any], path: str, port: str, name: str
) -> None:
    first, second = object(), object()
    assert bindings.bind(first, "f", path, port)["name"] == name
    assert bindings.bind(first, "f", path, port)["name"] == name  # the same object again
    other = bindings.bind(second, "f", path, port)
    assert other["name"] == f"{name}_2"
    assert variables[name] is first
    ast.parse(other["code"])


def test_a_run_in_a_cell_gives_its_values(workspace: Path) -> None:
    with Flow("Values") as flow:
        flow.add("text.template", id="hello", template="Hello")
    flow.run(show=False)
    assert value("hello", flow="Values") == value("hello.out", flow="Values") == "Hello"
    flow.save()
    flow.run(show=False)
    assert value("hello", flow="Values.flow.json") == "Hello"
    alive = weakref.ref(flow)
    del flow
    while alive() is not None:  # the engine's thread may have it for a moment
        time.sleep(0.01)
        gc.collect()
    with pytest.raises(NotFoundError, match=r"This kernel has no value of hello\.out"):
        value("hello", flow="Values.flow.json")


def test_what_is_gone_is_said() -> None:
    with pytest.raises(NotFoundError, match="Run the flow in this notebook"):
        value("fetch", flow="never-run")
    with pytest.raises(InputError, match="empty"):
        value(" ", flow="x")


def test_it_is_public() -> None:
    assert "value" in iaiflow_lab.__all__
