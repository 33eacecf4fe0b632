"""Files of the workspace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, cast

from iaiflow_lab.errors import NodeError
from iaiflow_lab.safe.load import safe_load
from iaiflow_lab.sdk.annotations import File, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_nodes import places


def _stamp(ctx: Context, *, path: str, **_: Any) -> str:
    return places.stamp(ctx, path)


@node("file.read", category="Files", title="Read file", effects="read", fingerprint=_stamp)
def read_file(
    ctx: Context,
    *,
    path: Template,
    format: Literal["text", "json", "bytes"] = "text",  # noqa: A002  the word people expect
    encoding: str = "utf-8",
) -> Any:
    """Read a file of the workspace as text, JSON or bytes.

    Args:
        path: The file, from the flow's folder on.
        format: What the file holds.
        encoding: How its text is written.
    """
    file = places.existing(ctx, path)
    content = _content(file)
    if format == "bytes":
        return content
    if format == "json":
        return safe_load(content, where=path)
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise NodeError(
            f"The file is not {encoding} text: {error}.",
            where=path,
            remedy="Set the encoding, or read it as bytes.",
            code="file-unreadable",
        ) from None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NodeError(
            f"The file can't be read: {error.strerror}.", where=str(file), code="file-unreadable"
        ) from error


@node("file.write", category="Files", title="Write file", effects="write", untrusted=False)
def write_file(content: Any, ctx: Context, *, path: Template, encoding: str = "utf-8") -> File:
    """Write text, bytes or JSON to a file of the workspace; gives its path.

    The file is replaced as a whole: nobody ever sees half of it.

    Args:
        content: Text and bytes are written as they are, anything else as JSON.
        path: The file, from the flow's folder on; missing folders are made.
        encoding: How text is written.
    """
    data = _bytes(content, encoding)
    file = places.writable(ctx, path)
    places.replace(file, lambda made: made.write_bytes(data))
    return places.relative(ctx, file)


def _bytes(content: Any, encoding: str) -> bytes:
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(cast("bytes", content))
    try:
        if not isinstance(content, str):
            content = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return content.encode(encoding)
    except (TypeError, ValueError, LookupError) as error:
        raise NodeError(
            f"A {type(content).__name__} can't be written here: {error}.",
            remedy="Give it text, bytes or JSON; for tables there is table.write.",
            code="content-invalid",
        ) from None
