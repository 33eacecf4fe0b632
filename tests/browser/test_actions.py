"""What people do often, with the clicks and keys that each takes: docs/actions.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browser.canvas_page import drop_between
from browser.patience import LOOK_EVERY, promised, wait_until
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
LOOSE = {
    **WIRED,
    "nodes": {**FLOW["nodes"], "c": {"type": "text.upper"}},
    "layout": {**FLOW["layout"], "c": [420, 320]},
}
INNER = {"name": "", "nodes": {"in": {"type": "text.value"}}}
NESTED = {**FLOW, "nodes": {**FLOW["nodes"], "m": {"type": "map", "config": {"body": INNER}}}}
PINNED = {
    **FLOW,
    "nodes": {**FLOW["nodes"], "a": {**FLOW["nodes"]["a"], "pin": {"out": "old"}}},
}


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
        holds = f"() => {{ const c = iai.controller; return {condition}; }}"
        self.page.wait_for_function(holds, polling=LOOK_EVERY)

    def into(self, search: str) -> None:
        """Wait until keys go into a search."""
        field = self.page.get_by_role("combobox", name=search, exact=True)
        expect(field).to_be_focused()


@dataclass(frozen=True)
class Action:
    """One thing to do."""

    name: str
    do: Callable[[Hands], None]
    #: Holds once it is done; `c` is the canvas's controller.
    done: str
    selected: tuple[str, ...] = ()
    flow: dict[str, Any] = field(default_factory=lambda: FLOW)
    has_run: bool = False
    #: JavaScript that is done and drawn first, and counts for nothing.
    before: str = ""


def keys(*pressed: str) -> Callable[[Hands], None]:
    return lambda hands: hands.press(*pressed)


def placed(hands: Hands) -> None:
    hands.press("/")
    hands.into("Add a node")
    hands.type("upper")
    hands.press("Enter")


def connected(hands: Hands) -> None:
    hands.drag(hands.port("a", "out", "Output"), hands.port("b", "text", "Input"))


def renamed(hands: Hands) -> None:
    hands.press("F2")
    expect(hands.page.get_by_role("textbox", name="Title of a")).to_be_focused()
    hands.press("Control+A")
    hands.type("Words")
    hands.press("Enter")


def copied(hands: Hands) -> None:
    clipboard = "async () => await navigator.clipboard."
    promised(hands.page, f"{clipboard}writeText('')")  # a test before may have copied something
    hands.press("Control+C")
    wait_until(hands.page, f"{clipboard}readText() !== ''")
    hands.press("Control+V")


def found(hands: Hands) -> None:
    hands.press("Control+F")
    hands.into("Find in this flow")
    hands.type("table.read")
    hands.press("Enter")


def commanded(label: str) -> Callable[[Hands], None]:
    def do(hands: Hands) -> None:
        hands.press("Control+Shift+K")
        hands.into("All commands")
        hands.type(label)
        hands.press("Enter")

    return do


def spliced(hands: Hands) -> None:
    ends = (hands.port("a", "out", "Output"), hands.port("b", "text", "Input"))
    drop_between(hands.node("c"), *ends)
    hands.clicks += 1


def opened_and_left(hands: Hands) -> None:
    hands.press("Control+ArrowDown")
    expect(hands.node("in")).to_be_visible()
    hands.press("Control+ArrowUp")


def edited_pin(hands: Hands) -> None:
    hands.press("i")
    hands.click(hands.page.get_by_role("tab", name="Values"))
    hands.click(hands.page.get_by_role("button", name="Edit the pinned value"))
    expect(hands.page.get_by_role("textbox", name="Value of out as JSON")).to_be_focused()
    hands.press("Control+A")
    hands.type('"new"')
    hands.press("Control+Enter")


def paged(hands: Hands) -> None:
    hands.click(hands.node("t").get_by_role("button", name="Open", exact=True))
    expect(hands.page.get_by_text(re.compile("^Rows 1.100 of 336,776$"))).to_be_visible()
    hands.click(hands.page.get_by_role("button", name="Next page"))
    expect(hands.page.get_by_text(re.compile("^Rows 101.200 of 336,776$"))).to_be_visible()


def bound(hands: Hands) -> None:
    hands.press("o")
    wait_until(hands.page, "async () => (await navigator.clipboard.readText()) === 'a_out'")


def restored(hands: Hands) -> None:
    commanded("History")(hands)
    panel = hands.page.get_by_role("tabpanel", name="History")
    hands.click(panel.get_by_role("button", name="aaaaaaaa"))
    hands.click(panel.get_by_role("button", name="Restore this version"))


DROPPED = "iai.controller.edit('Drop', f => ({...f, nodes: {a: f.nodes.a}}))"
#: The flow was kept before something was dropped.
KEPT = f"""const version = 'a'.repeat(64);
    iai.kernel.versions = [{{ version, saved_at: 0, note: '', current: false }}];
    iai.kernel.texts = {{ [version]: iai.controller.document.text() }};
    {DROPPED}"""
RUNNING = "iai.kernel.push([['', {run_id: 'r', state: 'running', started_at: 1}]], true)"
RAN = "c.link.get().runs.run.get().state === 'completed'"
STOPPED = RAN.replace("completed", "cancelled")
OUTSIDE = "c.view.get().scope.length === 0"
IN_SUBFLOW = "c.flow.nodes.subflow && !c.flow.nodes.b"
COUNT = "Object.keys(c.flow.nodes).length"
ACTIONS = [
    Action("Place a node", placed, f"{COUNT} === 4"),
    Action("Connect two nodes", connected, "c.flow.edges.length === 1"),
    Action("Rename a node", renamed, "c.flow.nodes.a.title === 'Words'", ("a",)),
    Action("Duplicate", keys("Control+D"), f"{COUNT} === 4", ("a",)),
    Action("Delete", keys("Delete"), f"{COUNT} === 2", ("a",)),
    Action("Copy and paste", copied, f"{COUNT} === 4", ("a",)),
    Action("Select all", keys("Control+A"), "c.view.get().selection.size === 3"),
    Action("Group", keys("Control+G"), "c.flow.groups.length === 1", ("a", "b")),
    Action("Find a node", found, "c.view.get().selection.has('t')"),
    Action("Run all", keys("Shift+Enter"), RAN),
    Action("Run to here", keys("Control+Enter"), RAN, ("b",), WIRED),
    Action("Run only this", keys("Alt+Enter"), RAN, ("a",)),
    Action("Pin outputs", keys("p"), "c.flow.nodes.a.pin !== undefined", ("a",), has_run=True),
    Action("Undo", keys("Control+Z"), f"{COUNT} === 3", ("a",), before=DROPPED),
    Action("Arrange", keys("l"), "c.document.state.get().canUndo"),
    Action("Show the problems", commanded("Problems"), "c.view.get().panels.has('problems')"),
    Action("Add a note", keys("n"), "c.flow.notes.length === 1"),
    Action("Show the timeline", commanded("Timeline"), "c.view.get().panels.has('timeline')"),
    Action("Show the history", commanded("History"), "c.view.get().panels.has('history')"),
    Action("List all commands", keys("?"), "c.view.get().commandList"),
    Action("Splice a node into a wire", spliced, "c.flow.edges.length === 2", (), LOOSE),
    Action("Connect by keyboard", keys("w", "Enter"), "c.flow.edges.length === 1", ("a",)),
    Action("Extract to a subflow", keys("Control+Shift+E"), IN_SUBFLOW, ("a", "b"), WIRED),
    Action("Open a body and return", opened_and_left, OUTSIDE, ("m",), NESTED),
    Action("Stop", keys("Control+."), STOPPED, before=RUNNING),
    Action("Edit a pinned value", edited_pin, "c.flow.nodes.a.pin.out === 'new'", ("a",), PINNED),
    Action("Inspect a table", paged, "true", ("t",), has_run=True),
    Action("Open an output in the notebook", bound, "true", ("a",), has_run=True),
    Action("Restore a version", restored, f"{COUNT} === 3", before=KEPT),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_action_takes_as_many_clicks_and_keys_as_written(
    open_plain: Callable[..., Page], action: Action
) -> None:
    page = open_plain(action.flow)
    hands = Hands(page)
    expect(hands.node("a")).to_be_visible()
    if action.before:
        page.evaluate(f"() => {{ {action.before}; return iai.nextFrame(); }}")
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
