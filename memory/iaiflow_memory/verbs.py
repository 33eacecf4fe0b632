"""What a memory can be asked to do, with the types of what goes in and comes out.

One table for the owner's socket, for HTTP and for calls within a process: what is not in it
cannot be asked for from another process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iaiflow_memory.dense import Vector
from iaiflow_memory.model import (
    ANY,
    Added,
    AsOf,
    Consolidated,
    Context,
    Drawn,
    Episode,
    Erased,
    Faded,
    Hit,
    Item,
    Moved,
    New,
    Origin,
    Query,
    Scope,
    Stats,
    Undone,
)
from iaiflow_memory.timeline import NEWEST


@dataclass(frozen=True, slots=True)
class Add:
    """Add memories."""

    scope: Scope
    news: Sequence[New]


@dataclass(frozen=True, slots=True)
class Supersede:
    """Put a new version of a memory in the place of the present one."""

    memory: str
    changes: Mapping[str, Any]
    scope: Scope = ANY
    #: The row of the version that has to be the present one; None takes any.
    of: int | None = None
    #: A fresh id; who asks again with the same gets the same answer. "" is none.
    key: str = ""


@dataclass(frozen=True, slots=True)
class Forget:
    """Let a memory of a scope stand no longer."""

    memory: str
    scope: Scope = ANY
    #: The row of the version that has to be the present one; None takes any.
    of: int | None = None


@dataclass(frozen=True, slots=True)
class ById:
    """Something that is done with one memory or episode of a scope."""

    memory: str
    scope: Scope = ANY


@dataclass(frozen=True, slots=True)
class Undo:
    """Take a batch back."""

    batch: int
    scope: Scope = ANY


@dataclass(frozen=True, slots=True)
class Recalled:
    """Note what was shown: row and text."""

    texts: Sequence[tuple[int, str]]
    question: str = ""


@dataclass(frozen=True, slots=True)
class Get:
    """Return a memory of a scope, or from what it comes."""

    memory: str
    as_of: AsOf | None = None
    scope: Scope = ANY


@dataclass(frozen=True, slots=True)
class Search:
    """Return what answers a question."""

    query: Query
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Return memories, newest first."""

    query: Query
    before: tuple[float, int] = NEWEST
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Recall:
    """Return what answers a question as text for a prompt."""

    query: Query
    budget: int = 2_000
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Return rows without a vector of a model."""

    model: str
    limit: int


@dataclass(frozen=True, slots=True)
class PutVectors:
    """Store vectors by row."""

    model: str
    vectors: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Erase:
    """Remove memories, and every byte of them."""

    ids: Sequence[str] = ()
    subject: str = ""
    scope: Scope = ANY


@dataclass(frozen=True, slots=True)
class Unread:
    """Return the next episodes that a model has not read."""

    model: str
    scope: Scope
    limit: int


@dataclass(frozen=True, slots=True)
class Settle:
    """Write what a model has drawn; once, however often it is asked with the same key."""

    model: str
    scope: Scope
    drawn: Sequence[Drawn]
    read: Sequence[int]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Fade:
    """Forget what matters little and was not used for long."""

    scope: Scope
    half_life: float
    keep: float
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Folder:
    """Export to a folder, or load from it."""

    folder: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Something that needs no arguments."""


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that a memory does."""

    #: The type of its arguments.
    arguments: type[Any]
    #: The type of its result.
    result: Any
    #: Whether it can stand in one transaction with others.
    is_write: bool = False
    #: Whether it reads or writes files of the owner's machine that the caller names.
    is_local: bool = False


#: Every verb, by the name of the engine's method.
VERBS: Final[dict[str, Verb]] = {
    "add": Verb(Add, list[Added], is_write=True),
    "supersede": Verb(Supersede, Item, is_write=True),
    "forget": Verb(Forget, bool, is_write=True),
    "undo": Verb(Undo, Undone, is_write=True),
    "settle": Verb(Settle, Consolidated, is_write=True),
    "fade": Verb(Fade, Faded, is_write=True),
    "unread": Verb(Unread, list[Episode]),
    "recalled": Verb(Recalled, None),
    "get": Verb(Get, Item),
    "sources": Verb(Get, list[Origin]),
    "history": Verb(ById, list[Item]),
    "episode": Verb(ById, Episode),
    "search": Verb(Search, list[Hit]),
    "timeline": Verb(Timeline, list[Item]),
    "context": Verb(Recall, Context),
    "pending": Verb(Pending, list[tuple[int, str]]),
    "put_vectors": Verb(PutVectors, int),
    "erase": Verb(Erase, Erased),
    "export": Verb(Folder, Moved, is_local=True),
    "load": Verb(Folder, Moved, is_local=True),
    "stats": Verb(Nothing, Stats),
}
