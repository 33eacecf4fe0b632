"""A flow as a document of JupyterLab, from an empty file to one that was run."""

from __future__ import annotations

import json
import re

from browser.canvas_page import CONTEXT, CanvasPage
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
    before = canvas.text()
    canvas.command("Arrange automatically")
    canvas.expect_other_text(before)
    saved = canvas.save()
    assert saved["edges"] == [f"{first}.out -> {second}.value"]

    canvas.button("Run all").click()
    canvas.expect_state(first, "Completed")
    expect(canvas.node(first)).to_contain_text("hello")
    canvas.expect_state(second, "Waiting")
    picture("document-running")
    canvas.button("Stop").click()
    canvas.expect_run("Stopped")
    canvas.expect_state(second, "Stopped")

    canvas.inspect(second).get_by_label("Seconds").fill("0")
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


def waiting(file: str) -> str:
    """Code that goes on when a file is there."""
    return (
        "import pathlib, time\n\n\ndef main(text=''):\n"
        f"    while not pathlib.Path({file!r}).exists():\n        time.sleep(0.05)\n"
        "    return 'went on'\n"
    )


def test_problems_show_while_typing(open_flow):
    flow = {"nodes": {"w": {"type": "delay"}}, "edges": [], "layout": {"w": [0, 0]}}
    canvas = open_flow(flow)
    badge = canvas.node("w").get_by_role("img", name="Problems: 1")
    expect(badge).to_be_visible()
    expect(canvas.inspect("w").get_by_text("IAI108")).to_be_visible()
    canvas.inspector.get_by_label("Seconds").fill("3")
    expect(badge).to_have_count(0)
    expect(canvas.inspector.get_by_text("IAI108")).to_have_count(0)
    expect(canvas.status).to_contain_text("No problems")
    canvas.inspector.get_by_label("Seconds").fill("")
    expect(badge).to_be_visible()
    canvas.button("Problems").click()
    canvas.focus()
    canvas.press("Escape")
    canvas.problems.get_by_role("button", name="IAI108").click()
    expect(canvas.inspector.get_by_role("textbox", name="Id")).to_have_value("w")


def test_parts_run_and_failed_runs_are_retried(open_flow, jupyter):
    fails = "import pathlib\n\n\ndef main(text):\n    return pathlib.Path('there').read_text()\n"
    canvas = open_flow(chain(python(GREET), python(SHOUT), python(fails)))
    canvas.focus("n1")
    canvas.press("Control+Enter")
    canvas.expect_run("Completed")
    canvas.expect_state("n1", "Completed")
    expect(canvas.node("n1")).to_contain_text("HELLO")
    expect(canvas.node("n2").locator(".iai-status")).to_have_count(0)

    canvas.press("Shift+Enter")
    canvas.expect_run("Failed")
    canvas.expect_state("n2", "Failed")
    expect(canvas.document.locator(".iai-notice code")).to_have_text("n2")
    (jupyter.root / "there").write_text("found it")
    canvas.command("Retry from failure")
    canvas.expect_run("Completed")
    expect(canvas.node("n2")).to_contain_text("found it")

    canvas.focus("n0")
    canvas.press("p")
    expect(canvas.node("n0").get_by_role("img", name="Pinned")).to_be_visible()
    assert canvas.flow()["nodes"]["n0"]["pin"] == {"out": "hello"}
    canvas.inspect("n1")
    canvas.fill_code("Code", "def main(text):\n    return text * 2\n")
    expect(canvas.node("n1")).to_contain_text("out of date")
    canvas.inspector.get_by_role("button", name="Only this").click()
    expect(canvas.node("n1")).to_contain_text("hellohello")
    canvas.expect_run("Completed")
    canvas.inspector.get_by_role("button", name="From here").click()
    canvas.expect_state("n2", "Completed")  # which did not run when only the other did
    expect(canvas.node("n1")).not_to_contain_text("out of date")


