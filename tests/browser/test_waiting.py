"""A node that waits for a decision: what it asks is shown, and it is answered in the inspector."""

from __future__ import annotations

from playwright.sync_api import expect

FORM = {
    "type": "object",
    "properties": {"copies": {"type": "integer", "title": "Copies"}},
    "required": ["copies"],
}
FLOW = {
    "nodes": {
        "ask": {
            "type": "approval",
            "config": {"value": "the paper", "message": "Print it?", "form": FORM},
        },
        "printed": {"type": "text.template", "config": {"template": "printed {{what}}"}},
        "kept": {"type": "text.template", "config": {"template": "kept {{what}}"}},
    },
    "edges": ["ask.approved -> printed.what", "ask.refused -> kept.what"],
    "layout": {"ask": [0, 0], "printed": [320, 0], "kept": [320, 160]},
}


def test_an_approval_is_given_in_the_inspector(open_flow, page, picture):
    canvas = open_flow(FLOW)
    canvas.button("Run all").click()
    canvas.expect_state("ask", "Waiting")
    expect(canvas.node("ask")).to_contain_text("Print it?")
    inspector = canvas.inspect("ask")
    waiting = inspector.get_by_role("region", name="Waiting")
    expect(waiting).to_contain_text("Print it?")
    picture("waiting-for-approval")
    waiting.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("is required").first).to_be_visible()
    waiting.get_by_label("Copies").fill("2")
    waiting.get_by_label("Reason").fill("Looks right.")
    waiting.get_by_role("button", name="Approve").click()
    canvas.expect_state("ask", "Completed")
    canvas.expect_state("printed", "Completed")
    canvas.expect_state("kept", "Skipped")
    expect(waiting).to_have_count(0)


def test_an_approval_is_refused(open_flow):
    canvas = open_flow(FLOW)
    canvas.button("Run all").click()
    canvas.expect_state("ask", "Waiting")
    canvas.inspect("ask").get_by_role("button", name="Refuse").click()
    canvas.expect_state("kept", "Completed")
    canvas.expect_state("printed", "Skipped")
