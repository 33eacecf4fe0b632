"""What a canvas shows of a node that waits, and how it answers."""

from __future__ import annotations

import pytest

from iaiflow_lab.engine import recording

FORM = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}
NODES = {"ask": {"type": "approval", "config": {"value": 1, "message": "Ship it?", "form": FORM}}}


def test_a_waiting_node_says_what_it_waits_for_and_is_approved(canvas, flow_text) -> None:
    one = canvas()
    text = flow_text(NODES)
    one.open(text)
    one.ask("run", text=text, mode="all")
    seen = one.until(lambda known: known.nodes.get("ask", {}).get("state") == "waiting")
    wait = seen.nodes["ask"]["wait"]
    assert (wait["step"], wait["kind"], wait["message"]) == ("ask", "approval", "Ship it?")
    assert wait["form"] == FORM
    refusal = one.refusal("answer", step="ask", outcome="approved", value={"n": "x"})
    assert refusal["code"] == "answer-invalid"
    one.ask("answer", step="ask", outcome="approved", value={"n": 2}, reason="Fine.")
    seen = one.until(lambda known: known.run["state"] == "completed")
    assert seen.nodes["ask"]["state"] == "completed"
    assert seen.nodes["ask"]["wait"] is None
    assert one.refusal("answer", step="ask", outcome="approved")["code"] == "no-wait"


@pytest.mark.parametrize("outcome", ["timed-out", "due"])
def test_what_is_no_answer_is_refused(canvas, flow_text, outcome) -> None:
    one = canvas()
    text = flow_text(NODES)
    one.open(text)
    one.ask("run", text=text, mode="all")
    one.until(lambda known: known.nodes.get("ask", {}).get("state") == "waiting")
    assert "is no answer" in one.refusal("answer", step="ask", outcome=outcome)["message"]
    one.ask("answer", step="ask", outcome="refused")
    one.until(lambda known: known.run["state"] == "completed")


def test_a_wait_is_answered_as_soon_as_it_is_shown(canvas, flow_text, monkeypatch) -> None:
    monkeypatch.setattr(recording, "_PAUSE", 3.0)  # it is committed later, if nobody hurries
    one = canvas()
    text = flow_text(NODES)
    one.open(text)
    one.ask("run", text=text, mode="all")
    one.until(lambda known: known.nodes.get("ask", {}).get("state") == "waiting")
    one.ask("answer", step="ask", outcome="refused")
    one.until(lambda known: known.run["state"] == "completed")


def test_a_signal_is_answered_without_its_name(canvas, flow_text) -> None:
    one = canvas()
    text = flow_text({"hear": {"type": "wait.signal", "config": {"name": "go"}}})
    one.open(text)
    one.ask("run", text=text, mode="all")
    seen = one.until(lambda known: known.nodes.get("hear", {}).get("state") == "waiting")
    assert seen.nodes["hear"]["wait"]["name"] == "go"
    one.ask("answer", step="hear", outcome="answered", value=[1])
    seen = one.until(lambda known: "payload" in known.nodes["hear"]["outputs"])
    assert "1" in str(seen.nodes["hear"]["outputs"]["payload"])
