"""Limits are hard: each ends a run with what was done, and none is left behind by far."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from agent_runs import ask, calls, one
from harness import PATIENCE
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_agents import prices
from iaiflow_agents.budget import SHORTEST, Budget, BudgetReached, Meter, Spent
from iaiflow_agents.models.scripted import ScriptedModel
from iaiflow_agents.tools.functions import CELL_TOOLS, tool
from iaiflow_agents.usage import Usage
from iaiflow_agents.work import Work
from iaiflow_lab.engine.executor import Handle
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.context import Context

LOOKING = {"text": "I go on.", "calls": calls("look")}


def price(usage):
    """Return dollars: 1 for a million tokens read, 5 for a million written."""
    return (usage.all_input + 5 * usage.output) / 1_000_000


@pytest.fixture(autouse=True)
def look(toolbox):
    return toolbox.add("look")


def test_steps(lab, toolbox):
    said = ask(lab, [LOOKING] * 9, tools=["look"], max_steps=3)
    assert said["stopped"] == "budget-steps"
    assert said["trace"]["reason"] == "The limit of 3 steps is reached."
    assert said["text"] == "I go on."
    assert said["usage"]["steps"] == 3
    assert len(toolbox.called) == 2  # nobody would read what the last one gives
    last = said["messages"][-1]["content"]
    assert "was not made" in last[0]["content"]


def test_tokens(lab):
    said = ask(lab, [LOOKING] * 99, tools=["look"], max_tokens_total=3_000, max_tokens=500)
    usage = said["usage"]
    assert said["stopped"] == "budget-tokens"
    assert 1_000 < usage["input"] + usage["output"] <= 3_500


def test_cost(lab, monkeypatch):
    monkeypatch.setattr(prices, "cost", lambda model, usage, *_, **__: price(usage))
    said = ask(lab, [LOOKING] * 99, tools=["look"], max_cost=0.004, max_tokens=200)
    assert said["stopped"] == "budget-cost"
    assert 0.001 < said["usage"]["cost"] <= 0.005
    assert "$0.00" in said["trace"]["reason"]


def test_a_dear_answer_is_asked_for_shorter(lab, monkeypatch):
    monkeypatch.setattr(prices, "cost", lambda model, usage, *_, **__: price(usage))
    allowed = []
    played = ScriptedModel.stream

    async def noted(self, request, show):
        allowed.append(request.max_tokens)
        return await played(self, request, show)

    monkeypatch.setattr(ScriptedModel, "stream", noted)
    ask(lab, [{"text": "ok"}], max_cost=0.002, max_tokens=4_096)
    assert SHORTEST < allowed[0] < 400


def test_seconds_of_a_model(lab, monkeypatch):
    never = asyncio.Event

    async def stuck(self, request, show):
        await never().wait()

    monkeypatch.setattr(ScriptedModel, "stream", stuck)
    said = ask(lab, [{"text": "never"}], max_seconds=0.2)
    assert said["stopped"] == "budget-seconds"
    assert said["usage"]["input"] > 0  # it is billed although no answer came


def test_seconds_of_a_tool(lab, toolbox):
    async def endless(text: str) -> str:
        """Wait.

        Args:
            text: Anything.
        """
        await asyncio.Event().wait()
        return text

    from iaiflow_agents.tools.functions import CELL_TOOLS, tool

    CELL_TOOLS["endless"] = tool(timeout=None)(endless)
    script = [{"text": "I wait.", "calls": calls("endless", text="x")}, {"text": "never"}]
    said = ask(lab, script, tools=["endless"], max_seconds=0.3)
    assert said["stopped"] == "budget-seconds"
    called = said["trace"]["turns"][0]["calls"]  # none, if the model alone took so long
    assert {call["state"] for call in called} <= {"failed"}
    assert all("time is over" in call["result"] for call in called)


def test_the_time_in_which_a_tool_waits_for_people_does_not_count(lab, toolbox, monkeypatch):
    going: Future[Handle] = Future()

    def is_asked():
        with lab.journal._changed:
            return lab.journal._changed.wait_for(lambda: lab.journal._waits, PATIENCE)

    async def consult(ctx: Context) -> str:
        """Ask a person."""
        loop, wait = asyncio.get_running_loop(), ctx.awaits("consult", "approval", message="Well?")
        asked = asyncio.ensure_future(wait)
        await asyncio.to_thread(is_asked)
        handle, time = await asyncio.wrap_future(going), loop.time
        # the person takes so long; it stays so much later, or the clock of work goes back
        monkeypatch.setattr(loop, "time", lambda: time() + 1_000)
        lab.journal.answer("n", None, "approved", key="consult")
        handle.look()
        await asked
        return "Asked."

    CELL_TOOLS["consult"] = tool(timeout=None)(consult)
    script = [{"calls": calls("consult")}, {"text": "{{last}}"}]
    flow = one("agent", prompt="Go.", tools=["consult"], script=script, max_seconds=600)
    going.set_result(lab.start(flow, interactive=True))
    said = going.result().wait(PATIENCE).values["n"]
    assert (said["text"], said["stopped"]) == ("Asked.", "")
    assert 0 <= said["usage"]["seconds"] < 600


def test_a_step_may_fail_instead(lab):
    with pytest.raises(NodeError, match="limit of 2 steps") as failed:
        ask(lab, [LOOKING] * 9, tools=["look"], max_steps=2, on_budget="fail")
    assert failed.value.code == "budget-steps"


def test_a_helper_spends_what_its_asker_may_spend(lab):
    helper = {"name": "helper", "tools": ["look"], "script": [LOOKING] * 99, "max_steps": 50}
    script = [{"calls": calls("helper", task="look")}, {"text": "never"}]
    said = ask(lab, script, agents=[helper], max_steps=5)
    assert said["stopped"] == "budget-steps"
    assert said["usage"]["steps"] == 5


def test_a_helper_has_limits_of_its_own(lab):
    helper = {"name": "helper", "tools": ["look"], "script": [LOOKING] * 99, "max_steps": 2}
    script = [{"calls": calls("helper", task="look")}, {"text": "{{last}}"}]
    said = ask(lab, script, agents=[helper])
    assert said["stopped"] == ""
    assert "It stopped: The limit of 2 steps is reached." in said["text"]
    assert said["usage"]["steps"] == 4


@pytest.mark.parametrize("limit", ["steps", "tokens", "cost", "seconds"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_allows_nothing_is_refused(limit, value):
    with pytest.raises(NodeError, match="allows nothing"):
        Budget(**{limit: value})


amounts = st.integers(1, 3_000)


@given(
    tokens=st.none() | st.integers(1, 20_000),
    dollars=st.none() | st.floats(0.0001, 0.05),
    steps=st.none() | st.integers(1, 12),
    reads=st.lists(st.tuples(amounts, st.floats(0.5, 1.5)), max_size=20),
    longest=st.integers(1, 2_000),
)
def test_a_budget_is_exceeded_by_one_misjudged_call_at_most(tokens, dollars, steps, reads, longest):
    """Each call reads up to half more than was thought, and writes all that it may."""
    meter = Meter(Budget(steps=steps, tokens=tokens, cost=dollars), Meter(Budget(steps=15)))
    for estimate, factor in reads:
        before = meter.spent
        try:
            allowed, _ = asyncio.run(meter.admit(Usage(input=estimate), longest, price))
        except BudgetReached:
            break
        assert 0 < allowed <= longest
        thought = before.usage.total + estimate + allowed
        cost = before.cost + price(Usage(input=estimate, output=allowed))
        assert tokens is None or thought <= tokens
        assert dollars is None or cost <= dollars + 1e-9
        used = Usage(input=int(estimate * factor), output=allowed)
        meter.add(Spent(1, used, price(used)))
        meter.free()
    assert steps is None or meter.spent.steps <= min(steps, 15)
    over = 1_500 + 2
    assert tokens is None or meter.spent.usage.total <= tokens + over
    assert dollars is None or meter.spent.cost <= dollars + price(Usage(input=over)) + 1e-9


@given(
    tokens=st.none() | st.integers(1, 9_000),
    dollars=st.none() | st.floats(0.0001, 0.03),
    steps=st.none() | st.integers(1, 12),
    helpers=st.lists(
        st.tuples(st.integers(0, 4), st.lists(st.tuples(amounts, st.booleans()), max_size=5)),
        max_size=6,
    ),
)
def test_helpers_side_by_side_do_not_exceed_what_their_asker_may_spend(
    tokens, dollars, steps, helpers
):
    """Some work for one that works itself for the asker; some of their calls fail."""
    above = Meter(Budget(steps=steps, tokens=tokens, cost=dollars))
    between = Meter(Budget(steps=7), above)

    async def calls(depth, asked):
        meter = Meter(Budget(), between if depth else above)
        for reads, fails in asked:
            try:
                allowed, limit = await meter.admit(Usage(input=reads), 300, price)
            except BudgetReached:
                return
            assert (allowed < 300) == (limit is not None)
            for _ in range(depth):
                await asyncio.sleep(0)
            used = Usage(input=reads, output=allowed)
            if not fails:
                meter.add(Spent(1, used, price(used)))
            meter.free()

    async def all_of_them():
        await asyncio.gather(*(calls(*helper) for helper in helpers))

    asyncio.run(all_of_them())
    assert not any(account.is_held for account in between.accounts)
    assert between.spent.steps <= 7
    assert steps is None or above.spent.steps <= steps
    assert tokens is None or above.spent.usage.total <= tokens
    assert dollars is None or above.spent.cost <= dollars + 1e-9


def test_a_call_does_not_wait_for_others_that_cannot_make_room_for_it():
    above = Meter(Budget())
    busy, tight = Meter(Budget(), above), Meter(Budget(tokens=3_000), above)

    async def both():
        await busy.admit(Usage(input=1), 300, price)
        return await asyncio.wait_for(tight.admit(Usage(input=1), 4_096, price), 60)

    assert asyncio.run(both()) == (2_999, "tokens")


def test_helpers_that_are_asked_at_once_keep_to_the_money_of_their_asker(lab, monkeypatch):
    monkeypatch.setattr(prices, "cost", lambda model, usage, *_, **__: price(usage))
    helper = {"name": "helper", "tools": ["look"], "script": [LOOKING] * 99, "max_tokens": 500}
    asks = [{"task": f"look {n}"} for n in range(6)]
    script = [{"calls": calls("helper", *asks)}, {"text": "never"}]
    said = ask(lab, script, agents=[helper], max_cost=0.008, max_tokens=500)
    assert said["stopped"] == "budget-cost"
    assert 0.004 < said["usage"]["cost"] <= 0.0085  # what calls read is an estimate


def test_what_was_spent_is_counted_above_too():
    above = Meter(Budget())
    below = Meter(Budget(), Meter(Budget(), above))
    below.add(Spent(1, Usage(input=2), 0.5, 3.0))
    assert above.spent == below.spent == Spent.from_dict(below.spent.to_dict())


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("is_new", [False, True])
def test_the_time_of_a_helper_is_counted_once(fails, is_new):
    """What it does now its own meter counts; of what is recorded nobody else knows."""
    meter = Meter(Budget())
    spent = {} if fails else {"spent": Spent(2, Usage(output=5), 0.25, 30.0).to_dict()}
    record = {"content": "", "is_error": fails, "untrusted": False, "seconds": 30.0, **spent}

    async def once(key, make, company):
        del key, make
        return record, company == "whole" and is_new

    named = [SimpleNamespace(name=name, label="", timeout=1.0) for name in ("helper", "own")]
    calls_ = [SimpleNamespace(id=one.name, tool=one, arguments={}, note="") for one in named]
    trace = SimpleNamespace(change=lambda *_, **__: None)
    work = Work(SimpleNamespace(once=once), {"helper": None}, frozenset(), meter, trace)
    asyncio.run(work.do(calls_[:1], tainted=False))
    assert meter.spent.seconds == (0.0 if is_new else 30.0)
    assert meter.spent.steps == (0 if is_new or fails else 2)
    record["seconds"] = 2.0
    before = meter.spent.seconds
    asyncio.run(work.do(calls_[1:], tainted=False))
    assert meter.spent.seconds == before + 2.0
