"""Chats with agents that are nodes of flows."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from agent_runs import calls

from iaiflow_lab import Flow
from iaiflow_lab.canvas.boards import board_for
from iaiflow_lab.canvas.session import Session, sessions
from iaiflow_lab.canvas.subject import Subject

NODE = {"kind": "node", "flow": "team.flow.json", "path": "writer"}


def text_of(exchange):
    return json.loads(exchange["trace"])["turns"][-1]["text"]


@pytest.fixture
def flow(workspace):
    made = Flow("team")
    document = made.add("text.template", id="document", template="A memo")
    script = [{"text": "Dear {{last}}"}, {"text": "Again: {{last}}"}]
    config = {"model": "scripted", "script": script, "system": "About {{memo}}."}
    made.add("agent", id="writer", prompt="Write: {{memo}}", memo=document, **config)
    made.save("team.flow.json")
    return made


class Line:
    def send(self, message, buffers=()):
        pass


@contextmanager
def shown(flow, workspace):
    place = (workspace / "team.flow.json").resolve()
    session = Session(Line(), Subject("file", flow.build, place))
    session.receive({"v": 1, "id": 1, "do": "hello", "args": {}})
    assert session in sessions()
    try:
        yield session
    finally:
        session.close()


@pytest.fixture
def canvas(flow, workspace):
    with shown(flow, workspace) as session:
        yield session


def test_the_agents_of_open_canvases_are_listed(page, canvas, scripted):
    scripted({"text": "Hi."})
    found = page("hello", agent=NODE)["agents"]
    assert [(one["agent"]["kind"], one["title"]) for one in found] == [
        ("node", "writer"),
        ("kernel", "analyst"),
    ]
    assert found[0]["agent"] == NODE
    assert (found[0]["model"], found[0]["is_scripted"]) == ("scripted", True)


def test_a_node_is_talked_with_and_its_canvas_is_not_disturbed(page, canvas, flow, workspace):
    flow.run(show=False)
    board = board_for((workspace / "team.flow.json").resolve(), workspace)
    board.fold()
    before = json.dumps(board.fold_state.run.values)
    thread = page.begin(NODE)
    first = page.ask(thread, "Hello")
    assert text_of(first) == "Dear Hello"
    assert json.loads(first["trace"])["agent"] == "writer"
    second = page.ask(thread, "More", parent=first["id"])
    assert text_of(second) == "Again: More"
    board.fold()
    assert json.dumps(board.fold_state.run.values) == before
    assert (workspace / "team.flow.json").read_text() == canvas.desk.draft.text


READS = """
def main(ctx):
    return ctx.run_node("memo", "file.read", path="memo.txt")["out"]
"""


@pytest.mark.parametrize(
    ("source", "config", "untrusted"),
    [
        (("text.template", {"template": "A memo"}), {}, False),
        (("text.template", {"template": "A memo"}), {"untrusted": True}, True),
        (("file.read", {"path": "memo.txt"}), {}, True),
        (("python", {"code": "def main():\n    return 'A memo'\n"}), {}, False),
        (("python", {"code": READS}), {}, True),
    ],
)
def test_words_of_strangers_stay_theirs_in_a_chat(page, workspace, source, config, untrusted):
    (workspace / "memo.txt").write_text("A memo")
    made = Flow("team")
    document = made.add(source[0], id="document", **source[1])
    memo = made.add("text.template", id="memo", template="{{x}}", x=document)
    script = [{"text": "Dear {{last}}"}]
    own = {"model": "scripted", "script": script, "system": "About {{memo}}.", "prompt": "x"}
    made.add("agent", id="writer", memo=memo, **own, **config)
    made.save("team.flow.json")
    with shown(made, workspace):
        made.run(show=False)
        asked = page.ask(page.begin(NODE), "Hello")
    assert json.loads(asked["trace"])["untrusted"] is untrusted


def test_without_what_its_flow_gives_it_says_what_is_missing(page, flow):
    sentence = "Its flow has not given the agent memo yet."
    (info,) = page("hello", agent=NODE)["agents"]  # no canvas is open, and nothing has run
    assert info["fault"] == f"{sentence} Run the flow, and ask again."
    refused = page.refusal("ask", **page.question(page.begin(NODE), "Hello"))
    assert (refused["code"], refused["message"]) == ("not-given", sentence)


def test_an_edit_on_the_canvas_counts(page, canvas, flow):
    script = [{"text": "Edited."}]
    flow.run(show=False)
    edited = Flow("team")
    edited.add("agent", id="writer", prompt="x", model="scripted", script=script)
    from iaiflow_lab.model.file import dump

    args = {"text": dump(edited.build()), "base": canvas.desk.draft.revision}
    canvas.receive({"v": 1, "id": 2, "do": "edit", "args": args})
    assert text_of(page.ask(page.begin(NODE), "Hello")) == "Edited."


def test_parameters_of_its_flow_reach_it(page, workspace):
    names = {"model": {"type": "string", "default": "scripted"}, "who": {"type": "string"}}
    made = Flow("team", parameters={**names, "who": {"type": "string", "default": "Anna"}})
    script = [{"text": "Dear {{last}}"}]
    config = {"script": script, "system": "For {{params.who}}.", "model": made.params.model}
    made.add("agent", id="writer", prompt="x", **config)
    made.save("team.flow.json")
    (info,) = page("hello", agent={**NODE, "flow": "around/team.flow.json"})["agents"]
    assert info["fault"]  # from around the workspace on, only what is open is found
    (info,) = page("hello", agent=NODE)["agents"]
    assert (info["model"], info["fault"]) == ("scripted", "")
    assert text_of(page.ask(page.begin(NODE), "Ben")) == "Dear Ben"


def test_a_canvas_that_another_folder_serves_is_found(page, canvas):
    around = {**NODE, "flow": "around/team.flow.json"}
    (info,) = page("hello", agent=around)["agents"]
    assert info["agent"] == NODE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"flow": "absent.flow.json"}, "file-not-found"),
        ({"flow": "../team.flow.json"}, "path-refused"),
        ({"path": "document"}, "no-agent"),
        ({"path": "each/writer"}, "agent-inside"),
    ],
)
def test_what_is_no_agent_is_refused(page, flow, change, code):
    assert page.refusal("begin", agent={**NODE, **change})["code"] == code


def test_its_memory_is_seen_and_forgotten(page, workspace):
    made = Flow("team")
    remember = calls("memory_add", text="Anna likes tea", kind="semantic")
    config = {"model": "scripted", "script": [{"calls": remember}, {"text": "Noted."}]}
    tools, policy = ["memory.add", "memory.search"], ["allow: memory.add"]
    made.add("agent", id="writer", prompt="x", tools=tools, policy=policy, **config)
    made.save("team.flow.json")
    thread = page.begin(NODE)
    assert page("memories", agent=NODE, query="") == []
    assert text_of(page.ask(thread, "Remember")) == "Noted."
    (memory,) = page("memories", agent=NODE, query="")
    assert (memory["text"], memory["kind"], memory["why"]) == ("Anna likes tea", "semantic", "")
    (found,) = page("memories", agent=NODE, query="tea")
    assert "words with the question" in found["why"]
    page("forget", agent=NODE, id=memory["id"])
    assert page("memories", agent=NODE, query="") == []
    assert page.refusal("forget", agent=NODE, id="absent")["message"]
