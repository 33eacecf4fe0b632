"""Two browsers in one flow, and the same page without anybody to share it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from browser.canvas_page import CONTEXT, CanvasPage, drag_by
from browser.conftest import Jupyter
from browser.patience import LOOK_EVERY, PATIENCE, until
from playwright.sync_api import Browser, expect

from iaiflow_lab.model import file

TWO = {
    "format": "iaiflow/1",
    "name": "shared",
    "nodes": {"one": {"type": "text.template"}, "two": {"type": "delay"}},
    "layout": {"one": [0, 0], "two": [420, 0]},
}


@pytest.fixture(scope="module")
def shared(start_jupyter: Callable[..., Jupyter]) -> Jupyter:
    """Return a server on which people work together."""
    return start_jupyter(collaboration=True)


@pytest.fixture
def both(
    shared: Jupyter, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[list[CanvasPage]]:
    """Return the same flow in two browsers.

    Each test has a file of its own: the server keeps what people had open for a while.
    """
    name = f"{request.node.name}.flow.json"
    (shared.root / name).write_text(json.dumps(TWO))
    contexts = [browser.new_context(viewport={"width": 1440, "height": 900}) for _ in range(2)]
    pages = []
    for context in contexts:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(shared.address(f"lab/tree/{name}"))
        pages.append(CanvasPage(page, shared.root).wait(kernel=False))
    yield pages
    for context in contexts:
        context.close()


def converged(both: list[CanvasPage], condition: str) -> dict:
    """Wait until both pages' flows fulfil a condition; returns the flow, the same in both."""
    for canvas in both:
        canvas.page.wait_for_function(
            f"() => {{ const flow = JSON.parse({CONTEXT}.model.toString()); return {condition}; }}",
            polling=LOOK_EVERY,
        )

    def same() -> str:
        first, second = (canvas.text() for canvas in both)
        return first if first == second else ""

    return json.loads(until(both[0].page, same, "one flow in both"))


def test_two_browsers_draw_one_flow(both, shared):
    first, second = both
    drag_by(first.node("one"), 40, 150)
    drag_by(second.node("two"), -60, 220)
    flow = converged(both, "flow.layout.one[1] > 100 && flow.layout.two[1] > 150")
    assert flow["layout"]["one"] != [0, 0] != flow["layout"]["two"]

    first.port("one", "out", "Output").drag_to(first.port("two", "value", "Input"))
    converged(both, "(flow.edges || []).length === 1")
    expect(second.wires()).to_have_count(1)
    second.add("template")
    converged(both, "Object.keys(flow.nodes).length === 3")
    first.focus()
    first.press("Control+z")  # of what this browser did, not of what the other did
    flow = converged(both, "(flow.edges || []).length === 0")
    assert len(flow["nodes"]) == 3
    first.press("Control+y")
    converged(both, "(flow.edges || []).length === 1")

    text = first.text()
    place = shared.root / first.page.evaluate(f"() => {CONTEXT}.localPath")
    until(first.page, lambda: place.read_text() == text)  # nobody pressed anything
    assert file.dump(file.parse(text)) == text
    assert all(isinstance(x, int) for at in json.loads(text)["layout"].values() for x in at)


def test_two_people_write_into_one_text(both):
    first, second = both
    name = first.page.evaluate(f"() => {CONTEXT}.localPath")
    icon = first.page.locator(".jp-DirListing-item").filter(has_text=name)
    expect(icon.locator("[data-icon='iaiflow:flow']")).not_to_have_count(0)
    first.inspect("one")
    first.fill_code("Template", "middle")
    converged(both, "flow.nodes.one.config?.template === 'middle'")
    second.inspect("one").get_by_role("textbox", name="Template").click()
    second.press("Control+Home")
    second.type("before ")
    converged(both, "flow.nodes.one.config.template === 'before middle'")
    first.type(" after")  # where the cursor was
    converged(both, "flow.nodes.one.config.template === 'before middle after'")


def test_a_flow_is_saved_as_python_writes_it_without_collaboration(open_flow):
    canvas = open_flow({"nodes": {}}, kernel=False)
    canvas.add("delay")
    canvas.save()
    text = (canvas.root / "drawn.flow.json").read_text()
    assert file.dump(file.parse(text)) == text == canvas.text()
