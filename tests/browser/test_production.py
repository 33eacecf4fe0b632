"""Notebooks queued and scheduled from JupyterLab, their runs watched, stopped and repaired."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from browser.conftest import Jupyter
from browser.notebook_page import write_notebook
from playwright.sync_api import Locator, Page, expect


@pytest.fixture(scope="module")
def lab(start_jupyter: Callable[..., Jupyter]) -> Jupyter:
    """Return a server with a workspace that no other test empties."""
    return start_jupyter()


def write_parameters(file: Path, parameters: str, *cells: str) -> None:
    write_notebook(file, parameters, *cells)
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, file)


def open_lab(page: Page, jupyter: Jupyter, path: str) -> None:
    page.goto(jupyter.address(f"lab/tree/{path}"))
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.context?.isReady"
        " && window.jupyterapp.commands.hasCommand('iaiflow:queue')"
    )


def queue(page: Page, **values: str) -> None:
    page.get_by_role("button", name="Queue this notebook or flow").click()
    dialog = page.get_by_role("dialog")
    for name, value in values.items():
        dialog.get_by_label(name, exact=True).fill(value)
    dialog.get_by_role("button", name="Queue", exact=True).click()
    expect(dialog).to_have_count(0)


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Runs and schedules")


def test_a_notebook_goes_through_production(page: Page, lab: Jupyter) -> None:
    write_parameters(
        lab.root / "halves.ipynb",
        "parts: int = 2",
        "import time\nif parts == 9:\n    time.sleep(600)",
        "print(100 / parts)",
    )
    open_lab(page, lab, "halves.ipynb")
    runs = panel(page)
    run = runs.get_by_role("region", name=re.compile("^Run "))

    # queued and watched live, then cancelled
    queue(page, parts="9")
    expect(run.get_by_text("Running").first).to_be_visible()
    expect(run.get_by_role("listitem")).to_contain_text("notebook")
    run.get_by_role("button", name="Cancel run").click()
    expect(run.get_by_text("Stopped").first).to_be_visible()

    # a failure is told, and shown from there
    queue(page, parts="0")
    notice = page.locator(".Toastify__toast").filter(has_text="halves.ipynb failed")
    expect(notice).to_contain_text("ZeroDivisionError")
    notice.get_by_role("button", name="Show").click()
    expect(run.locator(".iai-Run-error")).to_contain_text("division by zero")

    # what it was given comes back in a notebook
    run.get_by_role("button", name="Debug here").click()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context?.path.includes('debug-notebook')"
    )
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status"
        " === 'idle'"
    )
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    output = page.locator(".jp-Notebook:visible .jp-OutputArea-output").first
    expect(output).to_contain_text("parts = 0")

    # it is corrected, and run again with the newest version
    write_parameters(lab.root / "halves.ipynb", "parts: int = 2", "print(100 / max(parts, 1))")
    run.get_by_role("button", name="Retry from this node with the newest version").click()
    runs.get_by_role("button", name="All runs").click()
    listed = runs.get_by_role("list", name="Runs").get_by_role("listitem")
    expect(listed.first).to_contain_text("Completed")
    expect(listed).to_have_count(3)

    # its output is beside its source
    listed.first.get_by_role("button").click()
    run.get_by_role("button", name="Open output notebook").click()
    expect(page.locator(".jp-Notebook:visible").last).to_contain_text("100.0")


def test_a_notebook_is_scheduled(page: Page, lab: Jupyter) -> None:
    write_parameters(lab.root / "report.ipynb", "day: str = 'today'", "print(day)")
    open_lab(page, lab, "report.ipynb")
    page.get_by_role("button", name="Schedule this notebook or flow").click()
    dialog = page.get_by_role("dialog")
    cron = dialog.get_by_label("Minute, hour, day, month, weekday")
    cron.fill("61 6 * * *")
    expect(dialog.get_by_role("alert").filter(has_text="61")).to_be_visible()
    cron.fill("0 6 * * *")
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    times = dialog.get_by_role("list", name="Next times").get_by_role("listitem")
    expect(times).to_have_count(10)
    expect(times.first).to_contain_text("06:00")
    expect(dialog).to_contain_text("Fired by")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)

    schedules = panel(page).get_by_role("list", name="Schedules").get_by_role("listitem")
    line = schedules.filter(has=page.get_by_role("button", name=re.compile("^report")))
    expect(line).to_contain_text("Next:")
    line.get_by_role("button", name=re.compile("^report")).click()
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("Active")
    line.get_by_role("button", name="Run now").click()
    run = panel(page).get_by_role("region", name=re.compile("^Run "))
    expect(run.get_by_text("Completed").first).to_be_visible()
    panel(page).get_by_role("tab", name="Schedules").click()
    line.get_by_role("button", name=re.compile("^report")).click()
    line.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(line).to_have_count(0)
