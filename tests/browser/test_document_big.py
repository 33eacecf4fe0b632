"""A flow document of a thousand nodes."""

from __future__ import annotations

from browser.patience import LOOK_EVERY
from playwright.sync_api import expect


def test_a_thousand_nodes_open_move_and_are_saved(open_flow, page, picture):
    flow = {
        "nodes": {
            f"n{number}": {"type": "delay", "config": {"seconds": 0}} for number in range(1_000)
        },
        "edges": [f"n{number}.out -> n{number + 25}.value" for number in range(975)],
        "layout": {
            f"n{number}": [300 * (number // 25), 160 * (number % 25)] for number in range(1_000)
        },
    }
    canvas = open_flow(flow)
    canvas.focus()
    canvas.press("1")
    picture("document-thousand")
    canvas.press("Control+F")
    page.get_by_role("combobox", name="Find in this flow").fill("n777")
    page.get_by_role("option").first.wait_for()
    canvas.press("Enter")
    expect(canvas.node("n777")).to_be_in_viewport()
    pane = canvas.surface.bounding_box()
    assert pane
    place = canvas.node("n777").bounding_box()
    page.mouse.move(pane["x"] + 20, pane["y"] + 20)
    page.mouse.wheel(0, 200)
    page.wait_for_function(
        "([node, top]) => node.getBoundingClientRect().top !== top",
        arg=[canvas.node("n777").element_handle(), place["y"] if place else 0],
        polling=LOOK_EVERY,
    )
    before = canvas.text()
    canvas.focus("n777")
    canvas.press("Alt+ArrowDown")
    canvas.expect_other_text(before)
    saved = canvas.save()
    assert len(saved["nodes"]) == 1_000
    assert saved["layout"]["n777"] != flow["layout"]["n777"]
