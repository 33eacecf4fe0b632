"""Agents as people meet them: watched, answered, stopped, and without a key."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from browser.canvas_page import CanvasPage
from browser.notebook_page import NotebookPage
from browser.patience import LOOK_EVERY, until
from messages_api import MessagesAPI, say, thinking
from playwright.sync_api import Locator, expect

WRITES = [{"tool": "files_write", "arguments": {"path": f"{name}.txt", "content": name}}
          for name in ("one", "two")]  # fmt: skip
#: Reads, then wants to write twice, which is asked about.
SCRIPT = [
    {
        "thinking": "What is there?",
        "text": "I look.",
        "calls": [{"tool": "files_list", "arguments": {}}],
    },
    {"text": "I write two.", "calls": WRITES},
    {"text": "Both are settled."},
]
CELL = """from iaiflow_agents import Agent
from iaiflow_agents.tools.functions import tool

@tool(sends=True)
def send(text: str) -> str:
    "Send a text."
    return f"sent {text}"

calls = [{"tool": "send", "arguments": {"text": text}} for text in ("one", "two")]
script = [{"calls": calls}, {"text": "{{last}}"}]
courier = Agent("courier", model="scripted", tools=[send], script=script)
said = courier.run("Send it.")
print("It said:", said)"""
PLAIN = """from iaiflow_lab import Flow

flow = Flow("printing")
flow.add("approval", id="proof", message="Print the proof?")
flow.add("approval", id="cover", message="And the cover?")
run = flow.run()"""


def agent(**config: Any) -> dict[str, Any]:
    """Return a flow of one agent."""
    return {"nodes": {"clerk": {"type": "agent", "config": {"prompt": "Go.", **config}}}}


def is_inside(what: Locator, frame: Locator) -> bool:
    """Say whether something is in sight in what scrolls."""
    inner, outer = what.bounding_box(), frame.bounding_box()
    if inner is None or outer is None:
        return False
    return outer["y"] <= inner["y"] and inner["y"] + inner["height"] <= outer["y"] + outer["height"]


def asked(place: Locator) -> Locator:
    """Return the questions at a place."""
    return place.get_by_role("group", name=re.compile("^May the agent call "))


#: What lies uppermost in the middle of an element is the element.
IN_FRONT = """element => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 1000, "height": 700}


@pytest.fixture
def asking(open_flow, page, request) -> CanvasPage:
    """Return a canvas whose agent asks twice, in a window of the size that is the parameter."""
    page.set_viewport_size(getattr(request, "param", WIDE))
    tools = ["files.list", "files.write"]
    canvas = open_flow(agent(model="scripted", script=SCRIPT, tools=tools))
    canvas.focus()
    canvas.press("Shift+Enter")
    expect(asked(canvas.node("clerk"))).to_have_count(2)
    return canvas


def refuse_on_card(canvas: CanvasPage, reason: str) -> None:
    """Refuse the first call by keys; the focus goes to the other, where no key answers."""
    card = canvas.node("clerk")
    asked(card).first.get_by_role("button", name="Refuse…").focus()
    canvas.press("Enter")
    expect(card.get_by_role("textbox", name="Reason, which the agent is told")).to_be_focused()
    canvas.type(reason)
    canvas.press("Enter")
    expect(asked(card)).to_have_count(1)
    expect(asked(card)).to_be_focused()


def change_in_inspector(canvas: CanvasPage, arguments: str) -> None:
    """Go from the card to the inspector by keys and allow the call with other arguments."""
    canvas.node("clerk").get_by_role("button", name="Change…").focus()
    canvas.press("Enter")
    asking = asked(canvas.inspector)
    expect(asking.locator(".iai-log")).to_be_focused()
    asking.get_by_role("button", name="Change…").focus()
    canvas.press("Enter")
    expect(asking.get_by_role("textbox", name="Arguments as JSON")).to_be_focused()
    canvas.press("Control+a")
    canvas.page.keyboard.insert_text(arguments)
    asking.get_by_role("button", name="Allow with these arguments").focus()
    canvas.press("Enter")


def test_calls_are_refused_and_changed_by_keys(asking, jupyter, picture):
    card = asking.node("clerk")
    for answer in ("Allow", "Refuse…"):
        button = asked(card).first.get_by_role("button", name=answer, exact=True)
        until(asking.page, partial(is_inside, button, card.locator(".iai-card-output")))
    picture("agent-asks")
    refuse_on_card(asking, "Not this one.")
    change_in_inspector(asking, '{"path": "three.txt", "content": "three"}')
    asking.expect_run("Completed")
    expect(asking.inspector.locator(":focus")).to_have_count(1)
    assert sorted(file.name for file in jupyter.root.glob("*.txt")) == ["three.txt"]
    told = asking.tab("Agent")
    expect(told).to_contain_text("scripted model")
    expect(told).to_contain_text("$0.00")
    rows = told.locator(".iai-agent-call > summary")
    states = [re.compile("Done"), re.compile("Refused"), re.compile("Done")]
    expect(rows).to_have_text(states)
    rows.nth(1).focus()
    asking.press("Enter")
    expect(told).to_contain_text("Not this one.")
    told.get_by_text("Messages as JSON").click()
    expect(told).to_contain_text(re.compile(r"Messages as JSON\W*\[\d+\]"))
    picture("agent-done")


