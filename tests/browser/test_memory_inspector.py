"""A memory in a notebook's output: its timeline, its search, and what can be done with a memory."""

from __future__ import annotations

import re

import pytest
from browser.axe import dark, violations
from browser.notebook_page import NotebookPage
from playwright.sync_api import Locator, Page, expect

FILL = """from datetime import datetime, timedelta, UTC
from iaiflow_memory import Memory, New

memory = Memory("memory.duckdb", user="anna", serve=True)
start = datetime(2026, 11, 1, 9, tzinfo=UTC)
notes = ("orders pho", "reads about trains", "asks for the weather", "plans a walk")
_ = memory.add([
    New(f"Bob {notes[n % 4]} on day {n}", role="user", at=start + timedelta(hours=n))
    for n in range(120)
])
flight = memory.add(
    "Anna flies to Hanoi on Monday", subject="Anna", kind="semantic", tags=["travel"],
    role="user", at=start + timedelta(hours=130),
)
_ = memory.add("It rains <b>often</b> \\u202e there", at=start + timedelta(hours=131))"""
#: What of it is nowhere but in the memory.
SAID = "orders pho"


class Looked:
    """An inspector on a page."""

    def __init__(self, page: Page, root: Locator) -> None:
        self.page = page
        self.root = root.locator(".iai-memory")
        self.list = self.root.get_by_role("region", name="Timeline")
        self.rows = self.list.locator("[data-row]")
        self.detail = self.root.locator(".iai-memory-detail")
        self.told = self.root.locator(".iai-memory-said")

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> Locator:
        """Return a button."""
        return self.root.get_by_role("button", name=name, exact=True)

    def search(self, text: str) -> Locator:
        """Search; returns what was found."""
        self.root.get_by_role("tab", name="Search").click()
        self.root.get_by_role("searchbox", name="Question or words").fill(text)
        self.press("Enter")
        return self.root.get_by_role("list", name="What was found").locator("article")


@pytest.fixture
def notebook(open_notebook) -> NotebookPage:
    """Return a notebook whose second cell ends with a memory."""
    notebook = open_notebook(FILL, "memory")
    notebook.ran(0)
    notebook.ran(1)
    return notebook


def looked(notebook: NotebookPage) -> Looked:
    shown = Looked(notebook.page, notebook.cell(1))
    expect(shown.rows).to_have_count(50)
    shown.root.locator(".iai-memory-foot").scroll_into_view_if_needed()
    return shown


def test_a_timeline_comes_in_pages_and_keeps_its_keys(notebook, picture):
    shown = looked(notebook)
    expect(shown.rows.first).to_contain_text("It rains <b>often</b> <U+202E> there")
    expect(shown.root.locator(".iai-memory-foot")).to_contain_text("122")
    picture("memory-timeline")
    shown.button("Earlier memories").click()
    expect(shown.rows).to_have_count(100)
    shown.button("Earlier memories").click()
    expect(shown.rows).to_have_count(122)
    expect(shown.button("Earlier memories")).to_have_count(0)

    shown.rows.first.focus()
    shown.press("d", "d", "a", "b", "ArrowDown", "Enter")
    expect(shown.detail.get_by_role("heading", name="Anna")).to_be_focused()
    expect(shown.detail).to_contain_text("Anna flies to Hanoi on Monday")
    shown.press("x", "Escape")
    expect(shown.detail).to_have_count(0)
    expect(shown.rows.nth(1)).to_be_focused()
    assert notebook.sources() == [FILL, "memory"]

    shown.button("Filters").click()
    shown.root.get_by_label("Kind").select_option("semantic")
    expect(shown.rows).to_have_count(1)
    shown.button("Clear filters").click()
    expect(shown.rows).to_have_count(50)

    saved = notebook.save()
    kept = str([saved["cells"][1]["outputs"], saved["metadata"]])
    assert "122" in kept
    assert SAID not in kept
    notebook.page.reload()
    notebook.wait()
    expect(shown.rows).to_have_count(50)  # the kernel lives on, and so does the inspector
    notebook.restart()
    notebook.page.reload()
    notebook.wait()
    output = notebook.cell(1).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text("Counts as they were saved.")
    expect(output).to_contain_text(re.compile(r"memories +122"))


def test_a_search_says_why_in_every_look(notebook, picture):
    shown = looked(notebook)
    page = notebook.page
    hits = shown.search("When does Anna fly to Hanoi?")
    expect(hits.first.locator("mark")).to_have_text(["Anna", "flies", "Hanoi"])
    expect(hits.first.get_by_role("table")).to_contain_text("it shares words with the question")
    expect(shown.told).to_have_text(re.compile("Memories found: [1-9]"))
    picture("memory-search")
    assert violations(page, ".iai-memory") == []
    hits.first.locator("[data-row]").click()
    expect(shown.detail).to_contain_text("Anna flies to Hanoi on Monday")
    picture("memory-detail")
    assert violations(page, ".iai-memory") == []
    dark(page)
    picture("memory-dark")
    assert violations(page, ".iai-memory") == []
    page.set_viewport_size({"width": 1000, "height": 700})
    picture("memory-dark-narrow")
    shown.root.get_by_role("tab", name="Timeline").click()
    expect(shown.rows.first).to_be_visible()  # what is opened stands in the tab of the search
    expect(shown.detail).to_be_hidden()


def test_a_memory_is_edited_forgotten_and_erased(notebook, picture):
    shown = looked(notebook)
    shown.rows.nth(1).click()
    shown.button("Edit").click()
    text = shown.root.get_by_role("textbox", name="Text", exact=True)
    expect(text).to_be_focused()
    text.fill("Anna flies to Hanoi on Tuesday")
    picture("memory-edit")
    shown.button("Save").click()
    expect(shown.told).to_contain_text("Saved.")
    history = shown.detail.get_by_role("region", name="History")
    expect(history.locator("ins").first).to_have_text("Tuesday")
    expect(history.locator("del").first).to_have_text("Monday")
    expect(shown.rows.nth(1)).to_contain_text("on Tuesday")
    assert notebook.value("memory.get(flight.id).body") == "Anna flies to Hanoi on Tuesday"

    shown.button("Forget").click()
    expect(shown.told).to_contain_text("Forgotten:")
    expect(shown.button("Edit")).to_have_count(0)
    expect(shown.detail).to_contain_text("Forgotten")
    expect(shown.rows.filter(has_text="Anna")).to_have_count(0)
    shown.button("Filters").click()
    shown.root.get_by_label("Also what was forgotten or is over").check()
    expect(shown.rows.filter(has_text="Anna")).to_contain_text("Forgotten")
    picture("memory-forgotten")

    shown.button("Erase…").click()
    asked = shown.root.get_by_role("alertdialog")
    expect(asked).to_contain_text("cannot be undone")
    expect(asked.get_by_role("button", name="Keep it")).to_be_focused()
    picture("memory-erase")
    shown.press("Escape")
    expect(asked).to_have_count(0)
    shown.button("Erase…").click()
    shown.button("Erase for good").click()
    expect(shown.told).to_contain_text("Erased.")
    expect(shown.detail).to_have_count(0)
    expect(shown.rows.filter(has_text="Anna")).to_have_count(0)
    assert notebook.value("memory.stats().memories") == 121
