"""Two clocks and two crews of two workers race for the same work while each is killed at random."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import suppress

import psutil
import pytest

from iaiflow_lab.model.event import RunChanged
from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.model.schedule import Catchup, Interval, Overlap, Rule
from iaiflow_lab.service import history, schedules
from iaiflow_lab.service.schedule_rows import ScheduleSpec

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3_600)]

CLOCK = """
import sys
from iaiflow_lab.scheduler.clock import Clock
from iaiflow_lab.service import open_session

clock = Clock(open_session)
clock.start()
sys.stdin.read()
clock.stop()
"""


class Race:
    """The processes that race."""

    def __init__(self, site) -> None:
        self.site = site
        self.crews = [self.crew() for _ in range(2)]
        self.clocks = [self.clock() for _ in range(2)]

    def crew(self) -> subprocess.Popen[bytes]:
        return self.site.command("worker", "-c", "2")

    def clock(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CLOCK]
        return subprocess.Popen(command, cwd=self.site.folder, stdin=subprocess.PIPE)

    def kill_one(self, chance: random.Random) -> None:
        """Kill a worker that holds a run, a crew's supervisor or a clock, and replace these."""
        kind = chance.choices(["worker", "crew", "clock"], weights=[4, 1, 2])[0]
        if kind == "worker":
            crew = psutil.Process(chance.choice(self.crews).pid)
            with suppress(IndexError, psutil.NoSuchProcess):
                chance.choice(crew.children()).kill()
            return
        ones, start = (self.crews, self.crew) if kind == "crew" else (self.clocks, self.clock)
        number = chance.randrange(2)
        ones[number].kill()
        self._bury(ones[number])
        ones[number] = start()

    def close(self) -> None:
        for process in self.clocks:
            process.kill()
            self._bury(process)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


@pytest.fixture
def race(make_site, diamond):
    site = make_site(lease_s=3.0, max_attempts=1_000, warm_kernels=0)
    (site.folder / "diamond.flow.json").write_text(json.dumps(diamond))
    for name in ("first", "second", "third"):
        spec = ScheduleSpec(
            "diamond.flow.json",
            Rule(Interval(1.0)),
            name,
            catchup=Catchup.ALL,
            overlap=Overlap.ALLOW,
        )
        schedules.add(site.session, spec, site.types)
    made = Race(site)
    yield made
    made.close()


def test_nothing_is_fired_recorded_or_ended_twice_and_nothing_is_lost(race, diamond, soak):
    site, chance = race.site, random.Random(os.environ.get("IAIFLOW_SEED", "5"))
    queued = []
    for _ in range(soak(15, 500)):
        queued += [site.start(diamond) for _ in range(2)]
        seen, enough = len(site.calls()), chance.randrange(4, 40)
        site.until(lambda: len(site.calls()) >= seen + enough, "More calls")  # noqa: B023
        race.kill_one(chance)
    for schedule in schedules.list_schedules(site.session):
        schedules.pause(site.session, schedule.id)
    site.until(lambda: not open_runs(site), "The end of every run")
    found = history.list_runs(site.session, limit=10_000)
    assert set(queued) < {run.id for run in found}
    assert {run.state for run in found} == {RunState.COMPLETED}
    for run in found:
        events = [event for _, event in history.events(site.session, run.id)]
        assert sum(isinstance(e, RunChanged) and e.state in TERMINAL for e in events) == 1
        site.check_promise(run.id)
    check_moments(site)


def open_runs(site):
    live = [state for state in RunState if state not in TERMINAL]
    return history.list_runs(site.session, states=live)


def check_moments(site):
    """Check that each moment made one run, and that none was left out."""
    moments = defaultdict(list)
    with site.session.store.db.read() as reader:
        for row in reader.all("runs_list", EVERYTHING):
            if row["schedule_id"] is not None:
                moments[row["schedule_id"]].append(row["due_at"])
    assert len(moments) == 3
    for found in moments.values():
        assert max(Counter(found).values()) == 1
        assert len(found) == round(max(found) - min(found)) + 1


EVERYTHING = {
    "project": "default",
    "before": "\uffff",
    "states": None,
    "flow": None,
    "queue": None,
    "limit": 100_000,
}
