"""The supervisor keeps trying: workers that cannot start, stores that cannot answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Event, Thread

import pytest

from iaiflow_lab.errors import StoreError
from iaiflow_lab.queue.owner import process_start
from iaiflow_lab.queue.protocol import Pulse
from iaiflow_lab.worker import supervisor as supervising
from iaiflow_lab.worker.duty import WORN_OUT, Duty
from iaiflow_lab.worker.supervisor import Supervisor, Terms, describe_end, worker_command
from iaiflow_lab.world import real_world


class Ledger:
    """A coordinator that notes what it is told."""

    def __init__(self, refusals=0, lost=()):
        self.released = []
        self.lost = list(lost)
        self.refusals = refusals
        self.beats = 0

    def beat(self, owner):
        self.beats += 1
        return Pulse(cancel=[], lost=self.lost)

    def release(self, owner, reason):
        if self.refusals:
            self.refusals -= 1
            raise StoreError("The disk is full.")
        self.released.append((owner, reason))
        return []

    def sweep(self):
        return []


@pytest.fixture
def supervise(monkeypatch):
    """Return `supervise(code, ...)`: workers that execute `code` instead of runs."""
    running = []

    def start(code, ledger, tell, **terms):
        command = [sys.executable, "-c", code]
        monkeypatch.setattr(supervising, "worker_command", lambda spec, duty: command)
        drains = terms.pop("drain", False)
        made = Supervisor(ledger, real_world(), "", Duty(drain=drains), Terms(**terms), tell=tell)
        thread = Thread(target=made.run)
        thread.start()
        running.append((made, thread))
        return made, thread

    yield start
    for made, thread in running:
        for _ in range(3):
            made.stop()
        thread.join()


class Told:
    """Sentences, with a signal at the n-th."""

    def __init__(self, wanted):
        self.sentences = []
        self.enough = Event()
        self._wanted = wanted

    def __call__(self, sentence):
        self.sentences.append(sentence)
        if len(self.sentences) >= self._wanted:
            self.enough.set()


def test_a_worker_that_cannot_start_is_tried_again(supervise):
    ledger, told = Ledger(), Told(3)
    supervise("raise SystemExit(2)", ledger, told)
    assert told.enough.wait(60)
    assert all("its process ended with status 2" in sentence for sentence in told.sentences[:3])
    owners = [owner for owner, _ in ledger.released]
    assert len(set(owners)) == len(owners) >= 3


def test_workers_that_lived_are_replaced_without_a_pause_that_grows(supervise, monkeypatch):
    monkeypatch.setattr(supervising, "_PROVEN", 0.0)
    told = Told(4)
    supervisor, _ = supervise("raise SystemExit(3)", Ledger(), told)
    assert told.enough.wait(60)
    assert supervisor._failures <= 1


def test_a_process_that_the_system_refuses_is_asked_for_again(supervise, monkeypatch):
    refusals, popen = [BlockingIOError(11, "No more processes")] * 2, subprocess.Popen

    def refuse_twice(*arguments, **options):
        if refusals:
            raise refusals.pop()
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", refuse_twice)
    ledger, told = Ledger(), Told(2)
    _, thread = supervise("", ledger, told, drain=True)
    thread.join(60)
    assert told.sentences == ["A worker cannot be started: No more processes."] * 2
    assert len(ledger.released) == 1


def test_a_release_that_is_refused_is_made_later(supervise):
    ledger, told = Ledger(refusals=2), Told(2)
    _, thread = supervise("", ledger, told, drain=True)
    thread.join(60)
    assert [sentence for sentence in told.sentences if "disk is full" in sentence]
    assert len(ledger.released) == 1


def test_a_worker_that_goes_on_with_a_lost_run_is_ended(supervise):
    ledger, told = Ledger(lost=["run_1"]), Told(1)
    supervise("import time\ntime.sleep(600)", ledger, told, cancel_grace_s=0.1, end_s=60.0)
    assert told.enough.wait(60)
    assert "SIGTERM" in told.sentences[0]


#: Notes that it was started, and that it became a worker.
NOTING = """
import os, sys, time
from pathlib import Path

Path(f"started-{os.getpid()}").touch()
if os.read(int(sys.argv[-1]), 100):
    Path(f"named-{os.getpid()}").touch()
    time.sleep(600)
"""


def await_notes(place, kind, count):
    """Wait until so many processes have noted something; returns which."""
    while len(found := {int(file.name.split("-")[1]) for file in place.glob(f"{kind}-*")}) < count:
        time.sleep(0.01)
    return found


def test_a_process_stands_by_for_a_worker_that_dies(supervise, workspace):
    made, thread = supervise(NOTING, Ledger(), print)
    ready = await_notes(workspace, "started", 2)
    (first,) = await_notes(workspace, "named", 1)
    os.kill(first, signal.SIGKILL)
    assert await_notes(workspace, "named", 2) == ready
    (third,) = await_notes(workspace, "started", 3) - ready
    for _ in range(3):
        made.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert process_start(third) == "", "it was ended, too"


def test_nobody_stands_by_for_a_crew_that_drains(supervise, workspace):
    _, thread = supervise(NOTING.partition("if")[0], Ledger(), print, drain=True)
    thread.join(60)
    assert len(await_notes(workspace, "started", 1)) == 1


def test_a_drained_crew_ends_by_itself(supervise):
    ledger = Ledger()
    _, thread = supervise("", ledger, print, drain=True, concurrency=2)
    thread.join(60)
    assert not thread.is_alive()
    assert len(ledger.released) == 2


def test_a_worker_that_ignores_every_request_is_killed(supervise):
    code = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"
    )
    ledger = Ledger()
    made, thread = supervise(code, ledger, print, drain_s=0.1, end_s=0.1)
    made.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert len(ledger.released) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (-9, "its process was killed by SIGKILL"),
        (-11, "its process was killed by SIGSEGV"),
        (-250, "its process was killed by signal 250"),
        (WORN_OUT, "its process ended with status 75"),
    ],
)
def test_how_a_worker_ended_in_words(status, words):
    assert describe_end(status) == words


def test_a_worker_is_told_its_duty():
    command = worker_command("/place", Duty(("a", "b"), run_id="run_1", drain=True))
    assert command[1:] == [
        "-P", "-m", "iaiflow_lab.worker", "--coordinator", "/place", "--queue", "a", "--queue", "b",
        "--run", "run_1", "--drain",
    ]  # fmt: skip