def test_a_long_table_is_looked_at_by_pages(open_flow, picture):
    code = "import polars as pl\n\n\ndef main():\n    return pl.DataFrame({'n': range(300_000)})\n"
    canvas = open_flow(chain(python(code)))
    canvas.focus("n0")
    canvas.press("Shift+Enter")
    canvas.expect_state("n0", "Completed")
    expect(canvas.node("n0")).to_contain_text("300,000")
    canvas.inspect("n0")
    values = canvas.tab("Values")
    values.get_by_role("region", name="Outputs").get_by_role(
        "button", name="Open", exact=True
    ).first.click()
    expect(values).to_contain_text("Rows 1\u2013100 of 300,000")
    values.get_by_role("button", name="Next page").click()
    expect(values).to_contain_text("Rows 101\u2013200 of 300,000")
    values.get_by_role("textbox", name="Go to row").fill("150001")
    canvas.press("Enter")
    expect(values).to_contain_text("Rows 150,001\u2013150,100 of 300,000")
    expect(values.get_by_role("cell", name="150000", exact=True)).to_be_visible()
    values.get_by_role("button", name="Last page").click()
    expect(values).to_contain_text("Rows 299,901\u2013300,000 of 300,000")
    picture("document-table")


def test_the_timeline_and_the_history_tell_what_was(open_flow, picture):
    canvas = open_flow(chain(python(GREET), python(SHOUT)), name="told")
    canvas.focus("n0")
    canvas.press("Shift+Enter")
    canvas.expect_run("Completed")
    canvas.button("Timeline").click()
    expect(canvas.timeline.get_by_role("img", name=re.compile("^n0"))).to_be_visible()
    expect(canvas.timeline.get_by_role("img", name=re.compile("^n1"))).to_be_visible()
    canvas.focus("n0")
    canvas.press("Shift+Enter")
    for node in ("n0", "n1"):
        mark = canvas.timeline.get_by_role("img", name=f"{node}: Completed, From the cache")
        expect(mark).to_be_visible()
    picture("document-timeline-cached")
    canvas.select("n0")
    canvas.press("Alt+ArrowUp")
    canvas.save()
    before = canvas.text()
    canvas.select("n1")
    canvas.press("Delete")
    after = canvas.expect_other_text(before)
    canvas.save()
    canvas.button("History").click()
    versions = canvas.history.get_by_role("listitem")
    expect(versions).to_have_count(2)
    versions.last.get_by_role("button").click()
    changes = canvas.history.get_by_role("region", name="Changes since this version")
    expect(changes).to_contain_text("n1")
    expect(canvas.node("n1")).to_be_visible()
    picture("document-history")
    changes.get_by_role("button", name="Restore this version").click()
    restored = canvas.expect_other_text(after)
    assert set(json.loads(restored)["nodes"]) == {"n0", "n1"}
    canvas.focus()
    canvas.press("Control+Z")
    canvas.expect_text(after)


def test_a_run_goes_on_while_the_page_is_loaded_anew(open_flow, page, jupyter):
    canvas = open_flow(chain(python(GREET), python(waiting("go"))))
    canvas.focus("n0")
    canvas.press("Shift+Enter")
    canvas.expect_state("n1", "Running")
    page.reload()
    canvas.wait()
    canvas.expect_state("n0", "Completed")
    canvas.expect_state("n1", "Running")
    (jupyter.root / "go").touch()
    canvas.expect_state("n1", "Completed")
    expect(canvas.node("n1")).to_contain_text("went on")
    canvas.expect_run("Completed")


def test_a_kernel_that_is_restarted_in_a_run_runs_again(open_flow, page, jupyter):
    canvas = open_flow(chain(python(GREET), python(waiting("go"))))
    canvas.focus("n0")
    canvas.press("Shift+Enter")
    canvas.expect_state("n1", "Running")
    page.evaluate(f"void {CONTEXT}.sessionContext.session.kernel.restart()")
    expect(canvas.status).not_to_contain_text("Run: Running")
    canvas.wait()
    (jupyter.root / "go").touch()
    canvas.focus()
    canvas.press("Shift+Enter")
    canvas.expect_run("Completed")
    canvas.expect_state("n1", "Completed")
    expect(canvas.node("n1")).to_contain_text("went on")
