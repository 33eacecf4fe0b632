"""A conversation as a notebook that asks again, and as the text that a notebook's file keeps."""

from __future__ import annotations

import io
import json
from pathlib import Path

import nbformat
import pytest
from agent_runs import calls

from iaiflow_agents import Agent, Budget, tool
from iaiflow_agents.chat import partners, static_files, widget
from iaiflow_agents.chat.code import to_python
from iaiflow_agents.chat.notebook import export
from iaiflow_agents.chat.still import still
from iaiflow_agents.chat.thread import KernelAgent, Thread
from iaiflow_lab.errors import InputError, NotFoundError, StoreError

SOURCE = '''
def mean(numbers: list[float]) -> float:
    """Return the mean of numbers.

    Args:
        numbers: At least one.
    """
    return sum(numbers) / len(numbers)
'''


def text_of(exchange):
    return json.loads(exchange["trace"])["turns"][-1]["text"]


def talk(page):
    thread = page.begin()
    first = page.ask(thread, "What is the *mean* of\n{{numbers}}?")
    page.ask(thread, "A version that is not shown", parent=first["id"])
    page.ask(thread, "And 'again' \\{{?", parent=first["id"])
    return thread


def outputs_of(notebook):
    return [
        output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


@pytest.mark.slow
def test_it_runs_again(page, scripted, workspace, tmp_path):
    import nbclient

    module = tmp_path / "means.py"
    module.write_text(SOURCE)
    names: dict = {}
    exec(compile(SOURCE, str(module), "exec"), names)
    helper = Agent("helper", model="scripted", script=[{"text": "Helped."}], description="Helps.")
    script = [
        {"calls": calls("mean", numbers=[1, 2])},
        {"text": "It is {{last}}."},
        {"calls": calls("helper", task="help")},
        {"text": "You said: {{last}}"},
    ]
    rule = {"tool": "fetch", "match": {"url": "https://x/*"}, "decision": "deny"}
    scripted(
        *script,
        tools=[names["mean"], helper, "sql"],
        policy=["allow: sql(select *)", rule],
        budget=Budget(steps=7, cost=0.5),
        system="Be brief.",
    )
    thread = talk(page)
    path = page("export", id=thread)["path"]
    assert path == "What-is-the-mean-of.ipynb"
    notebook = nbformat.read(workspace / path, 4)
    nbformat.validate(notebook)
    said = outputs_of(notebook)
    assert said == ["It is 1.5.", "You said: Helped."]
    assert "budget=Budget(steps=7, cost=0.5)" in notebook.cells[1].source
    assert "not shown" not in nbformat.writes(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    resources = {"metadata": {"path": str(workspace)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    assert outputs_of(notebook) == said


def test_nothing_is_replaced(page, scripted, workspace):
    scripted({"text": "a"})
    thread = page.begin()
    page.ask(thread, "../../etc/Ärger <script>")
    assert page("export", id=thread)["path"] == "etc-rger-script.ipynb"
    assert page("export", id=thread)["path"] == "etc-rger-script-2.ipynb"
    page("rename", id=thread, title="///")
    assert page("export", id=thread)["path"] == "chat.ipynb"
    empty = page.begin()
    assert page("export", id=empty)["path"] == "chat-2.ipynb"


def test_pictures_and_files_are_asked_about_again(page, scripted, workspace):
    scripted({"text": "a"})
    (workspace / "notes.md").write_text("Notes.")
    thread = page.begin()
    page.ask(thread, "Look", attachments=[{"kind": "file", "path": "notes.md"}])
    notebook = nbformat.read(workspace / page("export", id=thread)["path"], 4)
    code = notebook.cells[-1].source
    assert "Notes." in code
    assert "untrusted=True" in code
    compile(code, "cell", "exec")


def test_a_function_without_source_is_said(page, scripted):
    names: dict = {}
    exec(SOURCE, names)
    made = Agent("2 b", model="scripted", script="[]", tools=[tool(names["mean"]), "fetch"])
    code = to_python(made.spec)
    assert "# The code of mean is not known here" in code
    assert "agent_2_b = Agent(\n    '2 b'," in code
    compile(code, "cell", "exec")


def test_the_file_of_a_notebook_keeps_what_was_said_as_text(page, scripted):
    agent = scripted({"text": "<b>Bold</b>"})
    assert still("analyst", "scripted", None)["text/plain"] == "Chat with analyst (scripted)"
    thread = page.begin()
    page.ask(thread, "<script>alert(1)</script>")
    kept = page.session._chats.house.get(thread)
    made = still(agent.name, "scripted", kept)
    assert "You: <script>alert(1)</script>\n\nAgent: <b>Bold</b>" in made["text/plain"]
    assert "<script>" not in made["text/html"]
    assert "<b>" not in made["text/html"]
    assert "&lt;script&gt;" in made["text/html"]


def test_a_chat_in_a_cell(page, scripted, tmp_path, monkeypatch):
    agent = scripted({"text": "Hello."})
    with pytest.raises(InputError, match="10 pixels high"):
        agent.chat(height=10)
    monkeypatch.setattr(static_files, "SCRIPT", tmp_path / "absent.js")
    with pytest.raises(NotFoundError, match="not built"):
        agent.chat()
    page.ask(page.begin(), "Hi")
    (tmp_path / "chat.js").write_text("export default {}")
    monkeypatch.setattr(static_files, "SCRIPT", tmp_path / "chat.js")
    made = agent.chat(height=300)
    bundle = made.bundle()
    assert bundle[widget.CHAT_TYPE] == {"model_id": made.widget.model_id}
    assert bundle[widget.WIDGET_TYPE]["model_id"] == made.widget.model_id
    assert bundle["text/plain"] == "Chat with analyst (scripted): Hi\n\nYou: Hi\n\nAgent: Hello."
    assert "Hello." not in json.dumps(made.widget.get_state(), default=str)
    made.widget.close()


def test_a_key_stands_in_no_notebook():
    how = {"model": "claude-sonnet-5-5", "base_url": "https://me:hunter2@host.example/v1"}
    code = to_python(Agent("a", key="sk-literal", **how).spec)
    assert "key=" not in code
    assert "hunter2" not in code
    assert "base_url='https://host.example/v1'" in code
    assert "key='secret:MINE'" in to_python(Agent("a", key="secret:MINE", **how).spec)


def partner_of(workspace):
    return partners.find(workspace, KernelAgent("analyst"), None)


@pytest.mark.usefixtures("page")
def test_nothing_is_left_of_a_notebook_that_cannot_be_written(scripted, workspace, monkeypatch):
    class Full(io.FileIO):
        def write(self, data, /):
            super().write(data[:10])
            raise OSError(28, "No space left on device")

    scripted({"text": "a"})
    partner, real = partner_of(workspace), Path.open

    def opened(self, *how, **more):
        return Full(self, "x") if self.suffix == ".ipynb" else real(self, *how, **more)

    monkeypatch.setattr(Path, "open", opened)
    thread = Thread("t", partner.agent, 0.0, title="A")
    with pytest.raises(StoreError, match="No space left on device"):
        export(thread, partner, workspace, workspace)
    monkeypatch.undo()
    assert not list(workspace.glob("*.ipynb"))


@pytest.mark.usefixtures("page")
def test_half_a_character_is_written_as_a_question_mark(scripted, workspace):
    scripted({"text": "a"})
    partner = partner_of(workspace)
    thread = Thread("t", partner.agent, 0.0, title="half \ud800")
    path = export(thread, partner, workspace, workspace)
    assert "# half ?" in nbformat.read(workspace / path, 4).cells[0].source
