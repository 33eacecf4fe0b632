"""A workspace whose nodes write down every call, and the processes that execute its runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from iaiflow_lab import log_files
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.event import StepFinished
from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.queue.owner import owner_name, parse_owner
from iaiflow_lab.queue.transition import read_head
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import Session, history, open_session, runs
from iaiflow_lab.service.history import RunSummary, RunView
from iaiflow_lab.service.runs import Options
from iaiflow_lab.settings import make_state_dir
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.supervisor import Supervisor, Terms, worker_command

PROBES = """
import os, re, signal, time
from pathlib import Path
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


def note(ctx):
    line = f"{ctx.run_id} {ctx.step} {time.time()!r} {os.getpid()}\\n"
    with open(ctx.workspace / "calls.txt", "ab", buffering=0) as out:
        out.write(line.encode())


@node("probe.step", effects="read")
def step(ctx: Context, before: float = 0, also: float = 0, *, seconds: float = 0.03) -> float:
    note(ctx)
    time.sleep(seconds)
    return before + also + 1


@node("probe.gate", effects="read")
def gate(ctx: Context, before: float = 0) -> float:
    note(ctx)
    while not (ctx.workspace / "open").exists():
        time.sleep(0.005)
    return before + 1


@node("probe.big", effects="read")
def big(ctx: Context, before: float = 0) -> bytes:
    note(ctx)
    return bytes(100_000)


@node("probe.obedient", effects="read")
def obedient(ctx: Context) -> None:
    note(ctx)
    while not ctx.cancelled:
        time.sleep(0.005)


@node("probe.stubborn", effects="read")
def stubborn(ctx: Context) -> None:
    note(ctx)
    time.sleep(3_600)  # a call that nothing but the end of the process interrupts


@node("probe.greedy", effects="read")
def greedy(ctx: Context) -> None:
    note(ctx)
    re.match("(a+)+$", "a" * 60 + "b")  # holds the interpreter for centuries


@node("probe.apart", pool="process", effects="read")
def apart() -> None:
    if not Path("apart").exists():
        Path("apart").touch()
        time.sleep(3_600)


@node("probe.ask", effects="read")
def ask(ctx: Context, before: float = 0) -> float:
    note(ctx)
    return before + ctx.wait("number", "signal", name="number").value


@node("probe.poison", effects="read")
def poison(ctx: Context) -> None:
    note(ctx)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass(frozen=True)
class Call:
    """One call of a node."""

    run_id: str
    step: str
    at: float
    pid: int


