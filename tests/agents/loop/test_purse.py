"""What all agents of a run may spend together: one after another, side by side, after a restart."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from agent_runs import agent_lab, calls
from harness import PATIENCE, Lab, record_of
from hypothesis import given
from hypothesis import strategies as st
from messages_api import MessagesAPI, say

from iaiflow_agents import prices
from iaiflow_agents.budget import BudgetReached, Spent
from iaiflow_agents.models.scripted import ScriptedModel
from iaiflow_agents.purse import Share
from iaiflow_agents.usage import Usage
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.flow import Edge, Flow, Node
from iaiflow_lab.sdk.catalog import load_catalog

LOOKING = {"text": "I go on.", "calls": calls("look")}
ASKS = {
    "model": "scripted",
    "script": [LOOKING] * 9,
    "tools": ["look"],
    "prompt": "Go",
    "max_tokens": 200,
    "max_steps": 6,
}


def price(usage):
    """Return dollars: 1 for a million tokens read, 5 for a million written."""
    return (usage.all_input + 5 * usage.output) / 1_000_000


@pytest.fixture(autouse=True)
def priced(monkeypatch, toolbox):
    monkeypatch.setattr(prices, "cost", lambda model, usage, *_, **__: price(usage))
    return toolbox.add("look")


@pytest.fixture
def at_once(monkeypatch):
    """Return how many calls of models went on at the same time, for each call."""
    seen, present = [], []
    played = ScriptedModel.stream

    async def noted(self, request, show):
        present.append(self)
        seen.append(len(present))
        try:
            return await played(self, request, show)
        finally:
            present.remove(self)

    monkeypatch.setattr(ScriptedModel, "stream", noted)
    return seen


def agents(count, *, chained=False, **config):
    names = [f"a{n}" for n in range(count)]
    asks = {**ASKS, **config}
    edges = [Edge(a, "text", b, "before") for a, b in pairwise(names)] if chained else []
    return Flow("agents", nodes={name: Node("agent", asks) for name in names}, edges=edges)


def said(lab, flow, run_id, **setup):
    """Run agents and return what they gave."""
    result = lab.start(flow, run_id=run_id, **setup).wait(PATIENCE)
    assert result.exception is None, result.exception
    return result.values


def cost(outcome):
    return sum(each["usage"]["cost"] for each in outcome.values())


def test_agents_spend_from_one_purse_in_their_order(lab):
    alone = cost(said(lab, agents(1), "run_alone"))
    limit = 1.5 * alone
    made = said(agent_lab(lab.folder), agents(3, chained=True, max_run_cost=limit), "run_chained")
    assert [each["stopped"] for each in made.values()] == [
        "budget-steps", "budget-cost", "budget-cost",
    ]  # fmt: skip
    assert alone < cost(made) <= limit
    assert made["a2"]["usage"]["steps"] == 0
    assert made["a1"]["trace"]["reason"] == f"The limit of ${limit:,.10g} for the run is reached."


def test_side_by_side_they_do_not_take_more_than_there_is(lab, at_once):
    limit = 0.004
    made = said(lab, agents(8, max_run_cost=limit), "run_beside")
    assert max(at_once) > 1
    assert 0.5 * limit < cost(made) <= limit
    assert "budget-cost" in {each["stopped"] for each in made.values()}


def test_one_without_the_limit_is_seen_by_the_others(lab):
    free = said(lab, agents(1), "run_free")
    flow = agents(2, chained=True)
    limited = Node("agent", {**ASKS, "max_run_cost": cost(free)})
    flow = Flow("mixed", nodes={**flow.nodes, "a1": limited}, edges=flow.edges)
    made = said(agent_lab(lab.folder), flow, "run_mixed")
    assert [each["stopped"] for each in made.values()] == ["budget-steps", "budget-cost"]


@pytest.fixture
def unpriced(monkeypatch):
    """Know no price of the model `local`."""
    monkeypatch.setattr(
        prices, "cost", lambda model, usage, *_: None if model == "local" else price(usage)
    )


@pytest.mark.usefixtures("unpriced")
def test_beside_one_whose_price_nobody_knows_no_limit_can_be_kept(lab):
    with MessagesAPI(say("One.")) as api:
        local = {"model": "local", "base_url": api.url, "key": api.key, "prompt": "Go"}
        flow = agents(2, chained=True)
        nodes = {"a0": Node("agent", local), "a1": Node("agent", {**ASKS, "max_run_cost": 5.0})}
        made = said(lab, Flow("mixed", nodes=nodes, edges=flow.edges), "run_mixed")
    assert (made["a0"]["text"], made["a0"]["usage"]["cost"]) == ("One.", None)
    assert (made["a1"]["stopped"], made["a1"]["usage"]["steps"]) == ("budget-cost", 0)
    assert "price is not known" in made["a1"]["trace"]["reason"]


@pytest.mark.usefixtures("unpriced")
def test_the_whole_costs_nobody_knows_what_once_a_helper_does(lab):
    with MessagesAPI(say("One.")) as api:
        helper = {"name": "helper", "model": "local", "base_url": api.url, "key": api.key}
        script = [{"calls": calls("helper", task="look")}, {"text": "{{last}}"}]
        asks = Node("agent", {**ASKS, "agents": [helper], "script": script})
        made = said(lab, Flow("x", nodes={"a": asks}), "run_helped")["a"]
    assert (made["text"], made["usage"]["cost"]) == ("One.", None)
    assert made["trace"]["turns"][0]["cost"] > 0
    told = [event.preview for event in lab.journal.of(ev.StepOutput, "a")]
    assert told[-1].endswith("price not known)")


def test_nodes_that_ask_once_spend_from_it_too(lab):
    flow = agents(2, chained=True, max_run_cost=0.001)
    asks = {"model": "scripted", "script": [{"text": "y" * 1_000}], "prompt": "x" * 1_000}
    first = Node("llm.prompt", {**asks, "max_run_cost": 0.001})
    made = said(lab, Flow("x", nodes={**flow.nodes, "a0": first}, edges=flow.edges), "run_once")
    assert made["a1"]["stopped"] == "budget-cost"
    assert made["a1"]["usage"]["steps"] == 0


def test_a_helper_spends_from_it_too(lab):
    helper = {"name": "helper", "tools": ["look"], "script": [LOOKING] * 9}
    script = [{"calls": calls("helper", task="look")}, {"text": "{{last}}"}]
    made = said(lab, agents(1, agents=[helper], script=script, max_run_cost=0.002), "run_helped")
    assert cost(made) <= 0.002
    assert "for the run is reached" in str(made["a0"]["messages"])


def test_what_was_spent_before_a_restart_counts(lab):
    alone = cost(said(lab, agents(1), "run_first"))
    flow = agents(2, chained=True, max_run_cost=1.2 * alone)
    whole = agent_lab(lab.folder)
    before = said(whole, flow, "run_whole")
    events = [event for event in whole.journal.events if getattr(event, "step", "a0") == "a0"]
    later = agent_lab(lab.folder)
    later.artifacts = whole.artifacts
    after = said(later, flow, "run_later", record=record_of(events))
    assert after["a1"]["usage"]["steps"] == before["a1"]["usage"]["steps"] < 6
    assert after["a1"]["stopped"] == "budget-cost"


@pytest.mark.parametrize(
    ("limits", "stopped", "spelled"),
    [
        ({"calls": 4}, "budget-steps", "4 calls of models"),
        ({"tokens": 1_500}, "budget-tokens", "1,500 tokens"),
        ({"cost": 0.004}, "budget-cost", "$0.004"),
    ],
)
def test_a_run_has_a_budget_of_its_own(lab, limits, stopped, spelled):
    made = said(lab, agents(3), "run_limited", budgets=[Allowance(limits)])
    ended = [each for each in made.values() if each["stopped"] == stopped]
    reason = f"The limit of {spelled} for the run is reached."
    assert reason in {each["trace"]["reason"] for each in ended}
    assert sum(each["usage"]["steps"] for each in made.values()) <= limits.get("calls", 99)
    used = sum(each["usage"]["input"] + each["usage"]["output"] for each in made.values())
    assert used <= limits.get("tokens", 99_999)
    assert cost(made) <= limits.get("cost", 99)


def test_the_smaller_of_a_nodes_limit_and_the_runs_counts(lab):
    flow = agents(1, max_run_cost=0.001)
    made = said(lab, flow, "run_both", budgets=[Allowance({"cost": 5.0})])
    assert made["a0"]["trace"]["reason"] == "The limit of $0.001 for the run is reached."
    other = said(agent_lab(lab.folder), agents(1), "run_own", budgets=[Allowance({"calls": 2})])
    assert (other["a0"]["stopped"], other["a0"]["usage"]["steps"]) == ("budget-steps", 2)


def test_a_step_fails_at_the_runs_budget_where_it_shall(lab):
    flow = agents(1, on_budget="fail")
    result = lab.start(flow, run_id="run_fails", budgets=[Allowance({"calls": 1})]).wait(PATIENCE)
    assert result.error.code == "budget-steps"
    assert "1 call of models for the run" in result.error.message


def test_an_answer_that_is_cut_off_by_the_runs_budget_says_so(lab):
    script = [{"text": "y" * 400, "stop_reason": "max_tokens"}]
    long = Node("agent", {**ASKS, "script": script, "max_tokens": 900})
    made = said(lab, Flow("x", nodes={"a": long}), "run_cut", budgets=[Allowance({"tokens": 500})])
    assert made["a"]["stopped"] == "budget-tokens"
    assert made["a"]["trace"]["reason"] == "The answer was cut off where the run's budget ends."


@pytest.mark.usefixtures("unpriced")
def test_no_model_without_a_price_begins_in_a_run_that_limits_money(lab):
    local = {"model": "local", "base_url": "http://127.0.0.1:1", "key": "k", "prompt": "Go"}
    flow = Flow("x", nodes={"a": Node("agent", local)})
    result = lab.start(flow, run_id="run_dear", budgets=[Allowance({"cost": 1.0})]).wait(PATIENCE)
    assert "a limit of money can't be kept" in result.error.message


def test_bodies_of_maps_and_single_calls_spend_from_it_too(lab):
    asks = {"model": "scripted", "script": [{"text": "Fine."}], "prompt": "x"}
    body = {"nodes": {"a": {"type": "llm.prompt", "config": asks}}}
    each = Node("map", {"items": [1, 2, 3], "body": body, "concurrency": 1})
    whole = load_catalog(None)
    lab = Lab(lab.folder, *map(whole.require, whole.names()))
    flow = Flow("mapped", nodes={"each": each})
    result = lab.start(flow, run_id="run_mapped", budgets=[Allowance({"calls": 2})])
    assert result.wait(PATIENCE).error.code == "budget-steps"
    asked = [event for event in lab.journal.of(ev.SubstepRecorded) if event.key == "model:1"]
    assert len(asked) == 2


def test_the_history_is_told_what_calls_took(lab):
    made = said(lab, agents(2), "run_told")
    told = {"tokens": 0.0, "cost": 0.0}
    for event in lab.journal.of(ev.StepMetric):
        told[event.name] += event.value
    used = sum(each["usage"]["input"] + each["usage"]["output"] for each in made.values())
    assert told == {"tokens": used, "cost": pytest.approx(cost(made))}


class Context:
    """As much of a step's context as a share needs."""

    def __init__(self, run_id, step="s", records=(), budgets=()):
        self.run_id, self.step, self._records, self.budgets = run_id, step, records, budgets

    def recorded(self, keys):
        for key, value in self._records:
            if keys.fullmatch(key):
                yield "earlier", key, lambda value=value: value


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(64, 300)), max_size=12),
    st.sampled_from(
        [{"cost": 0.003}, {"tokens": 1_000}, {"calls": 3}, {"tokens": 900, "calls": 4}]
    ),
)
def test_no_calls_side_by_side_take_more_than_the_limit(asked, limits):
    spent = []

    async def call(share, number, reads, longest):
        try:
            allowed, limit = await share.admit(Usage(input=reads), longest, price)
        except BudgetReached:
            return
        assert min(longest, 64) <= allowed <= longest
        assert (limit is None) == (allowed == longest)
        await asyncio.sleep(0)
        usage = Usage(input=reads, output=allowed)
        spent.append(Spent(1, usage, price(usage)))
        share.spend(f"model:{number}", spent[-1])
        share.free()

    async def all_of_them():
        hands = [Share(Context("run_many", budgets=[Allowance(limits)])) for _ in asked]
        pairs = enumerate(zip(hands, asked, strict=True))
        await asyncio.gather(*(call(hand, n, *asking) for n, (hand, asking) in pairs))

    asyncio.run(all_of_them())
    took = sum(spent, Spent())
    assert took.cost <= limits.get("cost", 99) + 1e-9
    assert took.usage.total <= limits.get("tokens", 99_999)
    assert took.steps <= limits.get("calls", 99)


