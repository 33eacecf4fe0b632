"""An MCP server of our own; run as a program it speaks over its standard input and output."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Elicit, Resolve
from mcp_types import ImageContent
from pydantic import BaseModel


class Sure(BaseModel):
    """What a person says."""

    sure: bool


def make_server(
    calls: list[str] | None = None, *, words: str = "Add two numbers.", takes: type = int
) -> MCPServer:
    """Return a server that notes its calls; `add` says these words and takes such values."""
    server = MCPServer("face", log_level="CRITICAL")
    noted = calls if calls is not None else []

    @server.tool(description=words)
    def add(a: takes, b: takes) -> takes:
        noted.append(f"add {a} {b}")
        return a + b

    @server.tool()
    def huge() -> str:
        """Say much."""
        return "x" * 1_000_000

    @server.tool()
    def broken() -> str:
        """Fail."""
        raise ValueError("it is broken")

    @server.tool()
    def picture() -> ImageContent:
        """Show a picture."""
        return ImageContent(data="iVBORw0KGgo=", mime_type="image/png")

    @server.tool()
    async def slow() -> str:
        """Take long."""
        await asyncio.sleep(600)
        return "late"

    @server.tool()
    def where() -> str:
        """Say where, and with which environment."""
        kept = {name for name in os.environ if not name.startswith("LC_")}
        return f"{Path.cwd()} {sorted(kept)} {os.environ.get('TOKEN', '')}"

    @server.tool()
    def noise() -> str:
        """Write to the standard output, as a server must not."""
        sys.__stdout__.write("this is no message\n")
        sys.__stdout__.flush()
        return "quiet"

    @server.tool()
    def die() -> str:
        """End the process."""
        os._exit(3)

    _add_asking(server, noted)
    return server


def _add_asking(server: MCPServer, noted: list[str]) -> None:
    async def confirm(path: str) -> Elicit[Sure]:
        noted.append(f"asked {path}")
        return Elicit(f"Delete {path}?", Sure)

    @server.tool()
    async def remove(path: str, sure: Annotated[Sure, Resolve(confirm)]) -> str:
        """Remove a file."""
        noted.append(f"removed {path} {sure.sure}")
        return f"{path} {sure.sure}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(str(os.getpid()))
    sys.stderr.write("a word of the server\n")
    make_server().run("stdio")
