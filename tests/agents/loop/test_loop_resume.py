"""A run that goes on elsewhere repeats nothing recorded, wherever the first one was killed."""

from __future__ import annotations

import pytest
from agent_runs import agent_lab, calls, one
from harness import PATIENCE, record_of

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.scripted import ScriptedModel
from iaiflow_agents.usage import Usage
from iaiflow_lab.model import event as ev

SCRIPT = [
    {"text": "I look.", "calls": calls("look", {"text": "a"}, {"text": "b"})},
    {"text": "I write.", "calls": calls("write", text="c")},
    {"text": "I ask.", "calls": calls("helper", task="help")},
    {"text": "Done: {{last}}"},
]
HELPER = {
    "name": "helper",
    "tools": ["look"],
    "script": [{"calls": calls("look", text="d")}, {"text": "Helped."}],
}


@pytest.fixture
def asked(monkeypatch):
    """Return how often a model was asked."""
    asked = []
    played = ScriptedModel.stream

    async def noted(self, request, show):
        asked.append(len(request.messages))
        return await played(self, request, show)

    monkeypatch.setattr(ScriptedModel, "stream", noted)
    return asked


def flow():
    return one(
        "agent", prompt="Go.", script=SCRIPT, tools=["look", "write"], agents=[HELPER], plan=True
    )


def go_on(lab, events):
    """Run the flow to its end after these events, answering what is asked."""
    lab.journal.append([e for e in events if not isinstance(e, ev.WaitAnswered)])
    for event in events:
        if isinstance(event, ev.WaitAnswered):
            lab.journal._answers[event.step, event.key] = event
            lab.journal.events.append(event)
    handle = lab.start(flow(), record=record_of(events), interactive=True)
    answered = {key for _, key in lab.journal._answers}
    if not any(key.startswith("ask:") for key in answered):
        lab.journal.answer("n", {}, "approved")
        handle.look()
    result = handle.wait(PATIENCE)
    assert result.exception is None, result.exception
    return result.values["n"]


def test_nothing_recorded_is_repeated_after_any_record(lab, toolbox, asked, tmp_path):
    for name, how in (("look", {}), ("write", {"effects": "write"})):
        toolbox.add(name, lambda text: f"<{text}>", **how)
    whole = go_on(lab, [])
    events = list(lab.journal.events)
    assert whole["text"] == "Done: Helped."
    assert (len(asked), len(toolbox.called)) == (6, 4)
    ends = [i for i, e in enumerate(events) if isinstance(e, ev.SubstepRecorded | ev.WaitAnswered)]
    for end in [0, *(end + 1 for end in ends)]:
        asked.clear()
        toolbox.called.clear()
        known = events[:end]
        keys = [e.key for e in known if isinstance(e, ev.SubstepRecorded)]
        later = agent_lab(tmp_path)
        later.artifacts = lab.artifacts
        said = go_on(later, known)
        models = [key for key in keys if "model:" in key]
        # what the helper's tool gave is recorded with the call of the helper, and before alone
        tools = [key for key in keys if "tool:" in key and not key.endswith(_of_helper(events))]
        assert len(asked) == 6 - len(models), keys
        assert len(toolbox.called) == 4 - len(tools), keys
        assert _without_times(said["usage"]) == _without_times(whole["usage"])
        assert said["text"] == whole["text"]
        assert said["messages"] == whole["messages"]
        assert _shape(said["trace"]) == _shape(whole["trace"])


def _of_helper(events):
    """Return the end of the key of the call of the helper itself."""
    inner = next(e.key for e in events if isinstance(e, ev.SubstepRecorded) and "/model" in e.key)
    return inner.partition("/")[0]


def _without_times(usage):
    return {name: value for name, value in usage.items() if name != "seconds"}


def _shape(trace):
    """Return what a trace says, without times."""
    calls = [c for turn in trace["turns"] for c in turn["calls"]]
    return (
        trace["state"],
        [(turn["text"], turn["stop_reason"], turn["usage"]) for turn in trace["turns"]],
        [(c["name"], c["arguments"], c["state"], c["result"]) for c in calls],
        [_shape(c["trace"]) for c in calls if "trace" in c],
    )


