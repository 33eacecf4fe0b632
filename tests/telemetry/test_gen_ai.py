"""What agents called, as spans by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import json

import pytest
from agent_runs import Toolbox, agent_lab, ask, calls, one, run
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from iaiflow_agents.tools.functions import CELL_TOOLS
from iaiflow_lab import Flow
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model import event as ev
from iaiflow_lab.sdk import values
from iaiflow_lab.service import open_session
from iaiflow_lab.settings import Settings, Telemetry, load_settings
from iaiflow_lab.telemetry.exporter import send_ended
from iaiflow_lab.telemetry.gen_ai import Calls

SCRIPT = [
    {"thinking": "A tool first.", "text": "Let me see.", "calls": calls("look", text="12")},
    {"text": "It is {{last}}."},
]


@pytest.fixture
def toolbox():
    before = dict(CELL_TOOLS)
    made = Toolbox()
    made.add("look", "sunny")
    made.add("fall", lambda _: 1 / 0)
    yield made
    CELL_TOOLS.clear()
    CELL_TOOLS.update(before)


def called(lab, *, content=False):
    """Return the calls that a lab's journal has, by key."""
    of = Calls(
        lambda: lab.journal.of(ev.SubstepRecorded),
        lambda output: values.decode(output, lab.artifacts),
        content=content,
    )
    return {call.key: call for call in of.each()}


