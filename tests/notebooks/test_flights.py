"""The example notebook, for real: as a queued production run, and cell by cell in a kernel."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "notebooks"
#: Limits of a kernel in seconds, which only a hang reaches.
PATIENT = {"timeout": 300, "startup_timeout": 300, "iopub_timeout": 120}
RUN = "Completed in "


@pytest.fixture
def examples(workspace: Path) -> Path:
    """Return a workspace with a copy of the example."""
    shutil.copy(EXAMPLES / "flights.ipynb", workspace)
    shutil.copytree(EXAMPLES / "data", workspace / "data")
    return workspace


@pytest.fixture
def iaiflow(workspace: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that calls the command line in the workspace."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from iaiflow_lab.cli import main; main()"
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False)

    return call


def with_cell(path: Path, source: str) -> None:
    """Replace the notebook's cells by one."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbformat.write(notebook, path)


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(EXAMPLES / "flights.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert [cell.id for cell in code if "parameters" in cell.metadata.get("tags", ())] == [
        "parameters"
    ]
    assert all(cell.source.strip() for cell in notebook.cells)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_says_the_same_as_a_queued_run_and_in_a_kernel(examples: Path, iaiflow):
    done = iaiflow("demo", "--workspace", str(examples))
    assert done.returncode == 0, done.stdout + done.stderr
    head, _, end = done.stdout.partition("\n# Late arrivals of flights from New York City, 2013\n")
    assert "each_airline[13]/delays completed" in head
    places = {line[2:19].strip(): line[19:] for line in end.partition(RUN)[2].splitlines()}
    report = Path(places["report"]).read_text()
    assert "326,975 flights of 14 airlines" in report
    output = nbformat.read(places["output notebook"], as_version=4)
    assert output.cells[-1].outputs[0].data["text/markdown"] == report
    assert Path(places["database"]).is_file()
    source = (examples / "flights.ipynb").read_bytes()
    assert source == (EXAMPLES / "flights.ipynb").read_bytes()

    notebook = nbformat.read(examples / "flights.ipynb", as_version=4)
    NotebookClient(notebook, **PATIENT, resources={"metadata": {"path": str(examples)}}).execute()
    assert notebook.cells[-1].outputs[0].data["text/markdown"] == report
    listed = json.loads(iaiflow("runs", "ls", "--json").stdout)
    assert [(run["flow"], run["state"]) for run in listed] == [
        ("Flights", "completed"),
        ("flights.ipynb", "completed"),
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_takes_parameters(examples: Path, iaiflow):
    arguments = ("-p", "first_month=6", "-p", "last_month=6", "-p", "min_flights=4000")
    done = iaiflow("run", "flights.ipynb", *arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    items = [step["items"] for step in run["steps"] if step["node"] == "each_airline"]
    assert 0 < items[0] < 14
    (report,) = [file for file in run["files"] if file["name"] == "flights-report.md"]
    assert "**June**" in Path(report["path"]).read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_demo_that_fails_says_so(examples: Path, iaiflow):
    with_cell(examples / "flights.ipynb", "1 / 0")
    done = iaiflow("demo", "--workspace", str(examples))
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert RUN not in done.stdout


def test_a_folder_without_the_demo_is_refused(workspace: Path, iaiflow):
    done = iaiflow("demo", "--workspace", str(workspace))
    assert done.returncode == 2
    assert done.stderr.startswith("error[not-found]: There is no flights.ipynb in ")
    assert not (workspace / ".iaiflow").exists()
