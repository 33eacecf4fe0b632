from __future__ import annotations

import io
import json
import os
import zipfile

import pytest

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.safe.path import name_fault
from iaiflow_lab.service import outputs, run_diff, runs
from iaiflow_lab.service.outputs import member_name

OWNER = "worker:elsewhere:1:1:x"
FLOW = Flow("Two", nodes={"note": Node("notebook"), "other": Node("echo")}, parameters={"n": {}})


def output(value):
    return {"output_type": "stream", "name": "stdout", "text": f"value {value}"}


@pytest.fixture
def executed(session, types):
    """Return `executed(value)`: a run whose notebook said the value."""

    def execute(value, *, state=StepState.COMPLETED, flow=FLOW, files=()):
        run_id = runs.start(session, flow, {"n": value} if flow is FLOW else {}, types)
        claim = session.coordinator.claim(OWNER, ["default"])
        session.coordinator.start(run_id, claim.fence)
        error = ev.ErrorInfo("broken", "It broke.") if state is StepState.FAILED else None
        ref = ev.OutputRef("json", inline=value)
        digest = session.store.artifacts.put(b"a file")
        made = [
            ev.ArtifactMade(at=1.0, step="other", name=name, artifact=digest, size=6)
            for name in files
        ]
        session.coordinator.append(
            run_id,
            claim.fence,
            [
                ev.StepStarted(at=1.0, step="note", node="note", type="notebook"),
                ev.StepFinished(
                    at=2.0, step="note", node="note", type="notebook", state=state, error=error
                ),
                ev.StepFinished(
                    at=3.0, step="other", node="other", type="echo",
                    state=StepState.COMPLETED, outputs={"out": ref},
                ),
                *made,
            ],
        )  # fmt: skip
        end = RunState.FAILED if error else RunState.COMPLETED
        session.coordinator.settle(run_id, claim.fence, Settlement(end, error=error))
        folder = session.store.run_dir(run_id) / "note"
        folder.mkdir(parents=True)
        cell = {"cell_type": "code", "source": "print(n)", "outputs": [output(value)]}
        notebook = {"nbformat": 4, "cells": [cell]}
        (folder / "report.ipynb").write_text(json.dumps(notebook))
        return run_id

    return execute


def test_output_notebooks_are_found_also_of_a_run_that_failed(session, executed):
    run_id = executed(1, state=StepState.FAILED)
    [found] = outputs.notebooks(session, run_id)
    assert (found.step, found.path.name) == ("note", "report.ipynb")
    assert outputs.notebooks(session, run_id, "other") == []
    [made] = outputs.export(session, run_id[:12], "html")
    assert (made.name, b"value 1" in made.data) == ("report.html", True)


def test_links_in_a_run_folder_lead_nowhere(session, executed, tmp_path):
    run_id = executed(1)
    folder = session.store.run_dir(run_id) / "note"
    (folder / "linked.ipynb").symlink_to(folder / "report.ipynb")
    assert [found.path.name for found in outputs.notebooks(session, run_id)] == ["report.ipynb"]


def test_what_cannot_be_exported_is_refused(session, types, executed):
    with pytest.raises(InputError, match="cannot be made into 'docx'"):
        outputs.export(session, executed(1), "docx")
    with pytest.raises(NotFoundError, match="no output notebook of the step 'other'"):
        outputs.export(session, executed(1), "html", "other")
    with pytest.raises(NotFoundError, match="There is no run"):
        outputs.export(session, "run_none")


def packed(session, run_id, *forms):
    file = io.BytesIO()
    outputs.pack(session, run_id, file, forms)
    return zipfile.ZipFile(file)


def test_an_archive_holds_all_of_a_run(session, executed):
    run_id = executed(1, files=["table.csv", "../../etc/passwd", "CON", "a\u202eb", "Table.csv"])
    archive = packed(session, run_id, "html")
    assert archive.namelist() == [
        "run.json",
        "events.jsonl",
        "notebooks/note/report.ipynb",
        "exports/note/report.html",
        "files/other/_/_/etc/passwd",
        "files/other/_CON",
        "files/other/Table.csv",
        "files/other/a_b",
        "files/other/table-2.csv",
    ]
    run = json.loads(archive.read("run.json"))
    assert (run["id"], run["state"]) == (run_id, "completed")
    events = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["state"] == "completed"
    assert archive.read("files/other/table-2.csv") == b"a file"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "/abs",
        "a/../b",
        "C:\\x",
        "x" * 2_000,
        "nul.txt",
        "a\0b",
        " . ",
        "~/x",
        "\uff0e\uff0e",
    ],
)
def test_a_member_can_be_unpacked_anywhere(name):
    assert name_fault(f"files/{member_name(name)}"[:1_000]) == ""


