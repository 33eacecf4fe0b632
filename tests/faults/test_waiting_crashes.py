"""Crashes around a wait: no answer is lost or taken twice, and no run stays parked for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.service import history
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.supervisor import worker_command

pytestmark = [pytest.mark.fault, pytest.mark.slow]

FLOW = {
    "format": "iaiflow/1",
    "name": "Waits",
    "nodes": {
        "a": {"type": "probe.step"},
        "ask": {"type": "probe.ask"},
        "other": {"type": "probe.ask"},
        "c": {"type": "probe.step"},
    },
    "edges": ["a.out -> ask.before", "ask.out -> c.before", "other.out -> c.also"],
}
#: Crash points that a worker reaches while it parks the run, and while it goes on with it.
WORKER = [
    ("claim.before_commit", 1),
    ("claim.after_commit", 1),
    *[(point, n) for point in ("append.before_commit", "append.after_commit") for n in (2, 4)],
    ("settle.before_commit", 1),
    ("settle.after_commit", 1),
    ("step.before_call", 2),
    ("step.after_call", 1),
]
SENDER = """
import sys
from pathlib import Path
from iaiflow_lab.service import open_session, waits

with open_session(Path(sys.argv[1])) as session:
    waits.signal(session, sys.argv[2], "number", int(sys.argv[3]), dedupe=sys.argv[3])
"""


def work(site, crash_at=""):
    """Drain the queue with one worker process and return its exit status."""
    theirs, ours = os.pipe()
    process = subprocess.Popen(
        [*worker_command(str(site.folder), Duty(("default",), drain=True)), "--lifeline",
         str(theirs)],
        pass_fds=(theirs,),
        start_new_session=True,
        env={**os.environ, CRASH_AT: crash_at},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, f"{owner_name('worker', site.session.world.ids, process.pid)}\n".encode())
    status = process.wait(timeout=60)
    os.close(ours)
    site.session.coordinator.sweep()
    return status


def send(site, run_id, number, crash_at=""):
    command = [sys.executable, "-c", SENDER, str(site.folder), run_id, str(number)]
    return subprocess.run(command, env={**os.environ, CRASH_AT: crash_at}, check=False).returncode


def check_end(site, run_id):
    run = site.run(run_id)
    assert run.state is RunState.COMPLETED, run.error
    assert run.outputs["c"].inline == 32
    events = [event for _, event in history.events(site.session, run_id)]
    answers = [(e.step, e.key) for e in events if isinstance(e, ev.WaitAnswered)]
    assert sorted(answers) == [("ask", "number"), ("other", "number")]
    taken = sorted(e.value for e in events if isinstance(e, ev.WaitAnswered))
    assert taken == [10, 20]
    # A node that was parked is called again; one whose outcome was recorded never is.
    site.check_promise(run_id)


@pytest.mark.parametrize(("point", "arrival"), WORKER)
def test_a_crash_while_a_run_is_parked(make_site, point, arrival):
    site = make_site(lease_s=600.0, durability="sync")
    run_id = site.start(FLOW)
    assert work(site, f"{point}:{arrival}") == CRASH_STATUS
    assert work(site) == 0
    assert site.state(run_id) is RunState.WAITING
    for number in (10, 20):
        assert send(site, run_id, number) == 0
    assert site.state(run_id) is RunState.QUEUED
    assert work(site) == 0
    check_end(site, run_id)


@pytest.mark.parametrize(("point", "arrival"), WORKER)
def test_a_crash_while_a_run_goes_on_with_its_answers(make_site, point, arrival):
    site = make_site(lease_s=600.0, durability="sync")
    run_id = site.start(FLOW)
    assert work(site) == 0
    for number in (10, 20):
        assert send(site, run_id, number) == 0
    assert work(site, f"{point}:{arrival}") == CRASH_STATUS
    assert work(site) == 0
    check_end(site, run_id)


@pytest.mark.parametrize("point", ["signal.before_commit", "signal.after_commit"])
@pytest.mark.parametrize("is_early", [True, False])
def test_a_sender_that_crashes_may_send_again(make_site, point, is_early):
    site = make_site(lease_s=600.0)
    run_id = site.start(FLOW)
    if not is_early:
        assert work(site) == 0
    assert send(site, run_id, 10, f"{point}:1") == CRASH_STATUS
    assert send(site, run_id, 10) == 0
    assert send(site, run_id, 20) == 0
    assert work(site) == 0
    check_end(site, run_id)


def test_answers_and_crashes_at_any_moment(make_site, soak):
    """Workers are killed and answers sent at random; every run ends with each answer once."""
    site = make_site(lease_s=600.0, durability="sync", max_attempts=1_000)
    for number in range(soak(3, 60)):
        run_id = site.start(FLOW)
        point, arrival = WORKER[number % len(WORKER)]
        senders = [10, 20]
        while site.state(run_id) is not RunState.COMPLETED:
            work(site, f"{point}:{arrival}" if senders else "")
            if senders:
                assert send(site, run_id, senders.pop()) == 0
        check_end(site, run_id)
