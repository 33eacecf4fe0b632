"""What was told, verbatim."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from iaiflow_memory.errors import NotFound
from iaiflow_memory.ids import key_of
from iaiflow_memory.model import ANY, Episode, Scope
from iaiflow_memory.scopes import holds
from iaiflow_memory.store import Reader


def episode(reader: Reader, told: str, scope: Scope = ANY) -> Episode:
    """Return an episode by its id.

    Args:
        reader: Reads.
        told: The id.
        scope: Whose episodes are seen; a part that is "" does not limit.

    Raises:
        NotFound: There is no such episode.
    """
    for row in reader.rows("episodes_get", [key_of(told)]):
        found = as_episode(row)
        if found.id == told and holds(scope, found.scope):
            return found
    raise NotFound(f"There is no episode {told!r}", remedy="take the id from a memory")


def as_episode(row: Sequence[Any]) -> Episode:
    """Return a row of `episodes_get` or `episodes_after` as an episode."""
    seq, id_, project, agent, user, thread, role, body, meta, run_id, node_id, at, recorded = row
    return Episode(
        seq=seq,
        id=id_,
        scope=Scope(project, agent, user, thread),
        role=role,
        body=body,
        meta=json.loads(meta) if meta else {},
        run_id=run_id,
        node_id=node_id,
        at=at,
        recorded_at=recorded,
    )
