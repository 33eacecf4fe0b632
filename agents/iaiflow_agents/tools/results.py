"""What a call gives as what a model reads: text, JSON, the head of a table, a picture."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, cast

from iaiflow_agents.blocks import Block
from iaiflow_agents.tools.tool import ToolResult
from iaiflow_lab.errors import LabError
from iaiflow_lab.model.names import shorten
from iaiflow_lab.sdk.plain_text import plain_text
from iaiflow_lab.sdk.values import is_lazy, is_table, preview, sniff

#: Most bytes of text in a result.
MAX_BYTES: Final = 256 * 1024
#: Most rows of a table, and about how many characters of them.
MAX_ROWS: Final = 50
_MAX_TABLE: Final = 20_000
#: Largest picture that a model is shown, in bytes.
_MAX_PICTURE: Final = 3_000_000
#: Most characters of all pictures of a result.
_MAX_PICTURES: Final = 10_000_000
_PICTURES: Final = frozenset({"image/png", "image/jpeg"})


def failed(sentence: str, *, untrusted: bool = False) -> ToolResult:
    """Return the result of a call that failed."""
    return ToolResult(cut(sentence), is_error=True, untrusted=untrusted)


async def attempt(
    work: Callable[[], Awaitable[Any]], timeout: float | None, *, untrusted: bool = False
) -> ToolResult:
    """Do the work of a call and return what the model is told, whatever becomes of it.

    Args:
        work: Gives a `ToolResult`, or any value.
        timeout: Longest time, in seconds; None: no limit.
        untrusted: Whether strangers may have written what it gives.
    """
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            result = shown(await work())
    except TimeoutError as error:
        if limit.expired():
            result = failed(f"It took longer than {timeout:g} seconds and was stopped.")
        else:
            result = failed(_sentence(error))
    except BaseException as error:
        if not isinstance(error, Exception) and not _is_panic(error):
            raise
        result = failed(_sentence(error))
    return replace(result, untrusted=result.untrusted or untrusted)


def _is_panic(error: BaseException) -> bool:
    """Say whether a library in Rust gave up, as polars does at a day that no calendar has."""
    return type(error).__name__ == "PanicException"


def shown(value: Any) -> ToolResult:
    """Return a value as a result; what is too large is cut, and says so."""
    if isinstance(value, ToolResult):
        return replace(value, content=_cut_content(value.content))
    if isinstance(value, str):
        return ToolResult(cut(value), value=value)
    if isinstance(value, bytes | bytearray | memoryview):
        return ToolResult(_bytes(bytes(cast("bytes", value))), value=value)
    return ToolResult(cut(_text(value)), value=value)


def cut(text: str) -> str:
    """Return a text of at most `MAX_BYTES`, as every reader can take it."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAX_BYTES:
        return data.decode()
    head = data[:MAX_BYTES].decode("utf-8", "ignore")
    return f"{head}\n[cut here: {MAX_BYTES:,} of {len(data):,} bytes are shown]"


def _cut_content(content: str | list[Block]) -> str | list[Block]:
    if isinstance(content, str):
        return cut(content)
    texts, others, blocks = MAX_BYTES, _MAX_PICTURES, list[Block]()
    for block in content:
        made = block
        if block.get("type") == "text":
            made = {**block, "text": cut(str(block.get("text", "")))}
            texts -= len(made["text"].encode())
        else:
            others -= len(json.dumps(block, default=str))
        if min(texts, others) < 0:
            blocks.append({"type": "text", "text": "[the rest is too long and left out]"})
            break
        blocks.append(made)
    return blocks


def _sentence(error: BaseException) -> str:
    """Return an exception as one sentence, without lines of code."""
    if isinstance(error, LabError):
        return str(error)
    said = " ".join(str(error).split())
    return shorten(f"{type(error).__name__}: {said}" if said else type(error).__name__, 2_000)


def _bytes(data: bytes) -> str | list[Block]:
    kind = sniff(data)
    if kind not in _PICTURES or len(data) > _MAX_PICTURE:
        return preview(data)
    source = {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}
    return [{"type": "image", "source": source}]


def _text(value: Any) -> str:
    if value is None:
        return "Done."
    if is_table(value):
        try:
            return table_text(value)
        except Exception as error:
            return f"{preview(value)} ({_sentence(error)})"
    try:
        return json_text(value)
    except ValueError:  # it holds itself, or what no JSON can
        return plain_text(value, MAX_BYTES)


def json_text(value: Any) -> str:
    """Return a value as JSON; what JSON has no form for is written as text.

    Raises:
        ValueError: It holds itself.
    """
    from pydantic_core import to_json

    return to_json(
        value, fallback=_plain, inf_nan_mode="null", bytes_mode="base64", serialize_unknown=False
    ).decode()


def _plain(value: Any) -> Any:
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return plain_text(value, 300)


def _whole(value: Any) -> Any:
    """Return a decimal without a fraction, as sums of whole numbers are, as a whole number."""
    is_whole = type(value).__name__ == "Decimal" and value == value.to_integral_value()
    return int(value) if is_whole else value


def table_text(table: Any) -> str:
    """Return the head of a table: how large it is, its columns, and rows as JSON lists."""
    import polars as pl

    frame: Any
    if is_lazy(table):
        frame = table.head(MAX_ROWS + 1).collect()
        size = f"more than {MAX_ROWS}" if frame.height > MAX_ROWS else f"{frame.height:,}"
    else:
        frame = table if isinstance(table, pl.DataFrame) else pl.DataFrame(table)
        size = f"{frame.height:,}"
    lines: list[str] = []
    left = _MAX_TABLE
    for row in frame.head(MAX_ROWS).iter_rows():
        line = json_text([_whole(value) for value in row])
        left -= len(line)
        if left < 0 and lines:
            break
        lines.append(line)
    columns = ", ".join(f"{name} ({kind})" for name, kind in frame.schema.items())
    head = f"{size} rows x {frame.width:,} columns: {columns}"
    if len(lines) < frame.height:
        head += f"\nThe first {len(lines):,} rows:"
    return "\n".join([head, *lines])
