"""How soon a run goes on after its worker was killed, and how soon one starts on an idle system.

Crews of real processes (`iaiflow worker`) are killed with SIGKILL, each time inside a run. A run
has recovered when its next attempt is being executed, by the time in its journal. The lease is
short, so that a worker that a node keeps from saying anything would lose its run without its
supervisor.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from benchmarks.report import Row

from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.event import RunChanged
from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.queue.owner import parse_owner
from iaiflow_lab.queue.transition import read_head
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs
from iaiflow_lab.service.runs import Options
from iaiflow_lab.settings import make_state_dir

#: How long a silent worker keeps its run, in seconds.
LEASE_S = 2.0
CHANCE = random.Random(7)
#: How long a node holds the interpreter, in seconds.
HOLD_S = 10.0
NODES = f"""
import ctypes
import time

from iaiflow_lab.sdk.node import node


@node("bench.rest", effects="read")
def rest(*, seconds: float = 0.2) -> None:
    time.sleep(seconds)


@node("bench.hold", effects="read")
def hold(*, seconds: float = {HOLD_S}) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # a call of the C library that keeps the interpreter
        ctypes.PyDLL(None).usleep(int(1e6 * max(0, until - time.monotonic())))
"""


class Site:
    """A workspace and the crews that execute its runs.

    Args:
        folder: The workspace; it is made.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "flow_nodes").mkdir(parents=True)
        (folder / "flow_nodes" / "bench.py").write_text(NODES)
        settings = f"lease_s = {LEASE_S}\nmax_attempts = 1000\nwarm_kernels = 0\n"
        (make_state_dir(folder) / "config.toml").write_text(settings)
        self._folder = folder
        self.session = open_session(folder)
        self._types = load_catalog(folder)
        self._crews: list[subprocess.Popen[bytes]] = []

    def crew(self, workers: int) -> subprocess.Popen[bytes]:
        """Start a supervisor with its workers."""
        command = [sys.executable, "-c", "from iaiflow_lab.cli import main; main()"]
        process = subprocess.Popen(
            [*command, "worker", "-c", str(workers)],
            cwd=self._folder,
            stderr=subprocess.DEVNULL,
        )
        self._crews.append(process)
        return process

    def busy(self, seconds: float = 5.0) -> float:
        """Return how much of one processor all crews take in the next seconds, in percent."""
        family = [psutil.Process(crew.pid) for crew in self._crews]
        family += [child for one in family for child in one.children(recursive=True)]
        before = sum(sum(process.cpu_times()[:2]) for process in family)
        time.sleep(seconds)
        return 100 * (sum(sum(process.cpu_times()[:2]) for process in family) - before) / seconds

    def start(self, kind: str, **options: Any) -> str:
        """Queue a run of one node."""
        nodes = {"only": {"type": f"bench.{kind}"}}
        flow = from_data({"format": "iaiflow/1", "name": kind, "nodes": nodes})
        return runs.start(self.session, flow, {}, self._types, Options(**options))

    def executed(self) -> dict[str, int]:
        """Return the processes that execute runs now, by run."""
        with self.session.store.db.read() as reader:
            held = reader.all("held")
        owners = {row["id"]: parse_owner(row["owner"]) for row in held}
        return {
            run_id: owner.pid
            for run_id, owner in owners.items()
            if owner and self.state(run_id) is RunState.RUNNING
        }

    def state(self, run_id: str) -> RunState:
        """Return a run's state without any look for lost runs: that is what is measured."""
        with self.session.store.db.read() as reader:
            return read_head(reader, run_id).state

    def attempt(self, run_id: str) -> int:
        """Return how often a run was begun after a crash, from 1."""
        with self.session.store.db.read() as reader:
            return read_head(reader, run_id).attempt

    def moment(self, run_id: str, state: RunState, after: float = 0.0) -> float | None:
        """Return when a run came into a state for the first time after a moment."""
        for _, event in history.events(self.session, run_id):
            if isinstance(event, RunChanged) and event.state is state and event.at > after:
                return event.at
        return None

    def kill(self, run_id: str, pid: int) -> list[float]:
        """Kill a worker; return how soon its run went on in seconds, or nothing if it had ended."""
        killed = time.time()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return self.recovery(run_id, killed)

    def recovery(self, run_id: str, since: float) -> list[float]:
        """Return how many seconds after `since` a run went on; nothing if it had ended before."""

        def went_on() -> list[float] | None:
            if found := self.moment(run_id, RunState.RUNNING, since):
                return [found - since]
            return [] if self.state(run_id) in TERMINAL else None

        return until(went_on)

    def close(self) -> None:
        """End all crews at once."""
        for crew in self._crews:
            with suppress(psutil.NoSuchProcess):
                for process in [*psutil.Process(crew.pid).children(), psutil.Process(crew.pid)]:
                    process.kill()
            crew.wait()
        self.session.close()


def until(condition: Callable[[], Any]) -> Any:
    """Wait until `condition` finds something, and return it."""
    for _ in range(60_000):
        if (found := condition()) is not None:
            return found
        time.sleep(0.002)
    raise TimeoutError


