"""The Messages API of the tests does what its users rely on."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from random import Random
from typing import Any
from urllib.error import HTTPError

import messages_face
import pytest
from messages_api import MessagesAPI, _torn, call, say, text, thinking

BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


def post(api: MessagesAPI, body: Any, path: str = "/v1/messages", **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given: Mapping[str, str] = named or {"x-api-key": api.key}
    request = urllib.request.Request(api.url + path, json.dumps(body).encode(), dict(given))
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def events(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in raw.split(b"\n") if line.startswith(b"data: {")]


def test_it_knows_both_ways_to_give_a_key() -> None:
    with MessagesAPI(say("a"), say("b")) as api:
        post(api, BODY)
        post(api, BODY, authorization=f"Bearer {api.key}")
        with pytest.raises(HTTPError, match="401"):
            post(api, BODY, authorization="Bearer another")
        assert [seen.path for seen in api.seen] == ["/v1/messages"] * 3
        assert api.seen[0].body == BODY


def test_it_streams_in_the_order_of_the_protocol() -> None:
    with MessagesAPI(say(thinking("Hm."), "Grüße", call("add", a="ü" * 30))) as api:
        streamed = events(post(api, {**BODY, "stream": True}))
    kinds = [event["type"] for event in streamed if event["type"] != "ping"]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert "message_delta" in kinds[-3:]
    assert [event["type"] for event in streamed][1] == "ping"
    for index in range(3):
        own = [event["type"] for event in streamed if event.get("index") == index]
        assert own[0] == "content_block_start"
        assert own[-1] == "content_block_stop"
        assert set(own[1:-1]) == {"content_block_delta"}
    deltas = [event["delta"] for event in streamed if event["type"] == "content_block_delta"]
    pieces = [delta["partial_json"] for delta in deltas if "partial_json" in delta]
    assert json.loads("".join(pieces)) == {"a": "ü" * 30}
    assert len(pieces) > 5
    assert any(delta["type"] == "signature_delta" for delta in deltas)
    counted = [
        event["usage"]["output_tokens"] for event in streamed if event["type"] == "message_delta"
    ]
    assert counted == sorted(counted)


def test_it_cuts_characters_in_two() -> None:
    def is_whole(piece: bytes) -> bool:
        try:
            piece.decode()
        except UnicodeDecodeError:
            return False
        return True

    data = ("ü🙂" * 200).encode()
    torn = list(_torn(data, Random(1)))
    assert b"".join(torn) == data
    assert not all(map(is_whole, torn))


def said(*content: Any, role: str = "assistant") -> dict[str, Any]:
    return {"role": role, "content": list(content)}


def result(of: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": of, "content": "3"}


CALL = call("add", a=1)
ID = CALL["id"]
HI = said(text("Hi"), role="user")


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ([HI, said(CALL), said(result(ID), role="user")], ""),
        ([HI, said(CALL)], "without `tool_result`"),
        ([HI, said(CALL), HI], "without `tool_result`"),
        ([HI, said(CALL), said(text("x"), result(ID), role="user")], "come first"),
        ([HI, said(CALL), said(result(ID), result(ID), role="user")], "single result"),
        ([HI, said(CALL), said(result(ID), result("x"), role="user")], "unexpected"),
        ([said(result(ID), role="user")], "unexpected"),
        ([HI, said(CALL, CALL), said(result(ID), role="user")], "unique"),
        ([HI, said(text("")), HI], "non-whitespace"),
        ([HI, said(text(" \n")), HI], "non-whitespace"),
        ([said(text("x"))], "first message"),
        ([], "first message"),
        ([HI, said(), HI], "non-empty"),
    ],
)
def test_it_refuses_what_breaks_the_protocol(messages: Any, fault: str) -> None:
    found = messages_face.fault({**BODY, "messages": messages})
    assert fault in found
    assert bool(found) == bool(fault)


@pytest.mark.parametrize(
    "more",
    [
        {"top_p": 1},
        {"tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
        {"tools": [{"name": "a", "input_schema": {}}]},
        {"tools": [{"name": "a", "input_schema": {"type": "object"}}] * 2},
        {"tool_choice": {"type": "any"}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"system": [{"type": "text", "text": "x", "cache_control": {}}] * 5},
        {"model": None},
    ],
)
def test_it_refuses_other_mistakes(more: Any) -> None:
    assert messages_face.fault({**BODY, **more})


def test_it_reads_repeated_prefixes_from_its_cache() -> None:
    cache = messages_face.Cache()
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    system = [{**text("x" * 400), **mark}]
    first = cache.usage({**BODY, "system": system})
    second = cache.usage({**BODY, "system": system, "messages": [HI]})
    other = cache.usage({**BODY, "system": [{**text("y" * 400), **mark}]})
    assert first["cache_creation"]["ephemeral_1h_input_tokens"] > 100
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation_input_tokens"] == 0
    assert second["input_tokens"] > 0
    assert other["cache_read_input_tokens"] == 0
