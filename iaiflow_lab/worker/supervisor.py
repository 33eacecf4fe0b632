"""Starts workers, beats for them, and buries them: a dead worker's run is free at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from iaiflow_lab.engine.processes import SCRATCH
from iaiflow_lab.errors import LabError
from iaiflow_lab.notebook.sockets import SOCKETS, make_socket_folder
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.queue.protocol import Coordinator
from iaiflow_lab.worker.duty import DISK_FULL, WORN_OUT, Duty
from iaiflow_lab.worker.family import signal_family
from iaiflow_lab.world import World

#: The request to stop that kills the workers; then leases free what cannot be freed at once.
_KILLED: Final = 3
#: What people are told at each request to stop.
STOPPING: Final = {
    1: "Ending after the present runs; asked again, they are given back to the queue.",
    2: "Giving the present runs back; asked again, the workers are killed.",
    3: "Killing the workers.",
}
#: Pauses before a worker that died without a run is started again, in seconds.
_FIRST_BACKOFF: Final = 0.1
_LONGEST_BACKOFF: Final = 30.0
#: A worker that lived for so long has not failed at its start, in seconds.
_PROVEN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How a supervisor treats its workers."""

    #: How many workers run side by side.
    concurrency: int = 1
    #: How long a silent worker keeps its run, in seconds; beats come three times as often.
    lease_s: float = 15.0
    #: How long a worker may go on with a run that is cancelled or lost, in seconds.
    cancel_grace_s: float = 5.0
    #: How long a run may go on after the supervisor was asked to end, in seconds.
    drain_s: float = 30.0
    #: How long a worker may take to give its run back or to end on SIGTERM, in seconds.
    end_s: float = 3.0


@dataclass(eq=False, slots=True)
class _Worker:
    """One worker process."""

    process: subprocess.Popen[bytes]
    #: The name under which it holds runs.
    owner: str
    #: The end of its pipe that is ours.
    lifeline: int
    #: Where its sockets and its temporary files are, by variable; removed after it.
    folders: Mapping[str, str]
    #: When it was told its name, in monotonic seconds.
    since: float = 0.0
    #: When each of its runs was first seen cancelled or lost, in monotonic seconds.
    unwanted: dict[str, float] = field(default_factory=dict[str, float])
    #: When it is killed, in monotonic seconds; None: it is not to be killed.
    kill_at: float | None = None


