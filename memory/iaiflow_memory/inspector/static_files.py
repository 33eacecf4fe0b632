"""The built browser side of the inspector."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from iaiflow_memory.errors import Unavailable

_STATIC: Final = Path(__file__).parent / "static"
SCRIPT: Final = _STATIC / "inspector.js"
STYLE: Final = _STATIC / "inspector.css"


def is_built() -> bool:
    """Say whether the browser side is there."""
    return SCRIPT.is_file()


def ensure_built() -> None:
    """See that the browser side is there.

    Raises:
        Unavailable: It was not built.
    """
    if not is_built():
        raise Unavailable(
            "The inspector is not built",
            where=str(SCRIPT),
            remedy="Install the package from its wheel, or run `npm run build:inspector` in "
            "extension/ and restart the kernel",
        )
