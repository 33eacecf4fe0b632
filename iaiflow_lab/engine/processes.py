"""Calls a node in a process of its own: real parallelism, its own memory, killable at any time.

The type's name and the inputs go over as stored values (JSON, Arrow, bytes), never as pickles.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from iaiflow_lab.engine.byte_store import FolderStore
from iaiflow_lab.engine.patience import to_the_end
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.event import ErrorInfo, OutputRef
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.outcome import Done, Skip

#: Environment variable of a worker: the folder for what goes to such processes and back, which its
#: supervisor removes.
SCRATCH: Final = "IAIFLOW_SCRATCH"
#: Seconds between SIGTERM and SIGKILL.
_GRACE = 1.0


class Request(msgspec.Struct, frozen=True):
    """What the child is asked to do."""

    node_type: str
    #: Id of the node, for its sentences.
    node: str
    workspace: str
    #: Folder of values too large to stand here.
    store: str
    arguments: dict[str, OutputRef]
    config: dict[str, Any]


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the child answers."""

    #: Outputs by port; None: the node left all of them out.
    outputs: dict[str, OutputRef] | None = None
    #: Why it did.
    reason: str = ""
    error: ErrorInfo | None = None
    #: CPU time of the child, in seconds.
    cpu_s: float = 0.0


class ProcessCall:
    """One call of a node type in a child process.

    Args:
        node_type: Name in the catalog.
        node: Id of the node.
        workspace: Folder whose `flow_nodes` belong to the catalog.
        arguments: Inputs by port.
        config: Checked configuration; JSON values.
    """

    def __init__(
        self,
        node_type: str,
        node: str,
        workspace: Path,
        arguments: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> None:
        self._node_type = node_type
        self._node = node
        self._workspace = workspace
        self._arguments = arguments
        self._config = config
        #: CPU time of the child, in seconds.
        self.cpu = 0.0

    async def run(self, write: Callable[[str, str], None]) -> Any:
        """Call the node and return its answer.

        Args:
            write: Takes what the child writes: `stdout` or `stderr`, and the text.

        Raises:
            NodeError: The node failed, its values cannot leave the process, or it died.
        """
        place = os.environ.get(SCRATCH) or None
        with tempfile.TemporaryDirectory(prefix="iaiflow-", dir=place) as folder:
            store = FolderStore(Path(folder))
            request = await asyncio.to_thread(self._make_request, store)
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "iaiflow_lab.engine.process_child",
                folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            try:
                await asyncio.gather(
                    _give(child.stdin, request),
                    _pump(child.stdout, "stdout", write),
                    _pump(child.stderr, "stderr", write),
                )
                status = await child.wait()
            except asyncio.CancelledError:
                await to_the_end(_end(child))
                raise
            return await asyncio.to_thread(self._read_reply, store, status)

    def _make_request(self, store: FolderStore) -> bytes:
        refs = {port: values.encode(value, store) for port, value in self._arguments.items()}
        for port, ref in refs.items():
            if ref.encoding == "live":
                raise NodeError(
                    f"Input {port!r} can't go to another process: {ref.preview}.",
                    remedy="Give a table, JSON or bytes, or drop pool='process'.",
                    code="not-storable",
                )
        request = Request(
            node_type=self._node_type,
            node=self._node,
            workspace=str(self._workspace),
            store=str(store.folder),
            arguments=refs,
            config=dict(self._config),
        )
        return msgspec.json.encode(request)

    def _read_reply(self, store: FolderStore, status: int) -> Any:
        path = store.folder / "reply.json"
        if not path.exists():
            raise NodeError(
                f"The process of node type {self._node_type!r} died ({_how(status)}).",
                code="process-died",
            )
        reply = msgspec.json.decode(path.read_bytes(), type=Reply)
        self.cpu = reply.cpu_s
        if reply.error is not None:
            raise NodeError(reply.error.message, code=reply.error.code)
        if reply.outputs is None:
            return Skip(reply.reason)
        return Done({port: values.decode(ref, store) for port, ref in reply.outputs.items()})


def _how(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


async def _give(stream: asyncio.StreamWriter | None, request: bytes) -> None:
    """Hand over the request, which may hold secrets and so is written to no file."""
    assert stream is not None
    stream.write(request)
    with suppress(ConnectionError):  # it has died, which its exit status says
        await stream.drain()
    stream.close()


async def _pump(
    stream: asyncio.StreamReader | None, name: str, write: Callable[[str, str], None]
) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while stream is not None and (data := await stream.read(65_536)):
        write(name, decoder.decode(data))


async def _end(child: asyncio.subprocess.Process) -> None:
    """End the child and all that it started: SIGTERM, then SIGKILL."""
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, wanted)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await child.wait()
                return
