"""What a service said is played again, through the same SDK, without the service."""

from __future__ import annotations

import asyncio

import pytest
from messages_api import MessagesAPI, call, refuse, say, thinking

from iaiflow_agents.blocks import text_of, user
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.protocol import Delta, Reply, Request
from iaiflow_agents.models.recording import Mode, Recorder
from iaiflow_agents.models.registry import open_model


def ask(words: str = "Hello") -> Request:
    return Request("claude-sonnet-5-5", [user(words)])


def converse(
    api: MessagesAPI, tape: dict[str, bytes], mode: Mode, request: Request
) -> tuple[Reply, list[Delta], int]:
    shown: list[Delta] = []

    async def one() -> tuple[Reply, int]:
        recorder = Recorder(tape, mode, hide=lambda text: text.replace(api.key, "[secret]"))
        client = open_model(
            "claude-x", secret=str, base_url=api.url, key=api.key, recorder=recorder
        )
        try:
            counted = await client.count(request)
            return await client.stream(request, shown.append), counted
        finally:
            await client.aclose()

    reply, counted = asyncio.run(one())
    return reply, shown, counted


def test_an_answer_is_the_same_from_the_tape() -> None:
    tape: dict[str, bytes] = {}
    said = [thinking("Hm … 🤔"), {"type": "text", "text": "Grüße 🙂"}, call("add", a=1)]
    with MessagesAPI(say(*said)) as api:
        first = converse(api, tape, "both", ask())
    played = converse(api, tape, "replay", ask())
    again = converse(api, tape, "both", ask())
    assert first == played == again
    assert list(first[0].content) == said


def test_what_is_not_recorded_is_not_asked() -> None:
    with MessagesAPI(say("x")) as api, pytest.raises(ModelFault, match="not recorded"):
        converse(api, {}, "replay", ask())
    assert api.seen == []


def test_recording_asks_anew() -> None:
    tape: dict[str, bytes] = {}
    with MessagesAPI(say("one"), say("two")) as api:
        converse(api, tape, "record", ask())
        converse(api, tape, "record", ask())
    assert text_of(converse(api, tape, "replay", ask())[0].content) == "two"


def test_what_breaks_or_is_refused_is_not_recorded() -> None:
    tape: dict[str, bytes] = {}
    broken = say("Well " * 20, breaks="abort")
    with MessagesAPI(broken, refuse(429, "rate_limit_error"), say("whole")) as api:
        for _ in range(2):
            with pytest.raises(ModelFault):
                converse(api, tape, "both", ask())
        assert text_of(converse(api, tape, "both", ask())[0].content) == "whole"
        assert len(api.bodies) == 3


def test_no_key_is_on_the_tape() -> None:
    tape: dict[str, bytes] = {}
    with MessagesAPI(say("Yes.")) as api:
        # The server repeats the name of the model.
        request = Request(f"claude-{api.key}", [user(api.key)])
        converse(api, tape, "record", request)
    kept = b"".join([*(key.encode() for key in tape), *tape.values()])
    assert b"claude-[secret]" in kept
    assert api.key.encode() not in kept
