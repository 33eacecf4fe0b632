"""The nodes that wait, through the engine."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from harness import flow, record_of

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Node
from iaiflow_lab.model.run import RunState


def resumed(lab, made, **answer):
    """Park the flow, answer its only wait, and run it to its end."""
    parked = lab.run(made)
    assert parked.state is RunState.WAITING, parked.error
    lab.journal.answer("n", **answer)
    return lab.run(made, record=record_of(lab.journal.events))


def one(node_type, **config):
    return flow({"n": Node(node_type, config)})


@pytest.mark.parametrize(("outcome", "branch"), [("approved", "approved"), ("refused", "refused")])
def test_an_approval_takes_one_of_two_branches(lab, outcome, branch) -> None:
    made = flow(
        {
            "n": Node("approval", {"value": 3, "message": "Publish {{params.title}}?"}),
            "yes": Node("text.template", {"template": "{{x}} went out"}),
            "no": Node("text.template", {"template": "{{x}} stayed"}),
        },
        "n.approved -> yes.x",
        "n.refused -> no.x",
        parameters={"title": {"type": "string", "default": "it"}},
    )
    ended = resumed(lab, made, value={"n": 1}, outcome=outcome)
    assert ended.state is RunState.COMPLETED
    assert ended.values["n"][branch] == 3
    answer = ended.values["n"]["answer"]
    assert (answer["outcome"], answer["by"], answer["data"]) == (outcome, "anna", {"n": 1})
    assert lab.states()["yes"] == ("completed" if branch == "approved" else "skipped")
    assert lab.journal.of(ev.StepWaiting)[0].message == "Publish it?"


@pytest.mark.parametrize(("on_timeout", "branch"), [("approve", "approved"), ("refuse", "refused")])
def test_an_approval_that_nobody_answers_goes_its_default_way(lab, on_timeout, branch) -> None:
    result = lab.run(one("approval", value=1, limit=0.05, on_timeout=on_timeout))
    assert result.values["n"][branch] == 1
    assert result.values["n"]["answer"]["outcome"] == "timed-out"


def test_an_approval_that_nobody_answers_fails_by_default(lab) -> None:
    result = lab.run(one("approval", limit=0.05))
    assert result.error.code == "wait-timeout"


@pytest.mark.parametrize("node_type", ["wait.signal", "wait.webhook"])
def test_a_message_is_passed_on_with_the_value(lab, node_type) -> None:
    ended = resumed(lab, one(node_type, name="go", value=5), value=[1])
    assert dict(ended.values["n"]) == {"payload": [1], "value": 5}
    asked = lab.journal.of(ev.StepWaiting)[0]
    assert (asked.wait_kind, asked.name) == (node_type.removeprefix("wait."), "go")


@pytest.mark.parametrize("node_type", ["wait.signal", "wait.webhook"])
def test_a_message_that_does_not_come_has_a_default(lab, node_type) -> None:
    how = {"name": "go", "limit": 0.05}
    result = lab.run(one(node_type, on_timeout="default", default={"a": 1}, **how))
    assert result.values["n"]["payload"] == {"a": 1}


@pytest.mark.parametrize("node_type", ["wait.signal", "wait.webhook"])
def test_a_message_that_does_not_come_fails_the_step_otherwise(lab, node_type) -> None:
    result = lab.run(one(node_type, name="go", limit=0.05))
    assert result.error.code == "wait-timeout"


def test_a_moment_is_waited_for_in_its_zone(lab) -> None:
    parked = lab.run(one("wait.until", moment="2199-12-01T06:00", zone="Asia/Ho_Chi_Minh"))
    assert parked.state is RunState.WAITING
    due = lab.journal.of(ev.StepWaiting)[0].due
    assert datetime.fromtimestamp(due, UTC).hour == 23


def test_a_moment_that_has_passed_is_not_waited_for(lab) -> None:
    result = lab.run(one("wait.until", moment="2020-01-01", value="x"))
    assert result.values["n"]["out"] == "x"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"moment": "tomorrow"}, "no moment"),
        ({"moment": "2026-13-01"}, "no moment"),
        ({"moment": "2026-12-01", "zone": "Mars/X"}, "Mars/X"),
    ],
)
def test_what_is_no_moment_is_refused(lab, config, words) -> None:
    result = lab.run(one("wait.until", **config))
    assert words in result.error.message


def test_a_long_delay_frees_the_worker(lab) -> None:
    before = time.time()
    assert lab.run(one("delay", seconds=86_400)).state is RunState.WAITING
    assert lab.journal.of(ev.StepWaiting)[0].due >= before + 86_400
