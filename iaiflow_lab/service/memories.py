"""What agents of a workspace remember: one file that all of its processes share."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from iaiflow_lab.errors import ConflictError, InputError, LabError, NotFoundError, StoreError
from iaiflow_lab.settings import find_workspace, load_settings, make_state_dir, memory_file

if TYPE_CHECKING:
    from iaiflow_memory import Memory

_KINDS: Final[dict[str, type[LabError]]] = {
    "bad-input": InputError,
    "not-found": NotFoundError,
    "conflict": ConflictError,
}


def open_memory(folder: Path | None = None, *, serve: bool = False) -> Memory:
    """Return the memory of a workspace; its file is opened at the first use.

    Args:
        folder: A folder of the workspace; None: the current one.
        serve: Whether this very process owns the file, if nobody does. Only for programs that run
            no code of users.

    Raises:
        InputError: The folder does not exist or cannot be written, or its settings are wrong.
        StoreError: The memory cannot be opened here.
    """
    from iaiflow_memory import Memory

    workspace = find_workspace(folder)
    make_state_dir(workspace)
    with refusals():
        embedder = load_settings(workspace).embedder or None
        return Memory(memory_file(workspace), embedder=embedder, serve=serve)


@contextmanager
def refusals() -> Generator[None]:
    """Raise what a memory refuses within the block as a `LabError`."""
    from iaiflow_memory import MemoryFault

    try:
        yield
    except MemoryFault as fault:
        kind = _KINDS.get(fault.code, StoreError)
        raise kind(fault.what, where=fault.where, remedy=fault.remedy, code=fault.code) from fault


def as_data(value: Any) -> Any:
    """Return a dataclass of the memory as JSON data; a moment that never comes is None."""
    return _plain(asdict(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}  # type: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]  # type: ignore[reportUnknownVariableType]
    return None if isinstance(value, float) and not math.isfinite(value) else value
