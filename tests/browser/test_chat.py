"""Talking with agents: in a cell's output, and in JupyterLab's panel beside a notebook."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import nbformat
from browser.axe import violations
from browser.canvas_page import CanvasPage
from browser.conftest import Jupyter
from browser.notebook_page import NotebookPage
from playwright.sync_api import Locator, Page, expect

AGENT = """
import polars as pl
from iaiflow_agents import Agent, tool

flights = pl.DataFrame({"month": [6, 7], "delay": [20.8, 21.7]})
sent = []

@tool(effects="write")
def write_down(text: str) -> str:
    \"\"\"Write something down.

    Args:
        text: What.
    \"\"\"
    sent.append(text)
    return "Written down."

analyst = Agent(
    "analyst",
    model="scripted",
    tools=["sql", write_down],
    script=[
        {"when": {"tool": "sql"}, "text": "**July** is worst.\\n\\n- 21.7 minutes"},
        {"when": {"tool": "write_down", "is_error": True}, "text": "Then I do not."},
        {"when": {"tool": "write_down"}, "text": "It is written down."},
        {"when": {"contains": "month"}, "calls": [
            {"tool": "sql", "arguments": {"query": "select * from flights"}}
        ]},
        {"when": {"contains": "note"}, "calls": [
            {"tool": "write_down", "arguments": {"text": "July"}}
        ]},
        {"when": {"contains": "slowly"}, "text": "word " * 4_000, "pause_s": 0.1},
        {"text": "You said: {{last}}"},
    ],
)
"""
#: A picture of one point.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


class Chat:
    """One chat on a page."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.log = root.get_by_role("log", name="Conversation")
        self.exchanges = self.log.locator(".iai-chat-exchange")
        self.field = root.get_by_role("textbox", name="Question", exact=True)
        self.threads = root.get_by_role("navigation", name="Conversations")

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def ask(self, text: str) -> Locator:
        """Ask by the keyboard; returns the new exchange."""
        count = self.exchanges.count()
        self.field.fill(text)
        self.field.press("Enter")
        expect(self.exchanges).to_have_count(count + 1)
        return self.exchanges.nth(count)

    def ended(self, exchange: Locator, state: str = "done") -> Locator:
        """Wait until an exchange has ended; returns it."""
        expect(exchange).to_have_attribute("data-state", state)
        return exchange


def panel(page: Page) -> Chat:
    return Chat(page.locator(".iai-ChatPanel:visible").get_by_role("region", name="Agent chat"))


def open_panel(page: Page) -> Chat:
    page.evaluate("() => void window.jupyterapp.commands.execute('iaiflow:open-chat')")
    chat = panel(page)
    expect(chat.root).to_contain_text("scripted model")  # the kernel has said who is there
    return chat


def test_a_panel_asks_attaches_approves_and_keeps_what_was_said(
    open_notebook: Callable[..., NotebookPage], page: Page, picture: Callable[[str], None]
) -> None:
    notebook = open_notebook(AGENT)
    notebook.ran(0)
    chat = open_panel(page)
    expect(chat.root).to_contain_text("analyst")
    chat.button("Table").click()
    expect(page.get_by_role("option", name="flights")).to_be_visible()
    page.keyboard.press("Enter")
    expect(chat.root.get_by_role("list", name="Attached")).to_contain_text("flights")
    expect(chat.field).to_be_focused()
    first = chat.ended(chat.ask("Which month is worst?"))
    expect(first.locator(".iai-markdown strong")).to_have_text("July")
    expect(first.locator(".iai-markdown li")).to_have_text("21.7 minutes")
    expect(first.get_by_role("list", name="Attached")).to_contain_text("flights")
    first.locator(".iai-agent-call > summary").click()
    expect(first.locator(".iai-agent-details")).to_contain_text("21.7")
    expect(first).to_contain_text("tokens")

    second = chat.ask("Take a note.")
    second.get_by_role("button", name="Allow", exact=True).click()
    expect(chat.ended(second)).to_contain_text("It is written down.")
    third = chat.ask("Another note.")
    third.get_by_role("button", name="Refuse…").click()
    third.get_by_label("Reason, which the agent is told").fill("Once is enough.")
    third.get_by_role("button", name="Refuse", exact=True).click()
    expect(chat.ended(third)).to_contain_text("Then I do not.")
    picture("chat-panel")
    assert violations(page, ".iai-ChatPanel") == []
    page.get_by_role("tab", name="cells.ipynb", exact=True).click()
    notebook.wait()
    assert notebook.value("sent") == ["July"]

    page.reload()
    again = panel(page)
    expect(again.exchanges).to_have_count(3)
    expect(again.exchanges.nth(2)).to_contain_text("Then I do not.")