def test_tries_that_failed_are_counted_and_paid_for_once(lab, monkeypatch, tmp_path):
    """A fault asks for a long pause: the run waits, and the one that goes on asks once more."""
    tries = []
    played = ScriptedModel.stream

    async def overloaded(self, request, show):
        tries.append(1)
        if len(tries) < 3:
            raise ModelFault(
                "Too many are asking.",
                code="model-overloaded",
                retry_after=0.01,
                usage=Usage(input=100),
            )
        return await played(self, request, show)

    monkeypatch.setattr(ScriptedModel, "stream", overloaded)
    asking = one("agent", prompt="Go.", script=[{"text": "ok"}])
    whole = lab.run(asking).values["n"]
    assert (len(tries), whole["text"]) == (3, "ok")
    assert whole["usage"]["input"] > 200
    events = lab.journal.events
    for end, event in enumerate(events):
        if isinstance(event, ev.SubstepRecorded):
            tries[:] = [1] * len([e for e in events[: end + 1] if isinstance(e, type(event))])
            later = agent_lab(tmp_path)
            later.journal.append(events[: end + 1])
            said = later.run(asking, record=record_of(events[: end + 1])).values["n"]
            assert len(tries) == 3
            assert said["usage"]["input"] == whole["usage"]["input"]


def test_what_a_helper_that_failed_has_spent_is_counted_when_a_run_goes_on(lab, tmp_path):
    helper = {"name": "helper", "script": [{"calls": calls("absent")}]}  # and then it has no words
    script = [{"calls": calls("helper", task="help")}, {"text": "Done."}]
    asking = one("agent", prompt="Go.", script=script, agents=[helper])
    whole = lab.run(asking).values["n"]
    assert (whole["text"], whole["usage"]["steps"]) == ("Done.", 3)
    events = lab.journal.events
    told = next(i for i, e in enumerate(events) if getattr(e, "key", "").startswith("tool:"))
    later = agent_lab(tmp_path)
    later.journal.append(events[: told + 1])
    said = later.run(asking, record=record_of(events[: told + 1])).values["n"]
    assert _without_times(said["usage"]) == _without_times(whole["usage"])


def test_a_model_that_stays_overloaded_fails_in_the_end(lab, monkeypatch):
    tries = []

    async def overloaded(self, request, show):
        tries.append(1)
        raise ModelFault("Too many.", code="model-overloaded", retry_after=0.001)

    monkeypatch.setattr(ScriptedModel, "stream", overloaded)
    result = lab.run(one("agent", prompt="Go.", script=[{"text": "ok"}]))
    assert result.error.code == "model-overloaded"
    assert len(tries) == 6


def test_a_fault_that_no_trial_mends_is_told_at_once(lab, monkeypatch):
    tries = []

    async def refused(self, request, show):
        tries.append(1)
        raise ModelFault("The key is refused.", code="model-refused-key", remedy="Set another.")

    monkeypatch.setattr(ScriptedModel, "stream", refused)
    result = lab.run(one("agent", prompt="Go.", script=[{"text": "ok"}]))
    assert (result.error.code, len(tries)) == ("model-refused-key", 1)


def test_a_long_pause_is_a_wait_of_the_run(lab, monkeypatch):
    tries = []
    played = ScriptedModel.stream

    async def limited(self, request, show):
        tries.append(1)
        if len(tries) == 1:
            raise ModelFault("Too many.", code="model-rate-limit", retry_after=3_600.0)
        return await played(self, request, show)

    monkeypatch.setattr(ScriptedModel, "stream", limited)
    asking = one("agent", prompt="Go.", script=[{"text": "ok"}])
    result = lab.run(asking)
    assert result.state == "waiting"
    (wait,) = lab.journal.of(ev.StepWaiting)
    assert wait.wait_kind == "delay"
    over = ev.WaitAnswered(at=wait.due, step="n", key=wait.key, outcome="due")
    record = record_of([*lab.journal.events, over])
    lab.journal._answers["n", wait.key] = over
    again = lab.run(asking, record=record)
    assert again.values["n"]["text"] == "ok"
    assert len(tries) == 2
