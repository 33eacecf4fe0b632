"""The canvas's example notebook, for real: cell by cell in a kernel, and as a queued run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "notebooks"
#: Limits of a kernel in seconds, which only a hang reaches.
PATIENT = {"timeout": 300, "startup_timeout": 300, "iopub_timeout": 120}
CANVAS = "application/vnd.iaiflow.canvas+json"


@pytest.fixture
def examples(workspace: Path) -> Path:
    """Return a workspace with a copy of the example."""
    for name in ("canvas.ipynb", "delays.flow.json"):
        shutil.copy(EXAMPLES / name, workspace)
    shutil.copytree(EXAMPLES / "data", workspace / "data")
    return workspace


def iaiflow(*arguments: str) -> str:
    """Call the command line in the current folder."""
    code = "from iaiflow_lab.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(EXAMPLES / "canvas.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []


def test_its_flow_has_no_problems(examples: Path):
    iaiflow("validate", "delays.flow.json")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_runs_in_a_kernel_and_changes_no_byte_of_the_drawn_flow(examples: Path):
    notebook = nbformat.read(examples / "canvas.ipynb", as_version=4)
    NotebookClient(notebook, **PATIENT, resources={"metadata": {"path": str(examples)}}).execute()
    shown = next(cell for cell in notebook.cells if cell.id == "open").outputs[0].data
    assert shown[CANVAS]["path"] == "delays.flow.json"
    assert shown["image/svg+xml"].startswith("<svg")
    drawn = (examples / "delays.flow.json").read_bytes()
    assert drawn == (EXAMPLES / "delays.flow.json").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_runs_queued_with_the_flow_as_it_is_drawn(examples: Path):
    path = examples / "delays.flow.json"
    drawn = json.loads(path.read_text())
    drawn["nodes"]["large"]["title"] = "Drawn by hand"
    del drawn["nodes"]["chart"]
    drawn["edges"] = [edge for edge in drawn["edges"] if "chart" not in edge]
    path.write_text(json.dumps(drawn))
    queued = json.loads(iaiflow("queue", "canvas.ipynb", "--json"))
    iaiflow("worker", "--drain")
    run = json.loads(iaiflow("runs", "show", queued["id"], "--json"))
    assert run["state"] == "completed", run
    nodes = {step["node"] for step in run["steps"]}
    assert "large" in nodes
    assert "chart" not in nodes
