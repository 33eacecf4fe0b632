"""The canvas for those who do not see it, or see it otherwise: axe-core finds nothing serious."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser.axe import RULES, dark, violations
from browser.canvas_page import CanvasPage
from browser.notebook_page import NotebookPage
from browser.patience import LOOK_EVERY
from plainpage import open_plain, plain_url
from playwright.sync_api import Page, expect

__all__ = ["open_plain", "plain_url"]

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
VECTORS = Path(__file__).parents[2] / "extension" / "tests" / "vectors" / "agents.json"
MARKDOWN = (
    "## Why\n\n- **July**: [here](https://example.org)\n\n```\n" + "wide " * 99 + "\n```\n\n> So."
)
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


def agent(page: Page) -> None:
    """Show an agent that has thought, said something and called tools, and asks."""
    known = json.loads(VECTORS.read_text())
    trace = json.loads(known["live"]["text"])
    trace["turns"].append({"n": 2, "text": MARKDOWN, "calls": []})
    trace["plan"] = [{"text": "Find it", "done": True}, {"text": "Say it", "done": False}]
    wait = {"step": "words", "key": "ask:c1", "kind": "approval", "name": "", "due": None}
    state = {
        "state": "waiting",
        "wait": wait | known["ask"],
        "outputs": {"trace": known["live"] | {"text": json.dumps(trace)}},
    }
    pushed(f"iai.kernel.push([['words', {json.dumps(state)}]])")(page)
    select(page, "words")
    page.get_by_role("tab", name="Agent").click()
    expect(page.get_by_role("heading", name="Why")).to_be_visible()
    expect(page.get_by_role("button", name="Allow", exact=True)).to_have_count(2)


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
    page.get_by_role("group", name="Words, node words").click(button="right")
    page.get_by_role("menu").wait_for()


def compared(page: Page) -> None:
    panel("history", HISTORY)(page)
    page.locator(".iai-version").last.click()


#: Each comes after the one before it, on the same page: what has run stays.
STATES: dict[str, Callable[[Page], Any]] = {
    "loaded": lambda page: None,
    "quick search": press("/"),
    "command list": press("Control+Shift+K"),
    "find": press("Control+F"),
    "values for a run": waiting,
    "menu": menu,
    "nested": nested,
    "completed": run,
    "setup": inspected("Setup"),
    "values": inspected("Values"),
    "log": inspected("Log"),
    "options": inspected("Options"),
    "details": inspected("Details"),
    "history": compared,
    "timeline": panel("timeline"),
    "problems": panel("problems", PROBLEM),
    "failed": pushed(FAILED),
    "running": pushed(RUNNING),
    "agent": agent,
}
#: Where the canvas of a notebook is laid out otherwise.
INLINE = {"loaded", "failed", "agent", "setup", "quick search", "timeline"}
LOOKS = {"light": {}, "dark": {"theme": "dark"}, "forced": {}}


def wear(page: Page, look: str) -> None:
    page.emulate_media(forced_colors="active" if look == "forced" else "none")
    pushed(f"document.body.dataset.jpThemeLight = '{str(look != 'dark').lower()}'")(page)


@pytest.mark.parametrize("host", ["document", "inline"])
def test_nothing_serious_in_any_state(
    open_plain: Callable[..., Page], page: Page, host: str
) -> None:
    found: dict[str, list[str]] = {}

    def note(state: str) -> None:
        for look in LOOKS:
            wear(page, look)
            found[f"{state}, {look}"] = violations(page, "body", *RULES[look])

    page.emulate_media(reduced_motion="reduce")
    open_plain(**({"compact": "1"} if host == "inline" else {}))
    note("empty")
    pushed(f"iai.controller.document.load({json.dumps(json.dumps(FLOW))})")(page)
    pushed("window.atFirst = iai.controller.view.get()")(page)
    for state, reach in STATES.items():
        if host == "document" or state in INLINE:
            reach(page)
            note(state)
            page.keyboard.press("Escape")  # a menu is in no view
            pushed("iai.controller.view.set(atFirst)")(page)
    assert {name: serious for name, serious in found.items() if serious} == {}


def test_nothing_moves_when_asked(open_plain: Callable[..., Page], page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_plain(FLOW)
    pushed(RUNNING)(page)
    moving = "document.getAnimations().filter(one => one.playState === 'running').length"
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function(f"() => {moving} > 0", polling=LOOK_EVERY)


#: Opaque colours of the map beside those that the system has for texts and what is chosen.
MAP_COLOURS = """() => {
    const canvas = document.querySelector('.iai-map canvas');
    if (!canvas?.width || !canvas.height) return null; // it is not drawn yet
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 255) found.add(`rgb(${data.slice(at, at + 3).join(', ')})`);
    }
    const probe = document.body.appendChild(document.createElement('i'));
    const system = ['CanvasText', 'Highlight'].map(name => {
        probe.style.color = name;
        return getComputedStyle(probe).color;
    });
    probe.remove();
    return found.size > 0 && [...found].every(colour => system.includes(colour));
}"""


def test_the_map_has_the_colours_of_the_system(open_plain: Callable[..., Page], page: Page) -> None:
    open_plain(FLOW)
    select(page, "words")
    page.wait_for_function(f"() => ({MAP_COLOURS})() === false", polling=LOOK_EVERY)
    page.emulate_media(forced_colors="active")
    page.wait_for_function(MAP_COLOURS, polling=LOOK_EVERY)


def test_everything_on_the_surface_has_a_name(open_plain: Callable[..., Page], page: Page) -> None:
    open_plain(FLOW)
    expect(page.get_by_role("application")).to_have_count(1)
    for name in ("Parameters", "Words, node words", "Note: Read me", "Group Text: words, parts"):
        expect(surface(page).get_by_role("group", name=name, exact=True)).to_have_count(1)
    wire = "Connection from words.out to parts.text"
    expect(surface(page).get_by_role("img", name=wire)).to_have_count(1)
    run(page)
    words = surface(page).get_by_role("group", name="Words, node words")
    expect(words).to_have_accessible_description(re.compile("Completed"))


def test_tab_does_not_pass_every_node(open_plain: Callable[..., Page], page: Page) -> None:
    open_plain(FLOW)
    stops = page.evaluate(
        "() => [...document.querySelectorAll('.react-flow__node')]"
        ".filter(node => node.tabIndex >= 0).map(node => node.dataset.id)"
    )
    assert stops == ["group:g"]
    surface(page).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("group", name="Group Text: words, parts")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(surface(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(surface(page).get_by_role("group", name="Words, node words")).to_be_focused()


@pytest.mark.parametrize("keys", ["/", "Control+F", "Control+Shift+K", "Shift+F10"])
def test_what_is_closed_gives_the_focus_back(
    open_plain: Callable[..., Page], page: Page, keys: str
) -> None:
    open_plain(FLOW)
    node = surface(page).get_by_role("group", name="Flights", exact=False).first
    node.focus()
    page.keyboard.press(keys)
    expect(node).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(node).to_be_focused()


def test_a_closed_panel_gives_the_focus_back(open_plain: Callable[..., Page], page: Page) -> None:
    open_plain(FLOW)
    node = surface(page).get_by_role("group", name="Words, node words")
    node.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close Inspector").press("Enter")
    expect(node).to_be_focused()
    page.evaluate("iai.controller.toggle('palette', true)")
    page.get_by_role("searchbox", name="Search nodes").focus()
    page.keyboard.press("Escape")
    expect(node).to_be_focused()


def test_a_run_is_heard_at_its_beginning_and_its_end(
    open_plain: Callable[..., Page], page: Page
) -> None:
    open_plain(FLOW)
    page.evaluate("""() => {
        window.heard = [];
        const note = () => heard.push(document.querySelector('.iai-said').textContent);
        new MutationObserver(note).observe(document.querySelector('.iai-said'), {
            childList: true, characterData: true, subtree: true });
    }""")
    run(page)
    completed = "() => heard.filter(text => text.startsWith('Run completed in ')).length"
    page.wait_for_function(f"{completed} === 1", polling=LOOK_EVERY)
    run(page)
    page.wait_for_function(f"{completed} === 2", polling=LOOK_EVERY)
    heard = page.evaluate("iai.nextFrame().then(() => heard)")
    assert len(heard) <= 4, heard  # nothing of single nodes


#: The look of what has the focus, which something must tell from what has not.
FOCUS_LOOK = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) { return null; }
    const shape = ({outlineStyle, outlineWidth, borderTopColor, borderTopWidth, boxShadow}) =>
        ({outline: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0,
          border: `${borderTopWidth} ${borderTopColor}`, boxShadow});
    const focused = shape(getComputedStyle(element));
    const inside = element.closest('.iai-picker, .cm-editor') ?? element;
    const name = `${element.localName}.${element.className} ${element.innerText}`.slice(0, 80);
    return {name, shown: focused.outline || shape(getComputedStyle(inside)).outline};
}"""