class Site:
    """A workspace with probe nodes; starts runs and the processes that execute them."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        (folder / "flow_nodes").mkdir()
        (folder / "flow_nodes" / "probe.py").write_text(PROBES)
        lines = [f"{name} = {value!r}" for name, value in settings.items()]
        (make_state_dir(folder) / "config.toml").write_text("\n".join(lines))
        self.session: Session = open_session(folder)
        self.types = load_catalog(folder)
        self._supervisors: list[tuple[Supervisor, Thread]] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, flow: Mapping[str, Any], **options: Any) -> str:
        return runs.start(self.session, from_data(flow), {}, self.types, Options(**options))

    def start_node(self, node_type: str, **options: Any) -> str:
        nodes = {"only": {"type": node_type}}
        return self.start({"format": "iaiflow/1", "name": node_type, "nodes": nodes}, **options)

    def supervise(self, duty: Duty | None = None, **terms: Any) -> Supervisor:
        """Run a supervisor in a thread of this process."""
        supervisor = Supervisor(
            self.session.coordinator,
            self.session.world,
            str(self.folder),
            duty or Duty(("default",)),
            Terms(**{"lease_s": self.session.store.settings.lease_s} | terms),
        )
        thread = Thread(target=supervisor.run)
        thread.start()
        self._supervisors.append((supervisor, thread))
        return supervisor

    def work(self, **environment: str) -> int:
        """Drain the queue with one worker process and return its exit status."""
        theirs, ours = os.pipe()
        command = [*worker_command(str(self.folder), Duty(("default",), drain=True))]
        process = subprocess.Popen(
            [*command, "--lifeline", str(theirs)],
            pass_fds=(theirs,),
            start_new_session=True,
            env={**os.environ, **environment},
        )
        os.close(theirs)
        name = owner_name("worker", self.session.world.ids, process.pid)
        os.write(ours, f"{name}\n".encode())
        status = process.wait(timeout=60)
        os.close(ours)
        return status

    def command(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `iaiflow` with arguments as a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-c", "from iaiflow_lab.cli import main; main()", *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for something that must happen, and return what `condition` found."""
        for _ in range(24_000):  # two minutes at least: only a hang takes so long
            found = condition()
            if found:
                return found
            time.sleep(0.005)
        found = history.list_runs(self.session, limit=1_000)
        shown = Counter(f"{run.state} {run.error or run.reason}" for run in found)
        stuck = [self.describe(run) for run in found if run.state not in TERMINAL][:5]
        raise AssertionError("\n".join([f"{what} did not happen; runs: {dict(shown)}", *stuck]))

    def describe(self, run: RunSummary) -> str:
        """Say where a run stands, and who holds it."""
        events = [event for _, event in history.events(self.session, run.id)]
        pid = self.holder(run.id)
        lines = [f"{run.id} of {run.flow}, {run.state}, attempt {run.attempt}", *processes(pid)]
        return "\n  ".join([*lines, *(f"{event.at:.3f} {event}"[:300] for event in events[-8:])])

    def run(self, run_id: str) -> RunView:
        return history.get(self.session, run_id)

    def ended(self, run_id: str) -> RunView:
        """Wait for the end of a run."""
        self.until(lambda: self.state(run_id) in TERMINAL, f"The end of {run_id}")
        return self.run(run_id)

    def state(self, run_id: str) -> RunState:
        with self.session.store.db.read() as reader:
            return read_head(reader, run_id).state

    def holder(self, run_id: str) -> int | None:
        """Return the process that holds a run."""
        with self.session.store.db.read() as reader:
            owner = parse_owner(read_head(reader, run_id).owner)
        return None if owner is None else owner.pid

    def calls(self, run_id: str = "") -> list[Call]:
        """Return every call of a probe so far, of one run or of all."""
        file = self.folder / "calls.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        found = [
            Call(run, step, float(at), int(pid)) for run, step, at, pid in map(str.split, lines)
        ]
        return [call for call in found if run_id in {"", call.run_id}]

    def log(self) -> str:
        """Return what the processes of the workspace have said so far."""
        file = self.folder / ".iaiflow" / log_files.FOLDER / log_files.FILE
        return file.read_text() if file.exists() else ""

    def outcomes(self, run_id: str) -> list[StepFinished]:
        """Return every outcome in the run's journal."""
        events = (event for _, event in history.events(self.session, run_id))
        return [event for event in events if isinstance(event, StepFinished)]

    def check_promise(self, run_id: str) -> None:
        """Check that each outcome was recorded once and no recorded step was called again."""
        outcomes = self.outcomes(run_id)
        recorded = Counter(outcome.step for outcome in outcomes)
        assert set(recorded.values()) <= {1}, f"recorded twice: {recorded}"
        recorded_at = {outcome.step: outcome.at for outcome in outcomes}
        late = [c for c in self.calls(run_id) if c.at > recorded_at.get(c.step, float("inf"))]
        assert late == [], "called again although its outcome was recorded"

    def workers(self, supervisor: Supervisor) -> list[int]:
        return [worker.process.pid for worker in list(supervisor._workers)]

    def close(self) -> None:
        for supervisor, _ in self._supervisors:
            for _ in range(3):
                supervisor.stop()
        for _, thread in self._supervisors:
            thread.join()
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.session.close()


def processes(pid: int | None) -> list[str]:
    """Say what the process `pid` and its children are, and what their threads wait for."""
    if pid is None or is_gone(pid):
        return [f"held by {pid}, which is gone"]
    leader = psutil.Process(pid)
    lines = [f"held by {pid}, which is alive"]
    for process in (leader, *leader.children(recursive=True)):
        with suppress(psutil.Error, OSError):
            tasks = list(Path(f"/proc/{process.pid}/task").iterdir())
            waits = [
                f"{(t / 'comm').read_text().strip()}: {(t / 'wchan').read_text()}" for t in tasks
            ]
            lines.append(f"{process.pid} {process.status()} {process.cmdline()} {waits}"[:1_000])
    return lines


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; a zombie has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(name="is_gone")
def _is_gone() -> Callable[[int], bool]:
    return is_gone


@pytest.fixture
def make_site(workspace: Path) -> Iterator[Callable[..., Site]]:
    """Return `make_site(lease_s=..., ...)`: a workspace with these settings."""
    made: list[Site] = []

    def make(**settings: Any) -> Site:
        made.append(Site(workspace, **settings))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def diamond() -> dict[str, Any]:
    """Return a flow of eight steps: some in a row, some side by side."""
    nodes = {name: {"type": "probe.step"} for name in "abcdefgh"}
    edges = ["a.out -> b.before", "a.out -> c.before", "b.out -> d.before", "c.out -> d.also"]
    edges += ["d.out -> e.before", "d.out -> f.before", "e.out -> g.before", "g.out -> h.before"]
    return {"format": "iaiflow/1", "name": "Diamond", "nodes": nodes, "edges": edges}
