from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def iaiflow(command_line, monkeypatch: pytest.MonkeyPatch, workspace: Path):
    """Return `iaiflow(*arguments)`: exit status, what was printed, what was said beside it."""
    monkeypatch.setenv("COLUMNS", "200")
    return command_line


def test_node_types_are_listed(iaiflow) -> None:
    status, out, _ = iaiflow("nodes", "ls")
    assert status == 0
    assert "table.filter" in out
    listed = json.loads(iaiflow("nodes", "ls", "--json")[1])
    assert listed["problems"] == []
    (row,) = [row for row in listed["nodes"] if row["type"] == "sql"]
    assert row["category"] == "Tables"
    assert row["source"].startswith("iaiflow-lab ")


def test_a_narrow_terminal_still_shows_every_name(iaiflow, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [row["type"] for row in json.loads(iaiflow("nodes", "ls", "--json")[1])["nodes"]]
    out = iaiflow("nodes", "ls")[1]
    assert [name for name in names if f" {name} " not in out] == []
    assert max(map(len, out.splitlines())) <= 80
    assert " starts with " in iaiflow("nodes", "show", "table.filter")[1].replace("\n", " ")


def test_a_node_type_is_shown_with_its_ports_and_form(iaiflow) -> None:
    status, out, _ = iaiflow("nodes", "show", "table.filter")
    assert status == 0
    for part in ("Keep the rows", "table", "column", "not in", "An SQL condition."):
        assert part in out
    shown = json.loads(iaiflow("nodes", "show", "table.filter", "--json")[1])
    assert shown["inputs"][0] == {
        "name": "table",
        "type": "table",
        "required": True,
        "help": "The table.",
    }
    assert shown["config"]["properties"]["where"]["x-widget"] == "sql"


def test_an_unknown_type_is_one_sentence(iaiflow) -> None:
    status, out, err = iaiflow("nodes", "show", "sqll")
    assert (status, out) == (2, "")
    assert err.startswith("error[node-type-unknown]: There is no node type 'sqll'.")
    assert "Did you mean 'sql'?" in err


def test_a_new_type_is_written_listed_and_not_overwritten(iaiflow, workspace: Path) -> None:
    status, out, _ = iaiflow("nodes", "new", "text.shout")
    assert (status, out.split()) == (
        0,
        ["flow_nodes/text_shout.py", "flow_nodes/test_text_shout.py"],
    )
    assert "flow_nodes/text_shout.py" in iaiflow("nodes", "ls")[1]
    assert iaiflow("nodes", "new", "text.shout")[0] == 2
    assert iaiflow("nodes", "new", "sql")[0] == 2
    assert sorted(file.name for file in (workspace / "flow_nodes").glob("*.py")) == [
        "test_text_shout.py",
        "text_shout.py",
    ]


def test_broken_files_are_named_with_their_line_beside_the_list(iaiflow, workspace: Path) -> None:
    folder = workspace / "flow_nodes"
    folder.mkdir()
    (folder / "a.py").write_text(
        "from iaiflow_lab import node\n1 / 0\n@node('a.b')\ndef b(): ...\n"
    )
    (folder / "c.py").write_text("def half(:\n")
    status, out, err = iaiflow("nodes", "ls")
    assert status == 2
    assert "a.b" in out
    assert "a.py:2: " in err
    assert "c.py:1: This is no Python" in err
    listed = json.loads(iaiflow("nodes", "ls", "--json")[1])
    assert [problem["line"] for problem in listed["problems"]] == [1, 2]
    assert iaiflow("nodes", "show", "a.b")[0] == 1


def test_an_annotation_that_cannot_be_read_is_named_beside_the_list(
    iaiflow, workspace: Path
) -> None:
    folder = workspace / "flow_nodes"
    folder.mkdir()
    (folder / "lost.py").write_text(
        "from __future__ import annotations\n"
        "from iaiflow_lab import node\n"
        '@node("my.lost")\n'
        "def lost(value: Absent) -> int:\n"
        "    return value\n"
    )
    status, out, err = iaiflow("nodes", "ls")
    assert status == 2
    assert "my.lost" in out
    assert "text.template" in out
    assert "lost.py:3: An annotation of node type 'my.lost' can't be read" in err


def test_a_cells_function_is_promoted(iaiflow, workspace: Path) -> None:
    source = "from iaiflow_lab import node\n@node\ndef twice(x: int) -> int:\n    return x * n"
    cell = {"cell_type": "code", "source": source, "metadata": {}}
    (workspace / "n.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [cell]}))
    status, out, err = iaiflow("nodes", "promote", "twice", "--notebook", "n.ipynb")
    assert (status, out.strip()) == (0, "flow_nodes/twice.py")
    assert "n.ipynb is as it was" in err
    assert "which names them: n." in err
    (workspace / "flow_nodes/twice.py").unlink()
    done = json.loads(iaiflow("nodes", "promote", "twice", "--json")[1])
    assert done == {
        "type": "twice",
        "was": "cell.twice",
        "file": "flow_nodes/twice.py",
        "notebook": "n.ipynb",
        "unresolved": ["n"],
    }