@pytest.mark.parametrize("look", LOOKS)
def test_the_focus_is_seen_everywhere(
    open_plain: Callable[..., Page], page: Page, look: str
) -> None:
    if look == "forced":
        page.emulate_media(forced_colors="active")
    open_plain(FLOW, **LOOKS[look])
    run(page)
    select(page, "words")
    for panel_name in ("palette", "history", "inspector", "problems", "timeline"):
        page.evaluate("name => iai.controller.toggle(name, true)", panel_name)
    unseen: list[str] = []
    for arrow in ("ArrowRight", "ArrowDown"):
        surface(page).focus()
        page.keyboard.press("Enter")
        page.keyboard.press(arrow)
        unseen += [found["name"] for found in [page.evaluate(FOCUS_LOOK)] if not found["shown"]]
    surface(page).focus()
    seen = 0
    for _ in range(120):
        found = page.evaluate(FOCUS_LOOK)
        if found is None:
            break
        seen += 1
        if not found["shown"]:
            unseen.append(found["name"])
        page.keyboard.press("Tab")
    assert seen > 20
    assert unseen == []


#: What stands in a page of JupyterLab and is drawn by this project. JupyterLab draws the rest, the
#: buttons of a document's toolbar among it: they put `aria-pressed` on a `jp-button` without role.
OURS = {"document": ".iai-root", "inline": ".iai-widget", "status": ".iai-Status"}
LAB_FLOW: dict[str, Any] = {
    "parameters": FLOW["parameters"],
    "nodes": {
        "words": {"type": "text.template", "config": {"template": "a b"}, "title": "Words"},
        "rows": {"type": "python", "config": {"code": "def main():\n    return [{'a': 1}]\n"}},
        "loud": {"type": "text.template", "config": {"template": "{{x}}!"}},
        "broken": {"type": "python", "config": {"code": "def main():\n    print(1)\n    1 / 0\n"}},
    },
    "edges": ["words.out -> loud.x"],
    "layout": {"words": [0, 0], "loud": [320, 0], "rows": [0, 220], "broken": [320, 220]},
    "notes": FLOW["notes"],
    "groups": [{"id": "g", "title": "Text", "nodes": ["words", "loud"]}],
}


