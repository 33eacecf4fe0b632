"""The built browser side of the chat."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from iaiflow_lab.errors import NotFoundError

_STATIC: Final = Path(__file__).parent / "static"
SCRIPT: Final = _STATIC / "chat.js"
STYLE: Final = _STATIC / "chat.css"


def ensure_built() -> None:
    """See that the browser side is there.

    Raises:
        NotFoundError: It was not built.
    """
    if not SCRIPT.is_file():
        raise NotFoundError(
            "The chat is not built.",
            where=str(SCRIPT),
            remedy="Install the package from its wheel, or run `npm run build:chat` in extension/ "
            "and restart the kernel.",
            code="not-built",
        )
