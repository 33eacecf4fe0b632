"""Agents through the real SDK, against a Messages API that breaks on request.

Whatever happens, a call that was cut off is never made, and no call is made twice.
"""

from __future__ import annotations

import json
import re

import pytest
from agent_runs import agent_lab, one
from harness import PATIENCE, MemoryJournal, Secrets, record_of
from messages_api import MessagesAPI, call, refuse, say, text, thinking

from iaiflow_agents import calls as calls_of_models
from iaiflow_agents import running
from iaiflow_agents.models import claude, limits
from iaiflow_agents.models.patience import Patience
from iaiflow_agents.tools.functions import CELL_TOOLS, tool
from iaiflow_agents.tools.tool import ToolResult
from iaiflow_lab.model import event as ev
from iaiflow_lab.sdk.context import Context

MODEL = "claude-sonnet-5-5"


@pytest.fixture(autouse=True)
def look(toolbox, monkeypatch):
    monkeypatch.setattr(calls_of_models, "SHORT_PAUSE", 600.0)  # nothing is parked here
    return toolbox.add("look", lambda text: f"seen {text}")


def run(lab, api, **config):
    """Run an agent against the API and return how it ended."""
    given = {"prompt": "Go.", "tools": ["look"], "base_url": api.url, "key": api.key, **config}
    return lab.start(one("agent", model=MODEL, **given)).wait(PATIENCE)


def looking(text="a", **how):
    return say("I look.", call("look", text=text), **how)


@pytest.mark.parametrize(
    "fault",
    [
        refuse(429, "rate_limit_error", retry_after="0"),
        refuse(529, "overloaded_error", retry_after_ms="1"),
        refuse(500, "api_error"),
        looking("half", breaks="eof"),
        looking("half", breaks="abort"),
        looking("half", breaks="overloaded_error"),
        looking("half", breaks="garbage"),
    ],
    ids=["429", "529", "500", "eof", "abort", "error-event", "garbage"],
)
def test_a_fault_that_passes(lab, toolbox, fault):
    with MessagesAPI(looking(), fault, looking("b"), fault, say("Done.")) as api:
        result = run(lab, api)
        assert result.exception is None, result.exception
        said = result.values["n"]
    assert (said["text"], said["stopped"]) == ("Done.", "")
    assert toolbox.called == [("look", "a"), ("look", "b")]
    assert said["usage"]["steps"] == 3
    assert len(api.bodies) == 5


@pytest.mark.parametrize(
    ("breaks", "patience"),
    [("stall", Patience(silence=1, signs=60)), ("pings", Patience(silence=60, signs=1))],
)
def test_an_answer_that_does_not_go_on_is_asked_for_again(
    lab, toolbox, monkeypatch, breaks, patience
):
    monkeypatch.setattr(claude, "Patience", lambda: patience)
    stalls = [looking("half", breaks=breaks)]

    def answer(body):  # by what was said, so that one more that is late changes nothing
        if len(body["messages"]) == 1:
            return looking()
        return stalls.pop() if stalls else say("Done.")

    with MessagesAPI() as api:
        api.answer = answer
        said = run(lab, api).values["n"]
    assert (said["text"], said["usage"]["steps"]) == ("Done.", 2)
    assert toolbox.called == [("look", "a")]
    records = {e.key: e.output.inline for e in lab.journal.of(ev.SubstepRecorded)}
    assert "model-stalled" in [r["fault"]["code"] for r in records.values() if "fault" in r]


@pytest.mark.parametrize("status", [429, 529])
def test_a_service_that_wants_an_hour_frees_the_worker(lab, toolbox, status):
    kind = "overloaded_error" if status == 529 else "rate_limit_error"
    with MessagesAPI(looking(), refuse(status, kind, retry_after="3600"), say("Done.")) as api:
        given = {"prompt": "Go.", "tools": ["look"], "base_url": api.url, "key": api.key}
        asking = one("agent", model=MODEL, **given)
        assert lab.run(asking).state == "waiting"
        (wait,) = lab.journal.of(ev.StepWaiting)
        assert wait.due - wait.at == pytest.approx(3600, abs=60)
        over = ev.WaitAnswered(at=wait.due, step="n", key=wait.key, outcome="due")
        lab.journal._answers["n", wait.key] = over
        said = lab.run(asking, record=record_of([*lab.journal.events, over])).values["n"]
        assert len(api.bodies) == 3
    assert (said["text"], said["usage"]["steps"]) == ("Done.", 2)
    assert toolbox.called == [("look", "a")]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refuse(401, "authentication_error"), "model-refused-key"),
        (refuse(400, "invalid_request_error"), "model-bad-request"),
    ],
)
def test_a_fault_that_stays(lab, toolbox, fault, code):
    with MessagesAPI(looking(), fault) as api:
        result = run(lab, api)
    assert result.error.code == code
    assert result.exception.remedy
    assert toolbox.called == [("look", "a")]
    assert len(api.bodies) == 2


