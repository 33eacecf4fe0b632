"""The loop of an agent, with scripted models: what ends it, what is called, what is told."""

from __future__ import annotations

import sys

import pytest
from agent_runs import agent_lab, ask, calls, one, run
from harness import Secrets, record_of

from iaiflow_agents import calls as calls_of_models
from iaiflow_agents import loop
from iaiflow_agents.models.scripted import ScriptedModel
from iaiflow_agents.tools.functions import CELL_TOOLS, tool
from iaiflow_agents.tools.tool import ToolCall
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model import event as ev
from iaiflow_lab.sdk.context import Context


def results(said):
    """Return the results of tools in a conversation, by the id of the call."""
    blocks = [block for message in said["messages"] for block in message["content"]]
    return {b["tool_use_id"]: b for b in blocks if b["type"] == "tool_result"}


def test_a_task_with_tools(lab, toolbox):
    toolbox.add("look", lambda text: f"seen {text}")
    script = [
        {"text": "Looking.", "thinking": "Hm.", "calls": calls("look", text="a")},
        {"text": "Done: {{last}}"},
    ]
    said = ask(lab, script, tools=["look"])
    assert said["text"] == "Done: seen a"
    assert said["stopped"] == ""
    assert toolbox.called == [("look", "a")]
    keys = [e.key for e in lab.journal.of(ev.SubstepRecorded)]
    assert [key.partition(":")[0] for key in keys] == ["model", "tool", "model"]
    trace = said["trace"]
    assert trace["state"] == "done"
    assert trace["is_scripted"]
    assert [turn["text"] for turn in trace["turns"]] == ["Looking.", "Done: seen a"]
    (call,) = trace["turns"][0]["calls"]
    assert (call["name"], call["state"], call["result"]) == ("look", "done", "seen a")
    assert trace["totals"]["steps"] == 2
    assert said["usage"]["output"] == sum(t["usage"]["output"] for t in trace["turns"])


def test_calls_of_one_turn_are_all_answered_in_their_order(lab, toolbox):
    toolbox.add("look", lambda text: text * 2)
    script = [{"calls": calls("look", {"text": "a"}, {"text": "b"}, {"text": "c"})}, {"text": "ok"}]
    said = ask(lab, script, tools=["look"])
    told = said["messages"][2]["content"]
    assert [block["content"] for block in told] == ["aa", "bb", "cc"]
    uses = said["messages"][1]["content"]
    assert [block["tool_use_id"] for block in told] == [use["id"] for use in uses]


def test_a_call_that_is_made_again_has_its_key_and_no_other_call_has_it(lab, toolbox):
    seen = []

    def look(call: ToolCall, text: str) -> str:
        """Look."""
        seen.append((call.id, text, call.key))
        return "seen"

    CELL_TOOLS["look"] = tool(look)
    script = [
        {"calls": calls("look", {"text": "a"}, {"text": "b"})},
        {"calls": calls("look", text="a")},
        {"text": "ok"},
    ]
    asking = one("agent", prompt="Go.", script=script, tools=["look"])
    run(lab, asking)
    first = list(seen)
    assert len({key for _, _, key in first}) == 3
    answers = [e for e in lab.journal.of(ev.SubstepRecorded) if e.key.startswith("model:")]
    run(agent_lab(lab.folder), asking, record=record_of(answers))
    assert sorted(seen[3:]) == sorted(first)


def test_an_unknown_tool_and_wrong_arguments_come_back_to_the_model(lab, toolbox):
    toolbox.add("look")
    wrong = [*calls("lok"), {"tool": "look", "arguments": {"text": 3}}]
    said = ask(lab, [{"calls": wrong}, {"text": "ok"}], tools=["look"])
    first, second = results(said).values()
    assert first["is_error"]
    assert "Did you mean 'look'?" in first["content"]
    assert second["is_error"]
    assert "text:" in second["content"]
    assert toolbox.called == []


def test_a_tool_that_fails_is_a_result(lab, toolbox):
    def broken(text):
        raise ValueError("no such month")

    toolbox.add("look", broken)
    said = ask(lab, [{"calls": calls("look")}, {"text": "I see."}], tools=["look"])
    (told,) = results(said).values()
    assert told["is_error"]
    assert "no such month" in told["content"]
    assert said["text"] == "I see."


