"""A model that plays a written script: for tests, for documents, and where there is no network.

A script is JSON: a list of turns, or an object `{"format": "iaiflow-script/1", "turns": [...]}`.
Each turn is what the model says once:

    {"when": {"tool": "sql"},               only if the last message holds a result of this tool
     "thinking": "The table is there.",     thought aloud before
     "text": "There are {{last}} rows.",    said; {{last}} is the text of the last message,
     "calls": [{"tool": "sql", "arguments": {"query": "select 1"}}],    also in arguments
     "stop_reason": "max_tokens",           instead of end_turn or tool_use
     "delay_s": 0.5,                        how long it thinks before the first word
     "pause_s": 0.02}                       how long it takes from word to word

All keys may be left out. `when` may hold `contains` (a text, whatever its case), `tool` and
`is_error` (whether a tool failed). The first turn whose conditions fit is played. When none fits,
the n-th answer of a conversation is the n-th turn that has no conditions. So what is played
follows from the conversation alone, and a run that goes on elsewhere plays on where it was.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import msgspec

from iaiflow_agents.blocks import Block, Message, digest, text_of
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.estimate import Sizes, tokens_in
from iaiflow_agents.models.protocol import Delta, ModelInfo, Reply, Request
from iaiflow_agents.usage import Usage
from iaiflow_lab.errors import InputError
from iaiflow_lab.safe.load import safe_load

if TYPE_CHECKING:
    from iaiflow_agents.models.registry import Opening

#: What the object around the turns says of itself.
FORMAT: Final = "iaiflow-script/1"
_WORD: Final = re.compile(r"\S+\s*|\s+")
_LAST: Final = "{{last}}"

StopReason = Literal["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "pause_turn"]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Conditions on the last message; all that are given must hold."""

    contains: str = ""
    tool: str = ""
    is_error: bool | None = None


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a tool."""

    tool: str
    arguments: dict[str, Any] = {}


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said once."""

    when: When | None = None
    thinking: str = ""
    text: str = ""
    calls: list[Call] = []
    stop_reason: StopReason | None = None
    delay_s: float = 0.0
    pause_s: float = 0.0


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that may be said."""

    turns: list[Turn]
    format: str = FORMAT


# msgspec learns a type when it is first read, and crashes where two threads begin that at once.
msgspec.json.Decoder(Script)


def read_script(source: Mapping[str, Any] | Sequence[Any] | str, where: str = "script") -> Script:
    """Read a script.

    Args:
        source: Its JSON as text, or the list or object that it is.
        where: What is read, for messages.

    Raises:
        ModelFault: `model-script`, with the place in it that is wrong.
    """
    try:
        data = safe_load(source, where=where) if isinstance(source, str) else source
        script = msgspec.convert(data if isinstance(data, Mapping) else {"turns": data}, Script)
    except InputError as error:
        raise _unusable(error.what, where) from None
    except msgspec.ValidationError as error:
        raise _unusable(f"This script can't be used: {error}.", where) from None
    if script.format != FORMAT:
        raise _unusable(f"Scripts of the format {script.format!r} are not known.", where)
    if not script.turns:
        raise _unusable("This script has no turns.", where)
    return script


def _unusable(what: str, where: str) -> ModelFault:
    remedy = 'Write a list of turns, such as [{"text": "Hello."}]'
    return ModelFault(what.replace("`", ""), code="model-script", where=where, remedy=remedy)


class ScriptedModel:
    """Plays a script. It counts tokens by characters, and costs nothing."""

    provider = "scripted"
    is_scripted = True

    def __init__(self, script: Script) -> None:
        self._script = script
        self._sizes = Sizes()

    async def stream(self, request: Request, show: Callable[[Delta], None]) -> Reply:
        """Say the turn that fits.

        Raises:
            ModelFault: `model-script`, there is none.
        """
        turn = self._turn(request.messages)
        await asyncio.sleep(turn.delay_s)
        content = _content(turn, request.messages)
        for index, block in enumerate(content):
            await _say(block, index, turn.pause_s, show)
        written = sum(tokens_in(str(block)) for block in content)
        return Reply(
            content=tuple(content),
            stop_reason=turn.stop_reason or ("tool_use" if turn.calls else "end_turn"),
            usage=Usage(input=self._sizes.of(request), output=written),
            model=request.model,
            id=f"scripted_{digest(request.messages)[:12]}",
        )

    def _turn(self, messages: Sequence[Message]) -> Turn:
        last = _Last(messages)
        for turn in self._script.turns:
            if turn.when is not None and last.fits(turn.when):
                return turn
        plain = [turn for turn in self._script.turns if turn.when is None]
        number = sum(1 for message in messages if message["role"] == "assistant")
        if number < len(plain):
            return plain[number]
        raise ModelFault(
            f"The script has no turn for answer {number + 1} of this conversation.",
            code="model-script",
            remedy="Add a turn to it, or one with a `when` that fits the last message",
        )

    async def count(self, request: Request) -> int:
        """Return about how many tokens would be read."""
        return self._sizes.of(request)

    async def models(self) -> Sequence[ModelInfo]:
        """Return the one model that there is."""
        return [ModelInfo("scripted")]

    async def aclose(self) -> None:
        """Do nothing: there is nothing open."""


class _Last:
    """The last message of a conversation, as conditions see it."""

    def __init__(self, messages: Sequence[Message]) -> None:
        content: Sequence[Block] = messages[-1]["content"] if messages else []
        results = [block for block in content if block["type"] == "tool_result"]
        names = _tool_names(messages)
        self.tools = {names.get(block["tool_use_id"], "") for block in results}
        self.has_error = any(block.get("is_error") for block in results)
        self.text = "\n".join(filter(None, [*map(_result_text, results), text_of(content)]))

    def fits(self, when: When) -> bool:
        return (
            (not when.contains or when.contains.casefold() in self.text.casefold())
            and (not when.tool or when.tool in self.tools)
            and (when.is_error is None or (bool(self.tools) and when.is_error == self.has_error))
        )


def _tool_names(messages: Sequence[Message]) -> dict[str, str]:
    """Return the names of the tools that were called, by the id of the call."""
    blocks = [block for message in messages for block in message["content"]]
    return {block["id"]: block["name"] for block in blocks if block["type"] == "tool_use"}


def _result_text(block: Block) -> str:
    said = block.get("content") or ""
    return said if isinstance(said, str) else text_of(cast("list[Block]", said))


def _content(turn: Turn, messages: Sequence[Message]) -> list[Block]:
    content: list[Block] = []
    last = _Last(messages).text
    if turn.thinking:
        content.append({"type": "thinking", "thinking": turn.thinking, "signature": "scripted"})
    if turn.text:
        content.append({"type": "text", "text": turn.text.replace(_LAST, last)})
    of = digest(messages)[:12]
    for number, call in enumerate(turn.calls):
        asked = _filled(call.arguments, last)
        made = {"id": f"call_{of}_{number}", "name": call.tool, "input": asked}
        content.append({"type": "tool_use", **made})
    return content


def _filled(value: Any, last: str) -> Any:
    """Return arguments with the text of the last message where they name it."""
    if isinstance(value, str):
        return value.replace(_LAST, last)
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {name: _filled(item, last) for name, item in named.items()}
    if isinstance(value, list):
        return [_filled(item, last) for item in cast("list[Any]", value)]
    return value


async def _say(block: Block, index: int, pause: float, show: Callable[[Delta], None]) -> None:
    if block["type"] == "tool_use":
        show(Delta("tool", "", index, block["name"]))
        spelled = msgspec.json.encode(block["input"]).decode()
        show(Delta("tool", spelled, index, block["name"]))
        await asyncio.sleep(pause)
        return
    kind: Literal["text", "thinking"] = "text" if block["type"] == "text" else "thinking"
    for word in _WORD.findall(block[kind]):
        show(Delta(kind, word, index))
        await asyncio.sleep(pause)


def open_scripted(opening: Opening) -> ScriptedModel:
    """Return a model that plays `opening.script`.

    Raises:
        ModelFault: `model-script`, there is none, or it can't be used.
    """
    if opening.script is None:
        raise _unusable("A scripted model needs a script.", opening.model)
    return ScriptedModel(read_script(opening.script))
