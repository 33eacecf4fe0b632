"""Canvases in the outputs of a notebook's cells: drawn, run, kept and brought back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

from browser.notebook_page import NotebookPage
from browser.patience import LOOK_EVERY, json_in, place_of, promised, until
from playwright.sync_api import expect

CLEAR = "() => void window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
OPEN = "from iaiflow_lab import Flow\nflow = Flow.open('drawn')\nflow"
CODED = """from iaiflow_lab import Flow

with Flow("Coded") as flow:
    hello = flow.add("text.template", id="hello", template="Hello")
    # loud, and clear
    bye = flow.add("text.template", id="bye", template="{{x}} and bye", x=hello.out)
flow.show()"""
DEFINE = """from iaiflow_lab import node

@node
def shout(text: str) -> str:
    return text.upper()
"""
#: A flow whose node waits until a file is there.
WAIT = """import pathlib, time
from iaiflow_lab import Flow, node

@node
def await_file(name: str) -> str:
    while not pathlib.Path(name).exists():
        time.sleep(0.02)
    return "it came"

with Flow("Waiting") as flow:
    await_file("go.txt")
flow.show()"""


def template(text: str) -> dict:
    return {"type": "text.template", "config": {"template": text}}


def write_flow(folder, **nodes: dict) -> None:
    data = {"format": "iaiflow/1", "name": "drawn", "nodes": nodes}
    (folder / "drawn.flow.json").write_text(json.dumps(data))


def wait_for_flow(notebook: NotebookPage, wanted: str) -> dict:
    """Wait until the flow's file has a node; returns what it says."""
    file = notebook.file.with_name("drawn.flow.json")

    def look() -> dict:
        flow = json_in(file)
        return flow if wanted in flow.get("nodes", {}) else {}

    return until(notebook.page, look, f"{wanted} in the file")


def test_one_flow_on_two_canvases(open_notebook, picture):
    notebook = open_notebook(CODED, "flow")
    notebook.ran(0)
    notebook.ran(1)
    first, second = notebook.canvas(0), notebook.canvas(1)

    def are_beside() -> bool:  # code says nothing of places
        one, other = (place_of(first.node(name)) for name in ("hello", "bye"))
        return one["x"] + one["width"] < other["x"]

    until(notebook.page, are_beside)
    expect(first.wires).to_have_count(1)

    second.run()
    for canvas in (first, second):
        canvas.expect_state("hello", "Completed")
        canvas.expect_state("bye", "Completed")
        expect(canvas.node("bye")).to_contain_text("Hello and bye")
    first.add("template")
    expect(second.nodes).to_have_count(3)
    picture("inline-twice")


def test_functions_of_cells_are_nodes_at_once(open_notebook):
    notebook = open_notebook(
        OPEN, DEFINE, DEFINE.replace("upper", "title"), "flow.run(show=False)['shout'].value"
    )
    write_flow(notebook.file.parent, hello=template("so be it"))
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.toolbar.get_by_role("button", name="Add").click()
    palette = canvas.root.locator(".iai-palette")
    palette.get_by_role("searchbox", name="Search nodes").fill("shout")
    expect(palette).to_contain_text("No node is called that")
    notebook.ran(1)
    expect(palette.get_by_role("button", name="Shout").first).to_be_visible()

    canvas.add("shout")
    canvas.surface.focus()
    canvas.node("hello").get_by_role("img", name=re.compile("^Output out,")).drag_to(
        canvas.node("shout").get_by_role("img", name=re.compile("^Input text,"))
    )
    expect(canvas.wires).to_have_count(1)
    canvas.expect_sent()  # cells run what the kernel has
    canvas.run()
    expect(canvas.node("shout")).to_contain_text("SO BE IT")
    canvas.expect_state("shout", "Completed")
    notebook.ran(2)  # the same function, written otherwise
    expect(canvas.node("shout").locator("[data-stale]")).to_have_count(1)
    expect(canvas.node("hello").locator("[data-stale]")).to_have_count(0)
    expect(notebook.ran(3)).to_contain_text("'So Be It'")
    expect(canvas.node("shout")).to_contain_text("So Be It")  # a cell's run is seen on the canvas
    expect(canvas.node("shout").locator("[data-stale]")).to_have_count(0)


