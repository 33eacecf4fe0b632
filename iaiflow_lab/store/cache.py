"""Outputs of earlier steps, by what they were computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from iaiflow_lab.clock import Clock
from iaiflow_lab.model.event import OutputRef
from iaiflow_lab.store.database import Database

_outputs = msgspec.json.Decoder(dict[str, OutputRef])


class StoreCache:
    """`engine.ports.OutcomeCache` over the database.

    Args:
        db: The workspace's database.
        clock: Decides what has expired.
        project: Whose outputs these are.
    """

    def __init__(self, db: Database, clock: Clock, project: str) -> None:
        self._db = db
        self._clock = clock
        self._project = project

    def get_many(self, keys: Sequence[str]) -> dict[str, Mapping[str, OutputRef]]:
        """Return the stored outputs of those `keys` that are known and still valid."""
        wanted = msgspec.json.encode(list(keys)).decode()
        with self._db.read() as reader:
            rows = reader.all("cache_get", (self._project, wanted, self._clock.now()))
        return {row["key"]: _outputs.decode(row["outputs"]) for row in rows}

    def put(self, key: str, outputs: Mapping[str, OutputRef], ttl: float | None) -> None:
        """Remember `outputs` under `key`, for `ttl` seconds or for good (None)."""
        now = self._clock.now()
        body = msgspec.json.encode(dict(outputs)).decode()
        expires = None if ttl is None else now + ttl
        with self._db.write() as tx:
            tx.run("cache_put", (self._project, key, body, now, expires))
