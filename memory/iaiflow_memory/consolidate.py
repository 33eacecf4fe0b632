"""Drawing facts, summaries and corrections from what was told, by a model of the caller's.

Nothing needs it: memories are found as they were told. A consolidation reads the episodes that
the model has not read yet, shows it what is known about the same things, and writes what it draws
as one batch, which `undo` takes back. The model runs in the caller's process, when the caller
wants: at once, or in a thread beside everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, Protocol

from iaiflow_memory.model import Consolidated, Drawn, Episode, Hit, Item, Query, Scope

#: Episodes that a model reads at once.
BATCH: Final = 32
#: Memories about the same that a model is shown for each episode.
_KNOWN: Final = 3
_KNOWN_KINDS: Final = ("semantic", "procedural")


class Drawing(Protocol):
    """A model that draws memories from episodes."""

    @property
    def model_id(self) -> str:
        """Its name and version: what it has read, another one reads again."""
        ...

    def draw(self, told: Sequence[Episode], known: Sequence[Item]) -> Sequence[Drawn]:
        """Return the memories to write; none is a good answer.

        Args:
            told: What was told since it has read last, in order.
            known: Memories about the same things, which may be replaced.
        """
        ...


class Consolidating(Protocol):
    """A memory that can be consolidated: an engine, or a client of one."""

    def unread(self, model: str, scope: Scope, limit: int) -> list[Episode]:
        """Return the next episodes that a model has not read."""
        ...

    def search(self, query: Query) -> list[Hit]:
        """Return what is known."""
        ...

    def settle(
        self, model: str, scope: Scope, drawn: Sequence[Drawn], read: Sequence[int]
    ) -> Consolidated:
        """Write what was drawn."""
        ...


def consolidate(
    memory: Consolidating, model: Drawing, scope: Scope, *, limit: int = BATCH
) -> Consolidated:
    """Let a model read what it has not read yet, and write what it draws from it.

    Args:
        memory: The memory.
        model: The model.
        scope: Whose episodes are read, and whose the memories are; a part that is "" does not
            limit what is read.
        limit: How many episodes are read at most.

    Raises:
        MemoryFault: What was drawn cannot be written; it is as if it had not been read.
    """
    told = memory.unread(model.model_id, scope, limit)
    if not told:
        return Consolidated(0, 0)
    drawn = model.draw(told, _known(memory, told, scope))
    return memory.settle(model.model_id, scope, list(drawn), [one.seq for one in told])


def begin(
    memory: Consolidating, model: Drawing, scope: Scope, *, limit: int = BATCH
) -> Future[Consolidated]:
    """Do the same in a thread, and return what will come of it.

    Args:
        memory: The memory.
        model: The model.
        scope: Whose episodes are read, and whose the memories are.
        limit: How many episodes are read at most.
    """
    outcome: Future[Consolidated] = Future()

    def work() -> None:
        try:
            outcome.set_result(consolidate(memory, model, scope, limit=limit))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=work, name="iaiflow-consolidation", daemon=True).start()
    return outcome


def _known(memory: Consolidating, told: Sequence[Episode], scope: Scope) -> list[Item]:
    found: dict[str, Item] = {}
    for episode in told:
        query = Query(episode.body, scope=scope, limit=_KNOWN, kinds=_KNOWN_KINDS)
        found |= {hit.item.id: hit.item for hit in memory.search(query)}
    return list(found.values())
