"""Workers, supervisors and whole crews are killed at random moments; nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from iaiflow_lab.model.run import RunState

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3_600)]

LONG_LEASE = 600.0  # so that only the supervisor can have freed a run


def test_killed_workers_lose_nothing(make_site, diamond, soak):
    site = make_site(lease_s=LONG_LEASE, max_attempts=1_000)
    site.supervise(concurrency=2)
    rng = random.Random(20)
    started = [site.start(diamond) for _ in range(2)]
    kills = 0
    while kills < soak(30, 300):
        running = [run for run in started if site.state(run) is RunState.RUNNING]
        if all(site.state(run) is RunState.COMPLETED for run in started):
            started.append(site.start(diamond))
        if not running:
            time.sleep(0.002)
            continue
        time.sleep(rng.uniform(0, 0.15))
        victim = site.holder(rng.choice(running))
        if victim is not None:
            os.kill(victim, signal.SIGKILL)
            site.until(lambda pid=victim: pid not in _holders(site, started), "The release")
            kills += 1
    for run_id in started:
        assert site.ended(run_id).state is RunState.COMPLETED
        site.check_promise(run_id)
        assert {step.step for step in site.run(run_id).steps} == set("abcdefgh")


def _holders(site, started):
    return {site.holder(run_id) for run_id in started}


def _is_executed(site, run_id, is_gone):
    holder = site.holder(run_id)
    is_running = site.state(run_id) is RunState.RUNNING
    return is_running and holder is not None and not is_gone(holder)


def test_when_every_process_is_killed_the_next_crew_goes_on(make_site, diamond, soak, is_gone):
    site = make_site(lease_s=1.0, max_attempts=1_000)
    rng = random.Random(21)
    started = [site.start(diamond) for _ in range(soak(3, 20))]
    for _ in range(soak(30, 300)):
        crew = site.command("worker", "--concurrency", "2")
        if all(site.state(run) is RunState.COMPLETED for run in started):
            started.append(site.start(diamond))
        first = site.until(
            lambda: next((r for r in started if _is_executed(site, r, is_gone)), None),
            "A run that this crew executes",
        )
        time.sleep(rng.uniform(0, 0.15))
        worker = site.holder(first)
        crew.kill()
        crew.wait()
        if worker is not None:
            site.until(lambda pid=worker: is_gone(pid), "The end of a worker without supervisor")
    site.command("worker", "--drain")
    for run_id in started:
        assert site.ended(run_id).state is RunState.COMPLETED
        site.check_promise(run_id)


def test_a_killed_worker_leaves_nothing_of_a_node_in_a_process(make_site, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("temporary")
    site = make_site(lease_s=LONG_LEASE)
    crew = site.command("worker", TMPDIR=str(temporary), XDG_RUNTIME_DIR="")
    run_id = site.start_node("probe.apart")
    site.until((site.folder / "apart").exists, "The call")
    assert [path for path in temporary.rglob("iaiflow-*") if path.is_dir()] != []
    os.kill(site.holder(run_id), signal.SIGKILL)
    assert site.ended(run_id).state is RunState.COMPLETED
    crew.terminate()
    assert crew.wait(60) == 0
    assert sorted(temporary.rglob("*")) == []


def test_a_run_that_kills_every_worker_fails_after_its_last_attempt(make_site):
    site = make_site(lease_s=LONG_LEASE, max_attempts=3)
    run_id = site.start_node("probe.poison")
    site.supervise()
    run = site.ended(run_id)
    assert run.state is RunState.FAILED
    assert run.error.code == "crashed"
    assert "crashed 3 times" in run.error.message
    assert len(site.calls(run_id)) == 3


def test_a_worker_that_slept_through_its_lease_is_refused(make_site, diamond):
    site = make_site(lease_s=2.0, max_attempts=1_000)
    sleeper = site.command("worker")
    run_id = site.start(diamond | {"nodes": diamond["nodes"] | {"b": {"type": "probe.gate"}}})
    site.until(lambda: len(site.calls(run_id)) >= 2, "The second step")
    worker = site.until(lambda: site.holder(run_id), "Its worker")
    put_to_sleep(sleeper.pid, site.folder)
    put_to_sleep(worker, site.folder)
    (site.folder / "open").touch()
    other = site.supervise()
    run = site.ended(run_id)
    assert run.state is RunState.COMPLETED
    assert run.attempt >= 2, "a busy machine may lose it once more"
    seen = len(site.outcomes(run_id))
    other.stop()
    os.kill(worker, signal.SIGCONT)
    sleeper.send_signal(signal.SIGCONT)
    following = site.start(diamond)
    assert site.ended(following).state is RunState.COMPLETED
    assert worker not in {call.pid for call in site.calls(following)}, "it was replaced"
    assert len(site.outcomes(run_id)) == seen == 8


def put_to_sleep(process: int, workspace: Path) -> None:
    """Stop a process between two of its writes: nobody could write while it held the database."""
    while True:
        os.kill(process, signal.SIGSTOP)
        with closing(sqlite3.connect(workspace / ".iaiflow" / "lab.db", timeout=2)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(process, signal.SIGCONT)
            else:
                return
