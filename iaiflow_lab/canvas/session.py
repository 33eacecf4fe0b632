"""One open canvas: answers its requests and tells it what happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from iaiflow_lab.canvas.subject import Subject


class Transport(Protocol):
    """How messages reach one canvas: a comm, or a widget's custom messages."""

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message; any thread may call it. Raises when the line is dead."""
        ...


class Session:
    """One open canvas.

    Args:
        transport: The line to it.
        subject: What it shows; None: `hello` names a document.
    """

    def __init__(self, transport: Transport, subject: Subject | None = None) -> None:
        self._transport = transport
        self._subject = subject

    def receive(self, message: Mapping[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Take one message of the canvas, on whatever thread it arrives; never raises."""

    def close(self) -> None:
        """Forget the canvas; a run that it started goes on."""
