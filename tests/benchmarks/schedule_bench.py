"""How soon schedules are loaded and how late they fire, beside APScheduler alone.

Everything is measured in one run on one machine: compare the rows, not machines.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, sleep, time
from typing import Any

from benchmarks.report import Row

from iaiflow_lab.model.schedule import Cron, Interval, Overlap, Rule
from iaiflow_lab.model.schedule import next_due as following
from iaiflow_lab.scheduler.clock import Clock
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import Session, open_session, schedules
from iaiflow_lab.service.schedule_rows import ScheduleSpec
from iaiflow_lab.store.database import Database

FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}
#: Different enough that not all come in the same minute.
EXPRESSIONS = [f"{n % 60} {n // 60 % 24} * * *" for n in range(1_440)]


def measure(
    count: int = 100_000, bursts: int = 5, burst: int = 200, singles: int = 40
) -> list[Row]:
    """Return the rows of the table.

    Args:
        count: How many schedules there are in all.
        bursts: How often many come at one instant.
        burst: How many come at it.
        singles: How many come alone, one after another.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tick.flow.json").write_text(json.dumps(FLOW))
        with open_session(Path(folder)) as session:
            template = _add_one(session)
            written = _write_many(session, template, count)
            rows = [*_loading(session, count, written), *_firing(session, bursts, burst, singles)]
            return [*rows, *_double_fires(session)]


def _add_one(session: Session) -> dict[str, Any]:
    """Save one schedule by the front door; returns its row, as a template for many."""
    spec = ScheduleSpec("tick.flow.json", Rule(Cron("0 0 1 1 *"), "UTC"), overlap=Overlap.ALLOW)
    made = schedules.add(session, spec, load_catalog(session.workspace))
    with session.store.db.read() as reader:
        return dict(reader.one("schedule_by_id", ("default", made.id)) or {})


def _write_many(session: Session, template: dict[str, Any], count: int) -> float:
    """Write schedules whose moments are reckoned one by one; returns the seconds that it took."""
    started, now = perf_counter(), time()
    rows: list[dict[str, Any]] = []
    for number in range(count):
        expression = EXPRESSIONS[number % len(EXPRESSIONS)]
        due = following(Rule(Cron(expression), "Europe/Berlin"), now)
        rows.append(
            template
            | {"id": session.world.ids.new("sch"), "name": f"s{number}", "zone": "Europe/Berlin"}
            | {"rule": json.dumps({"kind": "cron", "expression": expression})}
            | {"next_due": due, "next_fire": due, "now": now}
        )
    with session.store.db.write() as tx:
        tx.run_many("schedule_put", rows)
    return perf_counter() - started


def _loading(session: Session, count: int, written: float) -> list[Row]:
    ours = _until_loaded(session)
    name = f"{count:,} schedules"
    alone = {"APScheduler alone": _apscheduler_load(count)}
    return [
        Row(f"{name}: reckon and write them all", written, "s", peers=alone),
        Row(f"{name}: a clock starts and is ready", ours, "s", target=4.0, peers=alone),
    ]


def _until_loaded(session: Session) -> float:
    started = perf_counter()
    clock = Clock(lambda: open_session(session.workspace))
    clock.start()
    clock._arm()
    taken = perf_counter() - started
    clock.stop()
    return taken


def _apscheduler_load(count: int) -> float:
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger

    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.start(paused=True)
    started = perf_counter()
    for number in range(count):
        trigger = CronTrigger.from_crontab(EXPRESSIONS[number % len(EXPRESSIONS)], "Europe/Berlin")
        scheduler.add_job(_nothing, trigger, misfire_grace_time=None)
    taken = perf_counter() - started
    scheduler.shutdown()
    return taken


def _nothing() -> None:
    """Be a job."""


