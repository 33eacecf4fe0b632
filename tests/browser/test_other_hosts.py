"""The widget's module in pages that are neither JupyterLab nor Notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from plainpage import plain_url
from playwright.sync_api import Page, expect

__all__ = ["plain_url"]

STATIC = Path(__file__).parents[2] / "iaiflow_lab" / "canvas" / "static"
FLOW = {
    "format": "iaiflow/1",
    "name": "shown",
    "nodes": {"a": {"type": "text.template"}, "b": {"type": "text.template"}},
    "edges": [],
    "layout": {"a": [0, 0], "b": [320, 0]},
    "groups": [{"id": "g", "title": "Both", "nodes": ["a", "b"]}],
}
#: A page as of marimo: the view stands in a shadow tree with a style sheet of its own.
SHOW = """async ([script, style, text]) => {
    const host = document.body.appendChild(document.createElement('div'));
    const tree = host.attachShadow({mode: 'open'});
    tree.appendChild(document.createElement('style')).textContent = style;
    const el = tree.appendChild(document.createElement('div'));
    const state = {text, path: 'shown.flow.json', height: 480, host: ''};
    const model = {
        get: name => state[name], set: (name, value) => { state[name] = value; },
        save_changes() {}, on() {}, off() {}, send() {},
    };
    const url = URL.createObjectURL(new Blob([script], {type: 'text/javascript'}));
    const {default: widget} = await import(url);
    await widget.initialize({model});
    await widget.render({model, el});
}"""


@pytest.fixture
def in_shadow(page: Page, plain_url: str) -> Page:
    """Return a page that shows the flow in a shadow tree."""
    script, style = ((STATIC / name).read_text() for name in ("canvas.js", "canvas.css"))
    page.goto(f"{plain_url}nothing-here")
    page.evaluate(SHOW, [script, style, json.dumps(FLOW)])
    page.get_by_role("group", name="Template, node b").wait_for()
    return page


def test_colours_are_there_in_a_shadow_tree(in_shadow: Page) -> None:
    missing = in_shadow.locator(".iai-widget").evaluate(
        """root => ['--jp-layout-color1', '--jp-border-color1', '--jp-ui-font-color1']
            .filter(name => !getComputedStyle(root).getPropertyValue(name))"""
    )
    assert missing == []


def test_menu_and_wires_work_in_a_shadow_tree(in_shadow: Page) -> None:
    page = in_shadow
    cards = page.locator(".react-flow__node-card")
    cards.first.click(button="right")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem").nth(2)).to_be_focused()
    menu.get_by_role("menuitem", name="Duplicate").click()
    expect(cards).to_have_count(3)
    page.locator(".react-flow__node:focus").wait_for()
    page.keyboard.press("Control+z")
    expect(cards).to_have_count(2)
    start = page.get_by_role("group", name="Template, node a").get_by_role(
        "img", name=re.compile("^Output out")
    )
    start.drag_to(page.get_by_role("group", name="Template, node b").locator(".iai-card-head"))
    expect(page.locator(".react-flow__edge")).to_have_count(1)
