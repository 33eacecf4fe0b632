"""Streams of any blocks, cut anywhere, give the same blocks or none."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import messages_face
import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_api import call, say, text, thinking

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.assembly import Assembly, usage_of
from iaiflow_agents.models.protocol import Request, ToolSpec
from iaiflow_agents.usage import Usage

BODY = {"model": "claude", "messages": []}
COUNTED = {"input_tokens": 3, "cache_read_input_tokens": 2}

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_CALL = st.builds(
    lambda arguments: {**call("add"), "input": arguments},
    st.dictionaries(st.text(max_size=8), _JSON, max_size=4),
)
_BLOCK = st.one_of(
    st.builds(text, st.text(min_size=1).filter(str.strip)),
    st.builds(thinking, st.text()),
    _CALL,
    st.just({"type": "redacted_thinking", "data": "xyz"}),
)


def events(content: Any, seed: int, **how: Any) -> list[dict[str, Any]]:
    """Return what the server would stream, as the SDK hands it on."""
    streamed = messages_face.events(say(*content, **how), BODY, COUNTED, Random(seed))
    lines = b"".join(streamed).split(b"\n")
    data = [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]
    return [one for one in data if one["type"] != "ping"]


def take_all(some: list[dict[str, Any]]) -> Assembly:
    assembly = Assembly("claude")
    for event in some:
        assembly.take(event)
    return assembly


@given(st.lists(_BLOCK, min_size=1, max_size=4), st.integers(0, 99))
def test_blocks_come_through_whole(content: Any, seed: int) -> None:
    reply = take_all(events(content, seed)).reply()
    assert list(reply.content) == content
    assert reply.usage == Usage(input=3, cache_read=2, output=messages_face.tokens(content))


@given(st.lists(_BLOCK, min_size=1, max_size=3), st.integers(0, 99), st.floats(0, 0.999))
def test_a_stream_that_ends_early_is_never_an_answer(content: Any, seed: int, at: float) -> None:
    some = events(content, seed)
    with pytest.raises(ModelFault) as raised:
        take_all(some[: int(len(some) * at)]).reply()
    assert raised.value.code == "model-truncated"


@given(_CALL.filter(lambda one: one["input"]), st.integers(0, 99), st.floats(0, 0.95))
def test_arguments_that_were_cut_never_become_a_call(cut: Any, seed: int, share: float) -> None:
    some = events([text("Well."), cut], seed, stop_reason="max_tokens", cut=share)
    reply = take_all(some).reply()
    whole = [block for block in reply.content if block["type"] == "tool_use"]
    assert whole in ([], [cut])


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
    ],
)
def test_a_missing_part_is_noticed_at_once(event: Any) -> None:
    with pytest.raises(ModelFault, match="part of it is missing"):
        Assembly("claude").take(event)


def test_events_and_pieces_that_nobody_knows_are_passed_over() -> None:
    some = events([text("Well.")], 0)
    odd = {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta"}}
    assert take_all([some[0], {"type": "news"}, some[1], odd, *some[2:]]).reply().content


def test_citations_stay_with_their_text() -> None:
    some = events([text("Well.")], 0)
    cited = {"type": "content_block_delta", "index": 0}
    cited["delta"] = {"type": "citations_delta", "citation": {"cited_text": "w"}}
    reply = take_all([*some[:2], cited, *some[2:]]).reply()
    assert reply.content[0]["citations"] == [{"cited_text": "w"}]


def test_what_is_cached_for_how_long_is_told_apart() -> None:
    counted = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "cache_read_input_tokens": None,
        "output_tokens": 5,
    }
    used = usage_of(counted)
    assert used == Usage(input=1, cache_write_5m=10, cache_write_1h=20, output=5)
    assert Usage.from_dict(used.to_dict()) == used
    assert (used.all_input, used.total) == (31, 36)
    assert usage_of({"cache_creation_input_tokens": 7}).cache_write_5m == 7


def test_what_was_written_before_a_break_is_estimated() -> None:
    some = events([text("word " * 400), text("more")], 0)
    half = [one for one in some if one["type"] not in {"message_delta", "message_stop"}]
    used = take_all(half).usage
    assert used is not None
    assert used.output == pytest.approx(500, abs=5)
    assert Assembly("claude").usage is None


def test_a_request_can_be_estimated() -> None:
    from iaiflow_agents.blocks import user
    from iaiflow_agents.models.estimate import estimate

    picture = {"type": "image", "source": {"type": "base64", "data": "A" * 1_000_000}}
    small = estimate(Request("m", [user("Hello")]))
    assert estimate(Request("m", [user("x" * 4000)])) - small == pytest.approx(1000, abs=5)
    assert 1_600 <= estimate(Request("m", [user([picture])])) < 2_000
    schema = {"type": "object", "properties": {"type": {"type": "string"}}}
    assert estimate(Request("m", [user("Hello")], tools=[ToolSpec("t", "", schema)])) > small
