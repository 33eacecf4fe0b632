"""The store of one workspace: its database, its artifacts, its cache."""

from __future__ import annotations

from pathlib import Path

from iaiflow_lab.errors import StoreError
from iaiflow_lab.settings import STATE_DIR, Settings, load_settings, make_state_dir
from iaiflow_lab.store.artifacts import ArtifactStore
from iaiflow_lab.store.ballast import FULL, Ballast
from iaiflow_lab.store.cache import StoreCache
from iaiflow_lab.store.database import Database
from iaiflow_lab.store.room import Room
from iaiflow_lab.store.secrets import Secrets
from iaiflow_lab.store.versions import bring_up_to_date
from iaiflow_lab.world import World
from iaiflow_memory.place import network_filesystem

#: The project that a workspace has from its start.
DEFAULT_PROJECT = "default"


class Store:
    """Everything that a workspace remembers.

    Args:
        workspace: The workspace's folder.
        state: Its state folder.
        world: Time, identifiers, chance, crash points.
        settings: The workspace's settings.
    """

    def __init__(self, workspace: Path, state: Path, world: World, settings: Settings) -> None:
        self.workspace = workspace
        self.state = state
        # As texts, since joining paths would be a tenth of the price of a claim.
        self.workspace_text = str(workspace)
        self.runs_text = str(state / "runs")
        self.world = world
        self.settings = settings
        self.db = Database(state / "lab.db", durable=settings.durability == "full")
        self.artifacts = ArtifactStore(
            state / "artifacts", self.db, world, durable=settings.durability == "full"
        )
        self.room = Room(state, settings, world)
        self.ballast = Ballast(state)

    @classmethod
    def open(cls, workspace: Path, world: World, settings: Settings | None = None) -> Store:
        """Open the workspace's store; the first time, make it.

        Args:
            workspace: The workspace's folder, which exists.
            world: Time, identifiers, chance, crash points.
            settings: None: read `config.toml`.

        Raises:
            InputError: Nothing can be written there, or `config.toml` is wrong.
            StoreError: The database is damaged, of a newer version, or on a network disk.
        """
        state = make_state_dir(workspace)
        kind = network_filesystem(state)
        if kind:
            raise StoreError(
                f"The state folder is on a network file system ({kind}), where SQLite loses data.",
                where=str(state),
                remedy=f"Set {STATE_DIR} to a folder on a local disk",
                code="network-disk",
            )
        store = cls(workspace, state, world, settings or load_settings(workspace))
        if store.room.is_full(FULL):  # even to read, and to remove runs, takes some room
            store.ballast.release()
        bring_up_to_date(store.db.path)
        store.apply_limits()
        return store

    def cache(self, project: str = DEFAULT_PROJECT) -> StoreCache:
        """Return the outputs of earlier steps of `project`."""
        return StoreCache(self.db, self.world.clock, project)

    def secrets(self, project: str = DEFAULT_PROJECT) -> Secrets:
        """Return the secrets of `project`."""
        return Secrets(self.db, self.world, project)

    def run_dir(self, run_id: str) -> Path:
        """Return the folder of a run's own files; it need not exist."""
        return self.state / "runs" / run_id

    def apply_limits(self) -> None:
        """Make the concurrency limits of the settings the ones in force."""
        wanted = dict(self.settings.limits)
        if limits(self.db) == wanted:
            return
        rows = [(*name.split(":", 1), value) for name, value in wanted.items()]
        with self.db.write() as tx:
            tx.run("limits_clear")
            tx.run_many("limit_put", rows)

    def close(self) -> None:
        """Close every connection to the database."""
        self.db.close()


def limits(db: Database) -> dict[str, int]:
    """Return the concurrency limits in force, by `queue:NAME` and `flow:PATH`."""
    with db.read() as reader:
        return {f"{row['kind']}:{row['subject']}": row["value"] for row in reader.all("limits_all")}
