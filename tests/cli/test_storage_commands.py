"""`iaiflow runs rm` and `iaiflow storage`."""

from __future__ import annotations

import json

import pytest

from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.service import open_session
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop

FLOW = {
    "format": "iaiflow/1",
    "name": "Hello",
    "nodes": {"greet": {"type": "text.template", "config": {"template": "hello"}}},
}


@pytest.fixture
def iaiflow(workspace, command_line):
    """Return `iaiflow(...)`: the command line in this process."""
    (workspace / ".iaiflow").mkdir()
    (workspace / "hello.flow.json").write_text(json.dumps(FLOW))

    return command_line


@pytest.fixture
def ran(iaiflow, workspace) -> list[str]:
    """Return the ids of two runs that have ended."""
    ids = [iaiflow("queue", "hello.flow.json", "--json").data["id"] for _ in range(2)]
    with open_session(workspace) as session:
        owner = owner_name("worker", session.world.ids)
        work(session.coordinator, session.world, owner, Duty(("default",), drain=True), Stop())
    return ids


def listed(iaiflow) -> list[str]:
    return [run["id"] for run in iaiflow("runs", "ls", "--json").data]


def test_runs_are_listed_before_they_are_removed(iaiflow, ran):
    first, second = ran
    said = iaiflow("runs", "rm", first[:20])
    assert "1 run; nothing was removed: repeat it with --yes." in said.out
    assert first[:18] in said.out
    assert iaiflow("runs", "rm", first, "--json").data == {"runs": [first], "removed": None}
    assert listed(iaiflow) == [second, first]
    assert iaiflow("runs", "rm", first, "--yes").out.startswith("Removed 1 run and 0 artifacts")
    assert listed(iaiflow) == [second]
    again = iaiflow("runs", "rm", first, "--yes")
    assert again.status == 2
    assert "There is no run" in again.err


def test_runs_are_removed_by_age(iaiflow, ran):
    assert (
        "No run that may be removed ended so long ago"
        in iaiflow("runs", "rm", "--older-than", "30d").out
    )
    found = iaiflow("runs", "rm", "--older-than", "0s", "--yes", "--json").data
    assert found["runs"] == sorted(ran)
    assert found["removed"]["runs"] == 2
    assert listed(iaiflow) == []


def test_what_cannot_be_removed_is_a_sentence(iaiflow):
    queued = iaiflow("queue", "hello.flow.json", "--json").data["id"]
    for arguments, sentence in (
        ([], "Which runs are to be removed?"),
        ([queued, "--older-than", "1d"], "Which runs are to be removed?"),
        ([queued, "--yes"], "is queued; only what has ended goes"),
        (["--older-than", "soon"], "is no length of time"),
    ):
        said = iaiflow("runs", "rm", *arguments)
        assert said.status == 2
        assert sentence in said.err


def test_what_the_workspace_takes(iaiflow, ran, workspace):
    said = iaiflow("storage")
    assert "Database" in said.out
    assert "kept until you remove them" in said.out
    (workspace / ".iaiflow" / "config.toml").write_text("keep_days = 30")
    cleaned = iaiflow("storage", "--clean")
    assert cleaned.out.startswith("Removed 0 runs")
    assert "kept for 30 days" in cleaned.out
    data = iaiflow("storage", "--json").data
    assert data["database"] > 0
    assert data["removed"] is None
    assert listed(iaiflow) == ran[::-1]


def test_settings_out_of_range_are_sentences(iaiflow, workspace):
    for line in (
        "keep_days = 0",
        'keep_days = "x"',
        "min_free_disk_mb = -1",
        "min_free_memory_mb = 0.5",
    ):
        (workspace / ".iaiflow" / "config.toml").write_text(line)
        said = iaiflow("storage")
        assert said.status == 2
        assert line.split(" ", maxsplit=1)[0] in said.err
