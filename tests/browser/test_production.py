"""Notebooks queued and scheduled from JupyterLab, their runs watched, stopped and repaired."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.canvas_page import CanvasPage
from browser.conftest import Jupyter
from browser.patience import LOOK_EVERY
from browser.production_page import (
    QUEUE,
    SCHEDULE,
    ProductionPage,
    write_flow,
    write_parameters,
)
from playwright.sync_api import Locator, Page, expect

FRONT = "window.jupyterapp.shell.currentWidget"
#: Whether the kernel of the notebook in front has said what it is, which changes the notebook.
TOLD = f"() => {FRONT}.context.model.getMetadata('language_info')"


@pytest.fixture(scope="module")
def lab(start_jupyter: Callable[..., Jupyter]) -> Jupyter:
    """Return a server with a workspace that no other test empties."""
    return start_jupyter()


def test_a_notebook_goes_through_production(page: Page, lab: Jupyter) -> None:
    write_parameters(
        lab.root / "halves.ipynb",
        "parts: int = 2",
        "import time\nif parts == 9:\n    time.sleep(600)",
        "print(100 / parts)",
    )
    production = ProductionPage(page, lab).open("halves.ipynb")
    page.wait_for_function(TOLD, polling=LOOK_EVERY)  # it is saved when it is queued, not later
    runs, run = production.panel, production.run

    # queued and watched live, then cancelled
    production.queue(parts="9")
    production.expect_run("Running")
    expect(run.get_by_role("listitem")).to_contain_text("notebook")
    run.get_by_role("button", name="Cancel run").click()
    production.expect_run("Stopped")

    # a failure is told, and shown from there
    production.queue(parts="0")
    notice = production.notices.filter(has_text="halves.ipynb failed")
    expect(notice).to_contain_text("ZeroDivisionError")
    notice.get_by_role("button", name="Show").click()
    expect(run.locator(".iai-Run-error")).to_contain_text("division by zero")

    # what it was given comes back in a notebook
    run.get_by_role("button", name="Debug here").click()
    is_open = f"{FRONT}.context?.path.includes('debug-notebook')"
    is_idle = f"{FRONT}.sessionContext.session?.kernel?.status === 'idle'"
    page.wait_for_function(f"() => {is_open} && {is_idle}", polling=LOOK_EVERY)
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")
    output = page.locator(".jp-Notebook:visible .jp-OutputArea-output").first
    expect(output).to_contain_text("parts = 0")

    # it is corrected, and run again with the newest version
    write_parameters(lab.root / "halves.ipynb", "parts: int = 2", "print(100 / max(parts, 1))")
    run.get_by_role("button", name="Retry from this node with the newest version").click()
    runs.get_by_role("button", name="All runs").click()
    listed = production.runs
    expect(listed).to_have_count(3)
    expect(listed.first).to_contain_text("Completed")

    # its output is beside its source
    listed.first.get_by_role("button").click()
    run.get_by_role("button", name="Open output notebook").click()
    expect(page.locator(".jp-Notebook:visible").last).to_contain_text("100.0")


def test_a_notebook_is_scheduled(page: Page, lab: Jupyter) -> None:
    write_parameters(lab.root / "report.ipynb", "day: str = 'today'", "print(day)")
    production = ProductionPage(page, lab).open("report.ipynb")
    dialog = production.ask(SCHEDULE)
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

    line = production.schedule("report")
    expect(line).to_contain_text("Next:")
    line.get_by_role("button", name=re.compile("^report")).click()
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("Active")
    line.get_by_role("button", name="Run now").click()
    production.expect_run("Completed")
    production.panel.get_by_role("tab", name="Schedules").click()
    line.get_by_role("button", name=re.compile("^report")).click()
    line.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(line).to_have_count(0)


def fill_in_what_is_refused(dialog: Locator) -> None:
    """Queue with what is missing or wrong, which the dialog says, and put it right."""
    queue = dialog.get_by_role("button", name="Queue", exact=True)
    told = dialog.get_by_role("alert")
    queue.click()
    expect(told).to_have_text("Still needed: name")
    dialog.get_by_role("textbox", name="name", exact=True).fill("Ada")
    dialog.get_by_text("Queue options").click()
    dialog.get_by_label("Start after (s)").fill("soon")
    queue.click()
    expect(told).to_have_text("soon is no number.")
    dialog.get_by_label("Start after (s)").fill("0")
    dialog.get_by_label("Dollars").fill("2")
    dialog.get_by_label("Tokens").fill("0.5")
    queue.click()
    expect(told).to_contain_text("tokens = 0.5 is no limit.")
    dialog.get_by_label("Tokens").fill("")


def test_flows_and_files_have_the_same_doors(page: Page, lab: Jupyter) -> None:
    greet = {"type": "text.template", "config": {"template": "Hello {{params.name}}"}}
    parameters = {"name": {"type": "string"}}
    write_flow(lab.root, "greeting", {"parameters": parameters, "nodes": {"greet": greet}})
    production = ProductionPage(page, lab).open("greeting.flow.json")
    canvas = CanvasPage(page, lab.root).wait()

    # from the toolbar: what is not saved is saved first, and what is missing is said
    before = canvas.text()
    canvas.select("greet")
    canvas.press("Alt+ArrowRight")
    moved = canvas.expect_other_text(before)
    dialog = production.ask()
    expect(dialog).to_contain_text("Your changes were saved first")
    assert (lab.root / "greeting.flow.json").read_text() == moved
    fill_in_what_is_refused(dialog)
    production.accept("Queue")
    production.expect_run("Completed")
    expect(production.run).to_contain_text("Models may take: $2.00")
    expect(production.run.get_by_role("listitem").filter(has_text="greet")).to_contain_text(
        "Completed"
    )

    # from a file in the browser, which is not open
    write_parameters(lab.root / "other.ipynb", "n: int = 1", "print(n)")
    page.evaluate("() => void window.jupyterapp.commands.execute('filebrowser:activate')")
    page.evaluate("() => void window.jupyterapp.commands.execute('filebrowser:refresh')")
    file = page.get_by_role("listitem", name="other.ipynb")
    file.click(button="right")
    page.get_by_role("menuitem", name=QUEUE).click()
    dialog.get_by_label("n", exact=True).fill("2")
    production.accept("Queue")
    expect(production.run).to_contain_text("other.ipynb")
    production.expect_run("Completed")
    page.evaluate("() => void window.jupyterapp.commands.execute('filebrowser:activate')")
    file.click(button="right")
    page.get_by_role("menuitem", name=SCHEDULE).click()
    expect(dialog.get_by_role("list", name="Next times").get_by_role("listitem")).to_have_count(10)
    production.accept("Save")
    expect(production.schedule("other")).to_contain_text("Active")
