"""Clocks in processes of their own, killed at random: no moment is fired twice, none is lost."""

from __future__ import annotations

import json
import os
import queue
import random
import subprocess
import sys
import threading

import pytest

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS
from iaiflow_lab.model.schedule import Catchup, Interval, Overlap, Rule
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import firing, open_session, schedules, servers
from iaiflow_lab.service.schedule_rows import ScheduleSpec

pytestmark = [pytest.mark.fault, pytest.mark.slow]

PATIENCE = 60.0
SCHEDULES = 8
FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}
#: A clock of its own; it says what it did, and ends with its input.
CLOCK = """
import sys
from iaiflow_lab.scheduler.clock import Clock
from iaiflow_lab.service import open_session

clock = Clock(open_session, tell=lambda sentence: print(sentence, flush=True))
clock.start()
sys.stdin.read()
clock.stop()
"""


@pytest.fixture
def session(workspace):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    with open_session(workspace) as opened:
        yield opened


@pytest.fixture
def start_clock(workspace):
    started = []

    def start(crash_at=""):
        process = subprocess.Popen(
            [sys.executable, "-c", CLOCK],
            cwd=workspace,
            env={**os.environ, CRASH_AT: crash_at},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if listener := getattr(process, "listener", None):
            listener.join()
        process.stdin.close()
        process.stdout.close()


def add(session, count=SCHEDULES):
    spec = ScheduleSpec(
        "tick.flow.json", Rule(Interval(1.0)), catchup=Catchup.ALL, overlap=Overlap.ALLOW
    )
    catalog = load_catalog(session.workspace)
    return [schedules.add(session, spec, catalog) for _ in range(count)]


def made_for(session):
    """Return the moments of every schedule's runs."""
    with session.store.db.read() as reader:
        rows = [dict(row) for row in reader.all("runs_list", EVERYTHING)]
    found = {}
    for row in rows:
        found.setdefault(row["schedule_id"], []).append(row["due_at"])
    return found


EVERYTHING = {
    "project": "default",
    "before": "\uffff",
    "states": None,
    "flow": None,
    "queue": None,
    "limit": 100_000,
}


def check(session, made):
    """Pause everything, fire what is left, and compare with the moments that have come."""
    for schedule in made:
        firing.fire_due(session, load_catalog(session.workspace))
        last = schedules.get(session, schedule.id)
        schedules.pause(session, schedule.id)
        count = round(last.last_due - schedule.next_due) + 1
        expected = [schedule.next_due + number for number in range(count)]
        assert sorted(made_for(session)[schedule.id]) == expected
        assert count >= 1


def listen(clock, heard):
    """Put each sentence of a clock into a queue, from a thread."""

    def read():
        for line in clock.stdout:
            heard.put(line)

    clock.listener = threading.Thread(target=read, daemon=True)
    clock.listener.start()
    return clock


def test_three_clocks_and_random_kills_fire_each_moment_once(session, start_clock, soak):
    chance, heard = random.Random(11), queue.SimpleQueue()
    made = add(session)
    clocks = [listen(start_clock(), heard) for _ in range(3)]
    for _ in range(soak(6, 300)):
        for _ in range(chance.randrange(3, 20)):  # one dies soon after one of them has fired
            heard.get(timeout=PATIENCE)
        victim = clocks.pop(chance.randrange(3))
        victim.kill()
        victim.wait()
        clocks.append(listen(start_clock(), heard))
    for clock in clocks:
        clock.stdin.close()
        assert clock.wait(PATIENCE) == 0
    check(session, made)
    assert all(server.stopped_at is not None for server in servers.who_fires(session))


@pytest.mark.parametrize("point", ["fire.before_commit", "fire.after_commit"])
@pytest.mark.parametrize("arrival", [1, 3])
def test_a_clock_that_crashes_while_it_fires(session, start_clock, point, arrival):
    made = add(session, 2)
    dying = start_clock(f"{point}:{arrival}")
    assert dying.wait(PATIENCE) == CRASH_STATUS
    after = start_clock()
    assert any(line.startswith("Schedule ") for line in after.stdout)
    after.communicate("")
    check(session, made)
