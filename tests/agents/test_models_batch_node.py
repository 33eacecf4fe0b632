"""The node that asks about many items as one batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from agent_runs import agent_lab, run
from harness import Secrets
from messages_api import MessagesAPI, refuse, say

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.event import SubstepRecorded
from iaiflow_lab.model.flow import Flow, Node

SCRIPT = [
    {"when": {"contains": "apple"}, "text": "A fruit."},
    {"when": {"contains": "carrot"}, "text": "A root", "stop_reason": "max_tokens"},
    {"when": {"contains": "stone"}, "text": "No.", "stop_reason": "refusal"},
]


def about(items: list[Any], **config: Any) -> Flow:
    given = {"items": items, "prompt": "What is {{item}}?", **config}
    return Flow("batch", nodes={"n": Node("llm.batch", given)})


def test_every_item_has_its_answer_or_its_error(workspace: Path) -> None:
    flow = about(["apple", "carrot", "stone"], model="scripted", script=SCRIPT)
    said = run(agent_lab(workspace), flow)
    assert said["texts"] == ["A fruit.", None, None]
    assert [one["item"] for one in said["errors"]] == [1, 2]
    assert [one["code"] for one in said["errors"]] == ["model-cut-off", "model-refusal"]


def test_a_batch_is_sent_once_and_paid_by_half(workspace: Path) -> None:
    lab = agent_lab(workspace)
    with MessagesAPI() as api:
        api.batches.rounds = 0
        turns = {"apple": say("A fruit."), "stone": refuse(400, "invalid_request_error")}
        api.answer = lambda body: turns[body["messages"][0]["content"][0]["text"][8:-1]]
        flow = about(
            ["stone", "apple"],
            base_url=api.url,
            key="secret:MINE",
            max_cost=1.0,
            max_tokens=100,
        )
        said = run(lab, flow, secrets=Secrets({"MINE": api.key}))
        posted = [one.body for one in api.seen if one.method == "POST"]
    assert said["texts"] == [None, "A fruit."]
    assert said["errors"][0]["code"] == "model-bad-request"
    used = said["usage"]
    assert used["steps"] == 1
    input_cost = 2 * (used["input"] - used["cache_write"]) + 2.5 * used["cache_write"]
    assert used["cost"] == pytest.approx((input_cost + 10 * used["output"]) / 2 / 1e6)
    assert len(posted) == 1
    keys = [event.key for event in lab.journal.of(SubstepRecorded)]
    sent = ["batch:begin", "batch:submit", "model:batch"]
    assert keys == [*sent, "batch:msgbatch_1:look:0", "batch:results", "model:batch:unused"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"prompt": "What is it?"}, "nothing else"),
        ({"prompt": "What is {{thing}}?"}, "nothing else"),
        ({"prompt": "What is {{item"}, "never closed"),
        ({"max_cost": 0.001}, "may cost"),
        ({"max_cost": 1.0, "model": "some-model"}, "No price"),
        ({"model": "openai:x"}, "no batches"),
    ],
)
def test_what_cannot_be_asked_is_refused(workspace: Path, config: Any, said: str) -> None:
    flow = about(["x"], **{"base_url": "http://127.0.0.1:1", **config})
    with pytest.raises(NodeError, match=said):
        run(agent_lab(workspace), flow)


def test_a_batch_is_booked_and_gives_back_what_it_did_not_take(workspace: Path) -> None:
    flow = about(["apple", "stone"], model="scripted", script=SCRIPT, max_tokens=500)
    with pytest.raises(NodeError, match="limit of 900 tokens for the run is reached"):
        run(agent_lab(workspace), flow, run_id="run_full", budgets=[Allowance({"tokens": 900})])
    with pytest.raises(NodeError, match="limit of 1 call of models for the run is reached"):
        run(agent_lab(workspace), flow, run_id="run_two", budgets=[Allowance({"calls": 1})])
    lab = agent_lab(workspace)
    said = run(lab, flow, run_id="run_fits", budgets=[Allowance({"tokens": 1_200, "calls": 2})])
    records = [event.output.inline for event in lab.journal.of(SubstepRecorded)]
    booked, unused = records[1:]
    assert booked["steps"] == said["usage"]["steps"] == 2
    assert booked["usage"]["output"] + unused["usage"]["output"] == said["usage"]["output"]
    assert unused["steps"] == 0