def measure(kills: int = 100, backlog: int = 1_000, held: int = 20, starts: int = 100) -> list[Row]:
    """Return the rows of the table.

    Args:
        kills: How many workers are killed with a backlog.
        backlog: How many runs wait meanwhile.
        held: How many workers are killed that, or beside which, a node holds the interpreter.
        starts: How many runs are started on an idle system.
    """
    rows: list[Row] = []
    for part in (
        lambda site: _idle(site, starts),
        lambda site: _supervised(site, kills, backlog),
        lambda site: _holding(site, held, backlog),
        lambda site: _unsupervised(site, max(1, held // 6)),
    ):
        with _site() as site:
            rows += part(site)
    return rows


@contextmanager
def _site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder).resolve() / "workspace")
        try:
            yield site
        finally:
            site.close()


def _idle(site: Site, count: int) -> list[Row]:
    """Start runs one by one while a worker has nothing to do."""
    site.crew(1)
    taken: list[float] = []
    for number in range(count + 1):
        time.sleep(CHANCE.uniform(0.02, 0.06))  # at any point of the worker's looks for news
        run_id = site.start("rest")
        until(lambda made=run_id: site.moment(made, RunState.COMPLETED))
        view = history.get(site.session, run_id)
        assert view.started_at is not None
        if number:  # the first one waits for the worker to come up
            taken.append(view.started_at - view.created_at)
    return [
        Row("idle: processor that the crew takes", site.busy(), "%", note="Of one processor."),
        Row("idle: queued to running, p50", 1_000 * _p(taken, 50), "ms", 5, note=_load()),
        Row("idle: queued to running, p99", 1_000 * _p(taken, 99), "ms"),
    ]


def _fill(site: Site, backlog: int) -> None:
    for _ in range(backlog):
        site.start("rest")


def _rest() -> None:
    """Let the crew become whole again, as it is when one worker dies now and then."""
    time.sleep(CHANCE.uniform(1.0, 1.5))


def _supervised(site: Site, kills: int, backlog: int) -> list[Row]:
    """Kill one of two workers inside a run, again and again."""
    _fill(site, backlog)
    site.crew(2)
    taken: list[float] = []
    while len(taken) < kills:
        run_id, pid = until(lambda: CHANCE.choice([*site.executed().items()] or [None]))
        taken += site.kill(run_id, pid)
        _fill(site, 12)  # about as many as end meanwhile
        _rest()
    return _rows(f"a worker killed, {backlog:,} runs queued", taken)


def _holding(site: Site, kills: int, backlog: int) -> list[Row]:
    """Kill workers beside one that a node keeps from saying anything, and that one itself."""
    _fill(site, backlog)
    site.crew(2)
    run_id = site.start("hold", priority=-1)
    of: list[float] = []
    while len(of) < kills:
        of += site.kill(run_id, until(lambda: site.executed().get(run_id)))
        _rest()
    beside: list[float] = []
    while len(beside) < kills:
        if beside:
            until(lambda ended=run_id: site.moment(ended, RunState.COMPLETED))
            run_id = site.start("hold", priority=-1)
        until(lambda made=run_id: site.executed().get(made))
        attempt, began = site.attempt(run_id), time.time()
        while time.time() < began + HOLD_S - 1 and len(beside) < kills:
            run, other = until(lambda made=run_id: _other(site, made))
            beside += site.kill(run, other)
            _rest()
        assert site.attempt(run_id) == attempt, "nobody may take it from its worker"
    beside_what = "beside one whose node holds the interpreter"
    return [
        *_rows("a worker killed whose node holds the interpreter", of),
        *_rows(f"a worker killed {beside_what}", beside),
    ]


def _other(site: Site, run_id: str) -> tuple[str, int] | None:
    return next((found for found in site.executed().items() if found[0] != run_id), None)


def _unsupervised(site: Site, kills: int) -> list[Row]:
    """Kill whole crews, or stop them without their end being seen, while another one is there."""
    killed: list[float] = []
    silent: list[float] = []
    crew = site.crew(1)
    for number in range(2 * kills):
        is_killed = number % 2 == 0
        run_id = site.start("hold")
        pid = until(lambda made=run_id: site.executed().get(made))
        family = (crew.pid, pid)
        crew = site.crew(1)
        time.sleep(1)  # until it is up
        since = time.time()
        for process in family:
            os.kill(process, signal.SIGKILL if is_killed else signal.SIGSTOP)
        (killed if is_killed else silent).extend(site.recovery(run_id, since))
        for process in family:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        holder = site.executed()[run_id]
        runs.cancel(site.session, run_id)
        os.kill(holder, signal.SIGKILL)
    note = f"Its lease is {LEASE_S:g} s; a crew looks for lost runs every {LEASE_S / 3:.1f} s."
    return [
        Row("a crew killed, another is there, max", max(killed), "s", LEASE_S + 2, note=note),
        Row("a crew silent, another is there, max", max(silent), "s", LEASE_S + 2, note=note),
    ]


def _rows(what: str, taken: list[float]) -> list[Row]:
    return [
        Row(f"{what}, p50", _p(taken, 50), "s"),
        Row(f"{what}, p99", _p(taken, 99), "s", 0.5, note=_load()),
    ]


def _p(values: list[float], percent: int) -> float:
    # Twice, as a quantile wants two values at least.
    return statistics.quantiles([*values, *values], n=100, method="inclusive")[percent - 1]


def _load() -> str:
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


if __name__ == "__main__":
    from benchmarks.report import show
    from rich.console import Console

    show({"recovery": measure()}, Console())
