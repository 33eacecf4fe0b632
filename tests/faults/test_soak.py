"""A crew at work for long, under random kills: what it holds stays flat, and it leaves nothing.

How a number grows is the slope of a line through its samples (the median of all slopes between two
of them, which outliers do not move) times the length of the line. The bounds are the same for a
short and for a long time: eight megabytes in eight hours are one an hour.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from iaiflow_lab import log_files
from iaiflow_lab.model.event import RunChanged, StepFinished
from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.model.schedule import Catchup, Interval, Overlap, Rule
from iaiflow_lab.notebook import warm_kernels
from iaiflow_lab.service import history, runs, schedules, waits
from iaiflow_lab.service.schedule_rows import ScheduleSpec
from iaiflow_lab.settings import state_dir

pytestmark = [
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(36_000),
    pytest.mark.skipif(bool(warm_kernels.why_impossible()), reason="nothing can be forked here"),
]

BUILD = Path(__file__).parents[2] / "build"
#: In the environment of everything that is started here.
MARK = "IAIFLOW_SOAK_MARK"
#: A worker that has let go of so many runs has imported what it uses.
MATURE = 10
#: How many runs are open at most, those that wait included.
OPEN = 12
#: By how much a number may grow from the end of the warm-up to the end.
BOUNDS = {
    "supervisor MB": 8.0,
    "worker MB": 24.0,  # the largest of workers of different ages that have imported all they use
    "fork server MB": 8.0,
    "clock MB": 8.0,
    "supervisor files": 4.0,
    "worker files": 12.0,
    "fork server files": 8.0,
    "KB a run": 4.0,
}
#: The most that the write-ahead log may have at any time.
MOST_WAL_MB = 64.0
CLOCK = """
import sys
from iaiflow_lab.scheduler.clock import Clock
from iaiflow_lab.service import open_session

clock = Clock(open_session)
clock.start()
sys.stdin.read()
clock.stop()
"""
STEPS = {
    "format": "iaiflow/1",
    "name": "Steps",
    "nodes": {name: {"type": "probe.step"} for name in "abc"},
    "edges": ["a.out -> b.before", "b.out -> c.before"],
}
ASKS = {
    "format": "iaiflow/1",
    "name": "Asks",
    "nodes": {"a": {"type": "probe.step"}, "ask": {"type": "probe.ask"}},
    "edges": ["a.out -> ask.before"],
}


class Sample(NamedTuple):
    """What was there at one moment."""

    seconds: float
    #: How many runs have ended.
    ended: int
    numbers: dict[str, float]


class Plant:
    """A crew, a clock, and what they need of the machine."""

    def __init__(self, site, temporary: Path) -> None:
        self.site = site
        self.mark = temporary.name
        self.temporary = temporary
        self._environment = {
            MARK: self.mark,
            "TMPDIR": str(temporary),
            "XDG_RUNTIME_DIR": str(temporary),
        }
        self.crew = site.command("worker", "-c", "2", **self._environment)
        self._clock: subprocess.Popen[bytes] | None = None
        self._began = time.monotonic()
        self._looked = time.time()
        #: How many notebook runs may have lost their kernel.
        self.bereft = 0
        self.samples: list[Sample] = []
        site.until(lambda: self.kernels().get("ready"), "A kernel")

    def clock(self) -> subprocess.Popen[bytes]:
        """Return the clock; another one when it has died."""
        if self._clock is None or self._clock.poll() is not None:
            self._close_clock()
            self._clock = subprocess.Popen(
                [sys.executable, "-c", CLOCK],
                cwd=self.site.folder,
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,
            )
        return self._clock

    def _close_clock(self) -> None:
        if self._clock is not None:
            self._clock.stdin.close()
            self._clock.wait()

    def kernels(self) -> dict:
        """Return what the fork server says of itself; nothing when it cannot be asked."""
        try:
            address = state_dir(self.site.folder) / warm_kernels.ADDRESS
            return warm_kernels.ask_state(address.read_text())
        except (OSError, warm_kernels.ColdError):
            return {}

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.crew.pid).children()
        return [child for child in children if "iaiflow_lab.worker" in words(child)]

    def server(self) -> psutil.Process | None:
        children = psutil.Process(self.crew.pid).children()
        return next((child for child in children if "fork_server" in words(child)), None)

    def kill_one(self, chance: random.Random) -> None:
        """Kill a worker, a kernel, the fork server or the clock."""
        server = self.server()
        victims = {
            "worker": self.workers(),
            "kernel": server.children() if server else [],
            "server": [server] if server else [],
            "clock": [psutil.Process(self.clock().pid)] if self._clock else [],
        }
        (kind,) = chance.choices(list(victims), weights=[6, 2, 1, 1])
        self.bereft += {"kernel": 1, "server": 2}.get(kind, 0)
        if victims[kind]:
            with suppress(psutil.NoSuchProcess):
                chance.choice(victims[kind]).kill()

    def sample(self, ended: int) -> None:
        """Note what everything holds now."""
        groups = {"supervisor": [psutil.Process(self.crew.pid)], "worker": self._mature()}
        groups["fork server"] = [server] if (server := self.server()) else []
        groups["clock"] = [psutil.Process(self._clock.pid)] if self._clock else []
        numbers: dict[str, float] = {}
        for name, processes in groups.items():
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    memory, files = process.memory_info().rss / 1e6, process.num_fds()
                    numbers[f"{name} MB"] = max(memory, numbers.get(f"{name} MB", 0))
                    numbers[f"{name} files"] = max(files, numbers.get(f"{name} files", 0))
        database = state_dir(self.site.folder) / "lab.db"
        numbers["database MB"] = database.stat().st_size / 1e6
        with suppress(FileNotFoundError):
            numbers["WAL MB"] = database.with_name("lab.db-wal").stat().st_size / 1e6
        if waited := self._waited():
            numbers["start ms"] = 1_000 * statistics.median(waited)
        self.samples.append(Sample(time.monotonic() - self._began, ended, numbers))

    def _mature(self) -> list[psutil.Process]:
        """Return the workers that have imported all they use; a loaded machine is slow in that."""
        said = ""
        with suppress(FileNotFoundError):  # another file is being begun
            said = (state_dir(self.site.folder) / "logs" / log_files.FILE).read_text()
        ended = Counter(re.findall(r'"pid": (\d+), "message": "A run was let go', said))
        return [worker for worker in self.workers() if ended[str(worker.pid)] >= MATURE]

    def _waited(self) -> list[float]:
        """Return how long the runs begun since the last look had waited, in seconds."""
        since, self._looked = self._looked, time.time()
        query = f"SELECT started_at - run_at FROM runs WHERE started_at > {since!r}"
        return [waited for (waited,) in rows(self.site, query)]

    def stop(self) -> None:
        """Let everything end by itself."""
        self._close_clock()
        self.crew.send_signal(signal.SIGTERM)
        assert self.crew.wait(60) == 0

    def check_left(self) -> None:
        """See all processes to their end, and check that no file of theirs is left."""
        self.site.until(lambda: not self.strays(), "The end of every process")
        assert sorted(map(str, self.temporary.rglob("*"))) == []

    def strays(self) -> list[str]:
        """Return the processes that are left."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self.mark:
                    found.append(f"{process.pid} {words(process)}")
        return found