def test_a_drawn_flow_lives_in_its_file(open_notebook, jupyter):
    notebook = open_notebook(OPEN, "print('said', flow.run(show=False)['template'].value)")
    notebook.ran(0)
    canvas = notebook.canvas(0)
    expect(canvas.surface).to_contain_text("Nothing here yet")
    canvas.add("template")
    assert list(wait_for_flow(notebook, "template")["nodes"]) == ["template"]
    canvas.expect_sent()
    write_flow(notebook.file.parent, template=template("what was drawn"))
    notebook.page.evaluate(CLEAR)
    expect(canvas.surface).to_have_count(0)

    notebook.restart_and_run_all()
    notebook.done(1)
    expect(notebook.cell(1)).to_contain_text("said what was drawn")
    expect(canvas.node("template")).to_be_visible()
    notebook.page.evaluate(CLEAR)
    expect(canvas.surface).to_have_count(0)
    assert all(cell["outputs"] == [] for cell in notebook.save()["cells"])

    iaiflow = [sys.executable, "-c", "from iaiflow_lab.cli import main; main()"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("IAIFLOW")}
    for command in (["queue", notebook.file.name], ["worker", "--drain"]):
        subprocess.run(
            [*iaiflow, *command], cwd=jupyter.root, env=env, check=True, capture_output=True
        )
    (made,) = (jupyter.root / ".iaiflow" / "runs").glob("*/**/*.ipynb")
    outputs = json.loads(made.read_text())["cells"]
    assert "said what was drawn" in str(outputs[1]["outputs"])
    assert "<svg" in str(outputs[0]["outputs"])


def test_edits_of_code_go_into_its_cell_and_are_never_lost(open_notebook, picture):
    notebook = open_notebook(CODED, "flow")
    notebook.ran(0)
    canvas = notebook.canvas(0)
    update = canvas.root.get_by_role("button", name="Update the cell")
    canvas.node("hello").wait_for()
    expect(update).to_have_count(0)
    canvas.add("delay")
    expect(update).to_be_visible()
    canvas.expect_sent()

    notebook.typed_and_ran(0)  # the same code again
    expect(canvas.node("delay")).to_be_visible()
    expect(update).to_be_visible()
    notebook.ran(1)  # shown below another cell: the one that builds it is changed
    notebook.canvas(1).root.get_by_role("button", name="Update the cell").click()
    notebook.expect_source(0, "delay")
    source, below = notebook.sources()
    assert below == "flow"
    assert set(CODED.splitlines()) <= set(source.splitlines())  # as it was typed

    notebook.write(0, CODED.replace("Hello", "Welcome"))  # and somebody goes another way
    notebook.ran(0)
    expect(canvas.node("hello")).to_be_visible()
    expect(canvas.node("delay")).to_have_count(0)
    offer = notebook.cell(0).get_by_role("button", name="Bring them back")
    picture("inline-offer")
    offer.click()
    expect(canvas.node("delay")).to_be_visible()
    expect(offer).to_be_hidden()
    notebook.write(0, source)
    notebook.ran(0)
    expect(canvas.node("delay")).to_be_visible()


def test_edits_of_code_outlive_their_kernel(open_notebook):
    notebook = open_notebook(CODED)
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.node("hello").wait_for()
    canvas.add("delay")
    update = canvas.root.get_by_role("button", name="Update the cell")
    expect(update).to_be_visible()
    state = notebook.file.parent / ".iaiflow"
    until(notebook.page, lambda: list(state.glob("edits/*.json")), "the edit in the kernel")
    canvas.expect_sent()
    notebook.restart()
    bars = canvas.root.locator(".iai-notice:visible, .iai-widget-bar:visible")
    expect(bars).to_have_count(1)
    expect(bars).to_contain_text("The kernel is gone; what is shown is from before.")
    notebook.ran(0)
    expect(canvas.node("delay")).to_be_visible()
    update.click()
    notebook.expect_source(0, "delay")


