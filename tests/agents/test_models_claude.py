"""Claude through the SDK, against the Messages API of the tests: what is said, and every fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from messages_api import MessagesAPI, Turn, call, refuse, say, thinking

from iaiflow_agents.blocks import assistant, text_of, thinking_of, tool_result, tool_uses, user
from iaiflow_agents.errors import CODES, ModelFault
from iaiflow_agents.models.claude import ClaudeModel
from iaiflow_agents.models.patience import Patience
from iaiflow_agents.models.protocol import Delta, Reply, Request, ToolSpec
from iaiflow_agents.models.registry import open_model
from iaiflow_lab.errors import NotFoundError

MODEL = "claude-sonnet-5-5"
ADD = ToolSpec("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}})


def no_secret(name: str) -> str:
    raise NotFoundError(f"There is no secret {name!r}.")


def ask(*content: Any, **how: Any) -> Request:
    return Request(MODEL, [user(*content or ("Hello",))], **how)


def converse(api: MessagesAPI, *requests: Request, **how: Any) -> list[Reply | ModelFault]:
    """Ask one after the other by one client."""
    shown: list[Delta] = how.pop("shown", [])

    async def all_of_them() -> list[Reply | ModelFault]:
        client = open_model(MODEL, secret=no_secret, base_url=api.url, key=api.key)
        assert isinstance(client, ClaudeModel)
        client._patience = how.get("patience", Patience(silence=60, signs=60))
        replies: list[Reply | ModelFault] = []
        for request in requests:
            try:
                replies.append(await client.stream(request, shown.append))
            except ModelFault as fault:
                replies.append(fault)
        await client.aclose()
        return replies

    return asyncio.run(all_of_them())


def reply_to(api: MessagesAPI, request: Request | None = None, **how: Any) -> Reply:
    reply = converse(api, request or ask(), **how)[0]
    assert isinstance(reply, Reply), reply
    return reply


def fault_of(api: MessagesAPI, request: Request | None = None, **how: Any) -> ModelFault:
    fault = converse(api, request or ask(), **how)[0]
    assert isinstance(fault, ModelFault), fault
    assert fault.code in CODES
    assert api.key not in repr(fault) + str(fault) + repr(fault.__context__)
    assert fault.__cause__ is None
    return fault


def test_an_answer_is_whole_and_verbatim() -> None:
    words = "Grüße, 世界! 🙂 " * 20
    said = [
        thinking("Ich überlege … 🤔"),
        {"type": "text", "text": words},
        call("add", a=1, s="ü🙂"),
    ]
    for seed in range(3):
        shown: list[Delta] = []
        with MessagesAPI(say(*said), seed=seed) as api:
            reply = reply_to(api, ask(tools=[ADD]), shown=shown)
        assert list(reply.content) == said
        assert reply.stop_reason == "tool_use"
        assert reply.model == MODEL
        assert reply.id.startswith("msg_")
        assert "".join(one.text for one in shown if one.kind == "text") == words
        assert "".join(one.text for one in shown if one.kind == "thinking") == thinking_of(said)
        assert {one.tool for one in shown if one.kind == "tool"} == {"add"}
        assert {one.index for one in shown if one.kind == "tool"} == {2}


def test_blocks_of_other_kinds_come_through_as_they_are() -> None:
    said = [
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "ü"}},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"title": None}]},
        {"type": "a_kind_of_tomorrow", "data": {"x": [1, None]}},
        {"type": "text", "text": "x", "citations": None},
    ]
    with MessagesAPI(say(*said)) as api:
        assert list(reply_to(api).content) == said


def test_thoughts_and_results_go_back_as_they_came() -> None:
    with MessagesAPI(say(thinking("One and one."), call("add", a=1)), say("2")) as api:
        first = reply_to(api, ask(tools=[ADD], thinking=True))
        results = [tool_result(one["id"], "2") for one in tool_uses(first.content)]
        messages = [user("Hello"), assistant(first.content), user(results)]
        second = reply_to(api, Request(MODEL, messages, tools=[ADD], thinking=True))
        assert text_of(second.content) == "2"
        assert api.bodies[1]["messages"][1]["content"] == list(first.content)
        assert api.bodies[0]["thinking"] == {"type": "adaptive", "display": "summarized"}


def test_what_was_read_is_read_again_from_the_cache() -> None:
    tools = [ADD]
    with MessagesAPI(say(call("add", a=1)), say("2"), say("no cache")) as api:
        first = reply_to(api, ask(tools=tools, system="Be brief. " * 50))
        results = [tool_result(one["id"], "2") for one in tool_uses(first.content)]
        messages = [user("Hello"), assistant(first.content), user(results)]
        longer = Request(MODEL, messages, tools=tools, system="Be brief. " * 50)
        second = reply_to(api, longer)
        plain = reply_to(api, ask(cache=False))
    assert first.usage.cache_read == first.usage.input == 0
    assert first.usage.cache_write_5m > 100
    assert second.usage.cache_read == first.usage.all_input
    assert second.usage.cache_write_5m > 0
    assert plain.usage.cache_write_5m == plain.usage.cache_read == 0
    assert plain.usage.input > 0
    assert first.usage.output > 1
    assert (first.usage + second.usage).total == first.usage.total + second.usage.total


def test_what_was_read_is_read_again_after_a_turn_of_many_calls() -> None:
    calls = [call("add", a=n) for n in range(30)]
    with MessagesAPI(say(*calls), say("Done.")) as api:
        first = reply_to(api, ask(tools=[ADD]))
        results = [tool_result(one["id"], "2") for one in calls]
        messages = [user("Hello"), assistant(first.content), user(results)]
        second = reply_to(api, Request(MODEL, messages, tools=[ADD]))
    assert second.usage.cache_read == first.usage.all_input


def test_the_options_of_a_request_reach_the_service() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    with MessagesAPI(say("{}"), say("x"), say("y")) as api:
        reply_to(api, ask(schema=schema, effort="low", temperature=0.0, max_tokens=77))
        reply_to(api, ask(tools=[ADD], tool_choice="add"))
        reply_to(api, ask(tools=[ADD], tool_choice="any", cache=False, system="Hi"))
        first, second, third = api.bodies
        headers = api.seen[0].headers
    assert first["output_config"]["effort"] == "low"
    sent = first["output_config"]["format"]["schema"]
    assert sent["additionalProperties"] is False
    assert (first["temperature"], first["max_tokens"]) == (0.0, 77)
    assert second["tool_choice"] == {"type": "tool", "name": "add"}
    assert second["tools"][0]["cache_control"] == {"type": "ephemeral"}
    assert third["tool_choice"] == {"type": "any"}
    assert third["system"] == [{"type": "text", "text": "Hi"}]
    assert headers["authorization"] == f"Bearer {api.key}"


@pytest.mark.parametrize(
    ("max_tokens", "budget"), [(8000, 4000), (1500, 1024), (1025, 1024), (1024, None), (10, None)]
)
def test_an_older_model_is_told_how_much_to_think(max_tokens: int, budget: int | None) -> None:
    with MessagesAPI(say("Yes")) as api:
        messages = [user("Hi")]
        request = Request("claude-haiku-4-5", messages, thinking=True, max_tokens=max_tokens)
        reply_to(api, request)
        told = api.bodies[0].get("thinking")
    assert told == (budget and {"type": "enabled", "budget_tokens": budget})


@pytest.mark.parametrize(
    ("turn", "code", "is_retryable"),
    [
        (refuse(429, "rate_limit_error"), "model-rate-limit", True),
        (refuse(529, "overloaded_error"), "model-overloaded", True),
        (refuse(503, "api_error"), "model-unreachable", True),
        (refuse(500, "api_error"), "model-unreachable", True),
        (refuse(500, "api_error", x_should_retry="false"), "model-unreachable", False),
        (refuse(400, "invalid_request_error"), "model-bad-request", False),
        (refuse(400, "invalid_request_error", "prompt is too long"), "model-too-long", False),
        (refuse(400, "", "exceeds the available context size (4096)"), "model-too-long", False),
        (refuse(400, "", "input length exceeds context limit"), "model-too-long", False),
        (refuse(401, "authentication_error"), "model-refused-key", False),
        (refuse(403, "permission_error"), "model-refused-key", False),
        (refuse(402, "billing_error"), "model-spend-limit", False),
        (
            refuse(429, "rate_limit_error", code="enforced_spend_limit_reached"),
            "model-spend-limit",
            False,
        ),
        (refuse(404, "not_found_error"), "model-unknown", False),
        (refuse(413, "request_too_large"), "model-too-long", False),
        (refuse(408, "timeout_error"), "model-overloaded", True),
        (refuse(418, ""), "model-bad-request", False),
    ],
)
def test_a_refusal_is_a_fault_of_its_kind(turn: Turn, code: str, is_retryable: bool) -> None:
    with MessagesAPI(turn, say("never asked twice")) as api:
        fault = fault_of(api)
        assert len(api.seen) == 1
    assert (fault.code, fault.is_retryable) == (code, is_retryable)
    assert fault.usage is None
    assert fault.remedy


@pytest.mark.parametrize("name", [MODEL, f"openai:{MODEL}"])
@pytest.mark.parametrize("status", [301, 307])
def test_a_key_goes_nowhere_else(status: int, name: str) -> None:
    async def ask_it(api: MessagesAPI) -> Any:
        client = open_model(name, secret=no_secret, base_url=f"{api.url}/v1", key=api.key)
        try:
            return await client.stream(ask(), lambda _: None)
        finally:
            await client.aclose()

    with MessagesAPI(say("Never.")) as other:
        away = f"{other.url}/v1/messages?{other.key}"
        with MessagesAPI(refuse(status, "", location=away)) as api:
            with pytest.raises(ModelFault, match="sends requests on to http://127") as caught:
                asyncio.run(ask_it(api))
            assert not caught.value.is_retryable
            assert api.key not in str(caught.value)
        assert other.seen == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3600"}, 3600.0),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "-5"}, 0.0),
        ({}, None),
    ],
)
def test_the_service_says_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    with MessagesAPI(refuse(429, "rate_limit_error", **headers)) as api:
        assert fault_of(api).retry_after == seconds


def test_a_moment_to_wait_for_is_told_as_seconds() -> None:
    turn = refuse(429, "rate_limit_error", retry_after="Wed, 21 Oct 2099 07:28:00 GMT")
    with MessagesAPI(turn) as api:
        wait = fault_of(api).retry_after
    assert wait is not None
    assert wait > 1e9


@pytest.mark.parametrize(
    ("breaks", "code"),
    [
        ("overloaded_error", "model-overloaded"),
        ("rate_limit_error", "model-rate-limit"),
        ("api_error", "model-unreachable"),
        ("invalid_request_error", "model-unreachable"),
        ("eof", "model-truncated"),
        ("garbage", "model-truncated"),
        ("abort", "model-unreachable"),
    ],
)
@pytest.mark.parametrize("after", [0.3, 0.6, 0.97])
def test_a_stream_that_breaks_is_no_answer(breaks: str, code: str, after: float) -> None:
    turn = say("A word before. " * 5, call("add", a=1, b="x" * 50), breaks=breaks, after=after)
    with MessagesAPI(turn) as api:
        fault = fault_of(api, ask(tools=[ADD]))
    assert fault.code == code
    assert fault.usage is not None
    assert fault.usage.all_input > 0


@pytest.mark.parametrize("after", [0.0, 0.999])
def test_a_clean_end_without_an_ending_is_no_answer(after: float) -> None:
    with MessagesAPI(say("All of it.", breaks="eof", after=after)) as api:
        assert fault_of(api).code == "model-truncated"


@pytest.mark.parametrize(
    ("breaks", "patience"),
    [
        ("stall", Patience(silence=0.5, signs=60)),
        ("pings", Patience(silence=60, signs=0.5)),
        ("loris", Patience(silence=60, signs=0.5)),
        ("head", Patience(silence=60, signs=0.5)),
    ],
)
def test_an_answer_that_does_not_go_on_is_given_up(breaks: str, patience: Patience) -> None:
    with MessagesAPI(say("Well " * 20, breaks=breaks)) as api:
        fault = fault_of(api, patience=patience)
    assert (fault.code, fault.is_retryable) == ("model-stalled", True)


def test_nobody_at_the_address() -> None:
    with MessagesAPI() as api:
        pass
    fault = fault_of(api)
    assert (fault.code, fault.is_retryable) == ("model-unreachable", True)


@pytest.mark.parametrize(
    "reason",
    ["end_turn", "stop_sequence", "pause_turn", "refusal", "model_context_window_exceeded"],
)
def test_every_reason_to_stop_is_told(reason: str) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    turn = say("Well.", stop_reason=reason, stop_details=details if reason == "refusal" else None)
    with MessagesAPI(turn) as api:
        reply = reply_to(api)
    assert reply.stop_reason == reason
    assert reply.stop_details == (details if reason == "refusal" else None)
    assert text_of(reply.content) == "Well."


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_a_call_that_was_cut_is_not_in_the_answer(cut: float) -> None:
    turn = say("I add.", call("add", a=1, b=[1, 2, 3]), stop_reason="max_tokens", cut=cut)
    with MessagesAPI(turn) as api:
        reply = reply_to(api, ask(tools=[ADD]))
    assert reply.stop_reason == "max_tokens"
    assert tool_uses(reply.content) == []
    assert text_of(reply.content) == "I add."


def test_a_call_without_its_end_is_no_answer_when_the_service_says_it_is_whole() -> None:
    turn = say(call("add", a=1, b=[1, 2, 3]), cut=0.5)
    with MessagesAPI(turn) as api:
        assert fault_of(api, ask(tools=[ADD])).code == "model-truncated"


def test_a_thought_that_was_cut_does_not_go_back() -> None:
    turn = say(thinking("A long thought that has no end."), stop_reason="max_tokens", cut=0.5)
    with MessagesAPI(turn) as api:
        assert reply_to(api).content == ()


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([user("x"), assistant([call("add", a=1)])], "without `tool_result`"),
        ([user([tool_result("toolu_x", "2")])], "unexpected `tool_use_id`"),
        ([assistant("x")], "first message"),
        ([user("x"), assistant([{**thinking("a"), "thinking": "b"}]), user("y")], "signature"),
    ],
)
def test_the_server_refuses_what_the_service_would(messages: Any, said: str) -> None:
    with MessagesAPI(say("never")) as api:
        fault = fault_of(api, Request(MODEL, messages, tools=[ADD]))
    assert fault.code == "model-bad-request"
    assert said in fault.what


def test_a_refusal_that_repeats_the_key_does_not_tell_it() -> None:
    with MessagesAPI(refuse(400, "invalid_request_error", "bad key sk-ant-of-a-test!")) as api:
        fault = fault_of(api)
    assert "[secret]" in fault.what


def test_tokens_are_counted_there_or_estimated_here() -> None:
    async def counted(api: MessagesAPI, key: str) -> int:
        client = open_model(MODEL, secret=no_secret, base_url=api.url, key=key)
        try:
            return await client.count(ask("x" * 400))
        finally:
            await client.aclose()

    with MessagesAPI() as api:
        assert 100 < asyncio.run(counted(api, api.key)) < 150
        assert api.seen[0].path == "/v1/messages/count_tokens"
        with pytest.raises(ModelFault, match="refused the key"):
            asyncio.run(counted(api, "wrong"))
    assert 100 < asyncio.run(counted(api, api.key)) < 150


def test_the_service_names_its_models() -> None:
    async def named(api: MessagesAPI) -> Any:
        client = open_model(MODEL, secret=no_secret, base_url=api.url, key=api.key)
        try:
            return await client.models()
        finally:
            await client.aclose()

    with MessagesAPI() as api:
        new, old = asyncio.run(named(api))
    assert (new.id, new.max_input, new.max_output) == (MODEL, 1_000_000, 128_000)
    assert {"adaptive_thinking", "effort", "structured_outputs", "batch"} <= new.capabilities
    assert "code_execution" not in new.capabilities
    assert old.retires_at == "2026-11-30"
    assert "thinking" in old.capabilities


def test_a_call_that_is_cancelled_ends_at_once() -> None:
    async def cancelled(api: MessagesAPI) -> None:
        client = open_model(MODEL, secret=no_secret, base_url=api.url, key=api.key)
        begun = asyncio.Event()
        task = asyncio.create_task(client.stream(ask(), lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aclose()

    with MessagesAPI(say("Well " * 50, breaks="stall")) as api:
        asyncio.run(cancelled(api))


def test_several_at_once_share_a_client() -> None:
    async def together(api: MessagesAPI) -> list[Reply]:
        client = open_model(MODEL, secret=no_secret, base_url=api.url, key=api.key)
        asked = (client.stream(ask(f"number {n}"), lambda _: None) for n in range(8))
        try:
            return await asyncio.gather(*asked)
        finally:
            await client.aclose()

    with MessagesAPI() as api:
        api.answer = lambda body: say(body["messages"][0]["content"][0]["text"])
        replies = asyncio.run(together(api))
    assert [text_of(one.content) for one in replies] == [f"number {n}" for n in range(8)]


def test_what_shows_the_answer_may_fail_as_itself() -> None:
    def show(_: Delta) -> None:
        raise ValueError("a mistake of the program")

    async def shown(api: MessagesAPI) -> None:
        client = open_model(MODEL, secret=no_secret, base_url=api.url, key=api.key)
        try:
            await client.stream(ask(), show)
        finally:
            await client.aclose()

    with MessagesAPI(say("x")) as api, pytest.raises(ValueError, match="mistake"):
        asyncio.run(shown(api))
