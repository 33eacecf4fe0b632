"""Flows that remember: run in cells, queued, and within a notebook that is itself a queued run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from memory_owner import own_memory

from iaiflow_lab import Flow, Lab
from iaiflow_memory import Memory
from iaiflow_memory.verbs import ById

__all__ = ["own_memory"]

pytestmark = pytest.mark.usefixtures("here", "own_memory")

CELL = """
from iaiflow_lab import Flow, Lab

with Flow("Kernel") as flow:
    flow.add("memory.add", id="add", text="Ben likes coffee")
    flow.add("memory.search", id="search", query="What does Anna like?")
run = flow.run()
assert run["add"].outputs["is_new"]
assert "Anna likes tea" in {hit["text"] for hit in run["search"].outputs["hits"]}
assert len(Lab().memory.search("")) == 2
"""


def origins(file: Path) -> dict[str, tuple[str, str]]:
    """Return the run and the node that each memory comes from, by its text."""
    with Memory(file) as memory:
        items = [hit.item for hit in memory.search("")]
        told = [memory.door.call("episode", ById(item.episode_id)) for item in items]
    return {episode.body: (episode.run_id, episode.node_id) for episode in told}


def test_a_flow_that_is_run_again_in_a_cell_remembers_once(own_memory):
    with Flow("Remembers") as flow:
        flow.add("memory.add", id="add", text="Anna likes tea")
    first, again = flow.run(), flow.run()
    assert first["add"].outputs["is_new"]
    assert again["add"].outputs == {"id": first["add"].outputs["id"], "is_new": False}
    assert origins(own_memory) == {"Anna likes tea": (first.id, "add")}


@pytest.mark.slow
def test_queued_flows_and_kernels_share_the_memory_of_their_workspace(here: Path, own_memory):
    with Flow("Queued") as flow:
        flow.add("memory.add", id="add", text="Anna likes tea")
    flow.save("queued.flow.json")
    cell = nbformat.v4.new_code_cell(CELL)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), here / "story.ipynb")
    runs = Lab(here).runs
    for what in ("queued.flow.json", "story.ipynb"):
        run_id = runs.start(what)
        work(here)
        found = runs.get(run_id)
        assert (found.state, found.error) == ("completed", None)

    came_from = origins(own_memory)
    assert came_from.keys() == {"Anna likes tea", "Ben likes coffee"}
    assert came_from["Ben likes coffee"] == (run_id, "add")


def work(here: Path) -> None:
    """Let workers do what is due."""
    code = "from iaiflow_lab.cli import main; main()"
    command = [sys.executable, "-c", code, "worker", "--drain", "--concurrency", "1"]
    subprocess.run(command, cwd=here, check=True, timeout=300)
