"""What the agent of a chat remembers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from iaiflow_agents.chat import kernel
from iaiflow_agents.chat.partners import Partner

if TYPE_CHECKING:
    from iaiflow_memory.model import Item


def found(root: Path, partner: Partner, query: str, limit: int) -> list[dict[str, Any]]:
    """Return what an agent remembers, best or newest first.

    Args:
        root: The workspace.
        partner: The agent.
        query: What is looked for; "": the newest.
        limit: How many memories at most.

    Raises:
        LabError: The memory can't be opened.
    """
    from iaiflow_memory.explain import reason

    with kernel.memory(
        root, agent=partner.spec.name, user=partner.user, thread=partner.thread
    ) as memory:
        if not query.strip():
            return [_data(item) for item in memory.timeline(limit=limit)]
        return [
            _data(hit.item, reason(max(hit.parts, key=lambda part: hit.parts[part]), hit.terms))
            if hit.parts
            else _data(hit.item)
            for hit in memory.search(query, limit=limit)
        ]


def forget(root: Path, partner: Partner, id_: str) -> None:
    """Let an agent no longer find a memory.

    Raises:
        LabError: There is no such memory of this agent.
    """
    with kernel.memory(
        root, agent=partner.spec.name, user=partner.user, thread=partner.thread
    ) as memory:
        memory.history(id_)  # one that is not there is refused
        memory.forget(id_)


def _data(item: Item, why: str = "") -> dict[str, Any]:
    return {"id": item.id, "text": item.body, "kind": item.kind, "when": item.at, "why": why}
