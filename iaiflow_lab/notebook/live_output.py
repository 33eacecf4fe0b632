"""Sends the outputs of a cell to the run's journal while they appear, a few times a second."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from iaiflow_lab.model.event import CellOutput
from iaiflow_lab.notebook.session import Session
from iaiflow_lab.notebook.text import fold_piece

#: Text of one cell that is sent live, in characters; all of it is in the output notebook.
LIVE_LIMIT: Final = 1_000_000
#: Largest value of one MIME type that is sent live, in characters.
VALUE_LIMIT: Final = 100_000
#: How long an output waits for others, in seconds.
_PAUSE = 0.1
#: How long one waits that only redraws what is there (a progress bar), in seconds.
_REDRAW_PAUSE = 1.0


class LiveOutput:
    """Collects what one cell shows and sends it as `CellOutput` events.

    Args:
        session: Told the events.
        index: The cell's position, from 0.
    """

    def __init__(self, session: Session, index: int) -> None:
        self._session = session
        self._index = index
        self._waiting: list[dict[str, Any]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._left = LIVE_LIMIT

    def stream(self, name: str, text: str) -> None:
        """Add text of `stdout` or `stderr`."""
        if self._left <= 0:
            return
        text, self._left = text[: self._left], self._left - len(text)
        if self._left <= 0:
            text += f"\n[More than {LIVE_LIMIT:,} characters; see the output notebook]\n"
        last = self._waiting[-1] if self._waiting else {}
        if last.get("name") == name:
            last["text"].append(text)
        else:
            self._waiting.append({"output_type": "stream", "name": name, "text": [text]})
        self._send_later(_REDRAW_PAUSE if "\n" not in text and "\r" in text else _PAUSE)

    def show(self, output: dict[str, Any]) -> None:
        """Add a rich output or an error, as nbformat writes it."""
        self._waiting.append(_cut(output))
        self._send_later(_PAUSE)

    def clear(self) -> None:
        """Say that what was shown so far is gone."""
        self._waiting = [{"output_type": "clear_output"}]
        self._send_later(_REDRAW_PAUSE)

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for output in waiting:
            if output["output_type"] == "stream":
                output["text"] = fold_piece("".join(output["text"]))
            now, step = self._session.now(), self._session.step
            self._session.record(CellOutput(at=now, step=step, index=self._index, output=output))

    def _send_later(self, pause: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + pause
        if self._timer is not None and self._timer.when() > due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(due, self.flush)


def _cut(output: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = output.get("data", {})
    sizes = {mime: size_of(value) for mime, value in data.items()}
    big = [mime for mime, size in sizes.items() if size > VALUE_LIMIT]
    if not big:
        return output
    kept = {mime: value for mime, value in data.items() if mime not in big}
    left_out = ", ".join(f"{mime}, {sizes[mime] / 1e6:.1f} MB" for mime in big)
    kept.setdefault("text/plain", f"[{left_out}: see the output notebook]")
    return output | {"data": kept}


def size_of(value: Any) -> int:
    """Return how much a value of a MIME bundle takes, in characters."""
    return len(value) if isinstance(value, str) else len(json.dumps(value, default=str))
