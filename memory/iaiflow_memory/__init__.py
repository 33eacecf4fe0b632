"""Memory for agents, kept in DuckDB and usable without the workbench.

from iaiflow_memory import Memory

with Memory("memory.duckdb", user="anna") as memory:
    memory.add("Anna flies to Hanoi on Monday")
    for hit in memory.search("When does Anna fly?"):
        print(hit.item.body)
        print(memory.explain(hit))

Everything here is imported when it is first used: a part costs no more than itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iaiflow_memory.errors import (
        BadInput,
        Busy,
        Conflict,
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
        Origin,
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
    "Conflict",
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
    "Origin",
    "Past",
    "Scope",
    "Source",
    "Stats",
    "Unavailable",
    "Undone",
    "WrongSchema",
]

#: The module of this package that each public name comes from; of those not here it is `model`.
_HOMES: Final = {
    "Memory": "memory",
    "Past": "memory",
    "BadInput": "errors",
    "Busy": "errors",
    "Conflict": "errors",
    "Damaged": "errors",
    "Full": "errors",
    "MemoryFault": "errors",
    "NotFound": "errors",
    "Unavailable": "errors",
    "WrongSchema": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
    globals()[name] = found  # the next look finds it without this function
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
