"""A flow as a document of JupyterLab: made, edited, saved, run, reloaded, refused."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser.patience import LOOK_EVERY, promised, wait_until
from playwright.sync_api import Page, Response, expect

TEMPLATES = Path(__file__).parents[2] / "extension" / "src" / "lab" / "templates"
WIDGET = "jupyterapp.shell.currentWidget"
#: There is nothing in front for a while, or something else.
CONTENT = f"{WIDGET}?.content"
CANVAS = f"{CONTENT}?.controller?.get()"
KERNEL = f"{CONTENT}?.binding?.get()"
DIRTY = f"{WIDGET}.context.model.dirty"
RUN = f"{CANVAS}.link.get()?.runs.run.get()"


def open_flow(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".iai-Document .iai-root").first.wait_for()


def holds(page: Page, condition: str, arg: Any = None) -> None:
    """Wait until a condition holds in JavaScript, on pages that are not in front as well."""
    page.wait_for_function(condition, arg=arg, polling=LOOK_EVERY)


def ready(page: Page) -> None:
    holds(page, f"{KERNEL}?.state.get() === 'ready'")


def place(root: Path, name: str, template: str = "map") -> Path:
    path = root / name
    path.write_text((TEMPLATES / f"{template}.json").read_text())
    return path


def keeps(name: str, text: str) -> Callable[[Response], bool]:
    """Say of an answer whether the server has kept a layout with a flow, and a text about it."""

    def is_kept(answer: Response) -> bool:
        sent = answer.request.post_data or ""
        if answer.request.method != "PUT" or "layout-restorer:data" not in sent:
            return False
        layout = json.loads(sent)["data"]["layout-restorer:data"]
        return f"iaiflow:{name}" in json.dumps(layout["main"]) and text in sent

    return is_kept


def test_from_the_launcher_to_a_saved_flow(jupyter, page, picture):
    page.goto(jupyter.address())
    page.locator(".jp-LauncherCard[data-category='IAI Flow Lab']").first.click()
    page.locator(".iai-Document .iai-root").first.wait_for()
    ready(page)
    expect(page.locator(".iai-Status")).to_contain_text("Kernel ready")
    page.evaluate(f"{CANVAS}.edit('Rename', flow => ({{...flow, name: 'Renamed'}}))")
    holds(page, DIRTY)
    picture("document-new")
    page.keyboard.press("Control+s")
    holds(page, f"!{DIRTY}")
    saved = jupyter.root / page.evaluate(f"{WIDGET}.context.path")
    assert json.loads(saved.read_text())["name"] == "Renamed"


def test_the_toolbar_runs_the_flow(jupyter, page, picture):
    place(jupyter.root, "toolbar.flow.json")
    errors = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    open_flow(page, jupyter.address("lab/tree/toolbar.flow.json"))
    ready(page)
    page.get_by_role("button", name="Run all").first.click()
    holds(page, f"{RUN}.state === 'completed'")
    picture("document-run")
    assert [error for error in errors if "Comm" in error] == []


def test_what_is_edited_while_the_file_is_written_is_no_conflict(open_flow, page):
    wait = {"type": "delay", "config": {"seconds": 0}}
    canvas = open_flow({"nodes": {"wait": wait}}, name="late")
    node = "{...flow.nodes.wait, config: {seconds}}"
    change = f"seconds => {CANVAS}.edit('', flow => ({{...flow, nodes: {{wait: {node}}}}}))"
    page.evaluate(change, 1)
    page.evaluate(
        f"""() => {{
            const late = (context, what) => {{
                if (what === 'started') {{
                    context.saveState.disconnect(late);
                    queueMicrotask(() => ({change})(2));
                }}
            }};
            {WIDGET}.context.saveState.connect(late);
        }}"""
    )
    page.evaluate("void jupyterapp.commands.execute('docmanager:save')")
    versions = f"(await {CANVAS}.link.get().request('versions', {{}})).versions"
    wait_until(page, f"async () => {versions}.length > 0")
    assert promised(page, f"async () => {versions}.length") == 2  # as it was found, and as saved
    kept = json.loads((canvas.root / "late.flow.json").read_text())
    flows = (kept, canvas.flow())
    assert [flow["nodes"]["wait"]["config"]["seconds"] for flow in flows] == [1, 2]
    expect(page.locator(".Toastify__toast")).to_have_count(0)


def test_a_restarted_kernel_is_joined_again(jupyter, page):
    place(jupyter.root, "restart.flow.json")
    open_flow(page, jupyter.address("lab/tree/restart.flow.json"))
    ready(page)
    restart = f"{WIDGET}.context.sessionContext.session.kernel.restart()"
    assert page.evaluate(f"() => {{ void {restart}; return {KERNEL}.state.get(); }}") == "starting"
    ready(page)
    page.evaluate(f"void {CANVAS}.run('all')")
    holds(page, f"{RUN}.state === 'completed'")


def test_what_was_shown_comes_back(jupyter, page):
    place(jupyter.root, "shown.flow.json")
    open_flow(page, jupyter.address("lab/tree/shown.flow.json"))
    ready(page)
    with page.expect_response(keeps("shown.flow.json", '"panels":["timeline"]')):
        page.evaluate(f"{CANVAS}.look({{panels: new Set(['timeline'])}})")
    open_flow(page, f"{jupyter.url}lab")
    holds(page, f"{CANVAS}?.view.get().panels.size === 1")
    assert page.evaluate(f"[...{CANVAS}.view.get().panels]") == ["timeline"]


def test_the_place_and_the_selected_node_come_back(jupyter, page):
    file = place(jupyter.root, "place.flow.json")
    before = file.read_text()
    page.emulate_media(reduced_motion="reduce")  # the view moves at once
    open_flow(page, jupyter.address("lab/tree/place.flow.json"))
    ready(page)
    node = page.evaluate(f"Object.keys({CANVAS}.flow.nodes)[0]")
    page.get_by_role("button", name="Zoom in").click()
    holds(page, f"{CANVAS}.viewports.get().has('')")
    selected = f'"selection":["{node}"]'  # not what the zoom alone left
    with page.expect_response(keeps("place.flow.json", selected)):
        page.evaluate(f"{CANVAS}.select([{json.dumps(node)}])")
    there = page.evaluate(f"{CANVAS}.viewports.get().get('')")
    open_flow(page, f"{jupyter.url}lab")
    holds(page, f"{CANVAS}?.view.get().selection.size === 1")
    holds(
        page,
        """zoom => {
            const surface = document.querySelector('.react-flow__viewport');
            return surface !== null && Math.abs(
                new DOMMatrix(getComputedStyle(surface).transform).a - zoom) < 0.001;
        }""",
        arg=there["zoom"],
    )
    assert page.evaluate(f"[...{CANVAS}.view.get().selection]") == [node]
    assert page.evaluate(f"{CANVAS}.viewports.get().get('')") == there
    assert not page.evaluate(DIRTY)
    assert file.read_text() == before


def test_an_unreadable_file_is_corrected_in_an_editor(jupyter, page, picture):
    file = jupyter.root / "broken.flow.json"
    file.write_text('{"format": "iaiflow/1", "nodes": {,}}')
    open_flow(page, jupyter.address("lab/tree/broken.flow.json"))
    ready(page)
    notice = page.locator(".iai-notice")
    expect(notice).to_contain_text("This isn't a flow file: invalid JSON.")
    expect(page.locator(".iai-Status")).to_contain_text("The file cannot be read")
    page.get_by_role("button", name="Open the text").click()
    page.locator(".jp-FileEditor").wait_for()
    holds(page, f"{CONTENT}?.node.matches('.jp-FileEditor')")
    picture("document-unreadable")
    text = {"format": "iaiflow/1", "nodes": {"later": {"type": "delay", "config": {"seconds": 0}}}}
    promised(
        page,
        f"async text => {{ const {{context}} = {WIDGET}; await context.ready;"
        " context.model.sharedModel.setSource(text); await context.save(); }",
        json.dumps(text),
    )
    page.locator(".react-flow__node[data-id='later']").wait_for()
    expect(notice).to_have_count(0)
    page.locator(".iai-Document").click()
    ready(page)  # it was told anew what the file says
    page.get_by_role("button", name="Run all").click()
    holds(page, f"{RUN}.state === 'completed'")


def test_a_reverted_file_is_read_again(jupyter, page):
    file = jupyter.root / "mended.flow.json"
    file.write_text("{")
    open_flow(page, jupyter.address("lab/tree/mended.flow.json"))
    page.locator(".iai-notice").wait_for()
    file.write_text('{"format": "iaiflow/1", "nodes": {"later": {"type": "delay"}}}')
    page.evaluate(f"void {WIDGET}.context.revert()")
    page.locator(".react-flow__node[data-id='later']").wait_for()
    expect(page.locator(".iai-notice")).to_have_count(0)


def test_a_flow_opens_with_the_room_for_itself_and_an_empty_one_beside_the_nodes(open_flow):
    wait = {"type": "delay", "config": {"seconds": 0}}
    canvas = open_flow({"nodes": {"wait": wait}}, name="drawn", kernel=False)
    expect(canvas.node("wait")).to_be_visible()
    for panel in ("Palette", "Inspector"):
        expect(canvas.document.get_by_role("tab", name=panel)).to_have_count(0)
        expect(canvas.show(panel)).to_be_visible()
    canvas = open_flow({"nodes": {}}, name="empty", kernel=False)
    expect(canvas.palette).to_be_visible()
    expect(canvas.inspector).to_be_visible()


@pytest.mark.parametrize("size", [(1000, 700), (1440, 900)])
def test_the_inspector_leaves_its_node_in_sight(open_flow, page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    last = {"type": "delay", "config": {"seconds": 0}}
    nodes, layout = {"first": last, "last": last}, {"first": [0, 0], "last": [600, 0]}
    canvas = open_flow({"nodes": nodes, "layout": layout})
    canvas.focus("last")
    canvas.press("Enter")
    canvas.inspector.wait_for()
    inside = """() => {
        const box = found => document.querySelector(found)?.getBoundingClientRect() ?? {};
        const node = box(".react-flow__node[data-id='last']");
        const dock = box(".iai-dock[data-side='right']");
        const surface = box('.iai-surface');
        return node.right <= dock.left && node.left >= surface.left;
    }"""
    holds(page, inside)


def test_a_number_takes_a_parameter(open_flow, page):
    wait = {"type": "delay", "config": {"seconds": 5}}
    pause = {"type": "number", "default": 0}
    canvas = open_flow({"parameters": {"pause": pause}, "nodes": {"wait": wait}})
    form = canvas.inspect("wait")
    field = form.get_by_role("textbox", name="Seconds")
    field.fill("soon")
    expect(form).to_contain_text("Write a number. Or a parameter: {{params.pause}}")
    field.fill("{{params.pause}}")
    expect(form).to_contain_text("Comes from params.pause.")
    assert canvas.flow()["edges"] == ["params.pause -> wait.seconds"]
    source = form.get_by_role("combobox", name="Where Seconds comes from")
    source.select_option("Written here")
    expect(field).to_have_value("")
    source.select_option("params.pause")
    page.evaluate(f"void {CANVAS}.run('all')")
    holds(page, f"{RUN}.state === 'completed'")


def test_a_file_that_may_not_be_written_is_read_only(jupyter, page):
    place(jupyter.root, "fixed.flow.json")

    def fixed(route):
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"writable": False})

    page.route("**/api/contents/fixed.flow.json?*", fixed)
    open_flow(page, jupyter.address("lab/tree/fixed.flow.json"))
    holds(page, f"{CANVAS}?.readOnly")
    page.evaluate(f"{CANVAS}.edit('Rename', flow => ({{...flow, name: 'No'}}))")
    assert page.evaluate(f"{CANVAS}.document.flow.get().name") == "Map over items"
    page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def bare_kernel(jupyter, tmp_path):
    """Add a kernel whose environment has everything but iaiflow-lab."""
    site = tmp_path / "site"
    site.mkdir()
    for folder in filter(os.path.isdir, sys.path):
        for package in Path(folder).iterdir():
            if folder.endswith("site-packages") and "iaiflow" not in package.name:
                (site / package.name).symlink_to(package)
    spec = jupyter.root.parent / "data" / "kernels" / "bare" / "kernel.json"
    spec.parent.mkdir(parents=True)
    python = str(Path(sys.executable).resolve())
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    env = {"PYTHONPATH": str(site)}
    spec.write_text(
        json.dumps({"argv": argv, "display_name": "Bare", "language": "python", "env": env})
    )
    yield python
    spec.unlink()
    spec.parent.rmdir()


def test_a_kernel_without_iaiflow_lab_is_told_what_to_install(jupyter, bare_kernel, page, picture):
    place(jupyter.root, "bare.flow.json")
    open_flow(page, jupyter.address("lab/tree/bare.flow.json"))
    holds(page, f"{WIDGET}?.context.sessionContext.isReady")
    page.evaluate(f"void {WIDGET}.context.sessionContext.changeKernel({{name: 'bare'}})")
    banner = page.locator(".iai-Banner")
    banner.get_by_text(f"{bare_kernel} -m pip install iaiflow-lab==").wait_for()
    picture("document-bare-kernel")
    page.evaluate(f"{CANVAS}.edit('Rename', flow => ({{...flow, name: 'Edited'}}))")
    assert page.evaluate(f"{CANVAS}.document.flow.get().name") == "Edited"


def test_two_browsers_edit_together(start_jupyter, page, context):
    shared = start_jupyter(collaboration=True)
    place(shared.root, "shared.flow.json")
    other = context.new_page()
    for one in (page, other):
        open_flow(one, shared.address("lab/tree/shared.flow.json"))
        holds(one, f"{CANVAS}?.document.flow.get().layout.each")
    move = "flow => ({...flow, layout: {...flow.layout, %s: [%d, 60]}})"
    page.evaluate(f"{CANVAS}.edit('Move', {move % ('each', 50)})")
    other.evaluate(f"{CANVAS}.edit('Move', {move % ('join', 500)})")
    for one in (page, other):
        holds(one, f"{CANVAS}.document.flow.get().layout.each[0] === 50")
        holds(one, f"{CANVAS}.document.flow.get().layout.join[0] === 500")
    page.evaluate(f"{CANVAS}.document.undo()")
    holds(other, f"{CANVAS}.document.flow.get().layout.each[0] === 0")
    assert other.evaluate(f"{CANVAS}.document.flow.get().layout.join[0]") == 500
