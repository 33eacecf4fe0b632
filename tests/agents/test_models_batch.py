"""Batches: sent once, waited for without holding anything, results in the requests' order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from messages_api import MessagesAPI, Turn, refuse, say

from iaiflow_agents.blocks import text_of, user
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.batch import MOST, run_batch
from iaiflow_agents.models.claude import ClaudeModel
from iaiflow_agents.models.protocol import Reply, Request
from iaiflow_agents.models.registry import open_model


class Recorded:
    """Stands for a run's record: what was done once is not done again."""

    def __init__(self) -> None:
        self.done: dict[str, str] = {}
        self.waits: dict[str, float] = {}
        self.parks_at = ""
        self.dies_at = ""

    async def once(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self.done:
            made = json.dumps(await function())
            if key == self.dies_at:
                self.dies_at = ""
                raise KeyboardInterrupt
            self.done[key] = made
        return json.loads(self.done[key])

    async def wait(self, key: str, seconds: float) -> None:
        if key not in self.waits:
            self.waits[key] = seconds
            if key == self.parks_at:
                raise KeyboardInterrupt


def run(
    api: MessagesAPI, requests: Sequence[Request], record: Recorded
) -> list[Reply | ModelFault]:
    async def all_of_it() -> list[Reply | ModelFault]:
        client = open_model("claude-sonnet-5-5", secret=str, base_url=api.url, key=api.key)
        assert isinstance(client, ClaudeModel)
        try:
            return await run_batch(client, requests, once=record.once, wait=record.wait)
        finally:
            await client.aclose()

    return asyncio.run(all_of_it())


def ask(words: str, **how: Any) -> Request:
    return Request("claude-sonnet-5-5", [user(words)], **how)


def echo(body: Any) -> Turn:
    words = body["messages"][0]["content"][0]["text"]
    turns = {"bad": refuse(400, "invalid_request_error", "No."), "late": say("", breaks="expired")}
    return turns.get(words) or say(words)


def posts(api: MessagesAPI) -> list[Any]:
    """Return the batches that were sent."""
    return [one.body for one in api.seen if one.method == "POST"]


def test_every_request_gets_its_own_answer() -> None:
    record = Recorded()
    with MessagesAPI() as api:
        api.answer = echo
        requests = [ask("one"), ask("bad"), ask("late"), ask("two", temperature=0.0)]
        one, bad, late, two = run(api, requests, record)
        sent = posts(api)[0]["requests"]
    assert isinstance(one, Reply)
    assert isinstance(two, Reply)
    assert (text_of(one.content), text_of(two.content)) == ("one", "two")
    assert one.usage.output > 0
    assert isinstance(bad, ModelFault)
    assert bad.code == "model-bad-request"
    assert isinstance(late, ModelFault)
    assert "expired" in late.what
    assert sent[3]["params"]["temperature"] == 0.0
    assert list(record.waits.values()) == [30.0, 45.0]


def test_a_run_that_goes_on_sends_nothing_again() -> None:
    record = Recorded()
    record.parks_at = "batch:msgbatch_1:wait:1"
    with MessagesAPI() as api:
        api.answer = echo
        with pytest.raises(KeyboardInterrupt):
            run(api, [ask("one")], record)
        before = len(api.seen)
        replies = run(api, [ask("one")], record)
        again = run(api, [ask("one")], record)
        posted = posts(api)
    assert isinstance(replies[0], Reply)
    assert again == replies
    assert before == 4
    assert len(posted) == 1


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside another"])
def test_a_batch_that_was_sent_and_not_recorded_is_found(others: int) -> None:
    """Somebody else sends one of the same size at the same time; only its results say so."""
    record = Recorded()
    with MessagesAPI() as api:
        api.answer = echo
        run(api, [ask("earlier")], Recorded())
        record.dies_at = "batch:submit"
        with pytest.raises(KeyboardInterrupt):
            run(api, [ask("one")], record)
        for _ in range(others):
            run(api, [ask("not mine")], Recorded())
        sent = len(posts(api))
        (reply,) = run(api, [ask("one")], record)
        assert len(posts(api)) == sent
    assert isinstance(reply, Reply)
    assert text_of(reply.content) == "one"


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside another"])
def test_a_batch_that_never_arrived_is_sent(others: int) -> None:
    record = Recorded()
    with MessagesAPI() as api:
        api.answer = echo
        api.batches.is_down = True
        with pytest.raises(ModelFault):
            run(api, [ask("one")], record)
        api.batches.is_down = False
        for _ in range(others):
            run(api, [ask("not mine")], Recorded())
        (reply,) = run(api, [ask("one")], record)
        assert len(posts(api)) == others + 2  # the first one was refused
    assert isinstance(reply, Reply)
    assert text_of(reply.content) == "one"


def test_batches_from_before_are_left_alone_when_the_newest_of_them_is_gone() -> None:
    record = Recorded()
    with MessagesAPI() as api:
        api.answer = echo
        for words in ("old", "newest"):
            run(api, [ask(words)], Recorded())
        record.dies_at = "batch:submit"
        with pytest.raises(KeyboardInterrupt):
            run(api, [ask("one")], record)
        api.batches.delete("msgbatch_2")
        before = len(api.seen)
        (reply,) = run(api, [ask("one")], record)
        paths = [one.path for one in api.seen[before:]]
    assert isinstance(reply, Reply)
    assert text_of(reply.content) == "one"
    assert not [path for path in paths if "msgbatch_1" in path]


def test_a_batch_that_nobody_can_send_is_refused() -> None:
    with MessagesAPI() as api:
        assert run(api, [], Recorded()) == []
        with pytest.raises(ModelFault, match="at most"):
            run(api, [ask("x")] * (MOST + 1), Recorded())
        api.key = "another"
        with pytest.raises(ModelFault, match="refused the key"):
            asyncio.run(_with_key(api))


async def _with_key(api: MessagesAPI) -> None:
    client = open_model("claude-x", secret=str, base_url=api.url, key="wrong")
    assert isinstance(client, ClaudeModel)
    record = Recorded()
    try:
        await run_batch(client, [ask("x")], once=record.once, wait=record.wait)
    finally:
        await client.aclose()
