"""A flow as a document of JupyterLab: made, edited, saved, run, reloaded, refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

TEMPLATES = Path(__file__).parents[2] / "extension" / "src" / "lab" / "templates"
WIDGET = "jupyterapp.shell.currentWidget"
CANVAS = f"{WIDGET}.content.controller.get()"
KERNEL = f"{WIDGET}.content.binding.get()"
DIRTY = f"{WIDGET}.context.model.dirty"
RUN = f"{CANVAS}.link.get().runs.run.get()"


def open_flow(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".iai-Document .iai-root").first.wait_for()


def ready(page: Page) -> None:
    page.wait_for_function(f"{KERNEL}?.state.get() === 'ready'")


def place(root: Path, name: str, template: str = "map") -> Path:
    path = root / name
    path.write_text((TEMPLATES / f"{template}.json").read_text())
    return path


def test_from_the_launcher_to_a_saved_flow(jupyter, page, picture):
    page.goto(jupyter.address())
    page.locator(".jp-LauncherCard[data-category='IAI Flow Lab']").click()
    page.locator(".iai-Document .iai-root").first.wait_for()
    ready(page)
    assert page.locator(".iai-Status").inner_text().startswith("Kernel ready")
    page.evaluate(f"{CANVAS}.edit('Rename', flow => ({{...flow, name: 'Renamed'}}))")
    page.wait_for_function(DIRTY)
    picture("document-new")
    page.keyboard.press("Control+s")
    page.wait_for_function(f"!{DIRTY}")
    saved = jupyter.root / page.evaluate(f"{WIDGET}.context.path")
    assert json.loads(saved.read_text())["name"] == "Renamed"


def test_the_toolbar_runs_the_flow(jupyter, page, picture):
    place(jupyter.root, "toolbar.flow.json")
    open_flow(page, jupyter.address("lab/tree/toolbar.flow.json"))
    ready(page)
    page.get_by_role("button", name="Run all").first.click()
    page.wait_for_function(f"{RUN}.state === 'completed'")
    picture("document-run")


def test_a_restarted_kernel_is_joined_again(jupyter, page):
    place(jupyter.root, "restart.flow.json")
    open_flow(page, jupyter.address("lab/tree/restart.flow.json"))
    ready(page)
    page.evaluate(f"{WIDGET}.context.sessionContext.session.kernel.restart()")
    page.wait_for_function(f"{KERNEL}.state.get() === 'starting'")
    ready(page)
    page.evaluate(f"{CANVAS}.run('all')")
    page.wait_for_function(f"{RUN}.state === 'completed'")


def test_what_was_shown_comes_back(jupyter, page):
    place(jupyter.root, "shown.flow.json")
    open_flow(page, jupyter.address("lab/tree/shown.flow.json"))
    ready(page)
    with page.expect_request(lambda r: r.method == "PUT" and "iaiflow-view" in (r.post_data or "")):
        page.evaluate(f"{CANVAS}.look({{panels: new Set(['timeline'])}})")
    open_flow(page, f"{jupyter.url}lab")
    page.wait_for_function(f"{CANVAS}?.view.get().panels.size === 1")
    assert page.evaluate(f"[...{CANVAS}.view.get().panels]") == ["timeline"]


def test_a_file_that_may_not_be_written_is_read_only(jupyter, page):
    place(jupyter.root, "fixed.flow.json")

    def fixed(route):
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"writable": False})

    page.route("**/api/contents/fixed.flow.json?*", fixed)
    open_flow(page, jupyter.address("lab/tree/fixed.flow.json"))
    page.wait_for_function(f"{CANVAS}?.readOnly")
    page.evaluate(f"{CANVAS}.edit('Rename', flow => ({{...flow, name: 'No'}}))")
    assert page.evaluate(f"{CANVAS}.document.flow.get().name") == "Map over items"


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
    page.wait_for_function(f"{WIDGET}.context.sessionContext.isReady")
    page.evaluate(f"{WIDGET}.context.sessionContext.changeKernel({{name: 'bare'}})")
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
        one.wait_for_function(f"{CANVAS}?.document.flow.get().layout.each")
    move = "flow => ({...flow, layout: {...flow.layout, %s: [%d, 60]}})"
    page.evaluate(f"{CANVAS}.edit('Move', {move % ('each', 50)})")
    other.evaluate(f"{CANVAS}.edit('Move', {move % ('join', 500)})")
    for one in (page, other):
        one.wait_for_function(f"{CANVAS}.document.flow.get().layout.each[0] === 50")
        one.wait_for_function(f"{CANVAS}.document.flow.get().layout.join[0] === 500")
    page.evaluate(f"{CANVAS}.document.undo()")
    other.wait_for_function(f"{CANVAS}.document.flow.get().layout.each[0] === 0")
    assert other.evaluate(f"{CANVAS}.document.flow.get().layout.join[0]") == 500
