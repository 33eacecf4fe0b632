"""Objects that know how to show themselves, as MIME bundles of bounded size."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from iaiflow_lab.canvas import pictures
from iaiflow_lab.canvas.texts import cut, getattr_safe, short
from iaiflow_lab.canvas.timed import timed

WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"
#: Longest wait for an object that draws itself, in seconds.
_PATIENCE: Final = 10.0
#: The methods that IPython asks, by what they return.
_METHODS: Final = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/latex": "_repr_latex_",
    "application/json": "_repr_json_",
}
_TEXT: Final = 2_000


def shows_itself(value: Any) -> bool:
    """Say whether a value has a way of its own to be shown."""
    if isinstance(value, type):
        return False
    kind = cast("Any", type(value))
    return any(hasattr(kind, name) for name in ("_repr_mimebundle_", *_METHODS.values()))


def bundle(value: Any, limit: int) -> dict[str, Any] | None:
    """Return how a value shows itself; None when nothing of it fits.

    Args:
        value: An object with methods such as `_repr_html_`.
        limit: Most characters of the whole bundle; the longest forms are left out first.
    """
    found = timed(lambda: _shown(value), _PATIENCE)
    found = {kind: _encoded(form) for kind, form in found.items() if form is not None}
    found = {kind: form for kind, form in found.items() if _is_json(form)}
    if "text/plain" in found:
        found["text/plain"] = cut(str(found["text/plain"]), _TEXT)
    else:
        found["text/plain"] = short(value, _TEXT)
    return fitting(found, limit)


def fitting(found: Mapping[str, Any], limit: int) -> dict[str, Any] | None:
    """Return a bundle without its longest forms; None when only its text is left."""
    sizes = {kind: size(form) for kind, form in found.items()}
    kept = sorted(found, key=lambda kind: (kind != "text/plain", kind != WIDGET_VIEW, sizes[kind]))
    while sum(sizes[kind] for kind in kept) > limit:
        kept.pop()
    return {kind: found[kind] for kind in found if kind in kept} if len(kept) > 1 else None


def size(form: Any) -> int:
    """Return the length of one form of a bundle, in characters."""
    return len(form) if isinstance(form, str) else len(json.dumps(form, default=str))


def _shown(value: Any) -> dict[str, Any]:
    own: Callable[[], Any] | None = getattr_safe(value, "_repr_mimebundle_")
    if own is not None:
        told = own()
        told = cast("tuple[Any, ...]", told)[0] if isinstance(told, tuple) else told
        if isinstance(told, dict) and told:
            return {str(k): v for k, v in cast("dict[Any, Any]", told).items()} | _still(value)
    found: dict[str, Any] = {}
    for kind, method in _METHODS.items():
        form: Callable[[], Any] | None = getattr_safe(value, method)
        if form is not None:
            told = form()
            found[kind] = cast("tuple[Any, ...]", told)[0] if isinstance(told, tuple) else told
    return found


def _still(value: Any) -> dict[str, Any]:
    """Return the picture that an image widget holds, for when it is no longer alive."""
    held = getattr_safe(value, "value")
    kind = "" if isinstance(held, str) else pictures.media_type(held)
    return pictures.bundle(kind, pictures.data(held)) if kind else {}


def _encoded(form: Any) -> Any:
    if isinstance(form, bytes | bytearray | memoryview):
        return base64.b64encode(cast("bytes", form)).decode()
    return form


def _is_json(form: Any) -> bool:
    if isinstance(form, str):
        return True
    try:
        json.dumps(form, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
