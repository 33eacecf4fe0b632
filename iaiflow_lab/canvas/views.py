"""A value as it is looked at in the inspector: the part that was asked for, in full."""

from __future__ import annotations

from typing import Any, Final

from iaiflow_lab.canvas import bundles, frames, json_text, pictures, previews, texts
from iaiflow_lab.canvas.timed import timed
from iaiflow_lab.sdk import values

#: Most rows, and most characters of a text, in one answer.
MOST_ROWS: Final = 10_000
MOST_TEXT: Final = 1_000_000
#: Most characters of one answer in other forms.
_MOST: Final = 1_000_000
#: Most bytes of a picture that is sent.
_MOST_PICTURE: Final = 20_000_000
_OBJECT: Final = 20_000
_PATIENCE: Final = 30.0

View = dict[str, Any]


def view(
    value: Any, port_type: str = "any", *, offset: int = 0, limit: int = 100
) -> tuple[View, list[bytes]]:
    """Return a part of a value and the buffers that belong to it.

    Args:
        value: Anything. Lazy tables and streams are described, not computed or read.
        port_type: The port's type as it is spelled in files, such as `table`.
        offset: The first row of a table, or the first character of a text.
        limit: How many rows or characters.
    """
    offset, limit = max(0, offset), max(0, limit)
    try:
        return _view(value, port_type, offset, limit)
    except Exception as error:
        reason = texts.cut(str(error).strip() or type(error).__name__, 300)
        return _object(f"{texts.described(value)} can't be shown: {reason}")


def _view(value: Any, port_type: str, offset: int, limit: int) -> tuple[View, list[bytes]]:
    if kind := previews.picture_type(value, port_type):
        return _picture(kind, pictures.data(value))
    if isinstance(value, str):
        text = value[offset : offset + min(limit, MOST_TEXT)]
        return {"kind": "text", "text": text, "size": len(value), "offset": offset}, []
    if isinstance(value, bytes | bytearray | memoryview):
        return _object(previews.bytes_text(value)[0])
    if values.is_table(value):
        return _table(value, offset, min(limit, MOST_ROWS))
    if pictures.is_chart(value):
        return _picture(*timed(lambda: pictures.drawn(value), _PATIENCE))
    if json_text.is_data(value) and not bundles.shows_itself(value):
        text, is_cut = json_text.json_text(value, _MOST)
        return {"kind": "json", "text": text, "size": len(text), "cut": is_cut}, []
    if bundles.shows_itself(value) and (found := bundles.bundle(value, _MOST)):
        return {"kind": "bundle", "bundle": {"data": found, "metadata": {}}}, []
    return _object(texts.short(value, _OBJECT))


def _table(value: Any, offset: int, limit: int) -> tuple[View, list[bytes]]:
    frame = frames.rows(value, offset, limit)
    columns = frames.columns(value) if frame is None else frames.columns(frame)
    count = 0 if frame is None else frame.height
    shown = {"total": frames.total(value), "offset": offset, "count": count}
    buffers = [frames.stream(frame)] if frame is not None else [frames.empty(columns)]
    return {"kind": "table", "columns": columns, **shown}, buffers


def _picture(kind: str, data: bytes) -> tuple[View, list[bytes]]:
    if len(data) > _MOST_PICTURE:
        return _object(f"Picture ({kind}), {len(data):,} bytes: too large to be shown here")
    return {"kind": "image", "media_type": kind, "size": len(data)}, [data]


def _object(text: str) -> tuple[View, list[bytes]]:
    return {"kind": "object", "text": text}, []
