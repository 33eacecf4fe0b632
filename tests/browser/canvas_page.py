"""A flow document in JupyterLab, as people see it: by roles and names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser.patience import LOOK_EVERY, wait_until
from playwright.sync_api import Locator, Page, Position, expect

#: What JupyterLab says of the document in front.
CONTEXT = "window.jupyterapp.shell.currentWidget.context"


def drag_by(what: Locator, dx: float, dy: float) -> None:
    """Drag something by the middle of its upper edge, once it stands still; in pixels."""
    grip = grip_of(what)
    what.hover(position=grip)
    box = what.bounding_box()
    assert box is not None
    mouse = what.page.mouse
    mouse.down()
    mouse.move(box["x"] + grip["x"] + dx, box["y"] + grip["y"] + dy, steps=8)
    mouse.up()


def grip_of(what: Locator) -> Position:
    box = what.bounding_box()
    assert box is not None
    return {"x": box["width"] / 2, "y": min(12, box["height"] / 2)}


def drop_between(what: Locator, start: Locator, end: Locator) -> None:
    """Drag something until its middle is between two others."""
    what.hover(position=grip_of(what))  # waits until the view stands still
    box, first, last = (one.bounding_box() for one in (what, start, end))
    assert box is not None
    assert first is not None
    assert last is not None
    x, y = ((first[key] + last[key]) / 2 for key in ("x", "y"))
    drag_by(what, x - box["x"] - box["width"] / 2, y - box["y"] - box["height"] / 2)


class CanvasPage:
    """One open flow; the page shows nothing else."""

    def __init__(self, page: Page, root: Path) -> None:
        self.page = page
        self.root = root
        self.document = page.locator(".iai-FlowWidget:visible")
        self.surface = self.document.get_by_role("application", name=re.compile(r"^Flow\b"))
        self.inspector = self.document.get_by_role("tabpanel", name="Inspector", exact=True)
        self.timeline = self.document.get_by_role("tabpanel", name="Timeline", exact=True)
        self.history = self.document.get_by_role("tabpanel", name="History", exact=True)
        self.problems = self.document.get_by_role("tabpanel", name=re.compile("^Problems"))
        self.palette = self.document.get_by_role("tabpanel", name="Palette", exact=True)
        self.status = page.locator(".iai-Status")

    def wait(self, *, kernel: bool = True) -> CanvasPage:
        """Wait until the canvas stands, and its kernel answers."""
        self.surface.wait_for()
        if kernel:
            expect(self.status).to_contain_text("Kernel ready")
        return self

    def node(self, name: str) -> Locator:
        """Return a node by its id."""
        label = re.compile(rf"(^|, node ){re.escape(name)}$")
        return self.surface.get_by_role("group", name=label)

    def wires(self) -> Locator:
        """Return all wires."""
        return self.surface.locator(".react-flow__edge")

    def port(self, node: str, port: str, side: str) -> Locator:
        """Return a port; `side` is `Input` or `Output`."""
        return self.node(node).get_by_role("img", name=re.compile(rf"^{side} {port},"))

    def expect_state(self, node: str, state: str) -> None:
        """Wait until a node's card says a state, such as `Completed`."""
        expect(self.node(node).locator(".iai-status")).to_contain_text(state)

    def expect_run(self, state: str) -> None:
        """Wait until the status bar says how the run stands, such as `Completed`."""
        expect(self.status).to_contain_text(f"Run: {state}")

    def button(self, name: str) -> Locator:
        """Return a button of the document's toolbar."""
        bar = self.document.locator(".jp-Toolbar")
        return bar.get_by_role("button", name=re.compile(f"^{re.escape(name)}( \\(|$)"))

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.page.keyboard.type(text)

    def focus(self, node: str = "") -> None:
        """Put the focus on the surface, or on a node of it."""
        (self.node(node) if node else self.surface).focus()

    def select(self, *nodes: str) -> None:
        """Select nodes by the keyboard."""
        self.focus()
        self.press("Escape")
        for node in nodes:
            self.focus(node)
            self.press("Space")

    def add(self, search: str) -> str:
        """Add a node by the quick search; returns its id."""
        before = self.text()
        self.focus()
        self.press("/")
        self.page.get_by_role("combobox", name="Add a node", exact=True).fill(search)
        self.press("Enter")
        self.expect_other_text(before)
        added = self.surface.locator(".react-flow__node:focus")
        added.wait_for()
        return added.get_attribute("data-id") or ""

    def leave(self) -> None:
        """Go from a field to the surface; the first Escape may close a list of completions."""
        for _ in range(5):
            self.press("Escape")
            if self.surface.evaluate("element => element.contains(document.activeElement)"):
                return
        pytest.fail("Escape does not lead to the surface.")

    def command(self, label: str) -> None:
        """Do a command by the command list."""
        self.focus()
        self.press("Control+Shift+K")
        self.page.get_by_role("combobox", name="All commands").fill(label)
        found = self.page.get_by_role("listbox", name="All commands").get_by_role("option")
        found.filter(has=self.page.get_by_text(label, exact=True)).first.click()

    def inspect(self, node: str) -> Locator:
        """Show a node in the inspector."""
        self.focus()
        self.press("Escape")
        self.focus(node)
        self.press("Enter")
        expect(self.inspector.get_by_role("textbox", name="Id")).to_have_value(node)
        expect(self.inspector.locator(":focus")).to_have_count(1)  # it comes with the next frame
        return self.inspector

    def show(self, panel: str) -> Locator:
        """Open a panel by its button, unless it is open."""
        found = self.document.get_by_role("tabpanel", name=panel, exact=True)
        if not found.is_visible():
            self.button(panel).click()
        return found

    def tab_to(self, goal: Locator) -> None:
        """Go to a field as the keyboard does: one Tab after the other."""
        for _ in range(100):
            if goal.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        pytest.fail(f"Tab does not lead to {goal}.")

    def go_to(self, node: Locator) -> None:
        """Go to a node by arrow keys."""
        for key in ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"] * 5:
            if node.evaluate("element => element === document.activeElement"):
                return
            self.press(key)
        pytest.fail(f"Arrow keys do not lead to {node}.")

    def tab(self, name: str) -> Locator:
        """Open a page of the inspector."""
        self.inspector.get_by_role("tab", name=name).click()
        return self.inspector.get_by_role("tabpanel")

    def fill_code(self, label: str, code: str) -> None:
        """Replace the text of a code editor in the inspector."""
        editor = self.inspector.get_by_role("textbox", name=label)
        editor.click()
        self.press("Control+A")
        self.page.keyboard.insert_text(code)

    def text(self) -> str:
        """Return the text that would be saved."""
        return self.page.evaluate(f"() => {CONTEXT}.model.toString()")

    def flow(self) -> dict[str, Any]:
        """Return what would be saved."""
        return json.loads(self.text())

    def expect_text(self, wanted: str) -> None:
        """Wait until what would be saved is this text."""
        holds = f"wanted => {CONTEXT}.model.toString() === wanted"
        self.page.wait_for_function(holds, arg=wanted, polling=LOOK_EVERY)

    def expect_other_text(self, before: str) -> str:
        """Wait until what would be saved is another text; returns it."""
        holds = f"before => {CONTEXT}.model.toString() !== before"
        self.page.wait_for_function(holds, arg=before, polling=LOOK_EVERY)
        return self.text()

    def save(self) -> dict[str, Any]:
        """Save; returns what the file says.

        Nothing is being written afterwards: the server empties a file before it writes it. A
        command is dropped while another one saves.
        """
        wait_until(
            self.page,
            "async () => { await window.jupyterapp.commands.execute('docmanager:save');"
            f" return !{CONTEXT}.model.dirty; }}",
        )
        path = self.page.evaluate(f"() => {CONTEXT}.path")
        return json.loads((self.root / path).read_text())
