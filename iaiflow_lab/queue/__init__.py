"""The coordinator: who may execute which run, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iaiflow_lab.world import World, real_world

if TYPE_CHECKING:
    from iaiflow_lab.queue.protocol import Coordinator


def connect(spec: str, world: World | None = None) -> Coordinator:
    """Return the coordinator that `spec` names.

    Args:
        spec: The path of a workspace.
        world: Time, identifiers, chance, crash points; None: the machine's own.

    Raises:
        InputError: `spec` is no folder.
        StoreError: The workspace's store cannot be used.
    """
    from iaiflow_lab.queue.local import LocalCoordinator
    from iaiflow_lab.settings import find_workspace
    from iaiflow_lab.store.store import Store

    return LocalCoordinator(Store.open(find_workspace(Path(spec)), world or real_world()))
