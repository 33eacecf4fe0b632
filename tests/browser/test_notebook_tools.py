"""Agents that work on the cells of the notebook that they run in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.conftest import Jupyter
from browser.notebook_page import PANEL, NotebookPage
from browser.patience import until, wait_restored
from playwright.sync_api import BrowserContext, Page, expect

SETUP = '''
from iaiflow_agents import Agent

def turn(tool, **arguments):
    """Return what a model says that calls one tool."""
    return {"calls": [{"tool": "notebook_" + tool, "arguments": arguments}]}

def scout(*turns):
    """Return an agent whose model plays these turns, and then tells what the last call gave."""
    script = [*turns, {"text": "{{last}}"}]
    return Agent(
        "scout", model="scripted", script=script, tools=["notebook"], policy=["allow: notebook.*"]
    )
'''
WORK = """
said = scout(
    turn("edit", cell="target", expected="x = 1", source="x = 2\\nprint(x)"),
    turn("insert", source="y = x + 1", after="target"),
    turn("run", cell="target", expected="x = 2\\nprint(x)"),
).run("Go", show=False)
print(said.text)
"""
LATER = """
import asyncio
task = asyncio.create_task(scout(
    turn("run", cell="target", expected="x = 3"), turn("read", cells=["target"]),
).arun("Go", show=False))
"""


def write(file: Path, *sources: str, last: str) -> None:
    """Write a notebook whose last cell is called `target`."""
    cells = [
        {"cell_type": "code", "id": name, "source": source, "metadata": {}, "outputs": [],
         "execution_count": None}
        for name, source in [*((f"cell-{n}", s) for n, s in enumerate(sources)), ("target", last)]
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4}
    file.write_text(json.dumps({**content, "nbformat_minor": 5}))


def type_into(notebook: NotebookPage, number: int, *keys: str, text: str = "") -> None:
    """Type into a cell, at its end."""
    notebook.cell(number).locator(".cm-content").first.click()
    notebook.page.keyboard.press("Control+End")
    for key in keys:
        notebook.page.keyboard.press(key)
    notebook.page.keyboard.type(text)


def test_an_agent_works_on_cells_beside_a_person(open_notebook, jupyter: Jupyter, picture):
    write(jupyter.root / "cells.ipynb", SETUP, WORK, LATER, last="x = 1")
    notebook: NotebookPage = open_notebook()
    notebook.ran(0)

    said = notebook.ran(1)
    expect(said).to_contain_text("The kernel is executing a cell")
    assert notebook.sources()[3:] == ["x = 2\nprint(x)", "y = x + 1"]
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(5)
    tags = f"() => {PANEL}.content.widgets.map(cell => cell.model.getMetadata('tags') ?? [])"
    assert notebook.page.evaluate(tags) == [[], [], [], ["agent"], ["agent"]]
    assert notebook.page.evaluate(f"() => {PANEL}.context.model.dirty")
    picture("notebook-tools")

    type_into(notebook, 3, "Control+z")  # the agent's change, as a whole
    until(notebook.page, lambda: notebook.sources()[3] == "x = 1")
    type_into(notebook, 3, "Backspace", text="3")

    said = notebook.ran(1)  # what it expects is no longer there
    assert notebook.sources()[3:5] == ["x = 3", "y = x + 1"]
    assert len(notebook.sources()) == 6

    notebook.ran(2)  # it works beside the notebook, and its kernel is free
    expect(notebook.cell(3).locator(".jp-InputPrompt").first).to_have_text(
        re.compile(r"^\[\d+\]:$")
    )
    assert notebook.value("x") == 3
    read = until(notebook.page, lambda: notebook.value("task.done() and task.result().text"))
    head, cell = read.splitlines()
    assert head == "cells.ipynb: 6 cells"
    assert json.loads(cell)["source"] == "x = 3"


@pytest.fixture(scope="module")
def shared(start_jupyter: Callable[..., Jupyter]) -> Jupyter:
    """Return a server on which people work together."""
    return start_jupyter(collaboration=True)


def test_of_several_pages_one_makes_the_change(
    shared: Jupyter, page: Page, context: BrowserContext
):
    ask = 'print(scout(turn("insert", source="y = 1")).run("Go", show=False).text)'
    write(shared.root / "shared.ipynb", SETUP, ask, last="x = 1")
    pages = [page, context.new_page()]
    notebooks = []
    for one in pages:
        one.goto(shared.address("lab/tree/shared.ipynb"))
        wait_restored(one)
        notebooks.append(NotebookPage(one, shared.root / "shared.ipynb").wait())
    first, _ = notebooks
    before = first.sources()
    first.page.bring_to_front()
    first.ran(0)
    expect(first.ran(1)).to_contain_text("Put in as")
    for notebook in notebooks:
        until(notebook.page, lambda which=notebook: which.sources() == [*before, "y = 1"])
