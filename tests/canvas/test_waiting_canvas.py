"""What a canvas shows of a node that waits, and how it answers."""

from __future__ import annotations

import asyncio
from time import sleep
from typing import Any

import pytest

from iaiflow_lab import Context, node
from iaiflow_lab.engine import recording
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.service import history, open_session

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


@pytest.fixture
def several(here) -> None:
    """Have a node type whose steps ask for ten things at once."""

    @node("cell.several")
    async def ask_several(*, ctx: Context) -> list[Any]:
        keys = [f"ask:{number}" for number in range(10)]
        answers = await asyncio.gather(
            *(ctx.awaits(key, WaitKind.APPROVAL, message=key) for key in keys)
        )
        return [answer.reason if answer.approved else "no" for answer in answers]


def await_waits(run_id: str, count: int) -> None:
    """Wait until so many waits of a run are recorded."""
    with open_session() as session:
        while len(history.get(session, run_id).waits) < count:
            sleep(0.01)


@pytest.mark.usefixtures("several")
def test_of_several_waits_of_a_step_any_is_answered_by_its_key(canvas, flow_text) -> None:
    one = canvas()
    text = flow_text({"a": {"type": "cell.several"}})
    one.open(text)
    run_id = one.ask("run", text=text, mode="all")["run_id"]

    def open_keys(known) -> list[str]:
        state = known.nodes.get("a", {"wait": None, "more_waits": []})
        return [wait["key"] for wait in [state["wait"], *state["more_waits"]] if wait]

    one.until(lambda known: len(open_keys(known)) == 8)  # no more are shown
    await_waits(run_id, 10)
    one.ask("answer", step="a#ask:9", outcome="refused")
    one.ask("answer", step="a#ask:3", outcome="approved", reason="3")
    one.until(lambda known: "ask:3" not in open_keys(known))
    for number in (0, 1, 2, 4, 5, 6, 7, 8):
        one.until(lambda known, key=f"ask:{number}": key in open_keys(known))
        one.ask("answer", step=f"a#ask:{number}", outcome="approved", reason=str(number))
    seen = one.until(lambda known: known.run["state"] == "completed")
    assert open_keys(seen) == []
    seen = one.until(lambda known: "out" in known.nodes["a"]["outputs"])
    assert seen.nodes["a"]["outputs"]["out"]["text"] == (
        '["0", "1", "2", "3", "4", "5", "6", "7", "8", "no"]'
    )
