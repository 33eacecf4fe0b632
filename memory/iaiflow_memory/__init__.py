"""Memory for agents, kept in DuckDB and usable without the workbench.

from iaiflow_memory import Memory

with Memory("memory.duckdb", user="anna") as memory:
    memory.add("Anna flies to Hanoi on Monday")
    for hit in memory.search("When does Anna fly?"):
        print(hit.item.body)
        print(memory.explain(hit))
"""

from iaiflow_memory.errors import (
    BadInput,
    Busy,
    Damaged,
    Full,
    MemoryFault,
    NotFound,
    Unavailable,
    WrongSchema,
)
from iaiflow_memory.memory import Memory, Past
from iaiflow_memory.model import (
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
    Scope,
    Source,
    Stats,
    Undone,
)

__all__ = [
    "Added",
    "AsOf",
    "BadInput",
    "Busy",
    "Consolidated",
    "Context",
    "Damaged",
    "Drawn",
    "Episode",
    "Erased",
    "Faded",
    "Full",
    "Hit",
    "Item",
    "Memory",
    "MemoryFault",
    "Moved",
    "New",
    "NotFound",
    "Past",
    "Scope",
    "Source",
    "Stats",
    "Unavailable",
    "Undone",
    "WrongSchema",
]
