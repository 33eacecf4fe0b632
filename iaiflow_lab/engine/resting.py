"""Whether the steps that a kernel records below a step do nothing but wait, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from time import monotonic

from iaiflow_lab.model.event import (
    Event,
    StepFinished,
    StepRetrying,
    StepStarted,
    StepWaiting,
    WaitAnswered,
    WaitLeft,
)


class Resting:
    """Folds what a kernel reports; any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: set[str] = set()
        self._open: dict[tuple[str, str], StepWaiting] = {}
        self._since: float | None = None
        self._before = 0.0

    @property
    def present(self) -> float:
        """For how long, in seconds; 0 while something else is done."""
        with self._lock:
            return 0.0 if self._since is None else monotonic() - self._since

    @property
    def total(self) -> float:
        """The same, with all times before."""
        return self._before + self.present

    @property
    def waits(self) -> list[StepWaiting]:
        """What is waited for."""
        with self._lock:
            return list(self._open.values())

    def note(self, events: Iterable[Event]) -> None:
        """Take in what the kernel reported."""
        with self._lock:
            for event in events:
                self._take(event)
            self._judge()

    def hear(self, answers: Sequence[WaitAnswered]) -> None:
        """Take in what the kernel was told."""
        with self._lock:
            for ended in answers:
                self._open.pop((ended.step, ended.key), None)
            self._judge()

    def _take(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                self._active.add(step)
            case StepWaiting(step=step, key=key):
                self._open[step, key] = event
            case WaitLeft(step=step, key=key):
                self._open.pop((step, key), None)
            case StepFinished(step=step) | StepRetrying(step=step):
                self._active.discard(step)
                for place in [place for place in self._open if place[0] == step]:
                    del self._open[place]
            case _:
                pass

    def _judge(self) -> None:
        rests = bool(self._open) and self._only_waits()
        if rests and self._since is None:
            self._since = monotonic()
        elif not rests and self._since is not None:
            self._before += monotonic() - self._since
            self._since = None

    def _only_waits(self) -> bool:
        """Say whether every active step waits, or is above one that does."""
        waiting = {step for step, _ in self._open}
        return all(
            any(other.startswith((f"{step}/", f"{step}[")) for other in waiting)
            for step in self._active - waiting
        )
