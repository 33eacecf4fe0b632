"""The memory tool in the loop of Anthropic's SDK, against a Messages API of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from messages_api import MessagesAPI, call, say

from iaiflow_memory import Memory
from iaiflow_memory.anthropic import async_memory_tool, memory_tool

sdk = pytest.importorskip("anthropic", reason="the extra `claude` is not installed")

NOTES = "/memories/notes.txt"
ASKED: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1_000,
    "thread": False,  # the whole conversation goes with each request
    "messages": [{"role": "user", "content": "What do I drink?"}],
}
TURNS = [
    say(call("memory", command="view", path="/memories")),
    say(call("memory", command="create", path=NOTES, file_text="tea\nmilk\n")),
    say(call("memory", command="create", path=NOTES, file_text="again")),
    say(call("memory", command="str_replace", path=NOTES, old_str="tea", new_str="coffee")),
    say(call("memory", command="insert", path=NOTES, insert_line=9, insert_text="x")),
    say(call("memory", command="insert", path=NOTES, insert_line=2, insert_text="rice")),
    say(call("memory", command="rename", old_path=NOTES, new_path="/memories/list.txt")),
    say(call("memory", command="view", path="/memories/list.txt", view_range=[1, 2])),
    say(call("memory", command="delete", path=NOTES)),
    say("Coffee."),
]
TOLD = [
    (False, "Here're the files and directories up to 2 levels deep in /memories:\n0B\t/memories"),
    (False, f"File created successfully at: {NOTES}"),
    (True, f"File {NOTES} already exists"),
    (False, "The memory file has been edited. Here is the snippet showing the change"),
    (True, "Invalid `insert_line` parameter: 9. It should be within the range [0, 2]."),
    (False, f"The file {NOTES} has been edited."),
    (False, f"Successfully renamed {NOTES} to /memories/list.txt"),
    (False, "Here's the content of /memories/list.txt with line numbers:\n     1\tcoffee\n"),
    (True, f"The path {NOTES} does not exist"),
]


def results(api: MessagesAPI) -> list[tuple[bool, str]]:
    """Return what the model was told of each command, and whether as an error."""
    last = api.seen[-1].body["messages"]
    blocks = [block for one in last if one["role"] == "user" for block in _blocks(one)]
    return [(block.get("is_error", False), _words(block["content"])) for block in blocks]


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [] if isinstance(content, str) else content


def _words(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def check(api: MessagesAPI) -> None:
    found = results(api)
    assert [is_error for is_error, _ in found] == [is_error for is_error, _ in TOLD]
    for (_, words), (_, wanted) in zip(found, TOLD, strict=True):
        assert words.startswith(wanted)


def test_the_sdk_runs_the_tool_until_the_model_has_answered(place: Path) -> None:
    with Memory(place, serve=True, user="anna") as memory, MessagesAPI(*TURNS) as api:
        with sdk.Anthropic(base_url=api.url, api_key=api.key) as client:
            tools = [memory_tool(memory)]
            last = client.beta.messages.tool_runner(**ASKED, tools=tools).until_done()
        assert last.content[0].text == "Coffee."
        check(api)
        assert api.seen[0].body["tools"] == [{"type": "memory_20250818", "name": "memory"}]
        assert [hit.item.body for hit in memory.search("coffee")] == ["coffee\nmilk\nrice\n"]


def test_the_asynchronous_sdk_runs_it_as_well(place: Path) -> None:
    async def run(api: MessagesAPI, memory: Memory) -> str:
        async with sdk.AsyncAnthropic(base_url=api.url, api_key=api.key) as client:
            tools = [async_memory_tool(memory)]
            last = await client.beta.messages.tool_runner(**ASKED, tools=tools).until_done()
        return last.content[0].text

    with Memory(place, serve=True, user="anna") as memory, MessagesAPI(*TURNS) as api:
        assert asyncio.run(run(api, memory)) == "Coffee."
        check(api)
