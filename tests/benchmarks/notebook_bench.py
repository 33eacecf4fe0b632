"""Notebook runs from the queue to their end, beside papermill and nbclient.

Contenders take turns, so that a busy moment of the machine hits all of them. Ours goes all the way:
a queued run, claimed by a worker process, recorded, with its output notebook; cold is the same
without warm kernels. jupyter-scheduler goes all the way, too; papermill and nbclient execute a
notebook in a process that has imported them already.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
from benchmarks.report import Row, medians, timed

from iaiflow_lab.model.run import TERMINAL
from iaiflow_lab.notebook import warm_kernels
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs
from iaiflow_lab.settings import make_state_dir

NOTEBOOKS = {
    "trivial": ["print('hello')", "1 + 1"],
    "polars": ["import polars as pl", "pl.DataFrame({'a': [1, 2]}).sum()"],
}
SCHEDULER = "jupyter-scheduler"
#: A cell that waits until a file is there, so that the kernel can be weighed.
HOLD = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)"
#: The same where the folder of the kernel is another one; it says that it waits.
HELD = """
import os, time
open("{folder!s}/held", "w").close()
while not os.path.exists("{folder!s}/go"):
    time.sleep(0.01)
"""
#: Executes notebooks one after another and says how long they took, in seconds.
PEER = """
import sys, time, warnings
warnings.simplefilter("ignore")
from benchmarks.notebook_bench import with_{name} as execute
started = time.perf_counter()
for _ in range({count}):
    execute({path!r})