def test_a_call_that_was_cut_off(lab, toolbox):
    cut = looking("half", stop_reason="max_tokens", cut=0.5)
    with MessagesAPI(looking(), cut) as api:
        said = run(lab, api).values["n"]
    assert (said["text"], said["stopped"]) == ("I look.", "max-tokens")
    assert toolbox.called == [("look", "a")]


@pytest.mark.parametrize(
    ("turn", "stopped"),
    [
        (say("No.", stop_reason="refusal", stop_details={"category": "cyber"}), "refusal"),
        (say("Long", stop_reason="max_tokens"), "max-tokens"),
        (say("Long", stop_reason="model_context_window_exceeded"), "context"),
        (say("Hm", stop_reason="something_new"), "unknown"),
    ],
)
def test_other_ends(lab, turn, stopped):
    with MessagesAPI(looking(), turn) as api:
        said = run(lab, api).values["n"]
    assert said["stopped"] == stopped
    assert said["trace"]["reason"]


@pytest.mark.parametrize(
    "reason", ["refusal", "end_turn", "stop_sequence", "pause_turn", "something_new"]
)
def test_a_call_in_an_answer_that_waits_for_none_is_not_made_and_the_talk_goes_on(
    lab, toolbox, reason
):
    with MessagesAPI(looking(stop_reason=reason), say("Yes.")) as api:
        first = run(lab, api).values["n"]
        lab.journal = MemoryJournal()
        again = run(lab, api, prompt="And now?", history=first["messages"])
    assert toolbox.called == []
    assert first["stopped"] == ("refusal" if reason == "refusal" else "unknown")
    assert first["text"] == "I look."
    assert again.exception is None, again.exception
    assert again.values["n"]["text"] == "Yes."


def test_texts_without_a_word_do_not_go_back(lab, toolbox):
    picture = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    blocks = [text(" "), {"type": "image", "source": picture}]
    toolbox.add("look", lambda text: ToolResult(blocks))
    with MessagesAPI(say("\n\n", call("look", text="a")), say("Done.")) as api:
        said = run(lab, api).values["n"]
    assert said["text"] == "Done."
    assert [block["type"] for block in said["messages"][1]["content"]] == ["tool_use"]


def test_a_turn_that_pauses(lab, toolbox):
    pause = say("First, ", stop_reason="pause_turn")
    with MessagesAPI(pause, looking(), say("second.")) as api:
        said = run(lab, api).values["n"]
    assert (said["text"], said["stopped"]) == ("second.", "")
    assert len(toolbox.called) == 1


def test_a_conversation_that_became_too_long_is_made_shorter(lab, toolbox):
    toolbox.add("look", lambda text: "word " * 2_000)
    too_long = refuse(413, "request_too_large")
    turns = [looking(), looking(), looking(), too_long, say("They looked."), say("Done.")]
    with MessagesAPI(*turns) as api:
        said = run(lab, api).values["n"]
        assert "They looked." in str(api.bodies[-1]["messages"][0])
    assert (said["text"], len(toolbox.called)) == ("Done.", 3)


def test_a_task_that_is_too_long_by_itself_ends_with_a_sentence(lab):
    with MessagesAPI(refuse(413, "request_too_large")) as api:
        said = run(lab, api).values["n"]
    assert said["stopped"] == "context"
    assert said["trace"]["reason"] == "The conversation is longer than what the model can read."


class Forgetful:
    """A service that reads seven messages at most, and sums up what letters were looked at."""

    def answer(self, body):
        seen = sorted(set(re.findall(r"<(\w)>", json.dumps(body["messages"]))))
        if "tools" not in body:
            return say("Seen: " + " ".join(f"<{letter}>" for letter in seen))
        if len(body["messages"]) > 7:
            return refuse(413, "request_too_large")
        left = [letter for letter in "abcdef" if letter not in seen]
        return looking(left[0]) if left else say("Done.")


