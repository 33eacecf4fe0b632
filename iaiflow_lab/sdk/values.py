"""Values between nodes: checked by kind, stored as Arrow, JSON or bytes, shown as a short text.

Nothing is ever pickled. A value that fits none of the stored forms stays in the process, and its
node runs again on resume.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from typing import Any, Protocol, cast

import msgspec

from iaiflow_lab.model.event import OutputRef
from iaiflow_lab.model.json_value import is_text
from iaiflow_lab.model.types import PortType
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.sdk.plain_text import plain_text

#: Values up to this size, in bytes of JSON, are kept in the event itself.
INLINE_LIMIT = 32 * 1024
#: Longest preview, in characters.
PREVIEW_LIMIT = 300
#: JSON values with more elements than this are not walked: they stay in the process.
_WALK_LIMIT = 2_000_000

_encoder = msgspec.json.Encoder()
_SCALARS = (str, int, bool, type(None))
_IMMUTABLE = (*_SCALARS, float)


class Bytes(Protocol):
    """Where stored bytes go and come from."""

    def put(self, data: bytes | memoryview) -> str:
        """Store bytes and return their digest."""
        ...

    def get(self, digest: str) -> bytes:
        """Return stored bytes."""
        ...


def is_table(value: Any) -> bool:
    """Say whether `value` is a table: an Arrow stream or a polars LazyFrame."""
    return hasattr(value, "__arrow_c_stream__") or is_lazy(value)


def is_lazy(value: Any) -> bool:
    """Say whether `value` is a polars LazyFrame, without importing polars."""
    return type(value).__name__ == "LazyFrame" and type(value).__module__.startswith("polars")


def mismatch(port_type: PortType, value: Any) -> str:
    """Return how `value` fails to be a `port_type`, e.g. "a list"; "" when it fits.

    Only the kind is looked at: big values are neither walked nor copied.
    """
    expected = _KINDS.get(port_type.name)
    if value is None or expected is None or expected(value):
        return ""
    return f"a {type(value).__name__}"


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool | str) and hasattr(value, "__float__")


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _is_list(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes | dict)


def _is_a(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "text": _is_a(str),
    "number": _is_number,
    "boolean": _is_boolean,
    "table": is_table,
    "image": _is_a(bytes, bytearray, memoryview, str),
    "bytes": _is_a(bytes, bytearray, memoryview),
    "file": _is_a(str, os.PathLike),
    "list": _is_list,
}


def is_scalar(value: Any) -> bool:
    """Say whether encoding `value` costs next to nothing."""
    return type(value) in (bool, int, float, type(None)) or (
        type(value) is str and len(value) < INLINE_LIMIT // 4
    )


def encode(value: Any, store: Bytes) -> OutputRef:
    """Store one value and return the reference to it."""
    shown = preview(value)
    if is_table(value):
        return _encode_table(value, store, shown)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(cast("bytes", value))
        return OutputRef(
            "bytes", artifact=store.put(data), size=len(data), media_type=sniff(data), preview=shown
        )
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if not is_json(value):
        return OutputRef("live", preview=shown)
    data = _encoder.encode(value)
    if len(data) <= INLINE_LIMIT:
        kept = value if type(value) in _IMMUTABLE else msgspec.json.decode(data)  # as it is now
        return OutputRef("json", inline=kept, size=len(data), preview=shown)
    return OutputRef("json", artifact=store.put(data), size=len(data), preview=shown)


def refer(value: Any) -> OutputRef:
    """Describe a value that stays in the process: its preview, and itself when it is small."""
    if is_scalar(value) and is_json(value):
        return OutputRef("json", inline=value, preview=preview(value))
    return OutputRef("live", rows=rows(value), preview=preview(value))


def decode(ref: OutputRef, store: Bytes) -> Any:
    """Return the value behind a stored reference.

    Raises:
        NotFoundError: Its bytes are gone.
        ValueError: The reference is `live`.
    """
    if ref.encoding == "json":
        return msgspec.json.decode(store.get(ref.artifact)) if ref.artifact else ref.inline
    if ref.encoding == "bytes":
        return store.get(ref.artifact)
    if ref.encoding == "arrow":
        import polars as pl

        return pl.read_ipc(io.BytesIO(store.get(ref.artifact)))
    raise ValueError(f"a {ref.encoding} value is not stored")


def table_bytes(value: Any) -> bytes:
    """Return what a table holds, as it lies in memory; nothing of a lazy one, which has none."""
    if is_lazy(value):
        return b""
    import polars as pl

    frame = value if isinstance(value, pl.DataFrame) else pl.DataFrame(value)
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="uncompressed")
    return buffer.getvalue()


def _encode_table(value: Any, store: Bytes, shown: str) -> OutputRef:
    if is_lazy(value):
        return OutputRef("live", preview=shown)
    import polars as pl

    frame = value if isinstance(value, pl.DataFrame) else pl.DataFrame(value)
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    data = buffer.getbuffer()
    return OutputRef(
        "arrow", artifact=store.put(data), size=len(data), rows=frame.height, preview=shown
    )


def is_json(value: Any) -> bool:
    """Say whether JSON gives back the very same value: plain types, text keys, finite numbers."""
    stack: list[Any] = [value]
    seen = 0
    while stack:
        current = stack.pop()
        kind = cast("Any", type(current))
        if kind is dict:
            stack.extend(current.values())
            if any(type(key) is not str or not is_text(key) for key in current):
                return False
        elif kind is list:
            stack.extend(current)
        elif kind is float:
            if not math.isfinite(current):
                return False
        elif kind not in _SCALARS or (kind is str and not is_text(current)):
            return False
        seen += 1
        if seen > _WALK_LIMIT:
            return False
    return True


def rows(value: Any) -> int | None:
    """Return the number of rows of a table, when it is known without computing it."""
    if not is_table(value) or is_lazy(value):
        return None
    for name in ("height", "num_rows"):
        if isinstance(found := getattr(value, name, None), int):
            return found
    return len(value) if hasattr(value, "__len__") else None


def preview(value: Any) -> str:
    """Return a short text that shows `value`; never computes a lazy table or asks for a `repr`."""
    if is_table(value):
        return _cut(_table_preview(value))
    if isinstance(value, bytes | bytearray | memoryview):
        data = memoryview(cast("bytes", value))
        start = bytes(data.cast("B")[:16]) if data.contiguous else b""
        return f"{data.nbytes:,} bytes {sniff(start)}".strip()
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, list | dict):
        many = cast("list[Any]", value)
        if len(many) > PREVIEW_LIMIT:
            return f"{type(many).__name__} of {len(many):,} items"
        value = RESOLVED.data(cast("Any", value))
    return _cut(plain_text(value, PREVIEW_LIMIT))


def _table_preview(value: Any) -> str:
    if is_lazy(value):
        return "lazy table"
    columns = [str(name) for name in getattr(value, "columns", [])]
    count = rows(value)
    size = "table" if count is None else f"{count:,} rows"
    return f"{size} x {len(columns)} columns: {', '.join(columns)}" if columns else size


def _cut(text: str) -> str:
    text = RESOLVED.text(text)  # before it is cut: half a secret would be left
    text = text if len(text) <= PREVIEW_LIMIT else text[: PREVIEW_LIMIT - 1] + "…"
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


_SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"<svg", "image/svg+xml"),
    (b"%PDF", "application/pdf"),
)


def sniff(data: bytes) -> str:
    """Return the MIME type of well-known bytes; "" when unknown."""
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "")
