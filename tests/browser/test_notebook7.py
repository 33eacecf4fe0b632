"""The same canvases, and flows as documents, in Jupyter Notebook."""

from __future__ import annotations

import json

import pytest
from browser.canvas_page import CanvasPage
from browser.patience import wait_restored
from playwright.sync_api import expect

SHOW = "from iaiflow_lab import Flow\nflow = Flow.open('drawn')\nflow"
DRAWN = {
    "format": "iaiflow/1",
    "name": "drawn",
    "nodes": {
        "one": {"type": "text.template", "config": {"template": "ready"}},
        "two": {"type": "text.template", "config": {"template": "{{x}} and done"}},
    },
    "edges": ["one.out -> two.x"],
}


def test_a_canvas_in_a_notebook(open_notebook, jupyter, picture):
    (jupyter.root / "drawn.flow.json").write_text(json.dumps(DRAWN))
    notebook = open_notebook(SHOW, "flow", app="notebooks")
    notebook.ran(0)
    notebook.ran(1)
    canvas, other = notebook.canvas(0), notebook.canvas(1)
    canvas.run()
    for one in (canvas, other):
        one.expect_state("two", "Completed")
        expect(one.node("two")).to_contain_text("ready and done")
    canvas.select("one")
    canvas.press("d", "d", "a", "b", "Delete")
    expect(canvas.nodes).to_have_count(1)
    expect(other.nodes).to_have_count(1)
    assert notebook.sources() == [SHOW, "flow"]
    picture("notebook7-inline")

    saved = notebook.save()
    assert "<svg" in str(saved["cells"][0]["outputs"])
    notebook.page.reload()
    notebook.wait()
    expect(canvas.node("two")).to_be_visible()  # the kernel lives on, and so does the canvas


@pytest.fixture
def drawn_file(jupyter):
    """Write a flow."""
    file = jupyter.root / "drawn.flow.json"
    file.write_text(json.dumps(DRAWN))
    return file


def flow_on(page, root) -> CanvasPage:
    """Return the flow that a page of Notebook shows; Notebook has no status bar that says it."""
    canvas = CanvasPage(page, root).wait(kernel=False)
    expect(canvas.button("Run all")).to_be_enabled()
    return canvas


def test_a_flow_opens_from_the_tree_runs_and_is_saved(jupyter, drawn_file, page):
    page.goto(jupyter.address("tree"))
    with page.expect_popup() as opened:
        page.get_by_role("listitem", name="drawn.flow.json").dblclick()
    popup = flow_on(opened.value, jupyter.root).page
    assert "/edit/drawn.flow.json" in popup.url
    page.goto(popup.url)  # the browser paints a window that a page opened when it likes
    popup.close()
    canvas = flow_on(page, jupyter.root)
    canvas.focus()
    canvas.press("Shift+Enter")
    canvas.expect_state("two", "Completed")
    expect(canvas.node("two")).to_contain_text("ready and done")
    canvas.add("delay")
    assert "delay" in canvas.save()["nodes"]

    page.reload()
    canvas = flow_on(page, jupyter.root)
    expect(canvas.node("delay")).to_be_visible()
    expect(canvas.node("two")).to_contain_text("ready and done")


def test_a_new_flow_is_made_where_files_are_looked_at(jupyter, drawn_file, page):
    (jupyter.root / "inner").mkdir(exist_ok=True)
    page.goto(jupyter.address("tree/inner"))
    page.locator(".jp-BreadCrumbs").get_by_text("inner").wait_for()
    with page.expect_popup() as opened:
        page.evaluate("() => void window.jupyterapp.commands.execute('iaiflow:create-new')")
    canvas = CanvasPage(opened.value, jupyter.root).wait(kernel=False)
    made = jupyter.root / "inner" / "untitled.flow.json"
    assert json.loads(made.read_text())["name"] == "untitled"
    assert canvas.page.url.split("?")[0].endswith("/edit/inner/untitled.flow.json")


@pytest.mark.parametrize("place", ["tree", "tree/", "edit/notes.txt", "edit/drawn.flow.json"])
def test_pages_raise_no_error(jupyter, drawn_file, page, place):
    (jupyter.root / "notes.txt").write_text("Why")
    page.goto(jupyter.address(place))
    wait_restored(page, "window.jupyterapp.shell.currentWidget")