def test_equal_ids_of_calls_are_told_apart(lab, toolbox, monkeypatch):
    toolbox.add("look", lambda text: text.upper())
    played = ScriptedModel.stream

    async def same_ids(self, request, show):
        reply = await played(self, request, show)
        content = [{**b, "id": "call_1"} if "id" in b else b for b in reply.content]
        return type(reply)(tuple(content), reply.stop_reason, reply.usage, reply.model)

    monkeypatch.setattr(ScriptedModel, "stream", same_ids)
    script = [
        {"calls": calls("look", text="a")},
        {"calls": calls("look", {"text": "b"}, {"text": "c"})},
        {"text": "ok"},
    ]
    said = ask(lab, script, tools=["look"])
    assert [block["content"] for block in results(said).values()] == ["A", "B", "C"]
    assert [text for _, text in toolbox.called] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("reason", "stopped"),
    [("max_tokens", "max-tokens"), ("refusal", "refusal"), ("stop_sequence", "")],
)
def test_other_ends(lab, reason, stopped):
    said = ask(lab, [{"text": "So far", "stop_reason": reason}])
    assert (said["text"], said["stopped"]) == ("So far", stopped)
    assert said["trace"]["state"] == ("stopped" if stopped else "done")
    assert bool(said["trace"]["reason"]) == bool(stopped)


def test_a_call_that_was_cut_off_is_never_made(lab, toolbox):
    toolbox.add("look")
    cut = {"calls": calls("look", text="half"), "stop_reason": "max_tokens"}
    said = ask(lab, [cut, {"calls": calls("look", text="whole")}, {"text": "ok"}], tools=["look"])
    assert toolbox.called == [("look", "whole")]
    assert said["text"] == "ok"
    assert "was not made" in next(iter(results(said).values()))["content"]


def test_an_agent_that_is_cut_off_again_and_again_stops(lab, toolbox):
    toolbox.add("look")
    cut = {"calls": calls("look"), "stop_reason": "max_tokens"}
    said = ask(lab, [cut] * 9, tools=["look"])
    assert said["stopped"] == "max-tokens"
    assert len(said["trace"]["turns"]) == 3
    assert toolbox.called == []


def test_a_turn_that_pauses_goes_on(lab):
    script = [{"text": "First, ", "stop_reason": "pause_turn"}, {"text": "second."}]
    said = ask(lab, script)
    assert said["text"] == "First, second."
    roles = [message["role"] for message in said["messages"]]
    assert roles == ["user", "assistant", "assistant"]


def test_an_earlier_conversation_goes_on(lab):
    first = ask(lab, [{"text": "My name is Anna."}])
    lab.journal.__init__()
    script = [{"text": "unused"}, {"text": "{{last}}!"}]
    said = ask(lab, script, prompt="And now", history=first["messages"])
    assert said["text"] == "And now!"
    assert len(said["messages"]) == 4


def test_a_history_that_is_none_is_refused(lab):
    with pytest.raises(NodeError, match="no conversation"):
        ask(lab, [{"text": "x"}], history=[{"who": "me"}])


def test_a_plan_is_kept_and_shown(lab):
    items = [{"text": "Look", "done": True}, {"text": "Tell", "done": False}]
    script = [{"calls": calls("plan", items=items)}, {"text": "ok"}]
    assert ask(lab, script, plan=True)["trace"]["plan"] == items


def test_words_of_one_agent_for_another(lab, toolbox):
    toolbox.add("look", "the answer")
    helper = {
        "name": "finder",
        "description": "Finds things.",
        "tools": ["look"],
        "script": [{"calls": calls("look")}, {"text": "Found {{last}}"}],
    }
    script = [{"calls": calls("finder", task="find it")}, {"text": "It says: {{last}}"}]
    said = ask(lab, script, agents=[helper])
    assert said["text"] == "It says: Found the answer"
    assert said["usage"]["steps"] == 4
    inner = said["trace"]["turns"][0]["calls"][0]["trace"]
    assert inner["agent"] == "finder"
    assert inner["totals"]["steps"] == 2


def test_a_hand_off_ends_with_the_words_of_the_other(lab):
    helper = {"name": "expert", "takes_over": True, "script": [{"text": "I am the expert."}]}
    said = ask(lab, [{"calls": calls("expert", task="take it")}], agents=[helper])
    assert (said["text"], said["stopped"]) == ("I am the expert.", "")


