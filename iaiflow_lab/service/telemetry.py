"""Numbers about the workspace in the text format of Prometheus, read from the store when asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.notebook import warm_kernels
from iaiflow_lab.service import servers
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader, Row

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

#: Upper ends of the buckets of durations, in seconds; the statements `spread_*` know them as well.
BOUNDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0)
#: The media type of the text.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(session: Session) -> str:
    """Return what Prometheus scrapes: runs, steps, queues, schedules, waits and sizes.

    Everything is counted anew from one snapshot of the store, so any process of the workspace gives
    the same answer and a restart loses nothing; counts fall when old runs are removed.

    Args:
        session: An open workspace.

    Raises:
        StoreError: The database cannot be read.
    """
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(session))
    return generate_latest(registry).decode()


class _Collector:
    """`prometheus_client.registry.Collector` over a workspace."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def describe(self) -> list[Metric]:
        """Return nothing: names are known when they are collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        project, now = self._session.project, self._session.world.clock.now()
        with self._session.store.db.read() as reader:
            yield from _runs(reader, project, now)
            yield from _steps(reader)
            yield from _schedules(reader, project, now)
            yield from _stored(reader)
        serving = [each.kind for each in servers.who_fires(self._session) if not each.stopped_at]
        counts = {kind: serving.count(kind) for kind in ("serve", "jupyter")}
        yield _gauge("servers", "Processes that serve the workspace.", "kind", counts.items())
        yield _gauge("warm_kernels_ready", "Kernels that wait for a notebook.", "", _ready())
        size = self._session.store.db.path.stat().st_size
        yield _gauge("database_bytes", "Size of the database.", "", [("", size)])


def _runs(reader: Reader, project: str, now: float) -> Iterator[Metric]:
    found = {row["state"]: row["n"] for row in reader.all("count_runs", (project,))}
    states = [(state.value, found.get(state, 0)) for state in RunState]
    yield _gauge("runs", "Runs by state.", "state", states)
    queued = reader.all("count_queued", (project,))
    yield _gauge(
        "queue_depth", "Runs that are due.", "queue", [(row["queue"], row["n"]) for row in queued]
    )
    ages = [(row["queue"], max(0.0, now - row["oldest"])) for row in queued]
    yield _gauge("queue_oldest_seconds", "How long the oldest has been due.", "queue", ages)
    rows = reader.all("spread_runs", (project,))
    yield _histogram("run_duration_seconds", "How long ended runs took.", "state", rows)


def _steps(reader: Reader) -> Iterator[Metric]:
    rows = reader.all("spread_steps")
    found: Counter[str] = Counter()
    for row in rows:
        found[row["state"]] += row["n"]
    states = [(state.value, found[state]) for state in StepState]
    yield _gauge("steps", "Steps by state.", "state", states)
    timed = [row for row in rows if row["bucket"] is not None]
    yield _histogram("step_duration_seconds", "How long settled steps took.", "type", timed)


def _schedules(reader: Reader, project: str, now: float) -> Iterator[Metric]:
    row = reader.one("count_schedules", {"project": project, "now": now})
    assert row is not None
    counts = [("active", row["n"] - row["paused"]), ("paused", row["paused"])]
    yield _gauge("schedules", "Schedules.", "state", counts)
    overdue = [("", row["overdue"])]
    yield _gauge("schedules_overdue", "Schedules whose moment has passed.", "", overdue)
    missed = [(row["reason"], row["n"]) for row in reader.all("count_misses")]
    yield _gauge("schedule_misses", "Moments without a run.", "reason", missed)
    rows = reader.all("spread_lateness", (project,))
    about = "How long after their moment the runs of schedules started."
    yield _histogram("schedule_lateness_seconds", about, "", rows)


def _stored(reader: Reader) -> Iterator[Metric]:
    row = reader.one("count_stored")
    assert row is not None
    yield _gauge("waits_open", "What steps wait for.", "", [("", row["waits"])])
    yield _gauge("artifact_bytes", "Bytes of artifacts.", "", [("", row["bytes"])])


def _ready() -> list[tuple[str, float]]:
    path = warm_kernels.find_server()
    if not path:
        return [("", 0)]
    try:
        return [("", float(warm_kernels.ask_state(path)["ready"]))]
    except (warm_kernels.ColdError, KeyError):
        return [("", 0)]


def _gauge(name: str, about: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    from prometheus_client.metrics_core import GaugeMetricFamily

    family = GaugeMetricFamily(f"iaiflow_{name}", about, labels=[label] if label else [])
    for key, value in values:
        family.add_metric([key] if label else [], value)
    return family


def _histogram(name: str, about: str, label: str, rows: Sequence[Row]) -> Metric:
    from prometheus_client.metrics_core import HistogramMetricFamily

    family = HistogramMetricFamily(f"iaiflow_{name}", about, labels=[label] if label else [])
    for key in dict.fromkeys(row["label"] for row in rows):
        own = [row for row in rows if row["label"] == key]
        found: Counter[int] = Counter()
        for row in own:
            found[row["bucket"]] += row["n"]
        counts = accumulate(found[bucket] for bucket in range(len(BOUNDS) + 1))
        ends = [*(str(bound) for bound in BOUNDS), "+Inf"]
        total = sum(row["total"] for row in own)
        buckets = list(zip(ends, counts, strict=True))
        family.add_metric([key] if label else [], buckets, sum_value=total)
    return family
