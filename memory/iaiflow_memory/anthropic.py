"""The memory tool of Anthropic's SDK over a memory: what a model writes into files is kept here.

    from anthropic import Anthropic
    from iaiflow_memory import Memory
    from iaiflow_memory.anthropic import memory_tool

    tool = memory_tool(Memory("memory.duckdb", user="anna"))
    Anthropic().beta.messages.tool_runner(..., tools=[tool])

Each scope (agent, user, thread) has files of its own. Whoever speaks with the API without the
SDK's loop gives the input of a `tool_use` block to `Files.do` (files.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from iaiflow_memory.errors import BadInput, MemoryFault
from iaiflow_memory.files import Files
from iaiflow_memory.memory import Memory

#: The SDK's methods that are given a command.
_COMMANDS: Final = (
    "execute", "view", "create", "str_replace", "insert", "delete", "rename",
)  # fmt: skip


def memory_tool(memory: Memory, *, cache_control: Mapping[str, Any] | None = None) -> Any:
    """Return the tool for `Anthropic()`: a `BetaAbstractMemoryTool`.

    What cannot be done is told to the model as an error of the tool, and the loop goes on.

    Args:
        memory: The memory; its scope says whose files they are.
        cache_control: What the SDK's tools take: a break of the prompt cache.

    Raises:
        BadInput: The SDK is not installed, or is too old.
    """
    sdk, files = _sdk(), Files(memory)
    asked = _telling(sdk, files.do)
    cleared = _telling(sdk, lambda _: files.clear())

    def call(_self: object, given: object) -> str:
        return asked(given)

    def execute(_self: object, command: Any) -> str:
        return asked(command.to_dict())

    def clear_all_memory(_self: object) -> str:
        return cleared(None)

    methods = {"call": call, "clear_all_memory": clear_all_memory}
    methods |= dict.fromkeys(_COMMANDS, execute)
    made = type("MemoryTool", (sdk.BetaAbstractMemoryTool,), methods)
    return made(cache_control=cache_control)


def async_memory_tool(memory: Memory, *, cache_control: Mapping[str, Any] | None = None) -> Any:
    """Return the tool for `AsyncAnthropic()`: a `BetaAsyncAbstractMemoryTool`; see `memory_tool`.

    Args:
        memory: The memory; its scope says whose files they are.
        cache_control: What the SDK's tools take: a break of the prompt cache.

    Raises:
        BadInput: The SDK is not installed, or is too old.
    """
    sdk, files = _sdk(), Files(memory)
    asked = _telling(sdk, files.do)
    cleared = _telling(sdk, lambda _: files.clear())

    async def call(_self: object, given: object) -> str:
        return await asyncio.to_thread(asked, given)

    async def execute(_self: object, command: Any) -> str:
        return await asyncio.to_thread(asked, command.to_dict())

    async def clear_all_memory(_self: object) -> str:
        return await asyncio.to_thread(cleared, None)

    methods: dict[str, Any] = {"call": call, "clear_all_memory": clear_all_memory}
    methods |= dict.fromkeys(_COMMANDS, execute)
    made = type("AsyncMemoryTool", (sdk.BetaAsyncAbstractMemoryTool,), methods)
    return made(cache_control=cache_control)


def _telling(sdk: Any, act: Callable[[object], str]) -> Callable[[object], str]:
    """Return `act` with its refusals as errors that the SDK tells the model."""

    def told(given: object) -> str:
        try:
            return act(given)
        except MemoryFault as fault:
            raise sdk.ToolError(str(fault)) from fault

    return told


def _sdk() -> Any:
    try:
        found = import_module("anthropic.lib.tools")
    except ImportError:
        found = None
    if not hasattr(found, "BetaAbstractMemoryTool"):
        raise BadInput(
            "The memory tool needs Anthropic's SDK, 2.12 or later",
            remedy='run: pip install "iaiflow-lab[claude]"',
        )
    return found
