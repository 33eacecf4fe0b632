"""Who looks at runs of this process: a canvas sees what a cell runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from iaiflow_lab.engine.setup import Sight
from iaiflow_lab.interactive.places import Request
from iaiflow_lab.model.event import ErrorInfo, Event
from iaiflow_lab.model.run import RunState


@dataclass(frozen=True, slots=True)
class Beginning:
    """A run that is about to start."""

    request: Request
    run_id: str
    #: What stands before every step path.
    prefix: str
    #: In seconds since the Unix epoch.
    started_at: float
    #: Live values, filled while the run goes on.
    sight: Sight
    #: Asks the run to end; at the second time it is left. Any thread may call it.
    cancel: Callable[[], None]
    #: Blocks until what was told of is committed; other processes see it then.
    flush: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    state: RunState
    error: ErrorInfo | None
    #: In seconds since the Unix epoch.
    ended_at: float


class Follower(Protocol):
    """Follows the runs of one flow. Every method may be called on any thread and must be quick."""

    def follow(self, beginning: Beginning) -> bool:
        """Say whether this run is followed; `end` comes for each that is."""
        ...

    def take(self, event: Event) -> None:
        """Note one event; called where it happens, often on the engine's own thread."""
        ...

    def note(self, text: str) -> None:
        """Take what is waited for while the run is being cancelled."""
        ...

    def end(self, ending: Ending) -> None:
        """Take how the run ended."""
        ...


_lock = threading.Lock()
_by_key: Final[dict[object, list[Follower]]] = {}
_by_object: Final[WeakKeyDictionary[object, list[Follower]]] = WeakKeyDictionary()


def join(key: object, follower: Follower) -> None:
    """Let `follower` follow the runs of one flow from now on.

    Args:
        key: The resolved path of the flow's file, or the object that holds the flow; an object is
            not kept alive by this.
        follower: Told of runs whose request names the key.
    """
    with _lock:
        _followers(key).append(follower)


def leave(key: object, follower: Follower) -> None:
    """End what `join` began."""
    with _lock:
        found = _followers(key)
        if follower in found:
            found.remove(follower)


def followers(keys: Iterable[object]) -> list[Follower]:
    """Return all that follow the runs of a flow, each once."""
    with _lock:
        found = [follower for key in keys for follower in _followers(key)]
    return list({id(follower): follower for follower in found}.values())


def _followers(key: object) -> list[Follower]:
    kept = _by_key if _is_plain(key) else _by_object
    return kept.setdefault(key, [])


def _is_plain(key: object) -> bool:
    from pathlib import PurePath

    return isinstance(key, PurePath | str)
