"""Tools of MCP servers that the user's configuration names.

A server is started, or reached, only after a person has approved how, and its tools are pinned as
they are then: one that changes is asked about again, and the model does not read its new words
until then. What a server asks people during a call becomes a wait of the run.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from iaiflow_agents.blocks import Block, digest, text
from iaiflow_agents.tools.mcp_pins import Pins
from iaiflow_agents.tools.mcp_server import Connection, Server, read_server, said_by, target_of
from iaiflow_agents.tools.nodes import tool_name
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.results import attempt, failed, json_text
from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_lab.errors import NodeError, NotAllowedError, NotFoundError
from iaiflow_lab.model.names import did_you_mean, listed, shorten
from iaiflow_lab.safe.redact import Hider

if TYPE_CHECKING:
    import mcp_types
    from mcp import Client

#: Most tools of a server.
MOST_TOOLS: Final = 200
#: Most rounds in which a server asks people during one call.
MOST_ROUNDS: Final = 10
#: What a server says that can ask people in the older protocol only, and what helps.
_CANNOT_ASK: Final = "back-channel"
_OLDER: Final = 'It asks people by the older protocol: write protocol = "legacy"'
_MAX_DESCRIPTION: Final = 4_000
_MAX_SCHEMA: Final = 64_000
_MAX_MESSAGE: Final = 2_000
_MAX_PICTURE: Final = 4_000_000
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_HIDDEN: Final = frozenset({"Cf", "Co", "Cs", "Cn"})


@asynccontextmanager
async def mcp_tools(
    name: str, reach: Reach, only: Collection[str] | None = None
) -> AsyncGenerator[list[Tool]]:
    """Open the tools of an MCP server until the context ends.

    Args:
        name: The server, as config.toml calls it.
        reach: What the tools of the agent may reach.
        only: Names of the wanted tools; None: all.

    Raises:
        NotFoundError: There is no such server, tool or secret.
        NotAllowedError: A person refused the server.
        NodeError: The server can't be reached.
    """
    context = reach.context
    server = read_server(context.configured("mcp"), name)
    pins = Pins(context.memory.parent)
    hider = Hider()

    def secret(wanted: str) -> str:
        value = context.secret(wanted)
        hider.add(value)
        return value

    await _approve(server, pins, reach)
    async with (
        target_of(server, context.workspace, secret) as (target, complaints),
        opened(
            server, target, pins, complaints=complaints, hider=hider, mode=server.protocol
        ) as tools,
    ):
        yield _chosen(tools, only, server)


@asynccontextmanager
async def opened(
    server: Server,
    target: Any,
    pins: Pins,
    *,
    complaints: TextIO | None = None,
    hider: Hider | None = None,
    mode: str = "auto",
) -> AsyncGenerator[list[Tool]]:
    """Connect to an approved server and give its tools until the context ends.

    Args:
        server: The server.
        target: What `mcp.Client` takes.
        pins: What was approved of it.
        complaints: The file that it writes its errors to.
        hider: Cuts the secrets that it was given out of what it says.
        mode: The protocol: "auto", "legacy" or a version.

    Raises:
        NodeError: There is no connection.
    """
    hider = hider or Hider()
    talk = _Talk(server, hider)
    connection = Connection(server.name, target, talk.elicited, hider=hider, mode=mode)
    try:
        talk.client = await connection.open(complaints)
        yield await _tools(talk, server, pins)
    finally:
        await connection.close()


async def _approve(server: Server, pins: Pins, reach: Reach) -> None:
    """Have a person approve a server that is new, or that is started in another way than before."""
    known = await asyncio.to_thread(pins.of, server.name)
    if known is not None and known.identity == server.identity:
        return
    does = "reached" if server.url else "started on this machine"
    changed = " It was approved in another form before." if known is not None else ""
    answer = await reach.context.awaits(
        f"mcp:{server.name}:{server.identity[:16]}",
        "approval",
        message=f"May the MCP server {server.name!r} be {does}? {server.shown}{changed}",
    )
    if not answer.approved:
        raise NotAllowedError(
            f"The MCP server {server.name!r} was refused.",
            where=answer.reason,
            remedy=f"Remove mcp:{server.name} from the agent's tools, or approve it",
            code="mcp-refused",
        )
    await asyncio.to_thread(pins.trust, server.name, server.identity)


async def _tools(talk: _Talk, server: Server, pins: Pins) -> list[Tool]:
    try:
        async with asyncio.timeout(server.timeout):
            found = await _listed(talk.client)
    except Exception as error:
        raise NodeError(
            f"The MCP server {server.name!r} does not tell its tools: {said_by(error)}.",
            code="mcp-unreachable",
        ) from error
    digests = {each.name: _digest(each) for each in found}
    known = await asyncio.to_thread(pins.of, server.name)
    if known is None or known.tools is None:
        await asyncio.to_thread(pins.pin, server.name, digests)
        return [_tool(talk, each, server, pins, "") for each in found]
    made: list[Tool] = []
    for each in found:
        concern = ""
        if digests[each.name] != known.tools.get(each.name):
            is_new = each.name not in known.tools
            what = "is new" if is_new else "says something else"
            concern = f"This tool of the MCP server {server.name!r} {what} since it was approved."
        made.append(_tool(talk, each, server, pins, concern))
    return made


async def _listed(client: Client) -> list[mcp_types.Tool]:
    """Return the tools that can be used: as many as there may be, with schemas of a sane size."""
    from mcp_types import PaginatedRequestParams

    if client.server_capabilities.tools is None:
        return []
    found: list[mcp_types.Tool] = []
    cursor: str | None = None
    while len(found) < MOST_TOOLS:
        params = None if cursor is None else PaginatedRequestParams(cursor=cursor)
        page = await client.session.list_tools(params=params)
        found += page.tools
        cursor = page.next_cursor
        if not cursor or not page.tools:
            break
    sane = [each for each in found if len(json.dumps(each.input_schema)) <= _MAX_SCHEMA]
    return sane[:MOST_TOOLS]


def _digest(found: mcp_types.Tool) -> str:
    """Return what changes when a tool says or takes something else."""
    said = found.model_dump(mode="json", include={"name", "title", "description", "input_schema"})
    return digest(said)


def _tool(talk: _Talk, found: mcp_types.Tool, server: Server, pins: Pins, concern: str) -> Tool:
    approved: list[bool] = []

    def approve() -> None:
        approved.append(True)
        pins.pin(server.name, {found.name: _digest(found)})

    async def call(made: ToolCall) -> ToolResult:
        if concern and not approved:
            return failed(f"{concern} A person has to approve it first.")
        return await attempt(lambda: talk.call(found.name, made), None, untrusted=True)

    said = _plain(found.description or found.title or found.name, _MAX_DESCRIPTION)
    return Tool(
        name=tool_name(f"{server.name}_{found.name}"),
        description=f"{concern} A person is asked before it is used." if concern else said,
        schema=_schema(found.input_schema, bare=bool(concern)),
        call=call,
        label=f"mcp:{server.name}/{found.name}",
        effects="write",
        sends=True,
        untrusted=True,
        timeout=server.timeout,
        source=f"the MCP server {server.name} ({server.shown})",
        concern=concern,
        approve=approve,
    )


def _chosen(tools: Sequence[Tool], only: Collection[str] | None, server: Server) -> list[Tool]:
    if only is None:
        return list(tools)
    named = {tool.label.partition("/")[2]: tool for tool in tools}
    for name in only:
        if name not in named:
            raise NotFoundError(
                f"The MCP server {server.name!r} has no tool {shorten(name)!r}.",
                remedy=did_you_mean(name, named) or f"It has: {listed(named, 20)}.",
                code="tool-unknown",
            )
    return [named[name] for name in dict.fromkeys(only)]


def _plain(said: str, limit: int) -> str:
    """Return a text without characters that people do not see, cut to `limit`."""
    return shorten("".join(c for c in said if unicodedata.category(c) not in _HIDDEN), limit)


def _schema(given: Mapping[str, Any], *, bare: bool) -> dict[str, Any]:
    """Return the schema of a tool's arguments; a bare one holds no words of the server."""
    made = cast("dict[str, Any]", _without_words(given) if bare else dict(given))
    return {**made, "type": "object", "properties": made.get("properties", {})}