print(time.perf_counter() - started)
"""


class Site:
    """A workspace with a crew of workers.

    Args:
        folder: The workspace.
        workers: How many.
        warm: How many kernels wait; 0: every kernel is started anew.
    """

    def __init__(self, folder: Path, workers: int, warm: int) -> None:
        folder.mkdir()
        (make_state_dir(folder) / "config.toml").write_text(f"warm_kernels = {warm}\n")
        for name, cells in {**NOTEBOOKS, "hold": [HOLD]}.items():
            write_notebook(folder / f"{name}.ipynb", cells)
        self.folder = folder
        self.session = open_session(folder)
        self._types = load_catalog(folder)
        command = [sys.executable, "-c", "from iaiflow_lab.cli import main; main()"]
        self.crew = subprocess.Popen(
            [*command, "worker", "-c", str(workers)], cwd=folder, stderr=subprocess.DEVNULL
        )
        for run_id in [self.start("trivial") for _ in range(2 * workers)]:
            self.end(run_id)  # every worker has imported what it needs

    def start(self, name: str) -> str:
        """Queue a notebook."""
        return runs.start(self.session, f"{name}.ipynb", {}, self._types)

    def end(self, run_id: str) -> history.RunView:
        """Wait for the end of a run."""
        while (found := history.get(self.session, run_id)).state not in TERMINAL:
            assert self.crew.poll() is None, "the crew has ended"
            time.sleep(0.005)
        assert found.state == "completed", found.error
        return found

    def run(self, name: str) -> float:
        """Return how long a notebook took from the queue to its end, in seconds."""
        if self.is_warm:
            self._await_kernel()
        found = self.end(self.start(name))
        assert found.ended_at is not None
        return found.ended_at - found.created_at

    @property
    def is_warm(self) -> bool:
        """Whether kernels wait here."""
        return self.session.store.settings.warm_kernels > 0

    def _await_kernel(self) -> None:
        path = (make_state_dir(self.folder) / warm_kernels.ADDRESS).read_text()
        while not warm_kernels.ask_state(path)["ready"]:
            time.sleep(0.005)

    def rate(self, name: str, count: int) -> float:
        """Return how many notebooks end a minute when `count` are queued at once."""
        started = time.perf_counter()
        for run_id in [self.start(name) for _ in range(count)]:
            self.end(run_id)
        return 60 * count / (time.perf_counter() - started)

    def weigh(self) -> float:
        """Return the memory that one more run takes for itself, in MB: that of its kernel."""
        started = time.time()
        run_id = self.start("hold")
        try:
            while True:
                for child in psutil.Process(self.crew.pid).children(recursive=True):
                    if is_kernel(child, self.folder):
                        return child.memory_full_info().uss / 1e6
                assert time.time() - started < 60
                time.sleep(0.2)
        finally:
            (self.folder / "go").touch()
            self.end(run_id)
            (self.folder / "go").unlink()

    def close(self) -> None:
        """End the crew."""
        self.crew.terminate()
        self.crew.wait()
        self.session.close()


class Scheduler:
    """jupyter-scheduler in a process of its own.

    Args:
        folder: Its notebooks and its database are here.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        for name, cells in {**NOTEBOOKS, "hold": [HELD.format(folder=folder)]}.items():
            write_notebook(folder / f"{name}.ipynb", cells)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("scheduled.py")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.run("trivial")

    def run(self, *names: str) -> float:
        """Return how long notebooks that are queued at once take to their ends, in seconds."""
        self._ask(names)
        return self._answer()

    def rate(self, name: str, count: int) -> float:
        """Return how many notebooks end a minute when `count` are queued at once."""
        return 60 * count / self.run(*[name] * count)

    def weigh(self) -> float:
        """Return the memory that a job takes for itself, in MB: its process and its kernel."""
        family = psutil.Process(self._process.pid)
        before = {child.pid for child in family.children(recursive=True)}
        self._ask(["hold"])
        while not (self._folder / "held").exists():
            time.sleep(0.05)
        found = [c for c in family.children(recursive=True) if c.pid not in before]
        weight = sum(child.memory_full_info().uss for child in found) / 1e6
        (self._folder / "go").touch()
        self._answer()
        return weight

    def _ask(self, names: Sequence[str]) -> None:
        assert self._process.stdin is not None
        print(json.dumps([f"{name}.ipynb" for name in names]), file=self._process.stdin, flush=True)

    def _answer(self) -> float:
        assert self._process.stdout is not None
        taken = json.loads(self._process.stdout.readline())
        assert taken is not None, "a job failed"
        return taken

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def is_kernel(process: psutil.Process, folder: Path) -> bool:
    """Say whether a process is a kernel that executes a notebook in `folder`."""
    try:
        words = " ".join(process.cmdline())
        is_one = "ipykernel_launcher" in words or "fork_server" in words
        return is_one and Path(process.cwd()) == folder
    except psutil.Error:
        return False


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook of code cells."""
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(cells)
    ]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": spec, "cells": made}
    path.write_text(json.dumps(content))


def with_papermill(path: str) -> None:
    """Execute a notebook as papermill does by itself."""
    logging.getLogger("papermill").setLevel(logging.ERROR)
    from papermill import execute_notebook

    execute_notebook(path, f"{path}.out.ipynb", progress_bar=False)


def with_nbclient(path: str) -> None:
    """Execute a notebook as nbclient does by itself."""
    import nbformat
    from nbclient import NotebookClient

    made: Any = nbformat.read(path, 4)
    NotebookClient(made).execute()
    nbformat.write(made, f"{path}.out.ipynb")


def measure(runs_each: int = 15, burst: int = 60, peers_burst: int = 4) -> list[Row]:
    """Measure latency, throughput and memory.

    Args:
        runs_each: Runs of each contender for a latency.
        burst: Notebooks that are queued at once.
        peers_burst: Notebooks for each process of another program.
    """
    warnings.simplefilter("ignore", DeprecationWarning)  # papermill's own imports
    with _folder() as folder, ExitStack() as stack:
        sites: dict[str, Site] = {}
        for name, workers, warm in (("one", 1, 1), ("two", 2, 2), ("cold", 1, 0)):
            sites[name] = Site(folder / name, workers, warm)
            stack.callback(sites[name].close)
        scheduler = _scheduler(folder / "scheduler", stack)
        rows = [_latency(kind, sites, scheduler, runs_each) for kind in NOTEBOOKS]
        for kind in NOTEBOOKS:
            rows += [_rate(kind, sites, scheduler, n, burst, peers_burst) for n in (1, 2)]
        peers = {"cold": sites["cold"].weigh()}
        if scheduler:
            peers[SCHEDULER] = scheduler.weigh()
        ours = sites["one"].weigh()
        return [*rows, Row("memory of one more run", ours, "MB", 40, peers=peers)]


def _scheduler(folder: Path, stack: ExitStack) -> Scheduler | None:
    """Return jupyter-scheduler, or None when it is not installed."""
    if find_spec("jupyter_scheduler") is None:
        return None
    made = Scheduler(folder)
    stack.callback(made.close)
    return made


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made).resolve()


def _latency(kind: str, sites: dict[str, Site], scheduler: Scheduler | None, count: int) -> Row:
    path = str(sites["one"].folder / f"{kind}.ipynb")
    contenders: dict[str, Callable[[], float]] = {
        "ours": lambda: sites["one"].run(kind),
        "cold": lambda: sites["cold"].run(kind),
        "papermill": lambda: timed(lambda: with_papermill(path)),
        "nbclient": lambda: timed(lambda: with_nbclient(path)),
    }
    if scheduler:
        contenders[SCHEDULER] = lambda: scheduler.run(kind)
    found, notes = medians(contenders, count)
    if scheduler is None:
        notes.append(f"{SCHEDULER} is not installed; `make .venv/bench` does it")
    found = {name: 1_000 * seconds for name, seconds in found.items()}
    target = 60 if kind == "trivial" else None
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    return Row(
        f"{kind} notebook, queue to end, median",
        found.pop("ours", None),
        "ms",
        target,
        peers=found,
        note="; ".join([load, *notes]),
    )


def _rate(
    kind: str,
    sites: dict[str, Site],
    scheduler: Scheduler | None,
    workers: int,
    burst: int,
    peers_burst: int,
) -> Row:
    site = sites["one" if workers == 1 else "two"]
    peers = {
        name: _peer_rate(name, site.folder / f"{kind}.ipynb", workers, peers_burst)
        for name in ("papermill", "nbclient")
    }
    if scheduler:
        peers[SCHEDULER] = scheduler.rate(kind, workers)
    return Row(
        f"{kind} notebooks, {workers} at a time",
        site.rate(kind, burst),
        "a minute",
        300 if kind == "trivial" else None,
        more_is_better=True,
        peers=peers,
    )


def _peer_rate(name: str, path: Path, workers: int, count: int) -> float:
    """Return how many notebooks end a minute in processes that do nothing else."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    processes: list[subprocess.Popen[str]] = []
    for number in range(workers):
        own = path.with_name(f"{number}-{path.name}")
        own.write_text(path.read_text())
        code = PEER.format(name=name, count=count, path=str(own))
        command = [sys.executable, "-c", code]
        processes.append(
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
    taken = [float(process.communicate()[0]) for process in processes]
    return 60 * count * workers / statistics.mean(taken)


if __name__ == "__main__":
    from benchmarks.report import show
    from rich.console import Console

    show({"notebooks": measure()}, Console())
