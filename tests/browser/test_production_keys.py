"""Queuing, watching, repeating and scheduling in JupyterLab without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.conftest import Jupyter
from browser.patience import LOOK_EVERY
from browser.production_page import QUEUE, SCHEDULE, ProductionPage, call, write_parameters
from playwright.sync_api import Locator, Page, expect

#: How often Tab is pressed at the most until something has the focus.
FAR = 200


@pytest.fixture
def production(page: Page, start_jupyter: Callable[..., Jupyter]) -> ProductionPage:
    """Return JupyterLab with `typed.ipynb` in front, which prints a word twice."""
    lab = start_jupyter()
    write_parameters(lab.root / "typed.ipynb", "word: str = ''", "print(word * 2)")
    return ProductionPage(page, lab).open("typed.ipynb")


def test_a_notebook_goes_through_production_by_the_keyboard(production: ProductionPage) -> None:
    first = queue(production)
    repeat(production, first)
    schedule(production)
    run_schedule_and_remove_it(production)
    open_output(production)


def go_to(what: Locator, key: str = "Tab") -> None:
    """Press a key until it leads to what is wanted."""
    what.wait_for()
    for _ in range(FAR):
        if what.evaluate("element => element === document.activeElement"):
            return
        what.page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {what}.")


def enter(what: Locator, key: str = "Tab") -> None:
    """Go to a button and press it."""
    go_to(what, key)
    what.page.keyboard.press("Enter")


def ask(production: ProductionPage, button: str) -> None:
    """Open a dialog; JupyterLab's own toolbars have keys of their own."""
    production.page.get_by_role("button", name=button).focus()
    production.page.keyboard.press("Enter")
    production.expect_fields()


def queue(production: ProductionPage) -> str:
    """Queue the notebook and see it end; returns the run's id."""
    ask(production, QUEUE)
    go_to(production.dialog.get_by_role("textbox", name="word", exact=True))
    production.page.keyboard.type("bye")
    production.page.keyboard.press("Enter")
    expect(production.dialog).to_have_count(0)
    production.expect_run("Completed")
    return production.run.locator("code").last.inner_text()


def repeat(production: ProductionPage, first: str) -> None:
    """Repeat a run, and come back to it by the list, which arrow keys walk through."""
    run, press = production.run, production.page.keyboard.press
    enter(run.get_by_role("button", name="Retry", exact=True))
    expect(run.locator("code").last).not_to_have_text(first)
    production.expect_run("Completed")
    enter(run.get_by_role("button", name="All runs"), "Shift+Tab")
    expect(production.runs).to_have_count(2)
    expect(production.runs.first.get_by_role("button")).to_be_focused()
    press("ArrowDown")
    expect(production.runs.last.get_by_role("button")).to_be_focused()
    press("Enter")
    expect(run.locator("code").last).to_have_text(first)


def schedule(production: ProductionPage) -> None:
    """Schedule the notebook, which leads to the panel's schedules."""
    ask(production, SCHEDULE)
    go_to(production.dialog.get_by_label("Minute, hour, day, month, weekday"))
    production.page.keyboard.press("Control+a")
    production.page.keyboard.type("30 6 * * *")
    expect(production.times.first).to_contain_text("06:30")
    enter(production.dialog.get_by_role("button", name="Save"))
    expect(production.dialog).to_have_count(0)


def run_schedule_and_remove_it(production: ProductionPage) -> None:
    """Pause the schedule, run it now, come back to it by the tabs, and remove it."""
    panel, line = production.panel, production.schedule("typed")
    head = line.get_by_role("button", name=re.compile("^typed"))
    enter(head)
    enter(line.get_by_role("button", name="Pause"))
    expect(line).to_contain_text("Paused")
    enter(line.get_by_role("button", name="Run now"))
    production.expect_run("Completed")
    go_to(panel.get_by_role("tab", name="Runs"), "Shift+Tab")
    production.page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("tab", name="Schedules")).to_be_focused()
    enter(head)
    enter(line.get_by_role("button", name="Remove"))
    enter(production.dialog.get_by_role("button", name="Remove"))
    expect(line).to_have_count(0)
    assert call(production.lab, "schedules")["schedules"] == []


def open_output(production: ProductionPage) -> None:
    """Open what the last run left."""
    go_to(production.panel.get_by_role("tab", name="Schedules"), "Shift+Tab")
    production.page.keyboard.press("ArrowLeft")
    enter(production.run.get_by_role("button", name="Open output notebook"))
    path = "window.jupyterapp.shell.currentWidget?.context?.path"
    other = f"() => ![undefined, 'typed.ipynb'].includes({path})"
    production.page.wait_for_function(other, polling=LOOK_EVERY)
    expect(production.page.locator(".jp-Notebook:visible").last).to_contain_text("word * 2")
