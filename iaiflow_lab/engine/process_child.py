"""The child's side of `processes`: reads a request, calls the node, writes the reply."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from iaiflow_lab.engine import failure
from iaiflow_lab.engine.byte_store import FolderStore
from iaiflow_lab.engine.processes import Reply, Request
from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.sdk.configuration import validate_config


def main(folder: str) -> None:
    """Do what `folder/request.json` asks and write `folder/reply.json`."""
    store = FolderStore(Path(folder))
    data = (store.folder / "request.json").read_bytes()
    request = msgspec.json.decode(data, type=Request)
    try:
        output = values.encode(_call(request, store), store)
        if output.encoding == "live":
            raise NodeError(
                f"The result can't leave its process: {output.preview}.",
                remedy="Return a table, JSON or bytes, or drop pool='process'.",
                code="not-storable",
            )
        reply = Reply(output=output, cpu_s=time.process_time())
    except BaseException as error:
        reply = Reply(error=failure.describe(error, ""), cpu_s=time.process_time())
    temporary = store.folder / "reply.tmp"
    temporary.write_bytes(msgspec.json.encode(reply))
    temporary.rename(store.folder / "reply.json")


def _call(request: Request, store: FolderStore) -> Any:
    node_type = load_catalog(Path(request.workspace)).get(request.node_type)
    if node_type is None:
        raise NodeError(f"Node type {request.node_type!r} isn't installed.")
    if node_type.context_name:
        raise NodeError("A node with pool='process' can't take a Context.", code="no-context")
    arguments = {port: values.decode(ref, store) for port, ref in request.arguments.items()}
    config = validate_config(node_type, request.config, request.node_type)
    answer = node_type.call(arguments, config, None)
    return _finished(answer)


def _finished(answer: Any) -> Any:
    if asyncio.iscoroutine(answer):
        return asyncio.run(answer)
    fields: Callable[[], dict[str, Any]] | None = getattr(answer, "_asdict", None)
    return fields() if fields is not None else answer


if __name__ == "__main__":
    main(sys.argv[1])