class Supervisor:
    """Keeps workers at work until it is asked to stop, or until the queue is drained.

    Args:
        coordinator: Where leases are prolonged and dead workers reported.
        world: Gives time, chance and names.
        spec: What each worker connects to.
        duty: Which runs the workers take.
        terms: How the workers are treated.
        tell: Takes a sentence about what happened, for people.
        environment: Added to the environment of the workers.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        world: World,
        spec: str,
        duty: Duty,
        terms: Terms,
        *,
        tell: Callable[[str], None] = lambda _: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._coordinator = coordinator
        self._world = world
        self._clock = world.clock
        self._command = worker_command(spec, duty)
        self._drains = duty.drain
        self._has_spare = not (duty.drain or duty.run_id)
        self._terms = terms
        self._tell = tell
        self._environment = environment or {}
        #: A worker that has died, or None for a request to stop.
        self._news: SimpleQueue[_Worker | None] = SimpleQueue()
        self._workers: list[_Worker] = []
        #: A process that is not a worker yet.
        self._spare: _Worker | None = None
        #: Moments at which a worker is to be started.
        self._starts: list[float] = []
        #: Dead workers whose runs are still to be freed, with the reason.
        self._unreleased: dict[str, str] = {}
        self._failures = 0
        self._stops = 0
        #: What it said last of what hinders it; "" when nothing does.
        self._complaint = ""
        #: When the next, stronger request to stop follows by itself.
        self._escalate_at: float | None = None
        self._beat_s = min(terms.lease_s / 3, 1.0)
        self._next_beat = 0.0

    def stop(self) -> None:
        """Ask the workers to end after their runs; asked again, to give their runs back; then die.

        May be called from any thread and from a signal handler.
        """
        self._news.put(None)

    def run(self) -> None:
        """Supervise until every worker has ended because it was asked to, or has drained."""
        self._starts = [self._clock.monotonic()] * self._terms.concurrency
        try:
            while self._workers or self._starts or (self._unreleased and self._stops < _KILLED):
                self._start_due()
                self._keep_spare()
                self._take_news()
                self._release_all()
                self._tick()
        finally:
            self._end_spare()
            for worker in self._workers:  # only after an error of our own
                signal_family(worker.owner, worker.process.pid, signal.SIGKILL)

    def _start_due(self) -> None:
        now = self._clock.monotonic()
        due = [moment for moment in self._starts if moment <= now]
        self._starts = [moment for moment in self._starts if moment > now]
        for _ in due:
            self._start()

    def _start(self) -> None:
        """Let the spare process become a worker, or a new one, and have another one ready."""
        worker = self._spare or self._spawn()
        self._spare = None
        if worker is None:
            self._start_later(failed=True)
            return
        worker.since = self._clock.monotonic()
        self._workers.append(worker)
        Thread(target=self._await_death, args=(worker,), daemon=True).start()
        with suppress(BrokenPipeError):  # it is dead already, which its own thread reports
            os.write(worker.lifeline, f"{worker.owner}\n".encode())

    def _keep_spare(self) -> None:
        """Have a process that has imported everything: a dead worker's run does not wait for it."""
        if self._has_spare and not (self._spare or self._starts or self._stops):
            self._spare = self._spawn()

    def _spawn(self) -> _Worker | None:
        """Start a process that becomes a worker when it is told its name."""
        theirs, ours = os.pipe()
        folders = {
            SOCKETS: str(make_socket_folder()),
            SCRATCH: tempfile.mkdtemp(prefix="iaiflow-"),
        }
        try:
            process = subprocess.Popen(
                [*self._command, "--lifeline", str(theirs)],
                env={**os.environ, **self._environment, **folders},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(ours)
            _remove(folders)
            self._tell(f"A worker cannot be started: {error.strerror}.")
            return None
        finally:
            os.close(theirs)
        owner = owner_name("worker", self._world.ids, process.pid)
        return _Worker(process, owner, ours, folders)

    def _end_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare.lifeline)
            self._spare.process.kill()  # it has done nothing yet
            self._spare.process.wait()
            _remove(self._spare.folders)
            self._spare = None

    def _await_death(self, worker: _Worker) -> None:
        worker.process.wait()
        self._news.put(worker)

    def _take_news(self) -> None:
        try:
            news = self._news.get(timeout=self._pause())
        except Empty:
            return
        if news is None:
            self._stop_workers()
        else:
            self._bury(news)

    def _pause(self) -> float:
        moments = [self._next_beat, *self._starts]
        moments += [worker.kill_at for worker in self._workers if worker.kill_at is not None]
        if self._escalate_at is not None:
            moments.append(self._escalate_at)
        return max(0.0, min(moments) - self._clock.monotonic())

    def _bury(self, worker: _Worker) -> None:
        """Free a dead worker's run, end what the run started, and see to a successor."""
        self._workers.remove(worker)
        os.close(worker.lifeline)
        status = worker.process.returncode
        signal_family(worker.owner, worker.process.pid, signal.SIGKILL)
        _remove(worker.folders)
        self._unreleased[worker.owner] = describe_end(status)
        had_run = self._release(worker.owner)
        if self._stops or (status == 0 and self._drains):
            return
        failed = not had_run and status not in (0, WORN_OUT)
        if failed:
            self._tell(f"Worker {worker.process.pid} is gone: {describe_end(status)}.")
        if self._clock.monotonic() - worker.since >= _PROVEN:
            self._failures = 0
        self._start_later(failed=failed)

    def _start_later(self, *, failed: bool) -> None:
        """Have another worker started: at once, or after a pause that grows with each failure."""
        self._failures = self._failures + 1 if failed else 0
        doublings = min(self._failures - 1, 20)  # after days of them, 2 ** n is no float any more
        pause = _FIRST_BACKOFF * 2**doublings if failed else 0.0
        self._starts.append(self._clock.monotonic() + min(_LONGEST_BACKOFF, pause))

    def _release_all(self) -> None:
        for owner in list(self._unreleased):
            self._release(owner)

    def _release(self, owner: str) -> bool:
        """Free a dead worker's runs and say whether it held one; tried again when it fails."""
        reason = self._unreleased[owner]
        try:
            released = self._coordinator.release(owner, reason)
        except LabError as error:
            self._complain(error)
            return False
        del self._unreleased[owner]
        for run_id in released:
            self._tell(f"Run {run_id} lost its worker: {reason}.")
        return bool(released)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        if self._escalate_at is not None and now >= self._escalate_at:
            self._stop_workers()
        if now >= self._next_beat:
            self._next_beat = now + self._beat_s
            self._beat_all(now)
            self._sweep()
        for worker in self._workers:
            if worker.kill_at is not None and now >= worker.kill_at:
                worker.kill_at = None
                signal_family(worker.owner, worker.process.pid, signal.SIGKILL)

    def _beat_all(self, now: float) -> None:
        for worker in self._workers:
            try:
                pulse = self._coordinator.beat(worker.owner)
            except LabError as error:
                self._complain(error)
                continue
            worker.unwanted = {
                run_id: worker.unwanted.get(run_id, now) for run_id in (*pulse.cancel, *pulse.lost)
            }
            since = min(worker.unwanted.values(), default=now)
            if now - since >= self._terms.cancel_grace_s:
                self._end(worker)

    def _sweep(self) -> None:
        try:
            for run_id in self._coordinator.sweep():
                self._tell(f"Run {run_id} lost its worker; it is free.")
        except LabError as error:
            self._complain(error)
        else:
            self._complaint = ""

    def _complain(self, error: LabError) -> None:
        """Say what hinders it, once until it no longer does."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            self._tell(self._complaint)

    def _end(self, worker: _Worker) -> None:
        """Ask a worker and its family to end, and kill them when they do not."""
        if worker.kill_at is None:
            worker.kill_at = self._clock.monotonic() + self._terms.end_s
            signal_family(worker.owner, worker.process.pid, signal.SIGTERM)

    def _stop_workers(self) -> None:
        self._stops += 1
        self._starts.clear()
        patience = {1: self._terms.drain_s, 2: self._terms.end_s}.get(self._stops)
        now = self._clock.monotonic()
        self._escalate_at = None if patience is None else now + patience
        self._tell(STOPPING[min(self._stops, _KILLED)])
        for worker in self._workers:
            if patience is None:
                signal_family(worker.owner, worker.process.pid, signal.SIGKILL)
            else:
                worker.process.send_signal(signal.SIGTERM)


def _remove(folders: Mapping[str, str]) -> None:
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)


def worker_command(spec: str, duty: Duty) -> Sequence[str]:
    """Return the command line that starts one worker, without its pipe."""
    command = [sys.executable, "-P", "-m", "iaiflow_lab.worker", "--coordinator", spec]
    for queue in duty.queues:
        command += ["--queue", queue]
    if duty.run_id:
        command += ["--run", duty.run_id]
    return [*command, "--drain"] if duty.drain else command


def describe_end(status: int) -> str:
    """Say in a few words how a worker process ended."""
    if status == DISK_FULL:
        return "the disk was full"
    if status >= 0:
        return f"its process ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"its process was killed by {name}"
