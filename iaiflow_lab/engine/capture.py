"""What a node writes while it runs goes to its own step: prints, logs, warnings, displays.

The standard streams, the root logger, `warnings.showwarning` and IPython's `display` are replaced
once per process by ones that look at a context variable: inside a step they feed that step, else
they do what they did before. Threads and processes that a node starts by itself are outside.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from time import monotonic
from typing import Any, TextIO, cast

from iaiflow_lab.engine.displays import capture_displays
from iaiflow_lab.engine.terminal import TerminalText, percent
from iaiflow_lab.model.event import Event, StepDisplay, StepLog, StepProgress
from iaiflow_lab.safe.redact import RESOLVED

#: Text kept of one step, in characters; the rest is dropped with a note.
_TEXT_LIMIT = 10_000_000
#: A progress bar is reported at most this often, in seconds.
_PROGRESS_PAUSE = 0.1
#: Text that waits for more before it becomes an event, in characters.
_CHUNK = 4_096
#: How long it waits, in seconds.
_PAUSE = 0.05


class StepCapture:
    """Turns the output of one step into events.

    Args:
        step: The step's path.
        emit: Takes the events; any thread may call it.
        now: Gives the time of the events, in seconds since the Unix epoch.
        later: Calls a function after some seconds; any thread may call it.
    """

    def __init__(
        self,
        step: str,
        emit: Callable[[Event], None],
        now: Callable[[], float],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.step = step
        self._emit = emit
        self._now = now
        self._later = later
        self._is_due = False
        self._lock = threading.Lock()
        self._terminals: dict[str, TerminalText] = {}
        self._pending: dict[str, list[str]] = {}
        self._pending_size = 0
        self._sent_at = 0.0
        self._progress_at = 0.0
        self._left = _TEXT_LIMIT

    def write(self, stream: str, text: str) -> None:
        """Take text that the step wrote to `stdout` or `stderr`."""
        with self._lock:
            terminal = self._terminals.setdefault(stream, TerminalText())
            lines = terminal.feed(text)
            if lines:
                self._keep(stream, "".join(lines))
            if terminal.redrawn:
                self._report_progress(RESOLVED.clipped(terminal.line))
            if self._pending_size > _CHUNK or monotonic() - self._sent_at > _PAUSE:
                self._send()
            elif self._pending and not self._is_due:
                self._is_due = True
                self._later(_PAUSE, self._send_late)

    def _send_late(self) -> None:
        with self._lock:
            self._is_due = False
            self._send()

    def log(self, stream: str, text: str, level: str) -> None:
        """Take one log record or warning."""
        with self._lock:
            self._send()
            if self._spend(len(text)):
                self._emit(
                    StepLog(at=self._now(), step=self.step, stream=stream, text=text, level=level)
                )

    def display(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Take a MIME bundle that the step displayed."""
        with self._lock:
            self._send()
            self._emit(StepDisplay(at=self._now(), step=self.step, data=data, metadata=metadata))

    def flush(self) -> None:
        """Send the lines that wait for more."""
        with self._lock:
            self._send()

    def close(self) -> None:
        """Send what is left."""
        with self._lock:
            for stream, terminal in self._terminals.items():
                if rest := terminal.rest():
                    self._keep(stream, rest)
            self._send()

    def _keep(self, stream: str, text: str) -> None:
        if self._spend(len(text)):
            self._pending.setdefault(stream, []).append(text)
            self._pending_size += len(text)

    def _spend(self, size: int) -> bool:
        before, self._left = self._left, self._left - size
        if before >= 0 > self._left:
            note = f"Output cut at {_TEXT_LIMIT:,} characters."
            self._emit(
                StepLog(at=self._now(), step=self.step, stream="log", text=note, level="WARNING")
            )
        return self._left >= 0

    def _send(self) -> None:
        if not self._pending:
            return
        for stream, pieces in self._pending.items():
            self._emit(StepLog(at=self._now(), step=self.step, stream=stream, text="".join(pieces)))
        self._pending.clear()
        self._pending_size = 0
        self._sent_at = monotonic()

    def _report_progress(self, line: str) -> None:
        done = percent(line)
        moment = monotonic()
        if done is None or (done < 100 and moment - self._progress_at < _PROGRESS_PAUSE):
            return
        self._progress_at = moment
        self._emit(
            StepProgress(at=self._now(), step=self.step, done=done, total=100.0, text=line.strip())
        )


_format = logging.Formatter("%(name)s: %(message)s")

#: The capture of the step that the current task or thread belongs to.
current_capture: ContextVar[StepCapture | None] = ContextVar("iaiflow_step", default=None)


class _StepStream:
    """A standard stream that feeds the current step; else, and in all else, the one before it."""

    def __init__(self, name: str, original: TextIO) -> None:
        self._name = name
        self._original = original

    def write(self, text: str, /) -> int:
        """Write to the current step, or to the original stream."""
        capture = current_capture.get()
        if capture is None:
            self._original.write(RESOLVED.text(text))
            return len(text)
        capture.write(self._name, text)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the current step's lines, or the original stream."""
        capture = current_capture.get()
        if capture is None:
            self._original.flush()
        else:
            capture.flush()

    def isatty(self) -> bool:
        """Say whether a terminal is behind it; never inside a step."""
        return current_capture.get() is None and self._original.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


_installed = threading.Lock()


def install() -> None:
    """Route the process's output to steps; calling it again only repairs what was replaced."""
    with _installed:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, _StepStream):
                setattr(sys, name, _StepStream(name, cast("TextIO", stream)))
        _route_logging()
        _route_warnings()
        capture_displays(_displayed)


def _displayed(data: dict[str, Any], metadata: dict[str, Any]) -> bool:
    capture = current_capture.get()
    if capture is None:
        return False
    capture.display(data, metadata)
    return True


def _route_logging() -> None:
    """Feed log records to steps without a handler of our own: `basicConfig` still works."""
    previous = logging.Logger.callHandlers
    if getattr(previous, "feeds_steps", False):
        return

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        capture = current_capture.get()
        if capture is None:
            previous(self, record)
            return
        capture.log("log", _format.format(record), record.levelname)
        if self.hasHandlers():  # files and services of the user's own, outside the step
            token = current_capture.set(None)
            try:
                previous(self, record)
            finally:
                current_capture.reset(token)

    call_handlers.feeds_steps = True  # type: ignore[attr-defined]
    logging.Logger.callHandlers = call_handlers


def _route_warnings() -> None:
    previous = warnings.showwarning
    if getattr(previous, "feeds_steps", False):
        return

    def show(  # noqa: PLR0917  called as `warnings.showwarning` is
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        capture = current_capture.get()
        if capture is None:
            previous(message, category, filename, lineno, file, line)
        else:
            capture.log(
                "warning", f"{category.__name__}: {message} ({filename}:{lineno})", "WARNING"
            )

    show.feeds_steps = True  # type: ignore[attr-defined]
    warnings.showwarning = show
