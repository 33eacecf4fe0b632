"""The canvas for those who do not see it, or see it otherwise: axe-core finds nothing serious."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plainpage import open_plain, plain_url
from playwright.sync_api import Page, expect

__all__ = ["open_plain", "plain_url"]

AXE = Path(__file__).parents[2] / "extension" / "node_modules" / "axe-core" / "axe.min.js"
FLOW: dict[str, Any] = {
    "format": "iaiflow/1",
    "name": "greeting",
    "parameters": {"topic": {"type": "string", "default": "flights", "description": "About"}},
    "nodes": {
        "words": {"type": "text.value", "config": {"text": "a b"}, "title": "Words"},
        "parts": {"type": "text.split", "config": {"limit": 3}},
        "flights": {"type": "table.read", "config": {"path": "flights.csv"}},
        "chart": {"type": "image.chart"},
        "lost": {"type": "no.such.type"},
        "each": {
            "type": "map",
            "config": {
                "body": {
                    "format": "iaiflow/1",
                    "name": "body",
                    "nodes": {"inner": {"type": "text.value", "config": {"text": "x"}}},
                    "edges": [],
                }
            },
        },
    },
    "edges": ["words.out -> parts.text", "flights.out -> chart.table"],
    "layout": {
        "words": [0, 0],
        "parts": [320, 0],
        "flights": [0, 260],
        "chart": [320, 260],
        "lost": [640, 0],
        "each": [640, 260],
    },
    "notes": [{"id": "n", "text": "# Read me", "x": 0, "y": -180, "width": 240, "height": 120}],
    "groups": [{"id": "g", "title": "Text", "nodes": ["words", "parts"]}],
}
FAILED = """iai.kernel.push([
  ['', {run_id: 'r', state: 'failed', started_at: 1, ended_at: 3,
        error: {code: 'failed', message: 'It broke', step: 'words'}}],
  ['words', {state: 'failed', attempt: 1, started_at: 1, ended_at: 2, log: 'begun\\n',
             error: {code: 'failed', message: 'It broke', step: 'words', trace: 'line 1'}}],
  ['parts', {state: 'skipped', text: 'words failed'}]])"""
RUNNING = """iai.kernel.push([
  ['', {run_id: 'r', state: 'running', started_at: Date.now() / 1000}],
  ['words', {state: 'running', attempt: 2, share: 0.4, text: 'half', log: 'begun\\n',
             items: {total: 9, done: 3, failed: 1, running: 2}}],
  ['parts', {state: 'retrying', attempt: 1}], ['flights', {state: 'pending', stale: true}]])"""
PROBLEM = """iai.controller.problems.set([{code: 'config-value', severity: 'error', node: 'words',
  field: 'text', place: 'nodes.words.config.text',
  message: 'Not a text.', remedy: 'Write one.'}])"""
HISTORY = """iai.kernel.versions = ['a', 'b'].map((sign, at) => ({
  version: sign.repeat(64), saved_at: 1 + at, note: 'saved', current: at === 0}))"""


def run(page: Page) -> None:
    surface(page).focus()
    page.keyboard.press("Shift+Enter")
    page.locator(".iai-status").get_by_text("Completed").first.wait_for()


def surface(page: Page):
    return page.get_by_role("application", name=re.compile("^Flow"))


def select(page: Page, node: str) -> None:
    page.evaluate("id => iai.controller.select([id])", node)
    expect(page.get_by_role("tab", name="Values")).to_be_visible()


def press(*keys: str) -> Callable[[Page], None]:
    def pressed(page: Page) -> None:
        surface(page).focus()
        for key in keys:
            page.keyboard.press(key)

    return pressed


def pushed(events: str) -> Callable[[Page], None]:
    return lambda page: page.evaluate(f"() => {{ {events}; return iai.nextFrame(); }}")


def inspected(tab: str) -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        page.evaluate(PROBLEM)
        run(page)
        select(page, "words")
        page.get_by_role("tab", name=tab).click()

    return opened


def panel(name: str, before: str = "") -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        run(page)
        page.evaluate(before or "0")
        page.evaluate("name => iai.controller.toggle(name, true)", name)
        page.get_by_role("tab", name=name.capitalize()).wait_for()

    return opened


def nested(page: Page) -> None:
    page.evaluate("iai.controller.openBody('each', 'body')")
    page.get_by_role("navigation", name="Open flow").wait_for()


def waiting(page: Page) -> None:
    page.evaluate("iai.controller.look({asking: {mode: 'all', nodes: []}})")
    page.get_by_role("dialog", name="Values for this run").wait_for()


def menu(page: Page) -> None:
    page.get_by_role("group", name="words").first.click(button="right")
    page.get_by_role("menu").wait_for()


def compared(page: Page) -> None:
    panel("history", HISTORY)(page)
    page.locator(".iai-version").last.click()


STATES: dict[str, Callable[[Page], Any]] = {
    "loaded": lambda page: None,
    "completed": run,
    "running": pushed(RUNNING),
    "failed": pushed(FAILED),
    "nested": nested,
    "setup": inspected("Setup"),
    "values": inspected("Values"),
    "log": inspected("Log"),
    "options": inspected("Options"),
    "details": inspected("Details"),
    "quick search": press("/"),
    "command list": press("Control+Shift+K"),
    "find": press("Control+F"),
    "values for a run": waiting,
    "menu": menu,
    "history": compared,
    "timeline": panel("timeline"),
    "problems": panel("problems", PROBLEM),
}
#: Where the canvas of a notebook is laid out otherwise.
INLINE = {"loaded", "failed", "setup", "quick search", "timeline"}
LOOKS = {"light": {}, "dark": {"theme": "dark"}, "forced": {}}


def violations(page: Page, scope: str = "body") -> list[str]:
    """Return what axe-core calls serious or critical."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("scope => axe.run(scope, {resultTypes: ['violations']})", scope)
    return [
        f"{one['id']} {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("host", ["document", "inline"])
def test_nothing_serious_in_any_state(
    open_plain: Callable[..., Page], page: Page, look: str, host: str
) -> None:
    if look == "forced":
        page.emulate_media(forced_colors="active")
    page.emulate_media(reduced_motion="reduce")
    options = LOOKS[look] | ({"compact": "1"} if host == "inline" else {})
    found = {"empty": violations(open_plain(**options))}
    states = {name: STATES[name] for name in STATES if host == "document" or name in INLINE}
    for name, reach in states.items():
        open_plain(FLOW, **options)
        reach(page)
        found[name] = violations(page)
    assert {name: serious for name, serious in found.items() if serious} == {}


def test_nothing_moves_when_asked(open_plain: Callable[..., Page], page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_plain(FLOW)
    pushed(RUNNING)(page)
    moving = "document.getAnimations().filter(one => one.playState === 'running').length"
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function(f"() => {moving} > 0")