def words(process: psutil.Process) -> str:
    """Return a process's command line; nothing when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.fixture
def plant(make_site):
    """Return a crew of two with a clock; nothing of it may be left when it was stopped."""
    temporary = Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))  # sockets need short paths
    site = make_site(lease_s=5.0, max_attempts=1_000)
    quick = {"cell_type": "code", "id": "c", "metadata": {}, "source": "print(6 * 7)"}
    quick |= {"outputs": [], "execution_count": None}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [quick]}
    (site.folder / "quick.ipynb").write_text(json.dumps(content))
    (site.folder / "steps.flow.json").write_text(json.dumps(STEPS))
    made = Plant(site, temporary)
    yield made
    made._close_clock()
    shutil.rmtree(temporary, ignore_errors=True)


def growth(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much a line through the points rises from the first to the last."""
    if len(points) > 200:  # enough for a line, whatever the length
        points = points[:: len(points) // 200 + 1]
    slopes = [(y - v) / (x - u) for (u, v), (x, y) in combinations(points, 2) if x > u]
    return statistics.median(slopes) * (points[-1][0] - points[0][0]) if slopes else 0.0


def check_flat(
    samples: Sequence[Sample], over: Callable[[Sample], float], bounds: dict[str, float]
) -> None:
    """Check that nothing grows, but for the database with the runs that it remembers."""
    late = samples[len(samples) // 4 :]
    series = defaultdict(list)
    for sample in late:
        for name, number in sample.numbers.items():
            series[name].append((over(sample), number))
        if sample.ended:
            remembered = 1_000 * sample.numbers["database MB"] / sample.ended
            series["KB a run"].append((over(sample), remembered))
    grown = {name: growth(points) for name, points in series.items() if name in bounds}
    assert len(grown) > 3
    assert {name: by for name, by in grown.items() if by > bounds[name]} == {}
    assert max(number for _, number in series["WAL MB"]) <= MOST_WAL_MB


def write_table(samples: Sequence[Sample], name: str) -> None:
    """Write the samples into build/, forty lines at most."""
    names = list(dict.fromkeys(name for sample in samples for name in sample.numbers))
    lines = ["  ".join(["seconds", " ended", *names])]
    for sample in samples[:: len(samples) // 40 + 1]:
        cells = [f"{sample.numbers.get(n, 0):>{len(n)}.1f}" for n in names]
        lines.append("  ".join([f"{sample.seconds:7.0f}", f"{sample.ended:6}", *cells]))
    BUILD.mkdir(exist_ok=True)
    (BUILD / name).write_text("\n".join(lines) + "\n")


class Work:
    """Runs of every kind, started while few are open."""

    def __init__(self, plant: Plant, chance: random.Random) -> None:
        self._site = plant.site
        self._chance = chance
        rule = Rule(Interval(1.0))
        for name in ("first", "second"):
            spec = ScheduleSpec(
                "steps.flow.json", rule, name, catchup=Catchup.ALL, overlap=Overlap.ALLOW
            )
            schedules.add(self._site.session, spec, self._site.types)

    def answer(self) -> int:
        """Answer what waits; returns how many runs are open."""
        live = [state for state in RunState if state not in TERMINAL]
        found = history.list_runs(self._site.session, states=live, limit=1_000)
        for run in found:
            if run.state is RunState.WAITING:
                waits.signal(self._site.session, run.id, "number", 1)
        return len(found)

    def start(self) -> None:
        """Start something."""
        what = self._chance.choice(["quick.ipynb", STEPS, ASKS])
        if isinstance(what, str):
            runs.start(self._site.session, what, {}, self._site.types)
        else:
            self._site.start(what)

    def end(self) -> None:
        """Have no more moments come, and see every run to its end."""
        for schedule in schedules.list_schedules(self._site.session):
            schedules.pause(self._site.session, schedule.id)
        self._site.until(lambda: self.answer() == 0, "The end of every run")


def check_runs(site, bereft: int = 0) -> None:
    """Check that every run ended once, each outcome is recorded once, and no moment is lost.

    Args:
        site: The workspace.
        bereft: How many runs may have failed, as their kernel itself was killed.
    """
    failed = []
    calls, moments = defaultdict(list), defaultdict(set)
    for call in site.calls():
        calls[call.run_id].append(call)
    for run_id, schedule, due in rows(site, "SELECT id, schedule_id, due_at FROM runs"):
        events = [event for _, event in history.events(site.session, run_id)]
        ends = [e.state for e in events if isinstance(e, RunChanged) and e.state in TERMINAL]
        assert len(ends) == 1, run_id
        if ends != [RunState.COMPLETED]:
            failed.append(site.run(run_id).error)
        recorded = {event.step: event.at for event in events if isinstance(event, StepFinished)}
        assert len(recorded) == sum(isinstance(event, StepFinished) for event in events)
        assert [c for c in calls[run_id] if c.at > recorded.get(c.step, 0)] == []
        if schedule is not None:
            assert due not in moments[schedule], "fired twice"
            moments[schedule].add(due)
    assert [error for error in failed if error.code != "kernel-died"] == []
    assert len(failed) <= bereft
    for found in moments.values():
        assert len(found) == round(max(found) - min(found)) + 1, "a moment was lost"


def rows(site, query: str) -> list[tuple]:
    with closing(sqlite3.connect(state_dir(site.folder) / "lab.db")) as connection:
        return connection.execute(query).fetchall()


def count_ended(site) -> int:
    return rows(site, "SELECT count(*) FROM runs WHERE ended_at IS NOT NULL")[0][0]


def test_a_crew_under_random_kills_stays_flat_and_leaves_nothing(plant, soak):
    length, sample_s, kill_s = soak(180, 8 * 3_600), soak(2, 60), soak(4, 20)
    start_s = soak(0, 1)  # a hundred thousand runs in eight hours
    chance = random.Random(42)
    work = Work(plant, chance)
    began = sampled = time.monotonic()
    kill_at, start_at = began + kill_s, began
    while (now := time.monotonic()) < began + length:
        plant.clock()
        if work.answer() < OPEN and now >= start_at:
            start_at = now + start_s
            work.start()
        if now >= sampled:
            sampled = now + sample_s
            plant.sample(count_ended(plant.site))
        if now >= kill_at:
            kill_at = now + chance.expovariate(1 / kill_s)
            plant.kill_one(chance)
        time.sleep(0.05)
    write_table(plant.samples, "soak.txt")
    work.end()
    plant.stop()
    check_runs(plant.site, plant.bereft)
    # A loaded machine may be slow for a minute, not for hours.
    bounds = BOUNDS | {"start ms": soak(10_000, 20)}
    check_flat(plant.samples, lambda sample: sample.seconds, bounds)
    plant.check_left()


def test_notebooks_queued_at_once_end_with_flat_memory(plant, soak):
    count = soak(40, 1_000)
    for _ in range(count):
        runs.start(plant.site.session, "quick.ipynb", {}, plant.site.types)
    while (ended := count_ended(plant.site)) < count:
        if not plant.samples or ended >= plant.samples[-1].ended + count / 40:
            plant.sample(ended)
        time.sleep(0.01)
    write_table(plant.samples, "soak-notebooks.txt")
    plant.stop()
    check_runs(plant.site)
    check_flat(plant.samples, lambda sample: sample.ended, BOUNDS)
    plant.check_left()
