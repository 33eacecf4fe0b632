"""What a new flow starts from in JupyterLab is valid and runs, agents by their scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from messages_api import MessagesAPI, say

from iaiflow_lab import Flow, Lab
from iaiflow_lab.errors import RunError
from iaiflow_lab.lab.run import Run

FOLDER = Path(__file__).parents[2] / "extension" / "src" / "lab" / "templates"
TEMPLATES = sorted(FOLDER.glob("*.json"))


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs a template in an empty workspace."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, **inputs: Any) -> Run:
        return copied(FOLDER / f"{name}.json", tmp_path).run(show=False, **inputs)

    return run


def copied(template: Path, folder: Path) -> Flow:
    path = folder / f"{template.stem}.flow.json"
    path.write_text(template.read_text())
    return Flow.load(path)


def flows(flow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a flow and those inside it."""
    yield flow
    for node in flow["nodes"].values():
        if body := node.get("config", {}).get("body"):
            yield from flows(body)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_is_valid(template: Path, tmp_path: Path):
    assert copied(template, tmp_path).validate() == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_model_is_chosen_by_the_one_parameter(template: Path):
    for flow in flows(json.loads(template.read_text())):
        asking = {id_ for id_, node in flow["nodes"].items() if "script" in node.get("config", {})}
        wired = {edge for edge in flow["edges"] if edge.startswith("params.model -> ")}
        assert {f"params.model -> {id_}.model" for id_ in asking} <= wired
        assert not wired or "model" in flow["parameters"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chart", "map"])
def test_a_template_runs(name: str, ran):
    assert ran(name).state == "completed"


def test_planner_and_workers(ran):
    run = ran("planner")
    tasks = run["tasks"].value
    written = run["write"].outputs["text"]
    assert len(run["work"].outputs["out"]) == len(tasks) == 3
    assert all(task in written for task in tasks)
    assert "Leave early in the day" in written


def test_planner_and_workers_with_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    tasks = json.dumps({"tasks": ["Look up one.", "Look up two."]})
    found = [say("Found."), say("Found."), say("All of it.")]
    template = json.loads((FOLDER / "planner.json").read_text())
    with MessagesAPI(say(tasks), *found) as api:
        Lab().secrets.set("OWN", api.key)
        for flow in flows(template):
            for node in flow["nodes"].values():
                if "script" in node.get("config", {}):
                    node["config"] |= {"base_url": api.url, "key": "secret:OWN"}
        path = tmp_path / "own.flow.json"
        path.write_text(json.dumps(template))
        run = Flow.load(path).run(show=False, model="claude-sonnet-5-5")
        assert run["write"].outputs["text"] == "All of it."
        asked = [body for body in api.bodies if "messages" in body]
    assert "Look up one. Found." in json.dumps(asked[-1]["messages"])
    assert {body["model"] for body in asked} == {"claude-sonnet-5-5"}


@pytest.mark.parametrize(
    ("message", "by"),
    [
        ("You charged me twice.", "payment"),
        ("There is an error 7 at the start.", "technical"),
        ("Hello?", "other"),
    ],
)
def test_a_router_sends_each_message_one_way(message: str, by: str, ran):
    run = ran("router", message=message)
    assert message in run["answer"].value
    branches = {id_: run[id_].state for id_ in ("payment", "technical", "other")}
    assert branches.pop(by) == "completed"
    assert set(branches.values()) == {"skipped"}


@pytest.mark.parametrize(
    ("question", "by"),
    [
        ("You charged me twice.", "billing"),
        ("There is an error 7.", "support"),
        ("Hello?", "desk"),
    ],
)
def test_a_desk_hands_over_to_one(question: str, by: str, ran):
    run = ran("handover", question=question)
    states = {id_: run[id_].state for id_ in ("billing", "support")}
    assert states == {id_: "completed" if id_ == by else "skipped" for id_ in states}
    assert run["desk"].outputs["stopped"] == ("" if by == "desk" else f"handoff:{by}")
    messages = run[by].outputs["messages"]
    assert messages[0]["content"][0]["text"] == question
    assert messages[-1]["role"] == "assistant"


def test_a_debate(ran):
    run = ran("debate")
    assert run["yes"].outputs["text"] in run["no"].outputs["text"]
    assert len(run["yes_again"].outputs["messages"]) == 4
    assert run["no_again"].outputs["text"] in run["minutes"].value
    assert run["judge"].outputs["value"]["winner"] == "draw"


def test_documents_are_read_each_and_together(ran, tmp_path: Path):
    said = ran("documents")["reduce"].outputs["text"]
    assert all(name in said for name in ("morning.md", "evening.md", "weather.md"))
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "fog.txt").write_text("Fog is a cloud.")
    (tmp_path / "papers" / "fog.png").write_bytes(b"\x89PNG")
    run = ran("documents", folder="papers")
    assert len(run["documents"].value) == 1
    assert "Fog is a cloud." in run["reduce"].outputs["text"]


def test_an_analyst_asks_tables(ran):
    assert '["north",340,2]' in ran("analyst")["report"].value


def test_research_cites_what_there_is(ran):
    found = ran("research")["cited"].value
    assert found.endswith(
        "## Sources\n\n1. [Departures](https://example.org/departures)\n"
        "2. [Weather](https://example.org/weather)\n"
    )


@pytest.mark.parametrize(
    ("answer", "why"), [("It is so [7].", "do not exist"), ("It is so.", "cites no source")]
)
def test_research_without_a_source_fails(answer: str, why: str, ran, tmp_path: Path):
    template = json.loads((FOLDER / "research.json").read_text())
    template["nodes"]["research"]["config"]["script"] = [{"text": answer}]
    path = tmp_path / "own.flow.json"
    path.write_text(json.dumps(template))
    with pytest.raises(RunError, match=why):
        Flow.load(path).run(show=False)
