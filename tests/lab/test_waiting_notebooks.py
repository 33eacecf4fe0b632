"""Flows that wait inside a notebook that is itself a queued run."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

from iaiflow_lab import Flow, Lab
from iaiflow_lab.settings import make_state_dir

pytestmark = pytest.mark.slow

#: Longest time until workers have done what is due, in seconds: only a hang takes so long.
PATIENCE = 180

FIRST = """
from pathlib import Path
from iaiflow_lab import Flow, node

@node
def note(*, text: str) -> str:
    with Path("notes.txt").open("a") as out:
        out.write(text + "\\n")
    return text

flow = Flow("Story")
first = flow.add("cell.note", id="before", text="before")
flow.add("approval", id="ask", message="Go on with {{before}}?", before=first)
"""
SECOND = """
run = flow.run()
print("approved by", run["ask"].outputs["answer"]["by"])
Path("notes.txt").open("a").write("after\\n")
"""


@pytest.fixture
def crew(here: Path):
    """Return a function that starts workers; they end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        code = "from iaiflow_lab.cli import main; main()"
        process = subprocess.Popen([sys.executable, "-c", code, "worker", *options], cwd=here)
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait()


def queue(here: Path, *cells: str, wait_s: float) -> str:
    (make_state_dir(here) / "config.toml").write_text(f"notebook_wait_s = {wait_s}\n")
    code = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=code), here / "story.ipynb")
    return Lab(here).runs.start("story.ipynb")


def until(lab: Lab, run_id: str, condition) -> None:
    pause = threading.Event()
    for _ in range(9_000):
        run = lab.runs.get(run_id)
        if condition(run):
            return
        assert run.error is None, run.error
        pause.wait(0.02)
    raise AssertionError(f"the run is {lab.runs.get(run_id).state}")


def output_of(here: Path, run_id: str) -> str:
    (path,) = (here / ".iaiflow" / "runs" / run_id).glob("*/story.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))


def test_a_notebook_that_only_waits_is_parked_and_runs_again_from_its_top(here: Path, crew):
    run_id = queue(here, FIRST, SECOND, wait_s=0.2)
    lab = Lab(here)
    assert crew("--drain").wait(PATIENCE) == 0
    run = lab.runs.get(run_id)
    assert run.state == "waiting", run.error
    assert "runs again from its top" in run.reason
    assert [(wait.step, wait.message) for wait in run.waits] == [
        ("notebook/1:ask", "Go on with before?")
    ]
    assert "runs again from its top" in output_of(here, run_id)
    assert lab.runs.logs(run_id).count("runs again from its top") == 1
    lab.runs.approve(run_id)
    assert crew("--drain").wait(PATIENCE) == 0
    run = lab.runs.get(run_id)
    assert (run.state, run.attempt) == ("completed", 1), run.error
    assert (here / "notes.txt").read_text().split() == ["before", "after"]
    assert "approved by" in output_of(here, run_id)


def test_an_answer_in_time_reaches_the_kernel_that_waits(here: Path, crew):
    run_id = queue(here, FIRST, SECOND, wait_s=600)
    lab = Lab(here)
    crew()
    until(lab, run_id, lambda run: run.waits)
    lab.runs.approve(run_id)
    until(lab, run_id, lambda run: run.state == "completed")
    changes = [e.state for e in lab.runs.follow(run_id) if type(e).__name__ == "RunChanged"]
    assert "waiting" not in changes
    assert (here / "notes.txt").read_text().split() == ["before", "after"]


def test_the_time_limit_of_a_cell_does_not_count_the_wait(here: Path, crew):
    imports = "from iaiflow_lab import Flow"  # takes long on a busy machine, and counts
    waits = "flow = Flow('D')\nflow.add('delay', seconds=16)\nflow.run()"
    (make_state_dir(here) / "config.toml").write_text("notebook_wait_s = 600\n")
    cells = [nbformat.v4.new_code_cell(cell) for cell in (imports, waits)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), here / "story.ipynb")
    flow = Flow("F")
    flow.add("notebook", id="nb", path="story.ipynb", cell_timeout=15)
    lab = Lab(here)
    run_id = lab.runs.start(flow)
    assert crew("--drain").wait(PATIENCE) == 0
    run = lab.runs.get(run_id)
    assert run.state == "completed", run.error
