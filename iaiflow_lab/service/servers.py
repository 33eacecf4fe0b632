"""Processes that serve the workspace: who does, who fires schedules, and when that stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from iaiflow_lab.queue.owner import is_dead, owner_name, parse_owner
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Row

#: `serve`: started by a person or the system; `jupyter`: lives as long as JupyterLab; `no-clock`:
#: like `serve`, but fires no schedules.
Kind = Literal["serve", "jupyter", "no-clock"]

#: How often a server says that it is still there, in seconds.
BEAT_S: Final = 15
#: After so much silence it counts as gone, in seconds.
_SILENCE_S: Final = 60.0
#: How many that have stopped are remembered.
_REMEMBERED: Final = 5
_NAMES: Final = {
    "serve": "`iaiflow serve`",
    "jupyter": "JupyterLab",
    "no-clock": "`iaiflow serve --no-clock`",
}


@dataclass(frozen=True, slots=True)
class Server:
    """One process that serves, or served, the workspace. Times are seconds since the epoch."""

    owner: str
    kind: str
    #: Where its API is; "" when it has none.
    address: str
    #: Its process; 0 when that is not known.
    pid: int
    host: str
    started_at: float
    seen_at: float
    #: When it ended, or was seen last before it went silent; None while it serves.
    stopped_at: float | None

    @property
    def fires(self) -> bool:
        """Whether it fires, or fired, schedules."""
        return self.kind != "no-clock"


def register(session: Session, kind: Kind, address: str = "") -> str:
    """Note that this process serves the workspace; returns the name to beat and to leave with."""
    owner = owner_name("server", session.world.ids)
    now = session.world.clock.now()
    with session.store.db.write() as tx:
        gone = [row for row in tx.all("servers_all") if _has_ended(row)]  # a silent one may sleep
        for row in gone[_REMEMBERED - 1 :]:
            tx.run("server_drop", (row["owner"],))
        tx.run("server_put", {"owner": owner, "kind": kind, "address": address, "now": now})
    return owner


def beat(session: Session, owner: str) -> None:
    """Note that a server is still there."""
    with session.store.db.write() as tx:
        tx.run("server_seen", {"owner": owner, "now": session.world.clock.now()})


def leave(session: Session, owner: str) -> None:
    """Note that a server ends in order."""
    with session.store.db.write() as tx:
        tx.run("server_stopped", {"owner": owner, "now": session.world.clock.now()})


def who_fires(session: Session) -> list[Server]:
    """Return the processes that fire schedules, then those that did, the latest first."""
    return [server for server in who_serves(session) if server.fires]


def who_serves(session: Session) -> list[Server]:
    """Return the processes that serve the workspace, then those that did, the latest first."""
    now = session.world.clock.now()
    with session.store.db.read() as reader:
        found = [_server(row, now) for row in reader.all("servers_all")]
    return sorted(found, key=lambda server: server.stopped_at is not None)


def serving_note(session: Session) -> str:
    """Say which processes serve the workspace, or that none does."""
    serving = [server for server in who_serves(session) if server.stopped_at is None]
    named = [
        f"{_NAMES[server.kind]} (process {server.pid} on {server.host}, since "
        f"{_shown(server.started_at)})"
        for server in serving
    ]
    return f"Served by {', '.join(named)}." if named else "Nothing serves this workspace."


def firing_note(session: Session) -> str:
    """Say which process fires schedules and when that ends, or that none does."""
    servers = who_fires(session)
    if not servers:
        return "Nothing fires schedules yet: start `iaiflow serve`."
    first = servers[0]
    if first.stopped_at is not None:
        return (
            f"Nothing fires schedules since {_shown(first.stopped_at)}, when {_NAMES[first.kind]} "
            f"stopped: start `iaiflow serve`."
        )
    ends = "JupyterLab is closed" if first.kind == "jupyter" else "that process ends"
    return (
        f"Fired by {_NAMES[first.kind]} (process {first.pid} on {first.host}, since "
        f"{_shown(first.started_at)}), until {ends}; what is missed then is handled at the "
        f"next start."
    )


def _server(row: Row, now: float) -> Server:
    owner = parse_owner(row["owner"])
    return Server(
        owner=row["owner"],
        kind=row["kind"],
        address=row["address"],
        pid=owner.pid if owner else 0,
        host=owner.host if owner else "",
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        stopped_at=_stopped_at(row, now),
    )


def _has_ended(row: Row) -> bool:
    return row["stopped_at"] is not None or is_dead(row["owner"])


def _stopped_at(row: Row, now: float) -> float | None:
    if row["stopped_at"] is not None:
        return row["stopped_at"]
    is_gone = is_dead(row["owner"]) or now - row["seen_at"] > _SILENCE_S
    return row["seen_at"] if is_gone else None


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone():%Y-%m-%d %H:%M}"