def test_a_part_of_a_run_keeps_to_its_own_limit_and_to_the_whole_ones():
    paid = Spent(1, Usage(input=100), 0.0)

    async def room(step, *budgets):
        share = Share(Context("run_parts", step, budgets=budgets))
        try:
            return (await share.admit(Usage(), 1_000, lambda _: 0.0))[0]
        except BudgetReached as reached:
            return reached.reason
        finally:
            share.free()

    async def parts():
        one = Share(Context("run_parts", "n/1:a"))
        one.spend("model:1", paid)
        reached = "The limit of 150 tokens for this call of the flow is reached."
        assert await room("n/1:b", Allowance({"tokens": 150}, "n/1:")) == reached
        other = Allowance({"tokens": 150}, "n/2:")
        assert await room("n/2:a", other) == 150
        assert await room("n/2:a", other, Allowance({"tokens": 180})) == 80

    asyncio.run(parts())


@pytest.mark.parametrize(
    "record", [None, 7, {}, {"cost": None}, {"cost": "x"}, {"usage": {"input": "x"}, "cost": 1}]
)
def test_records_without_a_cost_count_nothing(record):
    records = [("model:1", record), ("tool:x", {"cost": 9, "usage": {}})]
    share = Share(Context("run_odd", records=records), 1.0)
    assert asyncio.run(share.admit(Usage(input=1), 100, price)) == (100, None)