def test_calls_of_models_and_tools(workspace, toolbox):
    lab = agent_lab(workspace)
    said = ask(lab, SCRIPT, tools=["look"])
    first, tool, last = called(lab).values()
    assert first.name == "chat scripted"
    totals = [first, last]
    for kind in ("input", "output"):
        told = [call.attributes[f"gen_ai.usage.{kind}_tokens"] for call in totals]
        assert sum(told) == said["usage"][kind]
    assert first.attributes["gen_ai.operation.name"] == "chat"
    assert first.attributes["gen_ai.provider.name"] == "scripted"
    assert first.attributes["gen_ai.request.model"] == "scripted"
    assert first.attributes["gen_ai.response.model"] == "scripted"
    assert first.attributes["gen_ai.response.finish_reasons"] == ["tool_use"]
    assert last.attributes["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert tool.name == "execute_tool look"
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert tool.attributes["gen_ai.tool.name"] == "look"
    [use] = [block for block in said["messages"][1]["content"] if block["type"] == "tool_use"]
    assert tool.attributes["gen_ai.tool.call.id"] == use["id"]
    assert (tool.error, tool.kind, first.kind) == ("", "internal", "client")


def test_contents_are_told_only_where_that_is_set(workspace, toolbox):
    lab = agent_lab(workspace)
    ask(lab, SCRIPT, tools=["look"])
    without = json.dumps([dict(call.attributes) for call in called(lab).values()])
    assert not any(word in without for word in ("sunny", "A tool first", "Let me see", "12"))
    first, tool, last = called(lab, content=True).values()
    [message] = json.loads(first.attributes["gen_ai.output.messages"])
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text", "tool_call"]
    assert message["parts"][2]["arguments"] == {"text": "12"}
    assert message["finish_reason"] == "tool_use"
    assert tool.attributes["gen_ai.tool.call.result"] == "sunny"
    assert "It is sunny." in last.attributes["gen_ai.output.messages"]


def test_a_tool_that_fails(workspace, toolbox):
    lab = agent_lab(workspace)
    ask(lab, [{"calls": calls("fall")}, {"text": "Oh."}], tools=["fall"])
    [tool] = [call for call in called(lab).values() if call.kind == "internal"]
    assert (tool.attributes["error.type"], tool.error) == ("tool_error", "The tool failed.")


def test_an_agent_that_is_asked_stands_inside_the_call(workspace, toolbox):
    lab = agent_lab(workspace)
    helper = {"name": "finder", "model": "scripted", "tools": ["look"], "script": SCRIPT}
    ask(lab, [{"calls": calls("finder", task="x")}, {"text": "Done."}], agents=[helper])
    found = called(lab)
    [asking] = [call for call in found.values() if call.name == "execute_tool finder"]
    inside = [call.name for call in found.values() if call.above == asking.key]
    assert inside == ["chat scripted", "execute_tool look", "chat scripted"]
    assert asking.above == ""


def test_nodes_that_ask_once(workspace):
    lab = agent_lab(workspace)
    run(lab, one("llm.prompt", prompt="x", script=[{"text": "y"}]))
    [asked] = called(lab).values()
    assert asked.name == "chat scripted"


def substep(key, value, encoding="json"):
    return ev.SubstepRecorded(at=2.0, step="n", key=key, output=ev.OutputRef(encoding, value))


USAGE = {"input": 5, "cache_read": 7, "cache_write_5m": 1, "cache_write_1h": 2, "output": 3}
ASKED = {"provider": "claude", "asked": "claude-x", "usage": USAGE, "seconds": 1.5, "cost": 0.5}


def read_inline(output):
    if output.inline == "gone":
        raise NotFoundError("It is gone.")
    return output.inline


def calls_of(*substeps):
    return list(Calls(lambda: substeps, read_inline, content=True).each())


def test_tokens_of_the_cache_count_as_read():
    record = {**ASKED, "model": "claude-x-1", "stop_reason": "end_turn", "id": "msg_1"}
    [call] = calls_of(substep("model:1", record))
    told = call.attributes
    assert told["gen_ai.provider.name"] == "anthropic"
    assert told["gen_ai.usage.input_tokens"] == 15
    assert told["gen_ai.usage.cache_read.input_tokens"] == 7
    assert told["gen_ai.usage.cache_creation.input_tokens"] == 3
    assert (told["gen_ai.response.id"], told["iaiflow.cost_usd"]) == ("msg_1", 0.5)


def test_attempts_that_failed():
    fault = {"what": "Too busy.", "code": "model-overloaded", "where": "", "remedy": ""}
    busy, late = calls_of(
        substep("model:1", {**ASKED, "fault": fault}),
        substep("compact:1.1", {**ASKED, "cost": None, "limit": "seconds"}),
    )
    assert (busy.error, busy.attributes["error.type"]) == ("Too busy.", "model-overloaded")
    assert (late.error, late.attributes["error.type"]) == ("The agent's time is over.", "timeout")
    assert "gen_ai.output.messages" not in busy.attributes


@given(st.text(min_size=1), st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_what_other_nodes_record_is_passed_over(name, value):
    keys = (name, f"model:{name}", f"tool:{name}")
    found = [substep(key, shape) for key in keys for shape in (value, {"asked": value}, "gone")]
    assert calls_of(*found, substep("model:1", None, "live")) == []


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_ids_may_be_any_text(ids):
    used = {"tool": "t", "content": "", "is_error": False, "seconds": 0.0}
    keys = ["/".join([*ids[:n], f"tool:{ids[n]}"]) for n in range(len(ids))]
    found = calls_of(*(substep(key, used) for key in dict.fromkeys(keys)))
    assert {call.key for call in found} == set(keys)
    assert all(call.above in {"", *keys} - {call.key} for call in found)


def test_a_run_s_trace_has_them_and_hides_secrets(workspace, toolbox, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "hunter22")
    script = [{"calls": calls("look")}, {"calls": calls("fall")}, {"text": "It is hunter22."}]
    flow = Flow("asks")
    tools = ["look", "fall"]
    flow.add("agent", id="n", model="scripted", script=script, tools=tools, prompt="Go")
    target = InMemorySpanExporter()
    with open_session(workspace) as session:
        traces = {"endpoint": "http://127.0.0.1:1", "content": True}
        session.store.settings = Settings(telemetry=traces)
        send_ended(session, target)
        flow.run(show=False)
        assert send_ended(session, target) == 1
    spans = target.get_finished_spans()
    step = next(span for span in spans if span.name == "invoke_agent n")
    assert step.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert (step.attributes["gen_ai.agent.name"], step.attributes["iaiflow.step"]) == ("n", "n")
    named = [span for span in spans if "gen_ai.operation.name" in span.attributes]
    made = [span for span in named if span is not step]
    assert {span.parent.span_id for span in made} == {step.context.span_id}
    assert [span.name for span in made] == [
        "chat scripted", "execute_tool look", "chat scripted", "execute_tool fall", "chat scripted",
    ]  # fmt: skip
    assert (made[0].kind, made[1].kind) == (SpanKind.CLIENT, SpanKind.INTERNAL)
    assert made[0].attributes["gen_ai.response.finish_reasons"] == ["tool_use"]
    assert encode_spans(spans).resource_spans
    assert made[3].status.status_code is StatusCode.ERROR
    assert len({span.context.span_id for span in spans}) == len(spans)
    assert "[secret]" in made[-1].attributes["gen_ai.output.messages"]
    assert all("hunter22" not in span.to_json() for span in spans)


def test_the_setting_is_off_and_checked(workspace):
    (workspace / ".iaiflow").mkdir()
    file = workspace / ".iaiflow" / "config.toml"
    head = '[telemetry]\nendpoint = "http://127.0.0.1:4318/v1/traces"\n'
    file.write_text(head)
    assert load_settings(workspace).traces == Telemetry("http://127.0.0.1:4318/v1/traces")
    file.write_text(f"{head}content = true\n")
    assert load_settings(workspace).traces.content
    file.write_text(f'{head}content = "yes"\n')
    with pytest.raises(InputError, match="telemetry content"):
        load_settings(workspace)
