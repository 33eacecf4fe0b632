"""A flow as a document of JupyterLab, from an empty file to one that was run."""

from __future__ import annotations

import json
import re

from browser.canvas_page import CanvasPage
from playwright.sync_api import expect

GREET = "def main():\n    return 'hello'\n"
SHOUT = "def main(text):\n    return text.upper()\n"


def python(code: str, **more) -> dict:
    return {"type": "python", "config": {"code": code}, **more}


def chain(*steps: dict, **more) -> dict:
    """A flow of nodes n0, n1, ..., each wired to the next; delays take `value`, others `text`."""
    ids = [f"n{number}" for number in range(len(steps))]
    ports = ["value" if step["type"] == "delay" else "text" for step in steps]
    pairs = zip(ids, ids[1:], ports[1:], strict=False)
    return {
        "nodes": dict(zip(ids, steps, strict=True)),
        "edges": [f"{source}.out -> {target}.{port}" for source, target, port in pairs],
        "layout": {name: [320 * number, 0] for number, name in enumerate(ids)},
        **more,
    }


def test_from_the_launcher_to_a_reloaded_flow(jupyter, page, open_flow, picture):
    page.goto(jupyter.address())
    page.locator(".jp-Launcher").get_by_text("Flow", exact=True).click()
    canvas = CanvasPage(page, jupyter.root).wait()
    expect(canvas.surface).to_contain_text("Nothing here yet")
    first = canvas.add("python")
    canvas.fill_code("Code", GREET)
    second = canvas.add("delay")
    canvas.inspector.get_by_label("Seconds").fill("600")
    canvas.port(first, "out", "Output").drag_to(canvas.port(second, "value", "Input"))
    expect(canvas.wires()).to_have_count(1)
    canvas.command("Arrange automatically")
    saved = canvas.save()
    assert saved["edges"] == [f"{first}.out -> {second}.value"]

    canvas.button("Run all").click()
    canvas.expect_state(first, "Completed")
    expect(canvas.node(first)).to_contain_text("hello")
    canvas.expect_state(second, "Running")
    picture("document-running")
    canvas.button("Stop").click()
    canvas.expect_run("Stopped")
    canvas.expect_state(second, "Cancelled")

    canvas.focus(second)
    canvas.press("Enter")
    canvas.inspector.get_by_label("Seconds").fill("0")
    canvas.focus()
    canvas.press("Shift+Enter")
    canvas.expect_run("Completed")
    canvas.expect_state(first, "from cache")
    expect(canvas.node(second)).to_contain_text("hello")
    assert canvas.save()["nodes"][second]["config"] == {"seconds": 0}
    picture("document-run")

    before = canvas.text()
    page.reload()
    canvas.wait()
    canvas.expect_text(before)
    canvas.expect_state(second, "Completed")
    expect(canvas.node(second)).to_contain_text("hello")
    expect(canvas.wires()).to_have_count(1)
