"""Keys of services are found in no fault, traceback, log or representation."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

import pytest
from agent_runs import agent_lab, one, run
from harness import Secrets
from messages_api import MessagesAPI, Turn, refuse, say

from iaiflow_agents.blocks import user
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.keys import check_address
from iaiflow_agents.models.protocol import Request
from iaiflow_agents.models.registry import open_model
from iaiflow_lab import Flow

CANARY = "sk-ant-canary-7f3a9c41e2"
REPEATS = f"Incorrect key provided: {CANARY}"


def meet(turn: Turn, name: str) -> tuple[ModelFault | None, list[str]]:
    """Ask once; returns the fault, and all that shows of the client and its frames."""
    shown: list[str] = []

    async def one(url: str) -> None:
        client = open_model(
            name, secret={"MINE": CANARY}.__getitem__, base_url=url, key="secret:MINE"
        )
        try:
            await client.stream(Request("m", [user("Hi")]), lambda _: None)
        except ModelFault as fault:
            frames = traceback.TracebackException.from_exception(fault, capture_locals=True)
            shown.extend(frames.format())
            raise
        finally:
            shown.append(repr(client))
            await client.aclose()

    with MessagesAPI(turn, key=CANARY) as api:
        try:
            asyncio.run(one(api.url))
        except ModelFault as fault:
            return fault, shown
    return None, shown


@pytest.mark.parametrize("name", ["claude-x", "openai:x"])
@pytest.mark.parametrize(
    "turn",
    [
        say("Well."),
        say("Well.", breaks="eof"),
        say("Well.", breaks="abort"),
        say("Well.", breaks="overloaded_error"),
        refuse(401, "authentication_error", REPEATS),
        refuse(400, "invalid_request_error", REPEATS),
        refuse(500, "api_error", REPEATS),
    ],
)
def test_a_key_shows_nowhere(turn: Turn, name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        fault, shown = meet(turn, name)
    if fault is not None:
        chain = [fault, fault.__cause__, fault.__context__]
        assert CANARY not in " ".join(repr(one) + str(one) for one in chain)
        assert fault.__cause__ is None
    assert CANARY not in "".join(shown)
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("config", "place", "said"),
    [
        ({"key": CANARY}, "key", "A key may not stand in a flow."),
        ({"key": "secret:not good"}, "key", "'not good' can't name a secret."),
        (
            {"agents": [{"name": "helper", "key": CANARY}]},
            "agents",
            "A key may not stand in a flow.",
        ),
    ],
)
def test_a_key_itself_stands_in_no_flow(config: dict[str, Any], place: str, said: str) -> None:
    flow = Flow("keys")
    flow.add("agent", id="n", prompt="Go.", **config)
    (error,) = [problem for problem in flow.validate() if problem.code == "IAI123"]
    assert (error.place, error.message) == (f"nodes.n.config.{place}", said)
    assert CANARY not in error.remedy


@pytest.mark.parametrize(
    "base_url",
    [
        "https://models.example",
        "http://10.0.0.7:8080/v1",
        "http://[fd00::7]:8080",
        "https://127.0.0.1.example",
        "https://127.0.0.1@models.example",
        "https://localhost\\@models.example",
        "http://169.254.169.254",
    ],
)
def test_a_flow_takes_no_secret_to_an_address_of_its_own_choosing(base_url: str, workspace) -> None:
    flow = one("llm.models", base_url=base_url, key="secret:MINE")
    with pytest.raises(ModelFault) as caught:
        run(agent_lab(workspace), flow, secrets=Secrets({"MINE": CANARY}))
    assert caught.value.code == "model-key-elsewhere"
    assert "[fetch] allow" in caught.value.remedy
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "base_url", "allowed"),
    [
        ("secret:MINE", "", ()),
        ("secret:MINE", "http://127.0.0.1:8080", ()),
        ("secret:MINE", "http://localhost:8080/v1", ()),
        ("secret:MINE", "http://[::1]:8080", ()),
        ("secret:MINE", "https://Models.example/v1", ("models.example",)),
        ("secret:MINE", "http://10.0.0.7:8080", ("10.0.0.7:8080",)),
        ("a key that the flow itself holds", "https://models.example", ()),
        ("", "https://models.example", ()),
    ],
)
def test_what_people_allow_may_be_given_a_key(key: str, base_url: str, allowed) -> None:
    check_address(key, base_url, allowed)