def test_a_failed_archive_leaves_nothing(session, executed, tmp_path):
    with pytest.raises(InputError):
        outputs.write_pack(session, executed(1), tmp_path / "out" / "run.zip", ["docx"])
    assert list((tmp_path / "out").iterdir()) == []


def test_two_runs_differ_in_inputs_steps_and_notebooks(session, executed):
    old, new = executed(1), executed(2, state=StepState.FAILED)
    found = run_diff.diff(session, old, new)
    assert [(one.name, one.old, one.new) for one in found.inputs] == [("n", 1, 2)]
    assert [(one.name, one.new) for one in found.facts] == [
        ("state", "failed"),
        ("error", "It broke."),
    ]
    note, other = found.steps
    assert (note.step, note.old, note.new, note.new_error) == (
        "note", "completed", "failed", "It broke.",
    )  # fmt: skip
    assert (other.step, other.outputs) == ("other", ("out",))
    [notebook] = found.notebooks
    assert "-  value 1" in notebook.text
    assert "+  value 2" in notebook.text
    assert found
    json.dumps(found.to_data())


def test_runs_of_the_same_do_not_differ(session, executed):
    found = run_diff.diff(session, executed(1), executed(1))
    assert not found
    assert (found.notebooks[0].text, found.note) == ("", "")


def test_another_definition_and_steps_of_one_run_only_are_told(session, executed, types):
    flow = Flow(
        "Two", nodes={"note": Node("notebook", config={"kernel": "x"}), "third": Node("echo")}
    )
    run_id = runs.prepare(session, flow, {})
    found = run_diff.diff(session, executed(1), run_id)
    assert "~ " not in "".join(found.definition.lines()[:1])
    assert {(step.step, step.new) for step in found.steps} == {("note", None), ("other", None)}
    assert found.notebooks == ()


def test_without_nbdime_the_rest_is_shown_and_said(session, executed, monkeypatch):
    monkeypatch.setattr(run_diff, "find_spec", lambda name: None)
    found = run_diff.diff(session, executed(1), executed(2))
    assert (found.notebooks, bool(found.inputs)) == ((), True)
    assert "pip install 'iaiflow-lab[diff]'" in found.note


def test_notebooks_that_are_too_large_are_not_compared(session, executed, monkeypatch):
    monkeypatch.setattr(run_diff, "MOST_COMPARED", 10)
    found = run_diff.diff(session, executed(1), executed(2))
    assert (found.notebooks, bool(found.inputs)) == ((), True)
    assert found.note == "Output notebooks above 0 MB are not compared: note."


def test_one_file_is_made_of_several_documents(session, executed):
    run_id = executed(1)
    assert outputs.document(session, run_id, "html").name == "report.html"
    folder = session.store.run_dir(run_id) / "note"
    (folder / "report-2.ipynb").write_text((folder / "report.ipynb").read_text())
    made = outputs.document(session, run_id, "markdown")
    assert (made.name, made.media_type) == (f"{run_id}-markdown.zip", "application/zip")
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        assert sorted(archive.namelist()) == ["report-2.md", "report.md"]


def test_what_is_too_large_to_send_is_refused(session, executed, monkeypatch):
    monkeypatch.setattr(outputs, "MOST_SENT", 10)
    with pytest.raises(InputError, match="too much to send"):
        outputs.document(session, executed(1), "html")


def test_what_is_packed_to_be_sent_is_given_up_when_it_is_too_large(session, executed):
    run_id = executed(1)
    (session.store.run_dir(run_id) / "note" / "report.ipynb").write_bytes(os.urandom(5_000_000))

    def check(size):
        if size > 2_000_000:
            raise InputError("Too much.")

    packed = io.BytesIO()
    with pytest.raises(InputError, match="Too much"):
        outputs.pack(session, run_id, packed, (), check)
    assert packed.tell() < 4_000_000
