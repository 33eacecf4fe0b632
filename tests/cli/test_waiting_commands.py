"""Answering runs that wait from the command line."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.service import open_session
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop

FORM = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}
FLOW = {
    "format": "iaiflow/1",
    "name": "Waits",
    "nodes": {
        "ask": {"type": "approval", "config": {"value": 1, "message": "Ship it?", "form": FORM}},
        "hear": {"type": "wait.signal", "config": {"name": "go"}},
    },
    "outputs": {"answer": "ask.answer", "heard": "hear.payload"},
}


@pytest.fixture
def iaiflow(workspace: Path, command_line):
    """Return `iaiflow(...)`: the command line in this process, beside a flow that waits."""
    (workspace / "waits.flow.json").write_text(json.dumps(FLOW))

    return command_line


def drain() -> None:
    with open_session() as session:
        owner = owner_name("worker", session.world.ids)
        work(session.coordinator, session.world, owner, Duty(("default",), drain=True), Stop())


@pytest.fixture
def parked(iaiflow) -> str:
    run_id = iaiflow("queue", "waits.flow.json", "--json").data["id"]
    drain()
    return run_id


def test_lists_say_what_a_run_waits_for(iaiflow, parked) -> None:
    (run,) = iaiflow("runs", "ls", "--state", "waiting", "--json").data
    assert [(wait["step"], wait["kind"]) for wait in run["waits"]] == [
        ("ask", "approval"),
        ("hear", "signal"),
    ]
    shown = iaiflow("runs", "show", parked).out
    assert "ask Ship it?" in shown
    assert f"iaiflow runs approve {parked} ask" in shown
    assert f"iaiflow runs signal {parked} go" in shown
    assert "required" in shown, "the form is told"
    data = iaiflow("runs", "show", parked, "--json").data
    assert data["waits"][0]["form"] == FORM
    assert data["waits"][0]["opened_at"].endswith("Z")


def test_each_question_of_a_step_is_answered_by_what_is_shown(iaiflow, workspace) -> None:
    names = ("one.txt", "two.txt")
    calls = [{"tool": "files_write", "arguments": {"path": n, "content": n}} for n in names]
    script = [{"calls": calls}, {"text": "Done."}]
    config = {"prompt": "Go.", "model": "scripted", "script": script, "tools": ["files.write"]}
    flow = {
        "format": "iaiflow/1",
        "name": "asks",
        "nodes": {"a": {"type": "agent", "config": config}},
    }
    (workspace / "asks.flow.json").write_text(json.dumps(flow))
    run_id = iaiflow("queue", "asks.flow.json", "--json").data["id"]
    drain()
    shown = iaiflow("runs", "show", run_id).out
    first, second = re.findall(r"iaiflow (runs approve .*?)  \(or", shown)
    assert first != second
    iaiflow(*shlex.split(second))
    drain()
    iaiflow(*shlex.split(first), "--refuse")
    drain()
    assert not (workspace / "one.txt").exists()
    assert (workspace / "two.txt").exists()


def test_a_run_is_approved_and_signalled_and_ends(iaiflow, parked, workspace, monkeypatch) -> None:
    (workspace / "answer.json").write_text('{"n": 3}')
    said = iaiflow(
        "runs", "approve", parked[:12], "--data", "@answer.json", "--reason", "Fine.", "--json"
    )
    assert said.data == {"id": parked, "state": "queued", "step": "ask", "outcome": "approved"}
    again = iaiflow("runs", "approve", parked, "ask", "--data", '{"n": 4}')
    assert again.status == 2
    assert "was approved by" in again.err
    assert "taken by hear" in iaiflow("runs", "signal", parked, "go", "--data", "[1]").out
    drain()
    run = iaiflow("runs", "show", parked, "--json").data
    assert run["state"] == "completed"
    monkeypatch.setenv("COLUMNS", "200")
    assert "Ship it?" not in iaiflow("runs", "rm", parked).out  # what was answered is no reason
    assert run["outputs"]["heard"]["inline"] == [1]
    answer = run["outputs"]["answer"]["inline"]
    assert (answer["outcome"], answer["data"], answer["reason"]) == (
        "approved",
        {"n": 3},
        "Fine.",
    )
    assert {wait["outcome"] for wait in run["waits"]} == {"approved", "answered"}


def test_a_refusal_needs_no_form(iaiflow, parked) -> None:
    said = iaiflow("runs", "approve", parked, "--refuse")
    assert "ask refused; queued" in said.out


def test_an_early_signal_is_kept_and_a_second_one_known(iaiflow) -> None:
    run_id = iaiflow("queue", "waits.flow.json", "--json").data["id"]
    first = iaiflow("runs", "signal", run_id, "go", "--data", "1", "--dedupe", "x")
    assert "kept until something waits for it" in first.out
    assert "sent this before" in iaiflow("runs", "signal", run_id, "go", "--dedupe", "x").out
    drain()
    (wait,) = [w for w in iaiflow("runs", "show", run_id, "--json").data["waits"] if w["outcome"]]
    assert (wait["step"], wait["value"]) == ("hear", 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["approve", "RUN", "--data", "{n: 1}"], "no JSON"),
        (["approve", "RUN", "--data", '{"n": "x"}'], "must be a number"),
        (["approve", "RUN"], "is required"),
        (["approve", "RUN", "nowhere"], "does not wait for an approval"),
        (["approve", "RUN", "--data", "@missing.json"], "can't be read"),
        (["approve", "run_nowhere"], "There is no run"),
        (["signal", "RUN", "two words"], "no name of a signal"),
        (["signal", "RUN", "go", "--data", '{"a": 1, "a": 2}'], "can't be passed on"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_with_a_sentence(
    iaiflow, parked, arguments, words
) -> None:
    said = iaiflow("runs", *[parked if word == "RUN" else word for word in arguments])
    assert said.status == 2
    assert words in said.err
    assert "Traceback" not in said.err
    run = iaiflow("runs", "show", parked, "--json").data
    assert (run["state"], [w for w in run["waits"] if w["outcome"]]) == ("waiting", [])
