"""Queueing, executing, watching and changing runs from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from iaiflow_lab.service import history, open_session

NODES = """
import time
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.add", effects="read")
def add(number: float, *, more: float = 1) -> float:
    print("adding", more)
    return number + more


@node("toy.fail", effects="read")
def fail(number: float) -> float:
    raise ValueError("this number brings bad luck")


@node("toy.wait", effects="read")
def wait(ctx: Context) -> None:
    print("waiting", flush=True)
    while not ctx.cancelled:
        time.sleep(0.005)
"""
PROCESS = """
from iaiflow_lab.sdk.node import node


@node("toy.apart", pool="process")
def apart() -> str:
    import beside
    return beside.WORD
"""
ADD = {
    "format": "iaiflow/1",
    "name": "Add",
    "parameters": {"number": {"type": "number", "default": 1}},
    "nodes": {"first": {"type": "toy.add"}, "second": {"type": "toy.add", "config": {"more": 5}}},
    "edges": ["params.number -> first.number", "first.out -> second.number"],
}
FAIL = {
    "format": "iaiflow/1",
    "name": "Fail",
    "nodes": {
        "good": {"type": "toy.add", "config": {"number": 1}},
        "bad": {"type": "toy.fail"},
    },
    "edges": ["good.out -> bad.number"],
}
WAIT = {"format": "iaiflow/1", "name": "Wait", "nodes": {"long": {"type": "toy.wait"}}}
RUN_FIELDS = {
    "id", "flow", "version", "state", "attempt", "created_at", "started_at", "ended_at",
    "duration_s", "tokens", "cost", "error", "steps",
}  # fmt: skip


@pytest.fixture
def project(workspace: Path) -> Path:
    (workspace / ".iaiflow").mkdir()
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "toys.py").write_text(NODES)
    for name, flow in {"add": ADD, "fail": FAIL, "wait": WAIT}.items():
        (workspace / f"{name}.flow.json").write_text(json.dumps(flow))
    return workspace


@pytest.fixture
def iaiflow(project, command_line):
    """Return `iaiflow(...)`: the command line in this process, beside flows."""
    return command_line


@pytest.fixture
def process(project) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return `process(...)`: the command line as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        # -P: like the installed command, without the current folder on the path
        program = "from iaiflow_lab.cli import main; main()"
        command = [sys.executable, "-P", "-c", program, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=project, text=True, **pipes))
        return started[-1]

    yield start
    for running in started:
        with running:
            running.kill()


def drain(process):
    worker = process("worker", "--drain")
    _, told = worker.communicate(timeout=60)
    assert worker.returncode == 0, told


def test_queue_answers_with_the_id_and_state(iaiflow):
    queued = iaiflow("queue", "add.flow.json", "-p", "number=41", "--priority", "3", "--json")
    assert queued.status == 0
    assert set(queued.data) == {"id", "state"}
    assert queued.data["state"] == "queued"
    shown = iaiflow("runs", "show", queued.data["id"], "--json").data
    assert shown["inputs"] == {"number": 41}
    assert shown["priority"] == 3


def test_a_run_has_a_budget_for_its_models(iaiflow):
    limits = ("--budget", "cost=2", "--budget", "tokens=500000")
    run_id = iaiflow("queue", "add.flow.json", *limits, "--json").data["id"]
    shown = iaiflow("runs", "show", run_id, "--json").data
    assert shown["budget"] == {"cost": 2.0, "tokens": 500_000}
    assert "models may take $2, 500,000 tokens" in iaiflow("runs", "show", run_id).out
    ran = iaiflow("run", "add.flow.json", "--budget", "calls=3", "--json").data
    assert (ran["state"], ran["budget"]) == ("completed", {"calls": 3})


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (["cost"], "'cost' is not of the form limit=number"),
        (["costs=2"], "no limit 'costs'. - budget - Did you mean 'cost'?"),
        (["tokens=many"], "tokens = 'many' is no limit"),
        (["cost=nan"], "cost = nan is no limit"),
        (["cost=1", "cost=2"], "given twice"),
    ],
)
def test_what_is_no_budget_is_refused(iaiflow, limits, sentence):
    refused = iaiflow("queue", "add.flow.json", *(part for x in limits for part in ("--budget", x)))
    assert refused.status == 2
    assert sentence in refused.err
    assert iaiflow("runs", "ls", "--json").data == []


@pytest.mark.parametrize("width", [80, 120])
def test_a_list_of_runs_names_each_run_and_its_state(iaiflow, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    run_id = iaiflow("queue", "add.flow.json", "--json").data["id"]
    listed = iaiflow("runs", "ls").out
    assert max(map(len, listed.splitlines())) <= width
    (row,) = [line.split() for line in listed.splitlines() if "add.flow.json" in line]
    assert run_id.startswith(row[0])
    assert row[1] == "queued"
    assert iaiflow("runs", "show", row[0], "--json").data["id"] == run_id


def test_items_of_a_map_are_numbered(iaiflow, process, project):
    body = {"parameters": {"item": {}}, "nodes": {"x": {"type": "toy.add"}}}
    body["edges"] = ["params.item -> x.number"]
    each = {"type": "map", "config": {"items": [1, 2], "body": body}}
    flow = {"format": "iaiflow/1", "name": "Each", "nodes": {"each": each}}
    (project / "each.flow.json").write_text(json.dumps(flow))
    run_id = iaiflow("queue", "each.flow.json", "--json").data["id"]
    drain(process)
    shown = iaiflow("runs", "show", run_id).out
    assert "[0] x" in shown
    assert "[1] x" in shown


def test_a_draft_is_visible_and_not_queued(iaiflow):
    draft = iaiflow("queue", "add.flow.json", "--draft", "--json").data
    assert draft["state"] == "draft"
    listed = iaiflow("runs", "ls", "--state", "draft", "--json").data
    assert [run["id"] for run in listed] == [draft["id"]]
    assert iaiflow("runs", "ls", "--state", "queued", "--json").data == []


def test_a_draft_is_queued_by_its_id(iaiflow):
    draft = iaiflow("queue", "add.flow.json", "--draft", "--priority", "7", "--json").data["id"]
    refused = iaiflow("queue", draft, "--priority", "1")
    assert refused.status == 2
    assert refused.err.startswith("error[input-invalid]: A draft keeps the queue")
    queued = iaiflow("queue", draft, "-p", "number=5", "--json").data
    assert queued == {"id": draft, "state": "queued"}
    shown = iaiflow("runs", "show", draft, "--json").data
    assert (shown["inputs"], shown["priority"]) == ({"number": 5}, 7)
    assert iaiflow("queue", draft).err.startswith("error[wrong-state]")


def test_the_same_key_gives_the_same_run(iaiflow):
    asked = ("queue", "add.flow.json", "--idempotency-key", "monday", "--json")
    assert iaiflow(*asked).data == iaiflow(*asked).data
    other = iaiflow(*asked, "-p", "number=2")
    assert other.status == 2
    assert "error[idempotency-conflict]" in other.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("queue", "nowhere.flow.json"), "not-found"),
        (("queue", "../outside.flow.json"), "input-invalid"),
        (("queue", "add.flow.json", "-p", "number"), "input-invalid"),
        (("queue", "add.flow.json", "-p", "number=many"), "input-invalid"),
        (("queue", "add.flow.json", "-p", "nummer=1"), "input-invalid"),
        (("queue", "add.flow.json", "--delay", "-1"), "input-invalid"),
        (("queue", "add.flow.json", "--queue", "no such queue"), "input-invalid"),
        (("run", "nowhere.ipynb"), "file-not-found"),
        (("runs", "show", "run_nowhere"), "not-found"),
        (("runs", "follow", "run_nowhere"), "not-found"),
        (("runs", "logs", "run_nowhere"), "not-found"),
        (("runs", "cancel", "run_nowhere"), "not-found"),
        (("runs", "ls", "--limit", "0"), "input-invalid"),
        (("flows", "versions", "add.flow.json"), "not-found"),
    ],
)
def test_a_wrong_request_is_one_sentence(iaiflow, arguments, code):
    answer = iaiflow(*arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith(f"error[{code}]: ")
    assert answer.err.count("\n") == 1


@pytest.mark.slow
def test_a_queued_run_is_executed_and_shown(iaiflow, process):
    run_id = iaiflow("queue", "add.flow.json", "--json").data["id"]
    drain(process)
    shown = iaiflow("runs", "show", run_id, "--json").data
    assert shown.keys() >= RUN_FIELDS
    assert shown["state"] == "completed"
    assert shown["created_at"].endswith("Z")
    assert [step["step"] for step in shown["steps"]] == ["first", "second"]
    assert shown["outputs"]["second"]["inline"] == 7
    assert "second = 7" in iaiflow("runs", "show", run_id).out
    assert "completed" in iaiflow("runs", "ls").out
    assert iaiflow("runs", "logs", run_id, "--step", "second").out == "second | adding 5.0\n"
    events = iaiflow("runs", "follow", run_id, "--json")
    assert events.status == 0
    kinds = [json.loads(line)["kind"] for line in events.out.splitlines()]
    assert kinds.count("step_finished") == 2
    assert "environment" in kinds
    assert "run completed" in iaiflow("runs", "follow", run_id).out
    late = iaiflow("runs", "cancel", run_id)
    assert (late.status, late.err.startswith("error[wrong-state]")) == (2, True)


@pytest.mark.slow
def test_a_failed_run_says_where_and_is_retried_from_there(iaiflow, process, project):
    run_id = iaiflow("queue", "fail.flow.json", "--json").data["id"]
    drain(process)
    followed = iaiflow("runs", "follow", run_id)
    assert followed.status == 1
    assert "this number brings bad luck" in followed.out
    assert "iaiflow_lab/engine" not in followed.out
    (project / "flow_nodes" / "toys.py").write_text(NODES.replace("raise ValueError", "return 7 #"))
    again = iaiflow("runs", "retry", run_id, "--json").data
    assert again["retry_of"] == run_id
    drain(process)
    shown = iaiflow("runs", "show", again["id"], "--json").data
    assert {step["step"]: step["source"] for step in shown["steps"]} == {
        "good": "replay",
        "bad": "executed",
    }
    assert shown["state"] == "completed"


def test_a_worker_serves_no_queue_that_nothing_can_be_in(iaiflow):
    refused = iaiflow("worker", "--queue", "a b")
    assert refused.status == 2
    assert refused.err.startswith("error[input-invalid]: 'a b' is no queue name.")


def test_a_plain_locale_shows_every_name(process, project, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    (project / "add.flow.json").rename(project / "grün.flow.json")
    listed, told = process("flows", "ls").communicate(timeout=60)
    assert "gr\\xfcn.flow.json" in listed, told


def test_a_queued_run_is_cancelled_at_once(iaiflow):
    run_id = iaiflow("queue", "add.flow.json", "--json").data["id"]
    assert iaiflow("runs", "cancel", run_id, "--json").data == {"id": run_id, "state": "cancelled"}
    assert iaiflow("runs", "follow", run_id).status == 1


@pytest.mark.slow
def test_run_executes_at_once_and_prints_the_result(process):
    out, err = (running := process("run", "add.flow.json", "-p", "number=2")).communicate(
        timeout=60
    )
    assert running.returncode == 0, err
    assert "second = 8" in out
    assert "first | adding 1" in out


@pytest.mark.slow
def test_run_fails_with_status_1(process):
    out, err = (running := process("run", "fail.flow.json", "--json")).communicate(timeout=60)
    assert running.returncode == 1, err
    assert json.loads(out)["error"]["step"] == "bad"


@pytest.mark.slow
def test_ctrl_c_cancels_the_run(process, project):
    running = process("run", "wait.flow.json")
    for line in running.stdout:
        if "waiting" in line:
            break
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "run cancelled" in out
    with open_session(project) as session:
        assert [run.state for run in history.list_runs(session)] == ["cancelled"]


@pytest.mark.slow
def test_a_run_whose_command_was_killed_is_taken_over(process, iaiflow, project):
    running = process("run", "wait.flow.json")
    for line in running.stdout:
        if "waiting" in line:
            break
    running.kill()
    running.communicate()
    (project / "flow_nodes" / "toys.py").write_text(
        NODES.replace("while not ctx.cancelled", "if 0")
    )
    with open_session(project) as session:
        while [run.state for run in history.list_runs(session)] != ["queued"]:
            time.sleep(0.01)  # until the worker has followed its supervisor
    drain(process)
    with open_session(project) as session:
        (run,) = history.list_runs(session)
    assert (run.state, run.attempt) == ("completed", 2)
    shown = iaiflow("runs", "show", run.id).out
    assert "attempt 2 because: The worker was lost: " in shown


def test_flows_are_listed_with_what_is_wrong(iaiflow, project):
    (project / "broken.flow.json").write_text("{")
    listed = {flow["path"]: flow for flow in iaiflow("flows", "ls", "--json").data}
    assert list(listed) == ["add.flow.json", "broken.flow.json", "fail.flow.json", "wait.flow.json"]
    assert listed["add.flow.json"]["name"] == "Add"
    assert listed["broken.flow.json"]["problem"]
    assert "add.flow.json" in iaiflow("flows", "ls").out


def test_versions_are_compared_and_restored(iaiflow, project):
    from iaiflow_lab.model.data import from_data
    from iaiflow_lab.sdk.catalog import load_catalog
    from iaiflow_lab.service import flows

    with open_session(project) as session:
        types = load_catalog(project)
        flows.save(session, "add.flow.json", from_data(ADD), types, note="first")
        changed = json.loads(json.dumps(ADD).replace('"more": 5', '"more": 6'))
        flows.save(session, "add.flow.json", from_data(changed), types)
    versions = iaiflow("flows", "versions", "add.flow.json", "--json").data
    assert [(save["number"], save["note"]) for save in versions] == [(2, ""), (1, "first")]
    assert "config.more: 5 -> 6" in iaiflow("flows", "diff", "add.flow.json", "1", "2").out
    assert iaiflow("flows", "diff", "add.flow.json", "2").err == "No difference.\n"
    restored = iaiflow("flows", "restore", "add.flow.json", "1", "--json").data
    assert restored == {
        "path": "add.flow.json", "number": 3, "version": versions[1]["version"]
    }  # fmt: skip
    assert json.loads((project / "add.flow.json").read_text()) == ADD


def test_the_workspace_is_found_from_a_folder_below(iaiflow, project, monkeypatch):
    (project / "deep").mkdir()
    (project / "deep" / "add.flow.json").write_text((project / "add.flow.json").read_text())
    monkeypatch.chdir(project / "deep")
    run_id = iaiflow("queue", "add.flow.json", "--json").data["id"]
    assert iaiflow("runs", "show", run_id, "--json").data["flow"] == "deep/add.flow.json"
    assert len(iaiflow("runs", "ls", "--flow", "add.flow.json", "--json").data) == 1
    assert not (project / "deep" / ".iaiflow").exists()


def test_files_of_the_workspace_shadow_no_module_and_can_be_imported(project, process):
    for name in ("random", "queue", "typing"):
        (project / f"{name}.py").write_text("raise RuntimeError('shadowed')\n")
    (project / "beside.py").write_text("WORD = 'found'\n")
    (project / "flow_nodes" / "apart.py").write_text(PROCESS)
    flow = {"format": "iaiflow/1", "name": "Apart", "nodes": {"a": {"type": "toy.apart"}}}
    (project / "apart.flow.json").write_text(json.dumps(flow))
    running = process("run", "apart.flow.json", "--json")
    out, err = running.communicate(timeout=60)
    assert json.loads(out)["outputs"]["a"]["inline"] == "found", err
