"""An MCP server as the user's configuration names it, and the connection to it."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from iaiflow_agents.blocks import digest
from iaiflow_lab.errors import NodeError, NotFoundError
from iaiflow_lab.model.names import did_you_mean, listed, shorten
from iaiflow_lab.model.secret_names import PREFIX
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.safe.redact import Hider

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client import ClientRequestContext
    from mcp_types import ElicitRequestParams, ElicitResult

#: How long it may take to start a server and to agree with it, in seconds.
CONNECT: Final = 60.0
#: How long a call may take, in seconds, unless the configuration says otherwise.
TIMEOUT: Final = 60.0
#: How long a server may take to end, in seconds.
_CLOSE: Final = 20.0

#: What a section of config.toml may have wrong.
_CHECKED: Final = "its url and headers, or its command, which you may run by hand"

#: Asks a person what a server wants to know.
Elicited = Callable[["ElicitRequestParams"], Any]


@dataclass(frozen=True, slots=True)
class Server:
    """One section `[mcp.NAME]` of config.toml."""

    name: str
    #: What is executed; "" for a server that is reached by `url`.
    command: str = ""
    args: tuple[str, ...] = ()
    #: Its environment, beside a few harmless variables; `secret:NAME` stands for a secret.
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Its working folder, from the workspace on.
    cwd: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    #: How long a call may take, in seconds.
    timeout: float = TIMEOUT
    #: The protocol: "auto", or "legacy" for the one before 2026.
    protocol: str = "auto"

    @property
    def identity(self) -> str:
        """Digest of how it is started or reached; secrets count by their names."""
        how = [self.command, list(self.args), dict(self.env), self.cwd]
        return digest([*how, self.url, dict(self.headers)])

    @property
    def shown(self) -> str:
        """How it is started or reached, for people."""
        return self.url or shorten(" ".join([self.command, *self.args]), 500)


def read_server(configured: Mapping[str, Mapping[str, Any]], name: str) -> Server:
    """Return the server that the configuration calls `name`.

    Raises:
        NotFoundError: There is none.
    """
    if name not in configured:
        raise NotFoundError(
            f"There is no MCP server {shorten(name)!r}.",
            where="config.toml",
            remedy=did_you_mean(name, configured)
            or f"Write [mcp.{shorten(name)}] with a command or a url; there are: "
            f"{listed(configured)}.",
            code="mcp-unknown",
        )
    given = configured[name]
    return Server(
        name,
        command=given.get("command", ""),
        args=tuple(given.get("args", ())),
        env=given.get("env", {}),
        cwd=given.get("cwd", ""),
        url=given.get("url", ""),
        headers=given.get("headers", {}),
        timeout=float(given.get("timeout_s", TIMEOUT)),
        protocol=given.get("protocol", "auto"),
    )


@asynccontextmanager
async def target_of(
    server: Server, workspace: Path, secret: Callable[[str], str]
) -> AsyncGenerator[tuple[Any, TextIO]]:
    """Give what a client connects to, and the file that the server's complaints go to.

    Raises:
        NotFoundError: A secret that it needs is missing.
        InputError: Its working folder leads outside of the workspace.
    """
    if find_spec("mcp") is None:
        raise NodeError(
            "MCP servers need the package mcp.",
            remedy='Run: pip install "iaiflow-lab[agents]"',
            code="mcp-not-installed",
        )
    logging.getLogger("mcp").addHandler(logging.NullHandler())  # noise of servers is no news
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        if server.url:
            headers = await asyncio.to_thread(_resolved, server.headers, secret)
            yield _http(server.url, headers, complaints), complaints
            return
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        cwd = safe_path(workspace, server.cwd, must_exist=True) if server.cwd else workspace
        env = await asyncio.to_thread(_resolved, server.env, secret)
        started = StdioServerParameters(
            command=server.command,
            args=list(server.args),
            env=env,
            cwd=cwd,
            encoding_error_handler="replace",
        )
        yield stdio_client(started, errlog=complaints), complaints


def _resolved(given: Mapping[str, str], secret: Callable[[str], str]) -> dict[str, str]:
    """Return values with the secrets that they name in their places; a keyring may ask a person."""
    made: dict[str, str] = {}
    for name, value in given.items():
        before, found, wanted = value.partition(PREFIX)
        made[name] = before + secret(wanted.strip()) if found else value
    return made


@asynccontextmanager
async def _http(url: str, headers: Mapping[str, str], complaints: TextIO) -> AsyncGenerator[Any]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async def note(answer: httpx2.Response) -> None:
        if not answer.is_success:  # the SDK does not say with what it was refused
            complaints.write(f"{answer.status_code} {answer.reason_phrase}\n")

    limits = httpx2.Timeout(30.0, read=300.0)
    client = httpx2.AsyncClient(
        headers=dict(headers), timeout=limits, trust_env=False, event_hooks={"response": [note]}
    )
    async with client, streamable_http_client(url, http_client=client) as streams:
        yield streams


class Connection:
    """A connection to a server, kept by a task of its own: whatever breaks in it ends only it.

    Args:
        name: What people call the server.
        target: What `mcp.Client` takes.
        elicited: Asks a person what the server wants to know.
        hider: Cuts the secrets that the server was given out of what it says.
        mode: The protocol: "auto", "legacy" or a version.
    """

    def __init__(
        self, name: str, target: Any, elicited: Elicited, *, hider: Hider, mode: str = "auto"
    ) -> None:
        self._name, self._target, self._mode = name, target, mode
        self._elicited, self._hider = elicited, hider
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._keeper: asyncio.Task[None] | None = None

    async def open(self, complaints: TextIO | None = None) -> Client:
        """Connect and return the client.

        Args:
            complaints: What the server writes beside, to say why it does not start.

        Raises:
            NodeError: There is no connection, or no agreement.
        """
        self._keeper = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(CONNECT):
                return await asyncio.shield(self._ready)
        except Exception as error:
            await self.close()
            said = said_by(error) if not isinstance(error, TimeoutError) else "it does not answer"
            said, last = self._hider.text(said), self._hider.text(_last_lines(complaints))
            raise NodeError(
                f"There is no connection to the MCP server {self._name!r}: {said.rstrip('.')}.",
                where=last,
                remedy=f"Check [mcp.{self._name}] in config.toml: {_CHECKED}",
                code="mcp-unreachable",
            ) from error
        except asyncio.CancelledError:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection; a server that was started here ends with all that it started."""
        self._closing.set()
        if self._keeper is None:
            return
        if not self._ready.done():
            self._keeper.cancel()
        _, late = await asyncio.wait([self._keeper], timeout=_CLOSE)
        for task in late:
            task.cancel()

    async def _keep(self) -> None:
        from mcp import Client

        async def elicited(
            context: ClientRequestContext, params: ElicitRequestParams
        ) -> ElicitResult:
            del context
            return await self._elicited(params)

        try:
            async with Client(
                self._target, mode=self._mode, elicitation_callback=elicited, cache=None
            ) as client:
                self._ready.set_result(client)
                await self._closing.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(_told(error))
                self._ready.exception()  # whoever waited may be gone
            if not isinstance(error, Exception):
                raise


def _told(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else ConnectionError("it was given up")


def said_by(error: BaseException) -> str:
    """Return what an error of the SDK says, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if isinstance(error, TimeoutError):
        return "it took too long"
    said = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return shorten(" ".join(said.split()), 1_000)


def _last_lines(complaints: TextIO | None) -> str:
    """Return the end of what a server wrote beside its messages."""
    if complaints is None:
        return ""
    complaints.seek(0)
    return shorten(" ".join(complaints.read()[-1_000:].split()), 500)