def test_a_saved_notebook_has_a_picture_and_nothing_live(open_notebook, picture, jupyter):
    notebook = open_notebook(OPEN)
    write_flow(
        notebook.file.parent,
        kept={"type": "python", "config": {"code": "def main():\n    return 6 * 11 ** 7\n"}},
    )
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.run()
    expect(canvas.node("kept")).to_contain_text("116923026")
    notebook.page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.toJSON())"
        ".includes('completed')",
        polling=LOOK_EVERY,
    )
    saved = notebook.save()
    (output,) = saved["cells"][0]["outputs"]
    assert "kept" in "".join(output["data"]["image/svg+xml"])
    assert "116923026" not in json.dumps(saved)
    assert "widgets" not in saved["metadata"]

    promised(notebook.page, "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    notebook = open_notebook(name="cells")
    still = notebook.cell(0).get_by_role("img", name="Flow drawn")
    expect(still).to_be_visible()
    expect(notebook.cell(0)).to_contain_text("A saved picture. Run the cell to open the canvas.")
    expect(notebook.cell(0).locator(".iai-widget")).to_have_count(0)
    picture("inline-saved-picture")
    notebook.ran(0)
    expect(notebook.canvas(0).node("kept")).to_be_visible()
    expect(still).to_have_count(0)


def test_stop_works_while_another_cell_runs(open_notebook):
    notebook = open_notebook(WAIT, "while not pathlib.Path('on.txt').exists(): time.sleep(0.02)")
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.run()
    canvas.expect_state("await_file", "Running")
    notebook.run(1)
    expect(notebook.cell(1).locator(".jp-InputPrompt").first).to_have_text("[*]:")
    canvas.toolbar.get_by_role("button", name="Stop").click()
    expect(canvas.toolbar).to_contain_text(re.compile("Stop(ping|ped)"))
    (notebook.file.parent / "go.txt").touch()  # a thread is not killed: it ends by itself
    canvas.expect_state("await_file", "Stopped")
    expect(notebook.cell(1).locator(".jp-InputPrompt").first).to_have_text("[*]:")
    (notebook.file.parent / "on.txt").touch()
    notebook.done(1)


def test_a_kernel_restart_while_it_runs(open_notebook):
    notebook = open_notebook(WAIT)
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.run()
    canvas.expect_state("await_file", "Running")
    notebook.restart()
    expect(canvas.root).to_contain_text("The kernel is gone")
    notebook.ran(0)
    expect(canvas.root).not_to_contain_text("The kernel is gone")
    (notebook.file.parent / "go.txt").touch()
    canvas.run()
    canvas.expect_state("await_file", "Completed")


def test_a_reload_of_the_page_while_it_runs(open_notebook):
    notebook = open_notebook(WAIT)
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.run()
    canvas.expect_state("await_file", "Running")
    notebook.save()
    notebook.page.reload()
    notebook.wait()
    canvas.expect_state("await_file", "Running")
    (notebook.file.parent / "go.txt").touch()
    canvas.expect_state("await_file", "Completed")
    expect(canvas.node("await_file")).to_contain_text("it came")


def test_a_value_opens_in_a_cell(open_notebook):
    notebook = open_notebook(
        "from iaiflow_lab import Flow, node\nmade = []\n\n"
        "@node\ndef collect() -> dict:\n    made.append({'answer': 42})\n    return made[-1]\n\n"
        "with Flow('Values') as flow:\n    collect()\nflow.show(height=640)"
    )
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.run()
    canvas.expect_state("collect", "Completed")
    canvas.select("collect")
    canvas.press("Enter")
    canvas.tab("Values").get_by_role("button", name="Open in notebook").first.click()
    expect(notebook.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)
    assert 'collect_2 = value("collect.out", flow="Values")' in notebook.sources()[1]
    expect(notebook.ran(1)).to_contain_text("{'answer': 42}")
    assert notebook.value("collect_2 is made[-1]") is True


def test_a_form_runs_the_flow(open_notebook, picture):
    notebook = open_notebook(
        "from iaiflow_lab import Flow\n"
        "age = {'type': 'integer', 'default': 4, 'minimum': 0, 'maximum': 9}\n"
        "name = {'type': 'string', 'default': 'Ada'}\n"
        "with Flow('Ages', parameters={'age': age, 'name': name}) as flow:\n"
        "    flow.add('text.template', template='{{params.name}} is {{params.age}}.')\n"
        "form = flow.form()\nform"
    )
    output = notebook.ran(0)
    box = output.get_by_role("textbox", name=re.compile("name"))
    box.fill("Grace")
    box.press("Tab")
    output.get_by_role("button", name="Run").click()
    expect(output).to_contain_text("Grace is 4.")
    expect(output).to_contain_text("Completed.")
    picture("form")
    assert notebook.value("form.value") == "Grace is 4."


def test_a_node_gives_a_live_widget(open_notebook, picture):
    notebook = open_notebook(
        "from typing import Any\nimport ipywidgets\nfrom iaiflow_lab import Flow, node\n"
        "slider = ipywidgets.IntSlider(3, description='Level')\n\n"
        "@node\ndef control() -> Any:\n    return slider\n\n"
        "with Flow('Live') as flow:\n    control()\nflow.show()"
    )
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.run()
    canvas.expect_state("control", "Completed")
    handle = canvas.node("control").get_by_role("slider")
    expect(handle).to_be_visible()
    handle.focus()
    canvas.press("ArrowRight", "ArrowRight")
    expect(canvas.node("control").locator(".widget-readout")).to_have_text("5")
    until(notebook.page, lambda: notebook.value("slider.value") == 5, "the kernel's value")
    picture("inline-widget")


def test_two_editors_of_one_flow_decide(open_notebook):
    notebook = open_notebook(OPEN)
    file = notebook.file.with_name("drawn.flow.json")
    write_flow(file.parent, first=template("1"))
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.ready().node("first").wait_for()  # the kernel has read the file
    write_flow(file.parent, first=template("1"), theirs=template("2"))
    canvas.add("delay")
    question = canvas.root.get_by_role("alert")
    expect(question).to_contain_text("changed elsewhere while you edited it here")
    assert "delay" not in file.read_text()
    question.get_by_role("button", name="Take theirs").click()
    expect(canvas.node("theirs")).to_be_visible()
    expect(canvas.node("delay")).to_have_count(0)

    write_flow(file.parent, first=template("1"))
    canvas.add("delay")
    question.get_by_role("button", name="Keep mine").click()
    expect(question).to_have_count(0)
    assert list(wait_for_flow(notebook, "delay")["nodes"]) == ["first", "theirs", "delay"]
