"""The example of an agent, for real: cell by cell in a kernel, and as a queued run; no network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "notebooks"
#: Limits of a kernel in seconds, which only a hang reaches.
PATIENT = {"timeout": 300, "startup_timeout": 300, "iopub_timeout": 120}


@pytest.fixture
def examples(workspace: Path) -> Path:
    """Return a workspace with a copy of the example."""
    shutil.copy(EXAMPLES / "agent.ipynb", workspace)
    shutil.copytree(EXAMPLES / "data", workspace / "data")
    return workspace


def iaiflow(*arguments: str) -> str:
    """Call the command line in the current folder."""
    code = "from iaiflow_lab.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown(notebook: nbformat.NotebookNode, cell: str) -> str:
    """Return what a cell has to show, as text."""
    found = next(one for one in notebook.cells if one.id == cell)
    outputs = [out.get("data", {"text/plain": out.get("text", "")}) for out in found.outputs]
    return "\n".join(str(out.get("text/markdown", out.get("text/plain", ""))) for out in outputs)


def late_shares(folder: Path) -> list[str]:
    """Count how many flights left late, by hour of departure, as the tool `sql` writes rows."""
    flights = pl.read_parquet(folder / "data" / "flights.parquet").drop_nulls("dep_delay")
    late = (pl.col("dep_delay") > 15).mean().round(3)
    counted = flights.group_by(pl.col("hour") // 3 * 3).agg(pl.len(), late)
    return [json.dumps(row, separators=(",", ":")) for row in counted.iter_rows()]


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(EXAMPLES / "agent.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert [cell.id for cell in code if "parameters" in cell.metadata.get("tags", ())] == [
        "parameters"
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_tools_run_and_its_answers_are_what_they_gave(examples: Path):
    notebook = nbformat.read(examples / "agent.ipynb", as_version=4)
    NotebookClient(notebook, **PATIENT, resources={"metadata": {"path": str(examples)}}).execute()
    assert shown(notebook, "model") == "'scripted'"
    first, remembered = shown(notebook, "first-answer"), shown(notebook, "memory")
    for row in late_shares(examples):
        assert row in first
        assert row in remembered
    did = shown(notebook, "did")
    assert did.index("memory_search") < did.index("failed") < did.index("memory_add")
    assert "0.06]" in shown(notebook, "second"), "the note of the first conversation"
    report = shown(notebook, "report-value")
    assert report.index("US Airways Inc.") < report.index("ExpressJet Airlines Inc.")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_runs_queued(examples: Path):
    queued = json.loads(iaiflow("queue", "agent.ipynb", "--json"))
    iaiflow("worker", "--drain")
    run = json.loads(iaiflow("runs", "show", queued["id"], "--json"))
    assert run["state"] == "completed", run
    (answer,) = [file for file in run["files"] if file["name"] == "answer.md"]
    assert "late_share" in Path(answer["path"]).read_text()
    assert {"analyst", "report"} <= {step["node"] for step in run["steps"]}
