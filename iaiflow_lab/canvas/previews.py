"""A value in short, for the face of its node. Looking never computes, consumes or fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from iaiflow_lab.canvas import bundles, frames, json_text, pictures, texts
from iaiflow_lab.canvas.fields import size_of
from iaiflow_lab.canvas.timed import timed
from iaiflow_lab.sdk import values

#: Most characters of one preview.
LIMIT: Final = 64 * 1024
#: Most characters of those of one node.
_ALL: Final = 256 * 1024
#: Characters of a text, and rows and columns of a table, that the face of a node shows.
_TEXT: Final = 4_000
_ROWS: Final = 10
_COLUMNS: Final = 50
_JSON: Final = 16_000
#: Longest wait for a chart, in seconds.
_PATIENCE: Final = 20.0

Preview = dict[str, Any]


def preview(value: Any, port_type: str = "any") -> Preview:
    """Return a short form of a value, 64 KB at most.

    Args:
        value: Anything. Lazy tables and streams are described, not computed or read.
        port_type: The port's type as it is spelled in files, such as `table`.
    """
    try:
        shown = _shown(value, port_type)
    except Exception as error:
        reason = texts.cut(str(error).strip() or type(error).__name__, 300)
        shown = _object(f"{texts.described(value)} can't be shown: {reason}")
    return {"kind": shown.pop("kind"), "type": port_type, **shown}


def previews(outputs: Mapping[str, tuple[Any, str]]) -> dict[str, Preview]:
    """Return short forms of all outputs of a node, 256 KB at most.

    Args:
        outputs: Values by port, each with its type; of what no longer fits only the kind is told.
    """
    room = _ALL
    made: dict[str, Preview] = {}
    for port, (value, port_type) in outputs.items():
        shown = preview(value, port_type)
        if (size := size_of(shown.values())) > room:
            shown = {"type": port_type, **_object(f"{texts.described(value)}: open it to see it")}
            size = size_of(shown.values())
        made[port] = shown
        room -= size
    return made


def _shown(value: Any, port_type: str) -> Preview:
    if kind := picture_type(value, port_type):
        return _picture(kind, value)
    if isinstance(value, str):
        return {"kind": "text", "text": value[:_TEXT], "size": len(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return _object(*bytes_text(value))
    if values.is_table(value):
        return _table(value)
    if pictures.is_chart(value):
        return _picture(*timed(lambda: pictures.drawn(value), _PATIENCE))
    if json_text.is_data(value) and not bundles.shows_itself(value):
        text, is_cut = json_text.json_text(value, LIMIT if _has_view(value) else _JSON)
        return {"kind": "json", "text": text, "cut": is_cut}
    if bundles.shows_itself(value) and (found := bundles.bundle(value, LIMIT)):
        return {"kind": "bundle", "bundle": {"data": found, "metadata": {}}}
    return _object(texts.short(value))


def _has_view(value: Any) -> bool:
    """Say whether data names what it is, as `agent-trace/1`: a view of its own shows it whole."""
    named = cast("dict[str, Any]", value).get("kind") if isinstance(value, dict) else None
    return isinstance(named, str) and named.partition("/")[2].isdigit()


def picture_type(value: Any, port_type: str) -> str:
    """Return the media type of a value that is shown as a picture; "" for others.

    A text that is SVG is a picture only where its port says so.
    """
    return "" if isinstance(value, str) and port_type != "image" else pictures.media_type(value)


def bytes_text(value: Any) -> tuple[str, int]:
    """Return what is said of bytes that are no picture, and their number."""
    data = memoryview(cast("bytes", value))
    kind = values.sniff(bytes(data.cast("B")[:16])) if data.contiguous else ""
    return f"{data.nbytes:,} bytes {kind}".strip(), data.nbytes


def _picture(kind: str, value: Any) -> Preview:
    data = pictures.data(value)
    bundle = pictures.bundle(kind, data)
    if bundles.size(bundle[kind]) > LIMIT - 200:
        return _object(f"Picture ({kind}), {len(data):,} bytes", len(data))
    return {"kind": "bundle", "bundle": {"data": bundle, "metadata": {}}}


def _table(value: Any) -> Preview:
    frame = None if frames.is_lazy(value) else frames.rows(value, 0, _ROWS)
    shown = [] if frame is None else frames.cells(frame[:, :_COLUMNS])
    columns = frames.columns(value) if frame is None else frames.columns(frame)
    return {
        "kind": "table",
        "columns": columns[:_COLUMNS],
        "rows": _within(shown, LIMIT - 8_000),
        "total": frames.total(value),
    }


def _within(rows: list[list[str | None]], limit: int) -> list[list[str | None]]:
    """Return as many of the rows as fit."""
    kept: list[list[str | None]] = []
    for row in rows:
        limit -= sum(len(cell or "") + 4 for cell in row)
        if limit < 0:
            break
        kept.append(row)
    return kept


def _object(text: str, size: int | None = None) -> Preview:
    return {"kind": "object", "text": text} | ({} if size is None else {"size": size})
