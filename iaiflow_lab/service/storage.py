"""What a workspace takes on its disk."""

from __future__ import annotations

from dataclasses import dataclass

from iaiflow_lab.service.retention import size_of
from iaiflow_lab.service.session import Session


@dataclass(frozen=True, slots=True)
class Storage:
    """What the state folder holds, in bytes."""

    #: The database with its journal.
    database: int
    #: Values and files of runs, and how many there are.
    artifacts: int
    artifact_count: int
    #: The folders of runs: output notebooks and what runs left there.
    runs: int
    #: What servers and workers said.
    logs: int
    #: What is kept free for a full disk.
    ballast: int
    #: What is left on the disk.
    free: int
    #: For how many days ended runs are kept; None: until somebody removes them.
    keep_days: float | None


def measure(session: Session) -> Storage:
    """Return what the workspace takes on its disk; looks at every file of its runs."""
    store = session.store
    with store.db.read() as reader:
        stored = reader.one("artifacts_sum")
    assert stored is not None
    return Storage(
        database=sum(path.stat().st_size for path in store.state.glob("lab.db*")),
        artifacts=stored["bytes"],
        artifact_count=stored["count"],
        runs=size_of(store.state / "runs"),
        logs=size_of(store.state / "logs"),
        ballast=store.ballast.size,
        free=session.world.machine.free_disk(store.state),
        keep_days=store.settings.keep_days,
    )
