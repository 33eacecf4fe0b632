"""Workers are killed while they remember something; the next one goes on and nothing is doubled."""

from __future__ import annotations

import pytest
from memory_owner import own_memory

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS
from iaiflow_lab.model.run import RunState
from iaiflow_memory import Memory

__all__ = ["own_memory"]

pytestmark = [pytest.mark.fault, pytest.mark.slow]

FLOW = {
    "format": "iaiflow/1",
    "name": "Remembers",
    "nodes": {
        "tea": {"type": "memory.add", "config": {"text": "Anna likes tea", "once": False}},
        "milk": {"type": "memory.add", "config": {"text": "and milk", "once": False}},
        "forget": {"type": "memory.forget"},
        "search": {"type": "memory.search", "config": {"query": "{{gone}}? What does Anna like?"}},
    },
    "edges": ["milk.id -> forget.memories", "forget.out -> search.gone"],
}
#: The node has done its work, and what came of it is not recorded, or not known to be.
CRASHES = ["step.after_call:1", "step.after_call:3", "append.before_commit:2"]


@pytest.mark.parametrize("point", CRASHES)
def test_a_worker_that_dies_after_remembering_doubles_nothing(make_site, own_memory, point):
    site = make_site(lease_s=600.0, durability="sync")
    run_id = site.start(FLOW)
    assert site.work(**{CRASH_AT: point}) == CRASH_STATUS
    site.session.coordinator.sweep()
    assert site.work() == 0

    assert site.run(run_id).state is RunState.COMPLETED
    site.check_promise(run_id)
    with Memory(own_memory) as memory:
        stats = memory.stats()
        assert (stats.memories, stats.versions, stats.episodes) == (1, 2, 2)
        assert [hit.item.body for hit in memory.search("")] == ["Anna likes tea"]
