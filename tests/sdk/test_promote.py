from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab.errors import ConflictError, InputError, LabError, NotFoundError
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.sdk.promote import promote
from iaiflow_lab.sdk.scaffold import new_node

HALF = """@node
def half(x: float, *, by: int = 2) -> float:
    'Halve.'
    unused = [y for y in range(3)]
    return helper(x) / by
"""
LOUD = """@node("text.loud",
      category="Loud")
def loud(text: str) -> str:
    return text.upper()
"""
CELLS = [
    "%matplotlib inline\nfrom __future__ import annotations\nimport math as m\nimport os",
    "from iaiflow_lab import Context, node\n!ls\nLIMIT = 10\nrows = open('data').read()",
    "%%bash\nrm -rf nothing",
    "def broken(:",
    "def helper(x):\n    return m.floor(x) + LIMIT\n\ndef other():\n    return os",
    "@node\ndef half(x: float) -> float:\n    return x",
    HALF,
    "half(3)",
    '@node(effects="read")\ndef size(ctx: Context) -> int:\n    return len(rows)',
    LOUD,
    "@node(  # größe\n)\nclass Größe:\n    def run(self, x: int) -> int:\n        return x",
]


def write_notebook(file: Path, cells: list[Any]) -> Path:
    made = [{"cell_type": "code", "source": cell, "metadata": {}} for cell in cells]
    file.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": made}))
    return file


@pytest.fixture
def notebook(workspace: Path) -> Path:
    """Return a notebook that defines node types."""
    return write_notebook(workspace / "work.ipynb", CELLS)


def test_a_notebook_whose_outputs_hold_nan_is_read(workspace: Path, notebook: Path) -> None:
    text = notebook.read_text().replace('"metadata": {}', '"metadata": {"x": [NaN, -Infinity]}')
    notebook.write_text(text)
    assert promote(workspace, "half").was == "cell.half"


def test_a_cells_function_moves_with_what_it_names(workspace: Path, notebook: Path) -> None:
    before = notebook.read_bytes()
    done = promote(workspace, "half")
    assert (done.name, done.was, done.unresolved) == ("half", "cell.half", ())
    assert notebook.read_bytes() == before
    text = done.file.read_text()
    assert text.index("from __future__") < text.index("import math as m")
    assert "LIMIT = 10" in text
    assert "import os" not in text
    assert "open(" not in text
    half = load_catalog(workspace).require("half")
    assert half(5.5, by=3) == 5.0
    assert half.help == "Halve."


def test_a_name_of_its_own_is_kept(workspace: Path, notebook: Path) -> None:
    done = promote(workspace, "cell.loud", notebook)
    assert (done.name, done.file.name) == ("text.loud", "text_loud.py")
    assert load_catalog(workspace).require("text.loud")("a") == "A"


def test_data_of_the_notebook_stays_there_and_is_named(workspace: Path, notebook: Path) -> None:
    done = promote(workspace, "size")
    assert done.unresolved == ("rows",)
    assert '@node("size", effects="read")' in done.file.read_text()
    assert load_catalog(workspace).require("size").effects == "read"


def test_the_decorator_gets_its_name_whatever_it_looks_like(workspace: Path) -> None:
    cells = ["import iaiflow_lab as lab\n@lab.node(  # comment (\n  effects='read')\ndef ab(): ..."]
    write_notebook(workspace / "n.ipynb", cells)
    promote(workspace, "ab")
    assert load_catalog(workspace).require("ab").effects == "read"


def test_sources_may_be_lists_of_lines(workspace: Path) -> None:
    cells = [["from iaiflow_lab import node\n", "@node\n", "def ab() -> int:\n", "    return 7"], 3]
    write_notebook(workspace / "n.ipynb", cells)
    promote(workspace, "ab")
    assert load_catalog(workspace).require("ab")() == 7


def test_nothing_is_overwritten(workspace: Path, notebook: Path) -> None:
    file = promote(workspace, "half").file
    file.write_text("mine")
    with pytest.raises(ConflictError, match="exists already"):
        promote(workspace, "half")
    assert file.read_text() == "mine"


def test_a_function_in_several_notebooks_asks_which(workspace: Path, notebook: Path) -> None:
    other = write_notebook(workspace / "other.ipynb", CELLS)
    with pytest.raises(InputError, match=r"other\.ipynb, work\.ipynb"):
        promote(workspace, "half")
    assert promote(workspace, "half", other).notebook == other


def test_names_that_no_cell_defines_get_a_hint(workspace: Path, notebook: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        promote(workspace, "hafl")
    assert caught.value.remedy == "Did you mean 'half'?"
    with pytest.raises(NotFoundError):
        promote(workspace, "helper", notebook)
    with pytest.raises(InputError, match="can't name a node type"):
        promote(workspace, "Größe")
    assert not (workspace / "flow_nodes").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": 3}', '{"cells": [', "\0"])
def test_what_is_no_notebook_is_refused(workspace: Path, content: str) -> None:
    file = workspace / "bad.ipynb"
    file.write_text(content)
    with pytest.raises(LabError):
        promote(workspace, "half", file)
    with pytest.raises(NotFoundError):
        promote(workspace, "half")
    with pytest.raises(InputError, match="can't be read"):
        promote(workspace, "half", workspace / "missing.ipynb")


def test_a_new_node_works_at_once_and_brings_its_test(workspace: Path) -> None:
    file, test = new_node(workspace, "text.shout")
    catalog = load_catalog(workspace)
    assert catalog.require("text.shout")("ab", times=2) == "abab"
    namespace: dict[str, Any] = {"__file__": str(test)}
    exec(compile(test.read_text(), str(test), "exec"), namespace)
    namespace["test_shout"]()
    with pytest.raises(ConflictError):
        new_node(workspace, "text.shout")
    file.unlink()
    with pytest.raises(ConflictError, match=r"test_text_shout\.py"):
        new_node(workspace, "text.shout")
    assert not file.exists()


@pytest.mark.parametrize(
    "name", ["", "Shout", "a b", "../x", "a.", ".a", "1a", "cell.x", "a/b", "class", "a" * 99, "ä"]
)
def test_names_that_cannot_be_used_are_refused(workspace: Path, name: str) -> None:
    with pytest.raises(InputError, match="can't name a node type"):
        new_node(workspace, name)
    assert list(workspace.iterdir()) == []
