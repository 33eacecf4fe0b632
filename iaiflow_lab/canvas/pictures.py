"""Values that are pictures: image bytes as they are, charts drawn."""

from __future__ import annotations

import base64
import io
import re
from typing import Any, Final, cast

from iaiflow_lab.canvas.texts import getattr_safe
from iaiflow_lab.sdk.values import sniff

_SVG: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]",
    re.DOTALL,
)
#: What begins an SVG is looked for in so many bytes.
_HEAD: Final = 4_096
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/svg+xml"})


def media_type(value: Any) -> str:
    """Return the media type of PNG, JPEG or SVG bytes; "" for anything else."""
    if isinstance(value, str):
        return "image/svg+xml" if _SVG.match(value[:_HEAD].encode(errors="replace")) else ""
    if not isinstance(value, bytes | bytearray | memoryview):
        return ""
    head = bytes(memoryview(cast("bytes", value)).cast("B")[:_HEAD])
    found = "image/svg+xml" if _SVG.match(head) else sniff(head)
    return found if found in _PICTURES else ""


def data(value: Any) -> bytes:
    """Return the bytes of a picture."""
    return value.encode(errors="replace") if isinstance(value, str) else bytes(value)


def bundle(kind: str, picture: bytes) -> dict[str, str]:
    """Return a picture as a MIME bundle."""
    if kind == "image/svg+xml":
        return {kind: picture.decode(errors="replace")}
    return {kind: base64.b64encode(picture).decode()}


def is_chart(value: Any) -> bool:
    """Say whether the value is a chart of altair or a figure of matplotlib."""
    package = type(value).__module__.partition(".")[0]
    if package == "altair":
        return hasattr(value, "to_dict") and hasattr(value, "mark_bar")
    return package == "matplotlib" and hasattr(value, "savefig")


def drawn(chart: Any) -> tuple[str, bytes]:
    """Draw a chart: its media type and the picture. Nothing is fetched for it.

    Raises:
        Exception: Whatever the charting library refuses.
    """
    if getattr_safe(chart, "savefig") is not None:
        buffer = io.BytesIO()
        chart.savefig(buffer, format="png", bbox_inches="tight")
        return "image/png", buffer.getvalue()
    import vl_convert

    spec = cast("dict[str, Any]", chart.to_dict())
    picture = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
    return "image/svg+xml", picture
