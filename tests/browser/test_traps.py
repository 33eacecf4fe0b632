"""Keys that are pressed on a canvas stay there, and other ways in which canvases can do harm."""

from __future__ import annotations

import json
import re

import pytest
from browser.notebook_page import Canvas, NotebookPage
from browser.patience import json_in, place_of, until
from playwright.sync_api import expect

#: Each of these does something to a notebook's cells in command mode.
KEYS = ["d", "d", "a", "b", "x", "c", "v", "m", "y", "z", "Shift+m", "Escape", "Shift+Enter"]
SELECTED = re.compile(r"\bselected\b")


def flow(name: str) -> str:
    return (
        f"with Flow('{name}') as {name}:\n"
        f"    {name}.add('text.template', id='{name}_1', template='1')\n"
        f"    {name}.add('text.template', id='{name}_2', template='2')\n"
        f"{name}.show(height=320)"
    )


TWO = ["from iaiflow_lab import Flow", flow("first"), flow("second")]


def open_two(open_notebook) -> tuple[NotebookPage, Canvas, Canvas]:
    notebook = open_notebook(*TWO)
    for number in range(3):
        notebook.ran(number)
    first, second = notebook.canvas(1).ready(), notebook.canvas(2).ready()
    second.node("second_2").wait_for()
    return notebook, first, second


def expect_cells(notebook: NotebookPage, cells: list[str]) -> None:
    """Wait until the notebook has done what it does, and compare its cells."""
    assert notebook.value("1 + 1") == 2
    assert notebook.sources() == cells
    kinds = notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.type)"
    )
    assert set(kinds) == {"code"}


def test_keys_on_a_node_or_the_surface_reach_no_cell(open_notebook):
    notebook, first, second = open_two(open_notebook)
    first.surface.focus()
    first.press(*KEYS, "Delete", "Backspace")
    expect_cells(notebook, TWO)
    first.press("Escape")
    first.node("first_1").focus()
    first.press(*KEYS)
    expect_cells(notebook, TWO)
    expect(second.node("second_1")).to_be_visible()
    expect(second.node("second_2")).to_be_visible()


def test_delete_acts_on_one_canvas_only(open_notebook):
    notebook, first, second = open_two(open_notebook)
    second.select("second_1")
    first.select("first_1")
    first.press("Delete", "Delete", "Backspace", "d", "d", "x")
    expect(first.node("first_1")).to_have_count(0)
    expect(first.surface).to_be_focused()
    expect(second.nodes).to_have_count(2)
    expect_cells(notebook, TWO)
    first.press("Control+z")
    expect(first.node("first_1")).to_be_visible()
    second.surface.focus()  # undo is of one canvas too
    second.press("Control+z", "Control+y")
    expect(first.nodes).to_have_count(2)
    expect(second.nodes).to_have_count(2)
    notebook.cell(0).locator(".jp-InputPrompt").first.click()  # keys for cells reach no canvas
    first.press("Backspace", "Delete")
    expect(first.nodes).to_have_count(2)
    expect(second.nodes).to_have_count(2)


def test_keys_in_the_fields_of_a_canvas_reach_no_cell(open_notebook):
    notebook, first, second = open_two(open_notebook)
    first.toolbar.get_by_role("button", name="Add").click()
    search = first.root.get_by_role("searchbox", name="Search nodes")
    search.focus()
    first.press("d", "d", "a", "b", "x", "Backspace")
    expect(search).to_have_value("ddab")
    first.press("Escape", "Escape")
    first.select("first_1")
    first.press("Enter")
    title = first.root.get_by_role("textbox", name="Title", exact=True)
    title.focus()
    first.press("d", "d", "a", "b", "x", "Backspace", "Delete", "Escape")
    expect(first.nodes).to_have_count(2)
    expect(second.nodes).to_have_count(2)
    expect_cells(notebook, TWO)


@pytest.mark.parametrize("place", ["surface", "node"])
def test_save_works_wherever_the_focus_is(open_notebook, place):
    notebook, first, _ = open_two(open_notebook)
    dirty = "window.jupyterapp.shell.currentWidget.context.model.dirty"
    notebook.page.evaluate(f"() => {{ {dirty} = true; }}")
    {"surface": first.surface, "node": first.node("first_1")}[place].focus()

    def is_saved() -> bool:
        first.press("Control+s")
        return not notebook.page.evaluate(dirty)

    until(notebook.page, is_saved)


