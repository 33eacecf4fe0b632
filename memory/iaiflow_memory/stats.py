"""How much a memory holds."""

from __future__ import annotations

from iaiflow_memory.model import Stats
from iaiflow_memory.store import Store


def stats(store: Store) -> Stats:
    """Return how much there is of everything."""
    with store.read() as reader:
        row = reader.one("stats")
        assert row is not None
        meta = dict(reader.rows("SELECT key, value FROM meta"))
        models = reader.rows("models")
        return Stats(
            *row,
            kinds=dict(reader.rows("stats_kinds")),
            vectors={
                model: reader.rows(f"SELECT count(*) FROM emb_{k}")[0][0]  # noqa: S608
                for k, model, _, _ in models
            },
            embedder=next((model for _, model, is_current, _ in models if is_current), ""),
            bytes=sum(path.stat().st_size for path in store.files()),
            schema=int(meta["schema"]),
            workspace=meta["workspace"],
        )
