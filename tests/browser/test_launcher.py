"""JupyterLab starts with the extension in it."""

from __future__ import annotations


def test_the_launcher_offers_flows(jupyter, page, picture):
    page.goto(jupyter.address())
    page.locator(".jp-Launcher").get_by_text("Flow", exact=True).wait_for()
    picture("launcher")