def test_a_first_node_keeps_its_size_and_a_second_is_beside_it(open_notebook):
    notebook = open_notebook("from iaiflow_lab import Flow\nflow = Flow.open('drawn')\nflow")
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.add("template")
    expect(canvas.surface.get_by_role("img", name="Zoom 100%")).to_be_visible()
    canvas.add("template")
    expect(canvas.surface.get_by_role("img", name="Zoom 100%")).to_be_visible()

    def are_apart() -> bool:
        one, other = (place_of(canvas.nodes.nth(number)) for number in range(2))
        return abs(one["x"] - other["x"]) >= one["width"] or abs(one["y"] - other["y"]) >= 40

    until(notebook.page, are_apart)


def test_an_edit_that_comes_back_from_the_kernel_changes_nothing(open_notebook):
    notebook = open_notebook("from iaiflow_lab import Flow\nflow = Flow.open('drawn')\nflow")
    notebook.ran(0)
    canvas = notebook.canvas(0)
    canvas.add("template")
    canvas.add("delay")
    canvas.select("delay")
    canvas.press("Alt+ArrowRight", "Alt+ArrowRight")
    canvas.expect_sent()
    notebook.ran(0)  # Python reads what was saved
    canvas.ready().node("delay").wait_for()
    canvas.select("delay")
    handle = canvas.node("delay").element_handle()
    across = place_of(canvas.node("delay"))["x"]
    file = notebook.file.with_name("drawn.flow.json")

    def place_in_file() -> object:
        return json_in(file).get("layout", {}).get("delay")

    before = until(notebook.page, place_in_file)
    canvas.press("Alt+ArrowDown")
    notebook.page.evaluate("() => document.activeElement.blur()")
    until(notebook.page, lambda: place_in_file() not in (None, before))
    assert notebook.value("len(flow.build().nodes)") == 2
    assert handle.evaluate("element => element.isConnected && element.matches('.selected')")
    assert place_of(canvas.node("delay"))["x"] == across


def test_a_canvas_out_of_sight_stays_alive(open_notebook):
    more = [f"'cell {number}\\n' * 40" for number in range(12)]
    notebook = open_notebook("from iaiflow_lab import Flow", flow("first"), *more)
    notebook.ran(0)
    notebook.ran(1)
    canvas = notebook.canvas(1)
    canvas.node("first_2").wait_for()
    canvas.select("first_1")
    expect(canvas.node("first_1")).to_have_class(SELECTED)
    for number in range(2, 14):
        notebook.run(number)
    notebook.done(13)
    notebook.cell(13).scroll_into_view_if_needed()
    expect(canvas.surface).not_to_be_in_viewport()
    assert notebook.value("first.run(show=False).state") == "completed"
    canvas.surface.scroll_into_view_if_needed()
    canvas.expect_state("first_1", "Completed")
    expect(canvas.node("first_1")).to_have_class(SELECTED)


def test_the_wheel_scrolls_the_notebook_until_the_canvas_has_the_focus(open_notebook):
    notebook, first, _ = open_two(open_notebook)
    zoom = first.surface.get_by_role("img", name=re.compile("^Zoom "))
    first.surface.hover(position={"x": 200, "y": 60})
    top = place_of(first.surface)["y"]
    place_of(first.node("first_1"))  # the view stands still
    before = zoom.get_attribute("aria-label")
    notebook.page.mouse.wheel(0, 60)
    until(notebook.page, lambda: place_of(first.surface)["y"] < top)
    assert zoom.get_attribute("aria-label") == before
    first.surface.focus()
    first.surface.hover(position={"x": 200, "y": 120})
    notebook.page.mouse.wheel(0, 60)
    expect(zoom).not_to_have_attribute("aria-label", before)


def test_a_document_is_dirty_when_edited_and_its_tab_has_an_icon(open_flow):
    canvas = open_flow({"nodes": {}})
    tab = canvas.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current")
    expect(tab.locator("[data-icon='iaiflow:flow']")).to_have_count(1)
    expect(tab).not_to_have_class(re.compile("jp-mod-dirty"))
    canvas.add("delay")
    expect(tab).to_have_class(re.compile("jp-mod-dirty"))
    assert list(canvas.save()["nodes"]) == ["delay"]
    expect(tab).not_to_have_class(re.compile("jp-mod-dirty"))
    assert json.loads(canvas.text())["nodes"].keys() == {"delay"}
