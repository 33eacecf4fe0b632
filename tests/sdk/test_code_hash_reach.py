"""How far the hash of a node's code reaches beyond the function itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.code_hash import code_hash
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.node_files import import_nodes

NODES = """
from dataclasses import dataclass
from iaiflow_lab import node
from . import _helpers

@dataclass
class Scale:
    factor: int
    def apply(self, value):
        return value * self.factor

SCALE = Scale(2)

@node("t.helped")
def helped(value: int) -> int:
    return _helpers.clean(value)

@node("t.scaled")
def scaled(value: int) -> int:
    return SCALE.apply(value)
"""
HELPERS = """
LIMIT = 3

def clean(value):
    return min(value, LIMIT)

def other():
    return 1
"""


@pytest.fixture
def hashes(tmp_path: Path) -> Callable[..., dict[str, str | None]]:
    """Return a function that writes the files anew and hashes their node types."""
    folder = tmp_path / "flow_nodes"
    folder.mkdir()

    def read(nodes: str = NODES, helpers: str = HELPERS) -> dict[str, str | None]:
        (folder / "made.py").write_text(nodes)
        (folder / "_helpers.py").write_text(helpers)
        found = import_nodes(folder / "made.py")
        return {name: code_hash(made.target) for name, made in found.items()}

    return read


@pytest.mark.parametrize(("old", "new"), [("min(value", "max(value"), ("LIMIT = 3", "LIMIT = 30")])
def test_a_function_of_a_module_of_the_same_folder(hashes, old: str, new: str) -> None:
    before, after = hashes(), hashes(helpers=HELPERS.replace(old, new))
    assert before["t.helped"] != after["t.helped"]
    assert before["t.scaled"] == after["t.scaled"]


def test_what_the_node_does_not_name_changes_nothing(hashes) -> None:
    assert hashes() == hashes(helpers=HELPERS.replace("return 1", "return 100"))


def test_the_class_of_a_global(hashes) -> None:
    before, after = hashes(), hashes(NODES.replace("value * self.factor", "value + self.factor"))
    assert before["t.scaled"] != after["t.scaled"]
    assert before["t.helped"] == after["t.helped"]


@pytest.mark.parametrize("annotation", ["Path.nothing", "nothing", "1 +", "Path[3]"])
def test_annotations_that_cannot_be_read_are_named(annotation: str) -> None:
    def odd(value: int) -> int:
        return value

    odd.__annotations__["value"] = annotation
    with pytest.raises(NodeError, match=r"annotation of node type 't.odd'"):
        _ = node("t.odd")(odd).inputs


def test_an_edit_of_a_module_of_the_same_folder_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "flow_nodes"
    folder.mkdir()
    (folder / "made.py").write_text(NODES)
    for limit in (3, 30):
        (folder / "_helpers.py").write_text(HELPERS.replace("LIMIT = 3", f"LIMIT = {limit}"))
        found = import_nodes(folder / "made.py")["t.helped"]
        assert found.target(100) == limit