def test_a_run_that_goes_on_makes_a_conversation_shorter_where_it_was_before(lab, toolbox):
    toolbox.add("look", lambda text: f"<{text}>")
    with MessagesAPI() as api:
        api.answer = Forgetful().answer
        whole = run(lab, api).values["n"]
        assert [letter for _, letter in toolbox.called] == [*"abcdef"]
        events = list(lab.journal.events)
        asked = len(api.bodies)
        for end, event in enumerate(events):
            if not isinstance(event, ev.SubstepRecorded):
                continue
            toolbox.called.clear()
            api.seen.clear()
            known = events[: end + 1]
            later = agent_lab(lab.folder)
            later.journal.append(known)
            given = {"prompt": "Go.", "tools": ["look"], "base_url": api.url, "key": api.key}
            going = later.start(one("agent", model=MODEL, **given), record=record_of(known))
            said = going.wait(PATIENCE).values["n"]
            keys = [e.key for e in known if isinstance(e, ev.SubstepRecorded)]
            looked = [key for key in keys if key.startswith("tool:")]
            assert [letter for _, letter in toolbox.called] == [*"abcdef"][len(looked) :], keys
            assert len(api.bodies) == asked - (len(keys) - len(looked)), keys
            assert len(said["messages"]) == len(whole["messages"])
            assert len(said["trace"]["turns"]) == len(whole["trace"]["turns"]) == 7


def test_what_a_model_reads_its_service_tells_once_where_the_table_does_not(lab, monkeypatch):
    rooms = []
    monkeypatch.setattr(limits, "_TABLE", {})
    monkeypatch.setattr(running.compaction, "room", lambda most, _: rooms.append(most))
    with MessagesAPI(looking(), say("Done."), say("Done.")) as api:
        run(lab, api)
        events = lab.journal.events
        later = agent_lab(lab.folder)
        later.journal.append(events[:-1])
        config = {"prompt": "Go.", "tools": ["look"], "base_url": api.url, "key": api.key}
        later.run(one("agent", model=MODEL, **config), record=record_of(events[:-1]))
        assert [seen.path for seen in api.seen].count("/v1/models") == 1
    assert rooms == [1_000_000, 1_000_000]


@pytest.mark.parametrize(
    "summary",
    [say("No.", stop_reason="refusal"), say(" "), refuse(413, "request_too_large")],
    ids=["refusal", "blank", "too long"],
)
def test_a_conversation_that_nobody_sums_up_ends_with_what_was_done(lab, toolbox, summary):
    forgetful = Forgetful()
    with MessagesAPI() as api:
        api.answer = lambda body: forgetful.answer(body) if "tools" in body else summary
        toolbox.add("look", lambda text: f"<{text}>")
        said = run(lab, api).values["n"]
    assert said["stopped"] == "context"
    assert len(toolbox.called) == 4
    assert len(said["messages"]) == 9


def test_a_thought_that_holds_a_secret_does_not_go_back(lab, toolbox):
    lab.secrets = Secrets({"KEY": "canary-5f1c9a77"})

    def look(ctx: Context) -> str:
        """Look."""
        ctx.secret("KEY")
        return "seen"

    CELL_TOOLS["look"] = tool(look)
    thought = thinking("I guess that it is canary-5f1c9a77.")
    turns = [say(call("look")), say(thought, call("look")), say(thinking("So."), "Done.")]
    with MessagesAPI(*turns) as api:
        result = run(lab, api)
    assert result.exception is None, result.exception
    assert result.values["n"]["text"] == "Done."
    assert result.values["n"]["messages"][-1]["content"][0]["thinking"] == "So."
    assert "canary" not in str(lab.journal.events)


def test_thinking_goes_back_as_it_came_and_the_cache_is_counted(lab):
    first = say(thinking("Hm."), call("look", text="a"))
    with MessagesAPI(first, say(thinking("Ah."), "Done.")) as api:
        said = run(lab, api, thinking=True, system="Be brief. " * 500).values["n"]
        sent = api.bodies[1]["messages"][1]["content"][0]
    assert sent["thinking"] == "Hm."
    assert sent["signature"]
    assert said["trace"]["turns"][1]["thinking"] == "Ah."
    assert said["usage"]["cache_write"] > 0
    assert said["usage"]["cost"] > 0


def test_the_key_is_in_nothing_that_is_recorded(lab):
    with MessagesAPI(looking(), say("Done.")) as api:
        run(lab, api)
        assert api.key not in str(lab.journal.events)
