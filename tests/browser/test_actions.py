"""Twenty things that people do, with the clicks and keys that each takes: docs/actions.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from plainpage import open_plain, plain_url
from playwright.sync_api import Locator, Page, expect

__all__ = ["open_plain", "plain_url"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "actions.md"
FLOW: dict[str, Any] = {
    "format": "iaiflow/1",
    "name": "acts",
    "nodes": {
        "a": {"type": "text.value", "config": {"text": "x"}},
        "b": {"type": "text.upper"},
        "t": {"type": "table.read", "config": {"path": "t.csv"}},
    },
    "edges": [],
    "layout": {"a": [0, 0], "b": [420, 0], "t": [0, 320]},
}
WIRED = {**FLOW, "edges": ["a.out -> b.text"]}


class Hands:
    """Does what a person does, and counts it; a text that is typed counts as one."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.keys = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def drag(self, what: Locator, to: Locator) -> None:
        what.drag_to(to)
        self.clicks += 1

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += 1

    def node(self, name: str) -> Locator:
        return self.page.get_by_role("group", name=re.compile(rf"(^|, node ){name}$"))

    def head(self, name: str) -> Locator:
        return self.node(name).locator(".iai-card-title, .iai-title").first

    def port(self, node: str, port: str, side: str) -> Locator:
        return self.node(node).get_by_role("img", name=re.compile(rf"^{side} {port},"))

    def given(self, *nodes: str) -> None:
        """Begin with these nodes selected and the focus on the surface: nothing is counted."""
        self.page.get_by_role("application", name="Flow acts").focus()
        self.page.evaluate("ids => iai.controller.select(ids)", list(nodes))

    def flow(self) -> dict[str, Any]:
        return self.page.evaluate("() => JSON.parse(iai.controller.document.text())")

    def until(self, condition: str) -> None:
        self.page.wait_for_function(f"() => {{ const c = iai.controller; return {condition}; }}")


@dataclass(frozen=True)
class Action:
    """One thing to do."""

    name: str
    do: Callable[[Hands], None]
    #: Holds once it is done; `c` is the canvas's controller.
    done: str
    selected: tuple[str, ...] = ()
    flow: dict[str, Any] | None = None
    has_run: bool = False


def keys(*pressed: str) -> Callable[[Hands], None]:
    return lambda hands: hands.press(*pressed)


def placed(hands: Hands) -> None:
    hands.press("/")
    hands.type("upper")
    hands.press("Enter")


def connected(hands: Hands) -> None:
    hands.drag(hands.port("a", "out", "Output"), hands.port("b", "text", "Input"))


def renamed(hands: Hands) -> None:
    hands.press("F2")
    hands.page.get_by_role("textbox", name="Title").first.wait_for()
    hands.press("Control+A")
    hands.type("Words")
    hands.press("Enter")


def found(hands: Hands) -> None:
    hands.press("Control+F")
    hands.type("table.read")
    hands.press("Enter")


def commanded(label: str) -> Callable[[Hands], None]:
    def do(hands: Hands) -> None:
        hands.press("Control+Shift+K")
        hands.type(label)
        hands.press("Enter")

    return do


RAN = "c.link.get().runs.run.get().state === 'completed'"
COUNT = "Object.keys(c.flow.nodes).length"
ACTIONS = [
    Action("Place a node", placed, f"{COUNT} === 4"),
    Action("Connect two nodes", connected, "c.flow.edges.length === 1"),
    Action("Rename a node", renamed, "c.flow.nodes.a.title === 'Words'", ("a",)),
    Action("Duplicate", keys("Control+D"), f"{COUNT} === 4", ("a",)),
    Action("Delete", keys("Delete"), f"{COUNT} === 2", ("a",)),
    Action("Copy and paste", keys("Control+C", "Control+V"), f"{COUNT} === 4", ("a",)),
    Action("Select all", keys("Control+A"), "c.view.get().selection.size === 3"),
    Action("Group", keys("Control+G"), "c.flow.groups.length === 1", ("a", "b")),
    Action("Find a node", found, "c.view.get().selection.has('t')"),
    Action("Run all", keys("Shift+Enter"), RAN),
    Action("Run to here", keys("Control+Enter"), RAN, ("b",), WIRED),
    Action("Run only this", keys("Alt+Enter"), RAN, ("a",)),
    Action("Pin outputs", keys("p"), "c.flow.nodes.a.pin !== undefined", ("a",), None, True),
    Action("Undo", keys("Control+Z"), f"{COUNT} === 3", ("a",)),
    Action("Arrange", keys("l"), "c.document.state.get().canUndo"),
    Action("Show the problems", commanded("Problems"), "c.view.get().panels.has('problems')"),
    Action("Add a note", keys("n"), "c.flow.notes.length === 1"),
    Action("Show the timeline", commanded("Timeline"), "c.view.get().panels.has('timeline')"),
    Action("Show the history", commanded("History"), "c.view.get().panels.has('history')"),
    Action("List all commands", keys("?"), "c.view.get().commandList"),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_action_takes_as_many_clicks_and_keys_as_written(
    open_plain: Callable[..., Page], action: Action
) -> None:
    page = open_plain(action.flow or FLOW)
    hands = Hands(page)
    expect(hands.node("a")).to_be_visible()
    if action.name == "Undo":
        page.evaluate("iai.controller.edit('Drop', f => ({...f, nodes: {a: f.nodes.a}}))")
    hands.given(*action.selected)
    if action.has_run:
        page.keyboard.press("Shift+Enter")
        hands.until(RAN)
    action.do(hands)
    hands.until(action.done)
    assert (action.name, hands.clicks, hands.keys) in written()


def written() -> set[tuple[str, int, int]]:
    """Return what the document says: action, clicks, keys."""
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)
    return {(name.strip(), int(clicks), int(pressed)) for name, clicks, pressed in rows}
