"""The built browser side of the canvas."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from iaiflow_lab.errors import NotFoundError

_STATIC: Final = Path(__file__).parent / "static"
SCRIPT: Final = _STATIC / "canvas.js"
STYLE: Final = _STATIC / "canvas.css"
#: What a run in a cell asks.
ASKS_SCRIPT: Final = _STATIC / "asks.js"
ASKS_STYLE: Final = _STATIC / "asks.css"


def is_built() -> bool:
    """Say whether the browser side is there."""
    return SCRIPT.is_file()


def ensure_built() -> None:
    """See that the browser side is there.

    Raises:
        NotFoundError: It was not built.
    """
    if not is_built():
        raise NotFoundError(
            "The canvas is not built.",
            where=str(SCRIPT),
            remedy="Install the package from its wheel, or run `npm run build:widget` in "
            "extension/ and restart the kernel",
            code="canvas-not-built",
        )