def opened_by(*keys: str, dialog: str) -> Callable[[CanvasPage], None]:
    def reach(canvas: CanvasPage) -> None:
        canvas.focus()
        canvas.press(*keys)
        canvas.document.get_by_role("dialog", name=dialog).wait_for()

    return reach


def with_panel(name: str) -> Callable[[CanvasPage], None]:
    def reach(canvas: CanvasPage) -> None:
        canvas.press("Escape")
        canvas.command(name)
        tab = canvas.document.get_by_role("tab", name=re.compile(f"^{name}"))
        tab.wait_for()
        expect(tab).to_have_attribute("aria-selected", "true")

    return reach


def inspecting(node: str, tab: str) -> Callable[[CanvasPage], None]:
    def reach(canvas: CanvasPage) -> None:
        canvas.inspect(node)
        canvas.tab(tab)

    return reach


def menu_of_a_node(canvas: CanvasPage) -> None:
    canvas.node("words").click(button="right")
    canvas.document.get_by_role("menu").wait_for()


LAB_STATES: dict[str, Callable[[CanvasPage], None]] = {
    "setup": inspecting("words", "Setup"),
    "code": inspecting("rows", "Setup"),
    "values": inspecting("rows", "Values"),
    "error": inspecting("broken", "Values"),
    "log": inspecting("broken", "Log"),
    "options": inspecting("words", "Options"),
    "details": inspecting("words", "Details"),
    "menu": menu_of_a_node,
    "quick search": opened_by("Escape", "/", dialog="Add a node"),
    "command list": opened_by("Escape", "Control+Shift+K", dialog="All commands"),
    "find": opened_by("Escape", "Control+F", dialog="Find"),
    "timeline": with_panel("Timeline"),
    "problems": with_panel("Problems"),
    "history": with_panel("History"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_in_a_document(
    open_flow: Callable[..., CanvasPage], page: Page, picture: Callable[[str], None], theme: str
) -> None:
    page.emulate_media(reduced_motion="reduce")  # colours that pass into each other are neither
    canvas = open_flow(LAB_FLOW)
    if theme == "dark":
        dark(canvas.page)

    def look(name: str, scope: str = "document") -> None:
        found[name] = violations(canvas.page, OURS[scope], *RULES[theme])

    found: dict[str, list[str]] = {}
    look("loaded")
    canvas.button("Run all").click()
    canvas.expect_run("Failed")
    look("failed")
    look("status bar", "status")
    for name, reach in LAB_STATES.items():
        reach(canvas)
        look(name)
        picture(f"axe-{name}-{theme}")
    assert {name: serious for name, serious in found.items() if serious} == {}


SHOWN = """from iaiflow_lab import Flow
with Flow("greeting") as flow:
    words = flow.add("text.template", id="words", template="a b")
    flow.add("text.template", id="loud", template="{{x}}!", x=words.out)
flow.show(height=420)"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_in_a_notebook(
    open_notebook: Callable[..., NotebookPage],
    page: Page,
    picture: Callable[[str], None],
    theme: str,
) -> None:
    page.emulate_media(reduced_motion="reduce")
    notebook = open_notebook(SHOWN)
    if theme == "dark":
        dark(page)
    notebook.ran(0)
    canvas = notebook.canvas(0).ready()
    found = {"loaded": violations(page, OURS["inline"], *RULES[theme])}
    canvas.run()
    canvas.expect_state("loud", "Completed")
    found["completed"] = violations(page, OURS["inline"], *RULES[theme])
    canvas.select("words")
    canvas.press("Enter")
    for tab in ("Values", "Log", "Options", "Details", "Setup"):
        canvas.tab(tab)
        found[tab] = violations(page, OURS["inline"], *RULES[theme])
    canvas.press("Escape")
    for name in ("Timeline", "Problems", "History", "Palette"):
        canvas.command(name)
        canvas.root.get_by_role("tab", name=re.compile(f"^{name}")).wait_for()
        found[name] = violations(page, OURS["inline"], *RULES[theme])
    for name, key in (("quick search", "/"), ("command list", "Control+Shift+K")):
        canvas.surface.focus()
        canvas.press(key)
        canvas.root.get_by_role("dialog").wait_for()
        found[name] = violations(page, OURS["inline"], *RULES[theme])
        canvas.press("Escape")
    picture(f"axe-inline-{theme}")
    assert {name: serious for name, serious in found.items() if serious} == {}