@pytest.mark.parametrize("asking", [NARROW], indirect=True)
def test_a_small_window_hides_no_answer_and_loses_none(asking, page, picture):
    card = asking.node("clerk")
    for answer in ("Allow", "Change…", "Refuse…"):
        button = asked(card).first.get_by_role("button", name=answer, exact=True)
        until(page, partial(button.evaluate, IN_FRONT))
    picture("agent-asks-small")
    page.set_viewport_size(WIDE)
    card.get_by_role("button", name="Change…").first.click()
    asking.inspector.get_by_role("button", name="Change…").first.click()
    written = asking.inspector.get_by_role("textbox", name="Arguments as JSON")
    expect(written).to_be_focused()
    asking.press("Control+a")
    page.keyboard.insert_text('{"path": "th')
    page.set_viewport_size(NARROW)
    expect(asking.document.get_by_role("tab", name="Palette")).to_have_count(0)
    expect(written).to_be_focused()
    expect(written).to_have_text('{"path": "th')
    for tab in asking.inspector.get_by_role("tab").all():
        until(page, partial(tab.evaluate, IN_FRONT), tab.inner_text())
    picture("agent-change-small")
    asking.document.get_by_role("button", name="Close Inspector").click()
    card.get_by_role("button", name="Change…").first.click()
    expect(written).to_have_text('{"path": "th')


def test_a_model_is_read_along_and_stopped(open_flow, page, picture):
    thought, words = "I think of it. " * 2_000, "So it is."
    with MessagesAPI(say(thinking(thought), words, pace=0.02)) as api:
        config = {"model": "claude-sonnet-5-5", "base_url": api.url, "key": "secret:MINE"}
        canvas = open_flow(agent(thinking=True, max_tokens=100_000, **config))
        canvas.focus()
        canvas.press("Shift+Enter")
        dialog = page.get_by_role("dialog", name="A key is missing")
        expect(dialog).to_contain_text("clerk needs the secret MINE")
        picture("agent-key")
        dialog.get_by_label("Key, kept as").fill(api.key)
        canvas.press("Enter")
        card = canvas.node("clerk")
        expect(card.locator("[data-thought]")).to_contain_text("think")
        told = canvas.inspect("clerk")
        told.get_by_role("tab", name="Agent").click()
        expect(told.locator("[data-thought]")).to_contain_text("I think of it.")
        picture("agent-thinks")
        card.get_by_role("button", name="Stop").click()
        canvas.expect_run("Stopped")
        expect(told.locator(".iai-agent-state")).to_have_text(re.compile("Interrupted|Stopped"))
        expect(told).to_contain_text("I think of it.")
        assert api.key not in canvas.text()


def test_without_a_key_a_script_is_offered(open_flow, page):
    canvas = open_flow(agent(model="claude-sonnet-5-5"))
    canvas.focus()
    canvas.press("Shift+Enter")
    dialog = page.get_by_role("dialog", name="A key is missing")
    dialog.get_by_role("button", name="Give the address of another server").click()
    expect(canvas.inspector.get_by_role("textbox", name="Base url")).to_be_visible()
    canvas.focus()
    canvas.press("Shift+Enter")
    dialog.get_by_role("button", name="Use the scripted model").click()
    canvas.expect_run("Completed")
    expect(canvas.node("clerk")).to_contain_text("scripted model")
    assert canvas.flow()["nodes"]["clerk"]["config"]["model"] == "scripted"


def approve_in_cell(notebook: NotebookPage) -> None:
    """Answer what a flow asks that its second cell runs, by keys."""
    notebook.run(1)
    cell = notebook.cell(1)
    waiting = cell.get_by_role("region", name="Waiting")
    expect(waiting).to_have_count(2)
    proof = waiting.filter(has_text="Print the proof?")
    proof.get_by_role("button", name="Approve").focus()
    notebook.page.keyboard.press("Enter")
    expect(waiting).to_have_count(1)
    expect(waiting).to_be_focused()
    waiting.get_by_label("Reason").fill("Not blue.")
    waiting.get_by_role("button", name="Refuse").focus()
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_function("() => window.endedCells.has(1)", polling=LOOK_EVERY)
    expect(cell).to_contain_text("And the cover? refused")


def test_a_cell_asks_below_its_table(open_notebook, picture):
    notebook = open_notebook(CELL, PLAIN)
    notebook.run(0)
    cell = notebook.cell(0)
    expect(asked(cell)).to_have_count(2)
    picture("agent-cell")
    asked(cell).first.get_by_role("button", name="Allow", exact=True).focus()
    notebook.page.keyboard.press("Enter")
    expect(asked(cell)).to_have_count(1)
    asked(cell).get_by_role("button", name="Refuse…").focus()
    notebook.page.keyboard.press("Enter")
    reason = asked(cell).get_by_role("textbox", name="Reason, which the agent is told")
    expect(reason).to_be_focused()
    notebook.page.keyboard.type("add no cells: a b")
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_function("() => window.endedCells.has(0)", polling=LOOK_EVERY)
    notebook.done(0)
    expect(asked(cell)).to_have_count(0)
    expect(cell).to_contain_text("It said:")
    expect(cell).to_contain_text("add no cells: a b")
    approve_in_cell(notebook)
    assert len(notebook.sources()) == 2
    saved = str(notebook.save())
    assert "Print the proof? approved" in saved
    assert "widget-view" not in saved
