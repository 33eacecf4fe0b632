"""The child's side of `processes`: reads a request, calls the node, writes the reply."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from iaiflow_lab.engine import failure
from iaiflow_lab.engine.byte_store import FolderStore
from iaiflow_lab.engine.processes import Reply, Request
from iaiflow_lab.engine.step import outputs_of
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.sdk.configuration import validate_config
from iaiflow_lab.sdk.outcome import Skip


def main(folder: str) -> None:
    """Do what the standard input asks and write `folder/reply.json`."""
    sys.path.append(str(Path.cwd()))  # last, so that no file there stands in for a module of ours
    store = FolderStore(Path(folder))
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        answer = _call(request, store)
        reply = Reply(reason=answer.reason) if isinstance(answer, Skip) else _reply(answer, store)
    except BaseException as error:
        reply = Reply(error=failure.describe(error, ""))
    reply = msgspec.structs.replace(reply, cpu_s=time.process_time())
    temporary = store.folder / "reply.tmp"
    temporary.write_bytes(msgspec.json.encode(reply))
    temporary.rename(store.folder / "reply.json")


def _call(request: Request, store: FolderStore) -> dict[str, Any] | Skip:
    node_type = load_catalog(Path(request.workspace)).get(request.node_type)
    if node_type is None:
        raise NodeError(f"Node type {request.node_type!r} isn't installed.")
    if node_type.context_name:
        raise NodeError("A node with pool='process' can't take a Context.", code="no-context")
    arguments = {port: values.decode(ref, store) for port, ref in request.arguments.items()}
    config = validate_config(node_type, request.config, request.node_type)
    answer = node_type.call(arguments, config, None)
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    return answer if isinstance(answer, Skip) else outputs_of(node_type, request.node, answer)


def _reply(outputs: dict[str, Any], store: FolderStore) -> Reply:
    refs = {port: values.encode(value, store) for port, value in outputs.items()}
    for port, ref in refs.items():
        if ref.encoding == "live":
            raise NodeError(
                f"Output {port!r} can't leave its process: {ref.preview}.",
                remedy="Return a table, JSON or bytes, or drop pool='process'.",
                code="not-storable",
            )
    return Reply(outputs=refs)


if __name__ == "__main__":
    main(sys.argv[1])
