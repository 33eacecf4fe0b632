from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from iaiflow_lab.errors import FlowError, InputError, NotFoundError, StoreError
from iaiflow_lab.model.file import dump
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.service import flows, history, runs

PATH = "research/digest.flow.json"


@pytest.fixture
def saved(session, flow, types):
    return flows.save(session, PATH, flow, types)


def test_a_saved_flow_comes_back(session, flow, saved):
    assert flows.load(session, PATH) == flow
    assert (saved.path, saved.number, saved.is_new) == (PATH, 1, True)
    assert [(found.path, found.name, found.version) for found in flows.list_flows(session)] == [
        (PATH, "Example", saved.version)
    ]


def test_saving_again_changes_no_byte_and_makes_no_version(session, flow, types, saved, workspace):
    target = workspace / PATH
    before = (target.read_bytes(), target.stat().st_mtime_ns, target.stat().st_ino)
    again = flows.save(session, PATH, flow, types)
    assert (again.number, again.is_new) == (1, False)
    assert before == (target.read_bytes(), target.stat().st_mtime_ns, target.stat().st_ino)


def test_moving_a_node_is_no_new_version_but_reaches_the_file(session, flow, types, saved):
    moved = replace(flow, layout={"first": (10.0, 20.0)})
    assert not flows.save(session, PATH, moved, types).is_new
    assert flows.load(session, PATH).layout == {"first": (10.0, 20.0)}


def test_history_and_going_back(session, flow, types, saved):
    longer = replace(flow, nodes={**flow.nodes, "more": Node("echo")})
    flows.save(session, PATH, longer, types, note="One more")
    assert [(save.number, save.note) for save in flows.versions(session, PATH)] == [
        (2, "One more"),
        (1, ""),
    ]
    assert flows.version(session, PATH, "1") == flow
    assert flows.version(session, PATH, saved.version[:8]) == flow
    assert flows.version(session, PATH, "") == longer
    restored = flows.restore(session, PATH, "1", types)
    assert (restored.number, restored.version) == (3, saved.version)
    assert flows.load(session, PATH) == flow


def test_an_unknown_version_is_a_sentence(session, saved):
    with pytest.raises(NotFoundError, match="has no version 'zzz'"):
        flows.version(session, PATH, "zzz")
    with pytest.raises(NotFoundError, match="no saved versions"):
        flows.versions(session, "other.flow.json")


def test_unfinished_work_can_be_saved_and_says_what_is_missing(session, flow, types):
    unfinished = replace(flow, nodes={**flow.nodes, "late": Node("needy")})
    found = flows.save(session, PATH, unfinished, types)
    assert [problem.node for problem in found.problems if problem.severity == "error"] == ["late"]


def test_what_could_not_be_read_back_is_not_saved(session, flow, types, workspace):
    broken = replace(flow, nodes={"not an id": Node("echo")}, edges=())
    with pytest.raises(FlowError):
        flows.save(session, PATH, broken, types)
    assert not (workspace / PATH).exists()
    assert flows.list_flows(session) == []


@pytest.mark.parametrize("path", ["../out.flow.json", "/elsewhere/x.flow.json", "flow.json", ""])
def test_flows_stay_in_the_workspace(session, flow, types, path):
    with pytest.raises(InputError):
        flows.save(session, path, flow, types)


def test_a_link_that_leads_outside_is_refused(session, flow, types, workspace, tmp_path_factory):
    (workspace / "out").symlink_to(tmp_path_factory.mktemp("outside"))
    with pytest.raises(InputError, match="outside"):
        flows.save(session, "out/x.flow.json", flow, types)


def test_a_file_that_cannot_be_written_leaves_no_version(session, flow, types, workspace):
    (workspace / "research").write_text("in the way")
    with pytest.raises((StoreError, InputError)):
        flows.save(session, PATH, flow, types)
    with pytest.raises(NotFoundError):
        flows.versions(session, PATH)


def test_a_missing_flow_names_the_nearest(session, saved):
    with pytest.raises(NotFoundError, match="Did you mean 'research/digest"):
        flows.load(session, "research/digets.flow.json")


def test_a_huge_file_is_refused_unread(session, workspace):
    with (workspace / "huge.flow.json").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(FlowError, match="may be 5 MB at most") as refusal:
        flows.load(session, "huge.flow.json")
    assert refusal.value.where == "huge.flow.json"


def test_a_broken_file_is_listed_with_its_problem(session, workspace):
    (workspace / "bad.flow.json").write_text("{")
    (workspace / ".hidden").mkdir()
    (workspace / ".hidden" / "x.flow.json").write_text("{}")
    [found] = flows.list_flows(session)
    assert (found.path, found.name) == ("bad.flow.json", "")
    assert "invalid JSON" in found.problem


def test_definitions_that_nothing_names_are_forgotten(session, flow, types):
    def kept() -> set[str]:
        rows = session.store.db.connection().execute("SELECT version FROM flow_versions")
        return {row["version"] for row in rows}

    def edited(number: int) -> Flow:
        return replace(flow, nodes={**flow.nodes, f"n{number}": Node("echo")})

    def save(number: int) -> str:
        changed = edited(number)
        return flows.save(session, PATH, changed, types, note="Edited", merge_s=60).version

    first = flows.save(session, PATH, flow, types).version
    save(1)
    ran = save(2)
    run_id = runs.start(session, PATH, {"n": 1}, types)
    elsewhere = flows.save(session, "other.flow.json", edited(3), types).version
    assert save(3) == elsewhere
    save(4)
    last = save(5)

    assert kept() == {first, ran, elsewhere, last}
    assert "n2" in history.definition(session, run_id).nodes
    assert flows.version(session, PATH, "1") == flow


_KILLED = """
import os, sys
from pathlib import Path
from iaiflow_lab.model import file
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import flows, open_session

moment, replace = sys.argv[1], Path.replace

def replaced(self, target):
    if moment == "written":
        os._exit(9)
    replace(self, target)
    if moment == "replaced":
        os._exit(9)

Path.replace = replaced
with open_session(Path(".")) as session:
    flows.save(session, sys.argv[2], file.parse(sys.argv[3]), load_catalog(None))
os._exit(9)
"""


@pytest.mark.parametrize("moment", ["written", "replaced", "saved"])
def test_a_save_that_is_killed_is_whole_and_leaves_nothing(
    session, flow, types, saved, workspace, moment
):
    edited = replace(flow, nodes={**flow.nodes, "new": Node("echo")})
    command = [sys.executable, "-c", _KILLED, moment, PATH, dump(edited)]
    assert subprocess.run(command, cwd=workspace, check=False).returncode == 9

    assert flows.load(session, PATH) == (flow if moment == "written" else edited)
    assert flows.version(session, PATH, "1") == flow
    again = flows.save(session, PATH, edited, types)
    assert (again.number, flows.version(session, PATH, "2")) == (2, edited)
    assert [path.name for path in (workspace / PATH).parent.iterdir()] == [Path(PATH).name]
