"""Flows in files, as code, as pictures, and the workspace around them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from iaiflow_lab import Flow, Lab
from iaiflow_lab.errors import ConflictError, FlowError, InputError, NotFoundError
from iaiflow_lab.sdk.node import CELL_TYPES, NodeType


@pytest.fixture(autouse=True)
def _in_a_workspace(here: Path) -> None:
    pass


def greeting(text: str = "Hello, {{params.name}}") -> Flow:
    with Flow("Big greeting!", parameters={"name": {"type": "string", "default": "you"}}) as flow:
        flow.add("text.template", id="hello", template=text)
    return flow


def test_saving_an_unchanged_flow_changes_no_byte(here: Path):
    flow = greeting()
    path = flow.save()
    assert path == here / "Big-greeting.flow.json"
    before = path.read_bytes()
    assert Flow.load(path).save() == path
    assert path.read_bytes() == before
    assert len(Lab().flows.versions(path.name)) == 1


def test_saves_are_versions_that_come_back():
    greeting().save("g.flow.json")
    greeting("Good bye").save("g.flow.json")
    flows = Lab().flows
    assert [save.number for save in flows.versions("g.flow.json")] == [2, 1]
    (change,) = flows.diff("g.flow.json", 1).changes
    assert (change.name, change.field, change.new) == ("hello", "config.template", "Good bye")
    assert flows.restore("g.flow.json", 1).number == 3
    assert flows.open("g.flow.json").build() == greeting().build()
    assert [found.path for found in flows.ls()] == ["g.flow.json"]


def test_open_makes_an_empty_flow_and_finds_it_again(here: Path):
    made = Flow.open("new")
    assert made.path == here / "new.flow.json"
    made.add("text.template", id="hi", template="Hi")
    made.save()
    assert Flow.open("new").run()["hi"].value == "Hi"


def test_the_notebooks_folder_is_where_paths_start(here: Path, monkeypatch: pytest.MonkeyPatch):
    Lab()  # makes the workspace
    (here / "sub").mkdir()
    notebook = here / "sub" / "x.ipynb"
    notebook.touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    assert Flow.open("beside").path == here / "sub" / "beside.flow.json"
    assert [found.path for found in Lab().flows.ls()] == ["sub/beside.flow.json"]


def test_what_cannot_be_saved_or_loaded_is_said(here: Path):
    with pytest.raises(InputError, match="outside the workspace"):
        greeting().save(here.parent / "x.flow.json")
    with pytest.raises(InputError, match=r"does not end in \.flow\.json"):
        greeting().save("x.json")
    with pytest.raises(InputError, match="needs a path"):
        Flow().save()
    with pytest.raises(NotFoundError, match="no flow"):
        Flow.load("missing.flow.json")
    (here / "bad.flow.json").write_text("{")
    with pytest.raises(FlowError, match="isn't a flow file"):
        Flow.open("bad")


def test_validate_lists_problems(here: Path):
    flow = Flow("Broken")
    flow.add("no.such", id="a")
    (problem,) = flow.validate()
    assert problem.severity == "error"
    assert "no.such" in problem.message
    assert greeting().validate() == []
    assert not (here / ".iaiflow").exists()  # looking changes nothing


def test_validate_names_secrets_that_are_not_set(here: Path):
    flow = Flow("Asks")
    flow.add("http.request", id="ask", url="http://127.0.0.1", headers={"X": "secret:TOKEN"})
    (problem,) = flow.validate()
    assert (problem.code, problem.node) == ("secret-unset", "ask")
    assert not (here / ".iaiflow").exists()
    Lab().secrets.set("TOKEN", "a value of a test")
    assert flow.validate() == []


def test_validate_names_tools_that_do_not_exist(here: Path):
    flow = Flow("Asks")
    how = {"prompt": "Go", "model": "scripted", "script": [{"text": "ok"}]}
    helper = {"name": "helper", "tools": ["memory.serach"]}
    known = ["fetch", "node:no.such", "flow:none.flow.json", "mcp:none"]  # looked up by the run
    flow.add("agent", id="a", tools=["sqll", *known], agents=[helper], **how)
    wrong, helpless = flow.validate()
    assert (wrong.severity, wrong.node) == ("error", "a")
    assert wrong.message == "There is no tool 'sqll'."
    assert wrong.remedy.startswith("Did you mean 'sql'?")
    assert helpless.message == "There is no tool 'memory.serach' (agents[0])."
    with pytest.raises(FlowError, match="no tool 'sqll'"):
        flow.run(show=False)


def test_code_builds_the_same_flow():
    flow = greeting()
    space: dict[str, Flow] = {}
    exec(flow.to_python(), space)
    assert space["flow"].build() == flow.build()
    assert not flow.diff(space["flow"])


def test_a_flow_shows_itself():
    flow = greeting()
    after = flow.add(
        "text.template", id="after", template="{{it}} <b>", it=flow.add("delay", id="d")
    )
    del after
    shown = flow._repr_mimebundle_()
    picture = ET.fromstring(shown["image/svg+xml"])
    texts = {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"hello", "after", "text.template"} <= texts
    assert shown["text/plain"] == repr(flow)
    assert "  params.name: string = 'you'" in repr(flow)
    assert "  after: text.template(it=d.out)" in repr(flow)


def test_empty_cyclic_and_huge_flows_show_themselves():
    assert repr(Flow()) == "Flow: 0 nodes, 0 edges"
    assert "image/svg+xml" not in Flow()._repr_mimebundle_()
    cycle = Flow("Cycle")
    cycle.add("delay", id="a")
    cycle.add("delay", id="b")
    cycle.connect("a.out -> b.value")
    cycle.connect("b.out -> a.value")
    assert "<svg" in cycle._repr_mimebundle_()["image/svg+xml"]
    huge = Flow("Huge")
    for _ in range(400):
        huge.add("delay")
    assert "image/svg+xml" not in huge._repr_mimebundle_()
    assert repr(huge).endswith("... and 100 more")


def test_drafts_are_edited_queued_and_cancelled():
    runs = Lab().runs
    run_id = runs.prepare(greeting())
    runs.edit(run_id, {"name": "Ada"})
    assert runs.get(run_id).state == "draft"
    runs.queue(run_id)
    found = runs.get(run_id)
    assert (found.state, found.inputs) == ("queued", {"name": "Ada"})
    assert runs.cancel(run_id) == "cancelled"
    assert [event.state for event in runs.follow(run_id)] == ["draft", "queued", "cancelled"]
    again = runs.retry(run_id)
    assert [found.id for found in runs.ls(states=["queued"])] == [again]
    with pytest.raises(ConflictError):
        runs.retry(again)


def test_queued_runs_take_options():
    runs = Lab().runs
    run_id = runs.start(greeting(), {"name": "Ada"}, queue="night", priority=3, delay=60)
    found = runs.get(run_id)
    assert (found.queue, found.priority) == ("night", 3)
    with pytest.raises(InputError, match=r"no option 'prioriti'.*Did you mean 'priority'"):
        runs.start(greeting(), {"name": "Ada"}, prioriti=3)
    assert runs.ls(queue="default") == []
    with pytest.raises(NotFoundError, match="no run state 'done'"):
        runs.ls(states=["done"])


def test_node_types_are_listed():
    nodes = Lab().nodes
    assert "text.template" in [found.type for found in nodes.ls()]
    assert nodes.get("text.template").category == "Text"
    with pytest.raises(NotFoundError, match=r"Did you mean 'text\.template'"):
        nodes.get("text.tmplate")


def test_a_cells_type_without_a_readable_annotation_does_not_hide_the_others(
    monkeypatch: pytest.MonkeyPatch,
):
    def lost(value: int) -> int:
        return value

    lost.__annotations__["value"] = "Absent"

    monkeypatch.setitem(CELL_TYPES, "cell.lost", NodeType("cell.lost", lost))
    with pytest.warns(UserWarning, match=r"notebook: .*'cell\.lost'.*'Absent' is not defined"):
        found = Lab().nodes.ls()
    names = [signature.type for signature in found]
    assert "text.template" in names
    assert "cell.lost" not in names


def test_broken_files_of_node_types_are_reported_too(here: Path):
    (here / "flow_nodes").mkdir()
    (here / "flow_nodes" / "broken.py").write_text("def (")
    with pytest.warns(UserWarning, match=r"broken\.py:1: This is no Python"):
        assert Lab().nodes.ls()


def test_all_public_names_come_without_heavy_libraries():
    code = (
        "import sys, iaiflow_lab\n"
        "for name in iaiflow_lab.__all__: getattr(iaiflow_lab, name)\n"
        "iaiflow_lab.Flow('x').add('a.b')\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"sqlalchemy", "papermill", "duckdb", "polars", "pydantic", "typer", "rich", "IPython"}
    assert heavy.isdisjoint(done.stdout.split())
    with pytest.raises(ImportError):
        from iaiflow_lab import nothing  # noqa: F401
