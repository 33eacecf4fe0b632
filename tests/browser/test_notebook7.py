"""The same canvases in Jupyter Notebook."""

from __future__ import annotations

import json

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
