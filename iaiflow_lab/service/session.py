"""Who asks, and in which workspace and project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.settings import find_workspace
from iaiflow_lab.store.store import DEFAULT_PROJECT, Store
from iaiflow_lab.world import World, real_world


@dataclass(frozen=True, slots=True)
class Session:
    """An open workspace; every function of the service takes one."""

    store: Store
    coordinator: LocalCoordinator
    world: World
    #: Whose flows and runs these are.
    project: str
    #: The folder that flows are saved below.
    workspace: Path

    def close(self) -> None:
        """Close the database."""
        self.coordinator.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_session(workspace: Path | None = None, world: World | None = None) -> Session:
    """Open a workspace.

    Args:
        workspace: A folder in it; None: the current folder.
        world: Time, identifiers, chance, crash points; None: the machine's own.

    Raises:
        InputError: The folder does not exist, cannot be written, or its `config.toml` is wrong.
        StoreError: The database cannot be used.
    """
    folder, world = find_workspace(workspace), world or real_world()
    store = Store.open(folder, world)
    return Session(store, LocalCoordinator(store), world, DEFAULT_PROJECT, folder)
