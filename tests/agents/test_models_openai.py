"""Services that speak chat completions, against the one of the tests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_api import MessagesAPI, Turn, call, refuse, say, text, thinking

from iaiflow_agents.blocks import assistant, text_of, tool_result, tool_uses, user
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.chat_assembly import ChatAssembly
from iaiflow_agents.models.chat_request import chat_messages, parameters
from iaiflow_agents.models.openai import OpenAIModel
from iaiflow_agents.models.patience import Patience
from iaiflow_agents.models.protocol import Delta, Reply, Request, ToolSpec
from iaiflow_agents.models.registry import open_model
from iaiflow_lab.errors import NotFoundError

ADD = ToolSpec("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}})
PICTURE = {"type": "base64", "media_type": "image/png", "data": "AAAA"}


def no_secret(name: str) -> str:
    raise NotFoundError(f"There is no secret {name!r}.")


def ask(*messages: Any, **how: Any) -> Request:
    return Request("some-model", list(messages) or [user("Hello")], **how)


def answer(api: MessagesAPI, request: Request, **how: Any) -> Reply | ModelFault:
    shown: list[Delta] = how.pop("shown", [])

    async def one() -> Reply:
        client = open_model(
            "openai:some-model", secret=no_secret, base_url=f"{api.url}/v1/", key=api.key
        )
        assert isinstance(client, OpenAIModel)
        client._patience = how.get("patience", Patience(silence=60, signs=60))
        try:
            return await client.stream(request, shown.append)
        finally:
            await client.aclose()

    try:
        return asyncio.run(one())
    except ModelFault as fault:
        return fault


def reply_to(api: MessagesAPI, request: Request, **how: Any) -> Reply:
    reply = answer(api, request, **how)
    assert isinstance(reply, Reply), reply
    return reply


def fault_of(api: MessagesAPI, request: Request, **how: Any) -> ModelFault:
    fault = answer(api, request, **how)
    assert isinstance(fault, ModelFault)
    assert api.key not in repr(fault) + str(fault) + repr(fault.__context__)
    return fault


def test_an_answer_comes_as_blocks() -> None:
    words = "Grüße\u2028🙂 " * 10
    said = [thinking("Hm."), text(words), call("add", a=1, s="ü"), call("add", a=2)]
    for seed in range(3):
        shown: list[Delta] = []
        with MessagesAPI(say(*said), seed=seed) as api:
            reply = reply_to(api, ask(tools=[ADD]), shown=shown)
        assert [block["type"] for block in reply.content] == [block["type"] for block in said]
        assert text_of(reply.content) == words
        assert tool_uses(reply.content) == said[2:]
        assert reply.stop_reason == "tool_use"
        assert reply.usage.input > 0
        assert reply.usage.output > 0
        assert "".join(one.text for one in shown if one.kind == "text") == words


def test_a_conversation_with_tools_goes_on() -> None:
    with MessagesAPI(say("Well.", call("add", a=1)), say("2")) as api:
        first = reply_to(api, ask(tools=[ADD], system="Be brief."))
        results = [tool_result(one["id"], "2", is_error=True) for one in tool_uses(first.content)]
        messages = [user("Hello"), assistant(first.content), user([*results, text("So?")])]
        second = reply_to(api, ask(*messages, tools=[ADD]))
        system, *_ = api.bodies[0]["messages"]
        _, said, result, rest = api.bodies[1]["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"a": 1}
    assert result == {
        "role": "tool",
        "tool_call_id": results[0]["tool_use_id"],
        "content": "Error: 2",
    }
    assert rest == {"role": "user", "content": "So?"}
    assert text_of(second.content) == "2"
    assert second.usage.cache_read == 8


def test_the_options_of_a_request_are_spelled_as_there() -> None:
    request = ask(
        tools=[ADD], tool_choice="any", schema={"type": "object"}, effort="max", temperature=0.5
    )
    here, home = parameters(request, is_home=False), parameters(request, is_home=True)
    assert here["tool_choice"] == "required"
    assert here["reasoning_effort"] == "high"
    assert here["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert here["temperature"] == 0.5
    assert "max_tokens" in here
    assert "max_completion_tokens" in home
    named = parameters(ask(tools=[ADD], tool_choice="add"), is_home=True)["tool_choice"]
    assert named == {"type": "function", "function": {"name": "add"}}


def test_pictures_go_along_also_those_that_tools_give() -> None:
    picture = {"type": "image", "source": PICTURE}
    message = user([tool_result("call_1", [text("See:"), picture]), text("What is it?")])
    result, rest = chat_messages(message)
    assert result["content"] == "See:"
    assert [part["type"] for part in rest["content"]] == ["image_url", "text"]
    assert rest["content"][0]["image_url"]["url"] == "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("turn", "code"),
    [
        (refuse(429, "requests"), "model-rate-limit"),
        (refuse(429, "insufficient_quota", code="insufficient_quota"), "model-spend-limit"),
        (refuse(401, "invalid_request_error"), "model-refused-key"),
        (refuse(404, "invalid_request_error", code="model_not_found"), "model-unknown"),
        (refuse(400, "invalid_request_error", code="context_length_exceeded"), "model-too-long"),
        (refuse(400, "invalid_request_error"), "model-bad-request"),
        (refuse(500, "server_error"), "model-unreachable"),
        (refuse(503, "overloaded"), "model-overloaded"),
        (say("Well " * 9, breaks="eof"), "model-truncated"),
        (say("Well " * 9, breaks="garbage"), "model-truncated"),
        (say("Well " * 9, breaks="abort"), "model-unreachable"),
    ],
)
def test_a_refusal_or_a_break_is_a_fault_of_its_kind(turn: Turn, code: str) -> None:
    with MessagesAPI(turn, say("never asked twice")) as api:
        fault = fault_of(api, ask())
        assert len(api.seen) == 1
    assert fault.code == code
    assert (fault.usage is None) == (turn.status != 200)


@pytest.mark.parametrize(
    ("breaks", "patience"),
    [
        ("stall", Patience(silence=0.5, signs=60)),
        ("loris", Patience(silence=60, signs=0.5)),
        ("head", Patience(silence=60, signs=0.5)),
    ],
)
def test_an_answer_that_does_not_go_on_is_given_up(breaks: str, patience: Patience) -> None:
    with MessagesAPI(say("Well " * 20, breaks=breaks)) as api:
        assert fault_of(api, ask(), patience=patience).code == "model-stalled"


def test_a_call_that_was_cut_is_not_in_the_answer() -> None:
    turn = say("I add.", call("add", a=1, b="x" * 60), stop_reason="max_tokens", cut=0.5)
    with MessagesAPI(turn) as api:
        reply = reply_to(api, ask(tools=[ADD]))
    assert (reply.stop_reason, tool_uses(reply.content)) == ("max_tokens", [])
    with MessagesAPI(say(call("add", a=1, b="x" * 60), cut=0.5)) as api:
        assert fault_of(api, ask(tools=[ADD])).code == "model-truncated"


def test_an_answer_that_was_broken_off_calls_nothing() -> None:
    with MessagesAPI(say("I add.", call("add", a=1), stop_reason="abort")) as api:
        assert reply_to(api, ask(tools=[ADD])).stop_reason == "abort"


def test_calls_that_the_server_does_not_number_are_told_apart() -> None:
    assembly = ChatAssembly(ask(tools=[ADD]))
    made = [call("add", a=1), call("add", a=2)]
    for one in made:
        first, rest = json.dumps(one["input"])[:3], json.dumps(one["input"])[3:]
        begun = {"id": one["id"], "function": {"name": "add", "arguments": first}}
        for part in (begun, {"function": {"arguments": rest}}):
            list(assembly.take({"choices": [{"delta": {"tool_calls": [part]}}]}))
    list(assembly.take({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}))
    assert list(assembly.reply().content) == made


def test_a_refusal_of_the_model_is_an_answer() -> None:
    with MessagesAPI(say("No.", stop_reason="refusal")) as api:
        reply = reply_to(api, ask())
    assert reply.stop_reason == "refusal"
    assert reply.stop_details == {"type": "refusal", "explanation": "No."}


def test_servers_that_tell_what_a_model_reads_are_believed() -> None:
    told = [{"id": "a", "max_model_len": 8192}, {"id": "b", "context_length": 4096}, {"id": "c"}]

    async def listed() -> Any:
        client = open_model("openai:a", secret=no_secret, base_url="http://127.0.0.1:9")
        assert isinstance(client, OpenAIModel)
        client._made = httpx.AsyncClient(
            transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"data": told}))
        )
        try:
            return await client.models()
        finally:
            await client.aclose()

    assert [one.max_input for one in asyncio.run(listed())] == [8192, 4096, None]


def test_without_a_key_none_is_sent() -> None:
    async def one(api: MessagesAPI) -> None:
        client = open_model("openai:local", secret=lambda _: "sk-of-home", base_url=api.url)
        with pytest.raises(ModelFault, match="refused the key"):
            await client.models()
        await client.aclose()

    with MessagesAPI() as api:
        asyncio.run(one(api))
        assert "authorization" not in api.seen[0].headers


_WORDS = st.text(min_size=1).filter(lambda words: words.isprintable())
_ARGUMENTS = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text()), max_size=3)
_CALL = st.builds(
    lambda arguments: call("add", **{f"_{k}": v for k, v in arguments.items()}), _ARGUMENTS
)
_SAID = st.lists(st.one_of(st.builds(text, _WORDS), _CALL), min_size=1, max_size=4)


@given(st.lists(_SAID, min_size=1, max_size=3))
def test_every_conversation_has_its_words_and_calls_on_the_other_side(said: Any) -> None:
    import chat_face

    messages: list[Any] = [user("Begin.")]
    for content in said:
        results = [tool_result(one["id"], "done") for one in tool_uses(content)]
        messages += [assistant(content), user(results or "Go on.")]
    body = parameters(ask(*messages), is_home=False)
    assert chat_face.fault(body) == ""
    mapped = [one for one in body["messages"] if one["role"] == "assistant"]
    assert [one["content"] or "" for one in mapped] == [text_of(one) for one in said]
    arguments = [
        json.loads(one["function"]["arguments"])
        for message in mapped
        for one in message.get("tool_calls", [])
    ]
    assert arguments == [one["input"] for content in said for one in tool_uses(content)]
