"""A notebook in JupyterLab or Notebook with canvases in its outputs, as people see it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
from browser.patience import LOOK_EVERY, promised, until
from playwright.sync_api import Locator, Page, expect

#: What the notebook in front says of itself.
PANEL = "window.jupyterapp.shell.currentWidget"


def write_notebook(file: Path, *cells: str) -> None:
    """Write a notebook of code cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, file)


class Canvas:
    """One canvas on a page."""

    def __init__(self, page: Page, root: Locator) -> None:
        self.page = page
        self.root = root
        self.surface = root.get_by_role("application", name=re.compile("^Flow "))
        self.toolbar = root.get_by_role("toolbar", name="Canvas")
        self.nodes = self.surface.locator(".react-flow__node-card")
        self.wires = self.surface.locator(".react-flow__edge")

    def node(self, name: str) -> Locator:
        """Return a node by its id."""
        label = re.compile(rf"(^|, node ){re.escape(name)}$")
        return self.surface.get_by_role("group", name=label)

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def ready(self) -> Canvas:
        """Wait until the kernel knows the canvas."""
        expect(self.toolbar.get_by_role("button", name="Run all")).to_be_enabled()
        return self

    def expect_sent(self) -> None:
        """Wait until the kernel has said that it has every edit; its files say so before."""
        expect(self.root.locator(".iai-bars:not(.iai-mod-unsaved)")).to_have_count(1)

    def run(self) -> None:
        """Run the whole flow by the keyboard."""
        self.ready()
        self.surface.focus()
        self.press("Escape", "Shift+Enter")

    def add(self, search: str) -> None:
        """Add a node by the quick search; the focus goes to the canvas."""
        count = self.nodes.count()
        self.surface.focus()
        self.press("/")
        self.page.get_by_role("combobox", name="Add a node", exact=True).fill(search)
        self.press("Enter")
        expect(self.nodes).to_have_count(count + 1)
        self.surface.locator(".react-flow__node:focus").wait_for()

    def select(self, node: str) -> None:
        """Select a node alone."""
        self.surface.focus()
        self.press("Escape")
        self.node(node).focus()
        self.press("Space")

    def expect_state(self, node: str, state: str) -> None:
        """Wait until a node's card says a state, such as `Completed`."""
        expect(self.node(node).locator(".iai-status")).to_contain_text(state)

    def command(self, label: str) -> None:
        """Do a command by the command list."""
        self.surface.focus()
        self.press("Control+Shift+K")
        self.page.get_by_role("combobox", name="All commands").fill(label)
        found = self.page.get_by_role("listbox", name="All commands").get_by_role("option")
        found.filter(has=self.page.get_by_text(label, exact=True)).first.click()

    def tab(self, name: str) -> Locator:
        """Open a page of the inspector."""
        self.root.get_by_role("tab", name=name).click()
        return self.root.get_by_role("tabpanel").last


class NotebookPage:
    """One open notebook; the page shows nothing else."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.file = file

    def wait(self) -> NotebookPage:
        """Wait until the notebook and its kernel are ready."""
        self.page.wait_for_function(
            f"() => window.jupyterapp && {PANEL}?.content?.widgets?.length > 0"
            f" && {PANEL}.sessionContext.session?.kernel?.status === 'idle'",
            polling=LOOK_EVERY,
        )
        return self

    def cell(self, number: int) -> Locator:
        """Return a cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell:visible").nth(number)

    def canvas(self, number: int) -> Canvas:
        """Return the canvas in the output of a cell."""
        return Canvas(self.page, self.cell(number).locator(".iai-widget"))

    def run(self, number: int) -> None:
        """Execute a cell; returns at once."""
        self.page.evaluate(
            f"""number => {{
                const ended = (window.endedCells ??= new Set());
                const note = () => void ended.add(number);
                ended.delete(number);
                {PANEL}.content.activeCellIndex = number;
                void window.jupyterapp.commands.execute('notebook:run-cell').then(note, note);
            }}""",
            number,
        )

    def ran(self, number: int) -> Locator:
        """Execute a cell and wait for its end; returns its output area."""
        self.run(number)
        has_ended = "number => window.endedCells.has(number)"
        self.page.wait_for_function(has_ended, arg=number, polling=LOOK_EVERY)
        self.done(number)
        return self.cell(number).locator(".jp-Cell-outputArea")

    def typed_and_ran(self, number: int) -> None:
        """Execute a cell by the keyboard from inside of it, and wait for its end."""
        prompt = self.cell(number).locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        self.cell(number).locator(".cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before)
        self.done(number)

    def done(self, number: int) -> None:
        """Wait until a cell was executed without an error."""
        prompt = self.cell(number).locator(".jp-InputPrompt").first
        expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"))
        expect(self.cell(number).locator("[data-mime-type*=error]")).to_have_count(0)

    def restart(self) -> None:
        """Restart the kernel, as the menu does once it has asked."""
        promised(self.page, f"() => {PANEL}.sessionContext.restartKernel()")
        self.wait()

    def restart_and_run_all(self) -> None:
        """Restart the kernel and execute all cells; returns at once after the restart."""
        self.restart()
        self.page.evaluate(
            "() => void window.jupyterapp.commands.execute('notebook:run-all-cells')"
        )

    def write(self, number: int, source: str) -> None:
        """Replace the source of a cell."""
        self.page.evaluate(
            f"([at, text]) => {PANEL}.content.widgets[at].model.sharedModel.setSource(text)",
            [number, source],
        )

    def expect_source(self, number: int, part: str) -> None:
        """Wait until a cell says something."""
        until(self.page, lambda: part in self.sources()[number], f"{part!r} in cell {number}")

    def sources(self) -> list[str]:
        """Return what the cells say."""
        return self.page.evaluate(
            f"() => {PANEL}.content.widgets.map(cell => cell.model.sharedModel.getSource())"
        )

    def value(self, expression: str) -> Any:
        """Evaluate a Python expression in the kernel, after what it is doing now."""
        text = promised(
            self.page,
            f"""async expression => {{
                const kernel = {PANEL}.sessionContext.session.kernel;
                const reply = await kernel.requestExecute({{
                    code: 'import json', silent: true, user_expressions: {{ it: expression }}
                }}).done;
                const found = reply.content.user_expressions.it;
                return found.status === 'ok' ? found.data['text/plain'] : found.evalue;
            }}""",
            f"json.dumps({expression})",
        )
        return json.loads(eval(text))

    def save(self) -> dict[str, Any]:
        """Save; returns what the file says."""

        def is_saved() -> bool:  # one is dropped while another is under way
            promised(self.page, "() => window.jupyterapp.commands.execute('docmanager:save')")
            return not self.page.evaluate(f"() => {PANEL}.context.model.dirty")

        until(self.page, is_saved)
        return json.loads(self.file.read_text())