def _without_words(given: Any, *, names: bool = False) -> Any:
    if isinstance(given, Mapping):
        words = () if names else ("title", "description", "examples", "default", "$comment")
        return {
            key: _without_words(value, names=key == "properties" and not names)
            for key, value in cast("Mapping[str, Any]", given).items()
            if key not in words
        }
    if isinstance(given, list):
        return [_without_words(item) for item in cast("list[Any]", given)]
    return given


class _AnsweredError(Exception):
    """A server has given its last answer; it is not recorded here, as the agent records it."""

    def __init__(self, result: mcp_types.CallToolResult) -> None:
        super().__init__("answered")
        self.result = result


class _LostError(Exception):
    """A server that was started anew does not know what it asked before."""


@dataclass(slots=True)
class _Pending:
    """A call that goes on."""

    tool: str
    call: ToolCall
    #: How often each question was asked, by its digest.
    asked: Counter[str] = field(default_factory=Counter[str])
    #: The time limit that does not count while people think; only in the older protocol.
    limit: asyncio.Timeout | None = None


class _Talk:
    """Calls of one server, and what it asks people meanwhile."""

    client: Client

    def __init__(self, server: Server, hider: Hider) -> None:
        self._server, self._hider = server, hider
        #: The older protocol does not say which call a question belongs to: one after another.
        self._turn = asyncio.Lock()
        self._pending: _Pending | None = None

    async def call(self, name: str, call: ToolCall) -> ToolResult:
        """Call a tool, have people answer what the server asks, and return the result.

        What the server asks is recorded with what it wants to be given back; answers are recorded
        by what was asked. So a run that was parked asks nobody twice, whatever the server forgot.
        """
        result = await self._called(name, call)
        return replace(result, content=self._hider.data(result.content))

    async def _called(self, name: str, call: ToolCall) -> ToolResult:
        if self.client.session.initialize_result is not None:
            async with self._turn:
                return await self._older(_Pending(name, call))
        try:
            return await self._rounds(_Pending(name, call), is_recorded=True)
        except _LostError:
            return await self._rounds(_Pending(name, call), is_recorded=False)

    async def _rounds(self, pending: _Pending, *, is_recorded: bool) -> ToolResult:
        from mcp_types import InputRequiredResult

        given: dict[str, Any] = {}
        is_restored, context = False, pending.call.context
        for number in range(MOST_ROUNDS):
            made: list[bool] = []
            ask = self._round(pending, given, made, is_restored=is_restored)
            try:
                key = f"mcp:{pending.call.id}:{number}"
                asked = await (context.aonce(key, ask) if is_recorded else ask())
            except _AnsweredError as answered:
                return _result(answered.result)
            is_restored = not made
            needed = InputRequiredResult.model_validate(asked)
            answers = await self._answers(pending, needed)
            given = {"input_responses": answers, "request_state": needed.request_state}
        return failed(f"The server asked more than {MOST_ROUNDS} times.", untrusted=True)

    def _round(
        self, pending: _Pending, given: Mapping[str, Any], made: list[bool], *, is_restored: bool
    ) -> Callable[[], Awaitable[Any]]:
        """Return what asks the server once more, and gives what it wants to know as JSON."""
        from mcp import MCPError
        from mcp_types import InputRequiredResult

        async def asked() -> Any:
            made.append(True)
            arguments, session = dict(pending.call.arguments), self.client.session
            try:
                async with asyncio.timeout(self._server.timeout):
                    result = await session.call_tool(
                        pending.tool, arguments, allow_input_required=True, **given
                    )
            except Exception as error:
                if is_restored and isinstance(error, MCPError):
                    raise _LostError from error
                raise self._failed(error) from error
            if isinstance(result, InputRequiredResult):
                return result.model_dump(mode="json", by_alias=True, exclude_none=True)
            raise _AnsweredError(cast("mcp_types.CallToolResult", result))

        return asked

    async def _older(self, pending: _Pending) -> ToolResult:
        session = self.client.session
        try:
            async with asyncio.timeout(self._server.timeout) as pending.limit:
                self._pending = pending
                return _result(await session.call_tool(pending.tool, dict(pending.call.arguments)))
        except Exception as error:
            raise self._failed(error) from error
        finally:
            self._pending = None

    def _failed(self, error: Exception) -> NodeError:
        said = self._hider.text(said_by(error))
        remedy = f"{_OLDER} in [mcp.{self._server.name}]." if _CANNOT_ASK in said else ""
        what = f"The MCP server {self._server.name!r}: {said.rstrip('.')}."
        return NodeError(what, remedy=remedy, code="mcp")

    async def _answers(
        self, pending: _Pending, needed: mcp_types.InputRequiredResult
    ) -> dict[str, Any] | None:
        from mcp_types import ElicitRequest

        answers: dict[str, Any] = {}
        for key, request in (needed.input_requests or {}).items():
            if not isinstance(request, ElicitRequest):
                raise NodeError(
                    f"The MCP server {self._server.name!r} asks for {request.method}, which agents "
                    "do not give.",
                    code="mcp",
                )
            answers[key] = await self._ask(pending, request.params)
        if not answers:
            await asyncio.sleep(0.1)  # it wants nothing but to be asked again
        return answers or None

    async def elicited(self, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
        """Answer a question of a server that speaks the older protocol."""
        from mcp_types import ElicitResult

        pending = self._pending
        if pending is None or pending.limit is None or pending.asked.total() >= MOST_ROUNDS:
            return ElicitResult(action="cancel")
        pending.limit.reschedule(None)  # a person may take days
        try:
            return await self._ask(pending, params)
        finally:
            now = asyncio.get_running_loop().time()
            pending.limit.reschedule(now + self._server.timeout)

    async def _ask(
        self, pending: _Pending, params: mcp_types.ElicitRequestParams
    ) -> mcp_types.ElicitResult:
        from mcp_types import ElicitRequestFormParams, ElicitResult

        if not isinstance(params, ElicitRequestFormParams):
            return ElicitResult(action="decline")  # a page that a stranger names is not opened
        asked = digest([params.message, params.requested_schema])[:16]
        pending.asked[asked] += 1
        answer = await pending.call.context.awaits(
            f"mcp:{pending.call.id}:asks:{asked}:{pending.asked[asked]}",
            "approval",
            message=f"The MCP server {self._server.name!r} asks: "
            f"{_plain(params.message, _MAX_MESSAGE)}",
            form=params.requested_schema,
        )
        if not answer.approved:
            return ElicitResult(action="decline")
        value: Any = answer.value
        return ElicitResult(action="accept", content=value if _is_object(value) else {})


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _result(result: mcp_types.CallToolResult) -> ToolResult:
    blocks = [_block(each) for each in result.content]
    if result.structured_content is not None and not any(b.get("text") for b in blocks):
        blocks.append(text(json_text(result.structured_content)))
    content: str | list[Block] = blocks
    if all(block["type"] == "text" for block in blocks):
        content = "\n".join(str(block["text"]) for block in blocks)
    return ToolResult(content or "Done.", is_error=result.is_error, untrusted=True)


def _block(content: Any) -> Block:
    """Return a content of MCP as one of the Messages API."""
    kind: str = content.type
    if kind == "text":
        return text(content.text)
    if kind == "image" and content.mime_type in _PICTURES and len(content.data) <= _MAX_PICTURE:
        source = {"type": "base64", "media_type": content.mime_type, "data": content.data}
        return {"type": "image", "source": source}
    if kind == "resource" and hasattr(content.resource, "text"):
        return text(f"{content.resource.uri}:\n{content.resource.text}")
    if kind == "resource_link":
        return text(f"[a resource: {content.uri}]")
    return text(f"[{kind}, not shown]")
