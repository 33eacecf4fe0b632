"""Exporting, packing and comparing runs from the command line and in Python."""

from __future__ import annotations

import json
import zipfile

import pytest

from iaiflow_lab.lab.workspace import Lab

NOTEBOOK = {
    "nbformat": 4,
    "cells": [
        {"cell_type": "code", "source": "n = 1", "metadata": {"tags": ["parameters"]}},
        {"cell_type": "code", "source": "print('number', n)"},
    ],
}


@pytest.fixture
def iaiflow(workspace, command_line):
    """Return `iaiflow(...)`: the command line in this process."""
    (workspace / ".iaiflow").mkdir()
    (workspace / "report.ipynb").write_text(json.dumps(NOTEBOOK))

    return command_line


@pytest.mark.slow
def test_two_runs_of_a_notebook_are_exported_packed_and_compared(iaiflow, workspace):
    ids = []
    for number in (1, 2):
        said = iaiflow("run", "report.ipynb", "-p", f"n={number}", "--json")
        assert said.status == 0, said.err
        ids.append(json.loads(said.out)["id"])
    assert iaiflow("runs", "export", ids[0]).out == "report.html\n"
    assert "number 1" in (workspace / "report.html").read_text()
    again = iaiflow("runs", "export", ids[1])
    assert again.status == 2
    assert "error[file-exists]: report.html is there already. - Name another place" in again.err
    assert iaiflow("runs", "export", ids[1], "--force").status == 0
    assert "number 2" in (workspace / "report.html").read_text()
    said = iaiflow("runs", "export", ids[1], "--to", "markdown", "-o", "docs", "--json")
    assert json.loads(said.out) == ["docs/report.md"]

    said = iaiflow("runs", "zip", ids[0], "-o", "run.zip", "--to", "html", "--json")
    assert json.loads(said.out)["path"] == str(workspace / "run.zip")
    with zipfile.ZipFile(workspace / "run.zip") as archive:
        assert "exports/notebook/report.html" in archive.namelist()

    said = iaiflow("runs", "diff", *ids)
    assert "input n: 1 -> 2" in said.out
    assert "number 2" in said.out
    data = json.loads(iaiflow("runs", "diff", *ids, "--json").out)
    assert (data["old"], data["new"]) == tuple(ids)

    lab = Lab(workspace)
    assert lab.runs.diff(*ids)
    assert lab.runs.export(ids[0], workspace / "out")[0].name == "report.html"
    assert lab.runs.zip(ids[0], workspace / "lab.zip").is_file()


def test_a_run_without_a_notebook_says_so(iaiflow, workspace):
    flow = {"format": "iaiflow/1", "name": "A", "nodes": {"a": {"type": "text.template"}}}
    (workspace / "a.flow.json").write_text(json.dumps(flow))
    queued = iaiflow("queue", "report.ipynb", "--json")
    said = iaiflow("runs", "export", json.loads(queued.out)["id"])
    assert said.status == 2
    assert "error[no-output-notebook]" in said.err