def _firing(session: Session, bursts: int, burst: int, singles: int) -> list[Row]:
    """Fire schedules whose moments come now, with all others in the same table."""
    clock = Clock(lambda: open_session(session.workspace))
    clock.start()
    try:
        alone = _lateness(session, singles, 1, gap=0.05)
        together = _lateness(session, bursts, burst, gap=1.0)
    finally:
        clock.stop()
    peer = _apscheduler_lateness(singles, 1, gap=0.05)
    peers = _apscheduler_lateness(bursts, burst, gap=1.0)
    name = "APScheduler alone"
    note = "APScheduler alone calls an empty function; ours writes a run to the disk, once."
    return [
        Row(
            "one at a time: late, p50", _p(alone, 50), "ms", peers={name: _p(peer, 50)}, note=note
        ),
        Row(
            "one at a time: late, p99", _p(alone, 99), "ms", target=100, peers={name: _p(peer, 99)}
        ),
        Row(f"{burst} at one instant: late, p50", _p(together, 50), "ms",
            peers={name: _p(peers, 50)}),
        Row(f"{burst} at one instant: late, p99", _p(together, 99), "ms",
            peers={name: _p(peers, 99)}),
    ]  # fmt: skip


def _p(values: list[float], percent: int) -> float:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[percent - 1] * 1_000


def _lateness(session: Session, times: int, many: int, gap: float) -> list[float]:
    """Return how late each run was written, in seconds."""
    first = time() + 1.0
    spec = ScheduleSpec("tick.flow.json", Rule(Interval(86_400.0)), overlap=Overlap.ALLOW)
    catalog, names = load_catalog(session.workspace), set[str]()
    template = schedules.add(session, replace(spec, name=f"base {first}"), catalog)
    with session.store.db.read() as reader:
        row = dict(reader.one("schedule_by_id", ("default", template.id)) or {})
    rows: list[dict[str, Any]] = []
    for number in range(times * many):
        due = first + number // many * gap
        made = {"id": session.world.ids.new("sch"), "name": f"{first} {number}", "starts_at": due}
        names.add(made["id"])
        rows.append(row | made | {"next_due": due, "next_fire": due, "now": time()})
    with session.store.db.write() as tx:
        tx.run_many("schedule_put", rows)
    return _wait(lambda: _made(session.store.db, names), len(names))


def _wait(made: Callable[[], list[float]], count: int) -> list[float]:
    while len(found := made()) < count:
        sleep(0.2)
    return found


def _made(db: Database, ids: set[str]) -> list[float]:
    with db.read() as reader:
        rows = reader.all("runs_list", EVERYTHING)
    return [row["created_at"] - row["due_at"] for row in rows if row["schedule_id"] in ids]


EVERYTHING = {
    "project": "default",
    "before": "\uffff",
    "states": None,
    "flow": None,
    "queue": None,
    "limit": 1_000_000,
}


def _apscheduler_lateness(times: int, many: int, gap: float) -> list[float]:
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.date import DateTrigger

    late: list[float] = []
    first, done = time() + 1.0, threading.Semaphore(0)

    def note(due: float) -> None:
        late.append(time() - due)
        done.release()

    scheduler = BackgroundScheduler(timezone=UTC)
    for number in range(times * many):
        due = first + number // many * gap
        at = datetime.fromtimestamp(due, UTC)
        scheduler.add_job(note, DateTrigger(at, UTC), [due], misfire_grace_time=None)
    scheduler.start()
    for _ in range(times * many):
        done.acquire()
    scheduler.pause()
    scheduler.remove_all_jobs()  # its thread fails when it is stopped while it takes a job
    scheduler.shutdown()
    return late


def _double_fires(session: Session, seconds: int = 5) -> list[Row]:
    """Let three clocks race for schedules of every second."""
    spec = ScheduleSpec("tick.flow.json", Rule(Interval(1.0)), overlap=Overlap.ALLOW)
    catalog = load_catalog(session.workspace)
    made = {schedules.add(session, spec, catalog).id for _ in range(20)}
    clocks = [Clock(lambda: open_session(session.workspace)) for _ in range(3)]
    for clock in clocks:
        clock.start()
    sleep(seconds)
    for clock in clocks:
        clock.stop()
    with session.store.db.read() as reader:
        rows = [row for row in reader.all("runs_list", EVERYTHING) if row["schedule_id"] in made]
    slots = {(row["schedule_id"], row["due_at"]) for row in rows}
    return [
        Row(
            "three clocks: moments fired twice",
            float(len(rows) - len(slots)),
            "moments",
            target=0,
            note=f"Three clocks fired {len(slots)} moments of 20 schedules.",
        )
    ]
