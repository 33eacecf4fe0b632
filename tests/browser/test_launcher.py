"""JupyterLab starts with the extension in it."""

from __future__ import annotations

import json

from browser.canvas_page import CanvasPage
from playwright.sync_api import expect


def test_the_launcher_offers_flows(jupyter, page, picture):
    page.goto(jupyter.address())
    page.locator(".jp-Launcher").get_by_text("Flow", exact=True).wait_for()
    picture("launcher")


def test_from_the_launcher_to_a_flow_from_a_template(jupyter, page, picture):
    (jupyter.root / "inner").mkdir()
    page.goto(jupyter.address("lab/tree/inner"))
    page.locator(".jp-BreadCrumbs").get_by_text("inner").wait_for()
    page.locator(".jp-Launcher").get_by_text("Flow from a template…", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option("Map over items")
    picture("launcher-template")
    dialog.get_by_role("button", name="Ok").click()
    canvas = CanvasPage(page, jupyter.root).wait()
    expect(canvas.node("each")).to_be_visible()
    made = json.loads((jupyter.root / "inner" / "untitled.flow.json").read_text())
    assert made["name"] == "Map over items"
    assert made == canvas.flow()
    expect(page.locator(".jp-Launcher")).to_have_count(0)  # the flow stands in its place