def test_a_question_is_stopped_and_asked_otherwise_and_all_of_it_exported(
    open_notebook: Callable[..., NotebookPage], page: Page, jupyter: Jupyter
) -> None:
    notebook = open_notebook(AGENT)
    notebook.ran(0)
    chat = open_panel(page)
    slow = chat.ask("Speak slowly.")
    expect(slow.locator(".iai-markdown")).to_contain_text("word word")  # while it is said
    chat.field.fill("for later")
    expect(chat.root).to_contain_text("The agent works")
    chat.button("Stop").click()
    chat.ended(slow, "stopped")
    expect(chat.field).to_have_value("for later")

    slow.get_by_role("button", name="Edit", exact=True).click()
    field = chat.root.get_by_role("textbox", name="Edit the question")
    expect(field).to_be_focused()
    field.fill("Hello")
    field.press("Control+Enter")
    only = chat.ended(chat.exchanges.first)
    expect(only).to_contain_text("You said: Hello")
    expect(only).to_contain_text("2 of 2")
    only.get_by_role("button", name="Earlier version").click()
    expect(chat.exchanges.first).to_contain_text("Speak slowly.")
    expect(chat.exchanges.first).to_contain_text("1 of 2")
    chat.exchanges.first.get_by_role("button", name="Later version").click()
    expect(chat.exchanges.first).to_contain_text("You said: Hello")

    chat.button("More").click()
    chat.button("Rename…").click()
    expect(chat.root.get_by_role("textbox", name="Name of the conversation")).to_be_focused()
    page.keyboard.type("Greetings")
    page.keyboard.press("Enter")
    expect(chat.root.get_by_role("heading", name="Greetings")).to_be_visible()
    chat.button("Conversations").click()
    expect(chat.threads.get_by_role("button", name="Greetings")).to_be_focused()
    page.keyboard.press("Enter")
    expect(chat.field).to_be_focused()
    chat.button("Export as notebook").click()
    expect(chat.root).to_contain_text(re.compile(r"Written to .*\.ipynb"))
    written = [file for file in jupyter.root.glob("*.ipynb") if file.name != "cells.ipynb"]
    exported: Any = nbformat.read(written[0], as_version=4)
    assert "Hello" in json.dumps(exported)
    chat.button("Open").click()
    expect(page.get_by_role("tab", name=written[0].name)).to_be_visible()


def test_a_cell_shows_a_chat_where_there_is_little_room(
    open_notebook: Callable[..., NotebookPage], page: Page, picture: Callable[[str], None]
) -> None:
    page.set_viewport_size({"width": 700, "height": 760})
    notebook = open_notebook(AGENT, "analyst.chat()")
    notebook.ran(0)
    output = notebook.ran(1)
    chat = Chat(output.get_by_role("region", name="Agent chat"))
    expect(chat.root).to_contain_text("scripted model")
    chat.field.evaluate(
        """(field, bytes) => {
            const file = new File([new Uint8Array(bytes)], 'plot.png', { type: 'image/png' });
            const clipboardData = new DataTransfer();
            clipboardData.items.add(file);
            field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
        }""",
        list(PNG),
    )
    expect(chat.root.get_by_role("list", name="Attached")).to_contain_text("plot.png")
    shown = chat.ended(chat.ask("What is this?"))
    expect(shown).to_contain_text("You said:")
    expect(shown.locator(".iai-chat-question img")).to_be_visible()
    picture("chat-cell")
    assert violations(page, ".iai-chat") == []

    notebook.restart()
    expect(chat.root).to_contain_text("The kernel is gone")
    notebook.ran(0)
    again = Chat(notebook.ran(1).get_by_role("region", name="Agent chat"))
    expect(again.exchanges.first).to_contain_text("What is this?")


def test_a_node_of_a_flow_is_talked_with(open_flow: Callable[..., CanvasPage], page: Page) -> None:
    script = [{"text": "The node says: {{last}}"}]
    node = {"type": "agent", "config": {"prompt": "Hello", "model": "scripted", "script": script}}
    canvas = open_flow({"nodes": {"helper": node}})
    canvas.inspect("helper")
    canvas.inspector.get_by_role("tab", name="Agent").click()
    canvas.inspector.get_by_role("button", name="Chat…").click()
    chat = panel(page)
    expect(chat.root).to_contain_text("helper")
    expect(chat.root).to_contain_text("scripted model")
    expect(chat.ended(chat.ask("Good day"))).to_contain_text("The node says: Good day")
