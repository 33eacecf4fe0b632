"""What the engine needs from outside. Handed in; the engine never looks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from iaiflow_lab.model.event import (
    Event,
    OutputRef,
    StepFinished,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
)


class Journal(Protocol):
    """Where the events of one run go, and where answers to it come from.

    Called from threads that are not the event loop; events from one only.
    """

    def append(self, events: Sequence[Event]) -> None:
        """Record `events` in order, all or none, under the run's fence.

        Raises:
            StaleFenceError: Another worker holds the run; nothing was recorded.
        """
        ...

    def answers(self) -> Sequence[WaitAnswered]:
        """End the waits whose moment has come, and return how all that have ended did.

        Raises:
            StaleFenceError: Another worker holds the run.
        """
        ...


class Artifacts(Protocol):
    """Bytes by content hash."""

    def put(self, data: bytes | memoryview) -> str:
        """Store `data` and return its SHA-256 in hex; storing it twice costs nothing."""
        ...

    def get(self, digest: str) -> bytes:
        """Return the bytes.

        Raises:
            NotFoundError: Nothing is stored under `digest`.
        """
        ...

    def path(self, digest: str) -> Path | None:
        """Return a local file that holds the bytes, when there is one."""
        ...


class OutcomeCache(Protocol):
    """Outputs of earlier steps, by key."""

    def get_many(self, keys: Sequence[str]) -> dict[str, Mapping[str, OutputRef]]:
        """Return the stored outputs of those `keys` that are known and still valid."""
        ...

    def put(self, key: str, outputs: Mapping[str, OutputRef], ttl: float | None) -> None:
        """Remember `outputs` under `key`, for `ttl` seconds or for good (None)."""
        ...


class SecretReader(Protocol):
    """Secrets of the run's project, by name."""

    def get(self, name: str) -> str:
        """Return the secret.

        Raises:
            NotFoundError: It is not set in this project.
            StoreError: It cannot be opened.
        """
        ...

    def version(self, name: str) -> int:
        """Return the version of the secret, which rises each time when it is set.

        Raises:
            NotFoundError: It is not set in this project.
            StoreError: It cannot be opened.
        """
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """What earlier claims of this run have recorded; the engine never repeats it."""

    #: Settled steps by path.
    steps: Mapping[str, StepFinished] = field(default_factory=dict[str, StepFinished])
    #: Calls already made of steps that are between two attempts, by path.
    attempts: Mapping[str, int] = field(default_factory=dict[str, int])
    #: Results of `ctx.once` by (step path, key).
    substeps: Mapping[tuple[str, str], SubstepRecorded] = field(
        default_factory=dict[tuple[str, str], SubstepRecorded]
    )
    #: When steps that are between two attempts are called again, in seconds since the Unix epoch.
    due: Mapping[str, float] = field(default_factory=dict[str, float])
    #: What steps wait for, by (step path, key).
    waits: Mapping[tuple[str, str], StepWaiting] = field(
        default_factory=dict[tuple[str, str], StepWaiting]
    )
    #: How waits ended, by (step path, key).
    answers: Mapping[tuple[str, str], WaitAnswered] = field(
        default_factory=dict[tuple[str, str], WaitAnswered]
    )