def test_a_long_conversation_is_made_shorter_and_calls_keep_their_results(
    lab, toolbox, monkeypatch
):
    from iaiflow_agents import running

    monkeypatch.setattr(running.compaction, "room", lambda *_: 600)
    toolbox.add("look", lambda text: "word " * 300)
    looking = {"calls": calls("look")}
    script = [
        {"when": {"contains": "[calls look"}, "text": "They looked often."},
        *[looking] * 6,
        {"text": "enough"},
    ]
    shortest = []
    played = ScriptedModel.stream

    async def checked(self, request, show):
        seen = set()
        for message in request.messages:
            for block in message["content"]:
                if block["type"] == "tool_use":
                    seen.add(block["id"])
                if block["type"] == "tool_result":
                    assert block["tool_use_id"] in seen, "a result without its call"
        shortest.append(len(request.messages))
        return await played(self, request, show)

    monkeypatch.setattr(ScriptedModel, "stream", checked)
    # the number of answers falls when the conversation is shortened: so what is played ends somehow
    said = ask(lab, script, tools=["look"], max_steps=12)
    keys = [e.key for e in lab.journal.of(ev.SubstepRecorded)]
    assert any(key.startswith("compact:") for key in keys)
    assert "They looked often." in str(said["messages"][0])
    assert max(shortest) < 10


def test_a_missing_key_is_said_with_what_to_do(lab, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(NodeError, match="iaiflow secrets set ANTHROPIC_API_KEY") as refused:
        run(lab, one("agent", prompt="x", model="claude-sonnet-5-5"))
    assert refused.value.code == "model-no-key"


def test_a_limit_of_money_needs_a_price(lab):
    config = {"base_url": "http://127.0.0.1:9", "model": "my-model", "max_cost": 1.0}
    with pytest.raises(NodeError, match="No price of the model 'my-model'"):
        run(lab, one("agent", prompt="x", **config))


def test_the_journal_holds_few_words_of_the_trace(lab, toolbox):
    toolbox.add("look")
    told = []
    script = [{"text": "many words " * 50, "calls": calls("look")}, {"text": "ok"}]
    flow = one("agent", prompt="x", tools=["look"], script=script)
    run(lab, flow, listener=told.append)
    recorded = lab.journal.of(ev.StepOutput)
    assert recorded
    assert all(event.value is None and len(event.preview) < 300 for event in recorded)
    shown = [event.value for event in told if isinstance(event, ev.StepOutput) and event.value]
    assert shown[-1]["state"] == "done"
    assert all(value["kind"] == "agent-trace/1" for value in shown)


def test_a_secret_that_a_tool_gives_is_told_to_nobody(lab, toolbox):
    lab.secrets = Secrets({"KEY": "canary-5f1c9a77"})

    def leak(ctx: Context) -> str:
        """Give a secret away."""
        return f"it is {ctx.secret('KEY')}"

    CELL_TOOLS["leak"] = tool(leak)
    said = ask(lab, [{"calls": calls("leak")}, {"text": "You said: {{last}}"}], tools=["leak"])
    assert "You said: it is " in said["text"]
    assert "canary" not in str(said)
    assert "canary" not in str(lab.journal.events)


def test_without_langgraph_it_says_what_to_install(lab, monkeypatch):
    monkeypatch.setitem(sys.modules, "langgraph.graph", None)
    loop._graph.cache_clear()
    with pytest.raises(NodeError, match="need the package langgraph") as failed:
        ask(lab, [{"text": "x"}])
    assert 'pip install "iaiflow-lab[agents]"' in failed.value.remedy


def test_a_client_that_loses_patience_is_asked_again_and_ends_no_budget(lab, monkeypatch):
    monkeypatch.setattr(calls_of_models, "SHORT_PAUSE", 600.0)  # nothing is parked here
    stream, asked = ScriptedModel.stream, []

    async def impatient(model, request, show):
        asked.append(request)
        if len(asked) == 1:
            raise TimeoutError("read timed out")
        return await stream(model, request, show)

    monkeypatch.setattr(ScriptedModel, "stream", impatient)
    said = ask(lab, [{"text": "Done."}], max_seconds=600.0)
    assert (said["text"], said["stopped"]) == ("Done.", "")
    assert len(asked) == 2
