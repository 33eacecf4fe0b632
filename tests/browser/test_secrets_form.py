"""Secrets in JupyterLab: set by the command, offered beside a field that names one, removed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from browser.axe import violations
from browser.canvas_page import CanvasPage
from browser.conftest import Jupyter
from browser.production_page import ProductionPage, call
from playwright.sync_api import Page, expect

VALUE = "canary-hunter2-tail"
FLOW = {
    "format": "iaiflow/1",
    "name": "Ask",
    "nodes": {
        "ask": {
            "type": "http.request",
            "config": {"url": "https://example.org", "headers": {"Authorization": ""}},
        }
    },
}


@pytest.fixture(scope="module")
def lab(start_jupyter: Callable[..., Jupyter]) -> Jupyter:
    """Return a server with a workspace that no other test empties."""
    return start_jupyter()


def test_a_secret_is_set_offered_and_removed(page: Page, lab: Jupyter) -> None:
    (lab.root / "ask.flow.json").write_text(json.dumps(FLOW))
    production = ProductionPage(page, lab).open("ask.flow.json")
    dialog = production.dialog
    page.evaluate("() => void window.jupyterapp.commands.execute('iaiflow:secrets')")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("MAIL_KEY")
    dialog.get_by_label("Value", exact=True).fill(VALUE)
    assert violations(page, ".jp-Dialog") == []
    production.accept("Save")
    assert [secret["name"] for secret in call(lab, "secrets")] == ["MAIL_KEY"]

    canvas = CanvasPage(page, lab.root).wait()
    panel = canvas.inspect("ask")
    expect(panel.locator("datalist option[value='secret:MAIL_KEY']")).to_have_count(1)
    panel.get_by_role("button", name="New secret…").click()
    dialog.get_by_label("Name", exact=True).fill("SECOND")
    dialog.get_by_label("Value", exact=True).fill(VALUE)
    production.accept("Save")
    expect(panel.locator("datalist option[value='secret:SECOND']")).to_have_count(1)

    page.evaluate("() => void window.jupyterapp.commands.execute('iaiflow:secrets')")
    dialog.get_by_role("button", name="Remove SECOND").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("list", name="Secrets")).not_to_contain_text("SECOND")
    dialog.get_by_role("button", name="Cancel").last.click()
    assert [secret["name"] for secret in call(lab, "secrets")] == ["MAIL_KEY"]
    assert VALUE not in page.content()
