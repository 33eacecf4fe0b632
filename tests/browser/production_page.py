"""Runs and schedules in JupyterLab, as people see them, and the service behind them."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
from browser.conftest import Jupyter
from browser.notebook_page import write_notebook
from browser.patience import wait_restored
from playwright.sync_api import Locator, Page, expect

#: An approval whose answer is described by a JSON Schema.
ASK: dict[str, Any] = {
    "nodes": {
        "ask": {
            "type": "approval",
            "config": {
                "value": "the paper",
                "message": "Print it?",
                "form": {
                    "type": "object",
                    "properties": {"copies": {"type": "integer", "title": "Copies", "minimum": 1}},
                    "required": ["copies"],
                },
            },
        },
        "printed": {"type": "text.template", "config": {"template": "printed {{what}}"}},
        "kept": {"type": "text.template", "config": {"template": "kept {{what}}"}},
    },
    "edges": ["ask.approved -> printed.what", "ask.refused -> kept.what"],
}
QUEUE = "Queue this notebook or flow"
SCHEDULE = "Schedule this notebook or flow"


def awaiting(file: Path, **more: Any) -> dict[str, Any]:
    """Return a flow whose node goes on once a file is there."""
    code = (
        "import pathlib, time\n\n\ndef main():\n"
        f"    while not pathlib.Path({str(file)!r}).exists():\n        time.sleep(0.05)\n"
        "    return 'went on'\n"
    )
    return {"nodes": {"waiter": {"type": "python", "config": {"code": code}}}, **more}


def write_flow(root: Path, name: str, flow: dict[str, Any]) -> None:
    """Write a flow's file."""
    text = json.dumps({"format": "iaiflow/1", "name": name, **flow})
    (root / f"{name}.flow.json").write_text(text)


def write_parameters(file: Path, parameters: str, *cells: str) -> None:
    """Write a notebook whose first cell has its parameters."""
    write_notebook(file, parameters, *cells)
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, file)


def call(lab: Jupyter, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the service, through Jupyter as the panels do; with a body, it is a POST."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{lab.url}iaiflow/api/v1/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=180) as answer:
        return json.load(answer)


class ProductionPage:
    """JupyterLab with the panel of runs and schedules."""

    def __init__(self, page: Page, lab: Jupyter) -> None:
        self.page = page
        self.lab = lab
        self.panel = page.get_by_role("region", name="Runs and schedules")
        self.run = self.panel.get_by_role("region", name=re.compile("^Run "))
        self.runs = self.panel.get_by_role("list", name="Runs").get_by_role("listitem")
        self.dialog = page.get_by_role("dialog")
        self.times = self.dialog.get_by_role("list", name="Next times").get_by_role("listitem")
        self.notices = page.locator(".Toastify__toast")

    def open(self, path: str = "") -> ProductionPage:
        """Open JupyterLab, with a document or without."""
        self.page.goto(self.lab.address(f"lab/tree/{path}" if path else "lab"))
        document = "window.jupyterapp.shell.currentWidget?.context?.isReady"
        known = "window.jupyterapp.commands.hasCommand('iaiflow:queue')"
        wait_restored(self.page, f"{known} && {document if path else 'true'}")
        return self

    def show(self, what: str) -> Locator:
        """Show the panel's `runs` or `schedules`; returns the panel."""
        self.page.evaluate(f"() => void window.jupyterapp.commands.execute('iaiflow:show-{what}')")
        expect(self.panel).to_be_visible()
        return self.panel

    def ask(self, button: str = QUEUE) -> Locator:
        """Open a dialog from the toolbar of the document in front."""
        self.page.get_by_role("button", name=button).locator("visible=true").click()
        expect(self.dialog).to_be_visible()
        self.expect_fields()
        return self.dialog

    def expect_fields(self) -> None:
        """Wait until a dialog knows its fields: its button does nothing with unseen ones."""
        expect(self.dialog.locator(".iai-Dialog:not([aria-busy=true])")).to_have_count(1)

    def accept(self, label: str) -> None:
        """Press a dialog's button; the dialog closes."""
        self.expect_fields()
        self.dialog.get_by_role("button", name=label, exact=True).click()
        expect(self.dialog).to_have_count(0)

    def queue(self, **values: str) -> None:
        """Queue the document in front."""
        dialog = self.ask()
        for name, value in values.items():
            dialog.get_by_label(name, exact=True).fill(value)
        self.accept("Queue")

    def expect_run(self, state: str) -> None:
        """Wait until the run that is shown says its state."""
        expect(self.run.locator(".iai-Run-state").first).to_contain_text(state)

    def schedule(self, name: str) -> Locator:
        """Return the line of a schedule."""
        lines = self.panel.get_by_role("list", name="Schedules").get_by_role("listitem")
        return lines.filter(has=self.page.get_by_role("button", name=re.compile(f"^{name}")))
