"""Owners are processes: their death is noticed without waiting for a lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue import connect, enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.queue.owner import boot_id, is_dead, owner_name, parse_owner, process_start
from iaiflow_lab.store.journal import events_after
from iaiflow_lab.store.store import Store
from iaiflow_lab.world import real_world

SLEEPER = [sys.executable, "-c", "print('up', flush=True); input()"]


@pytest.fixture
def process():
    started = subprocess.Popen(SLEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    started.stdout.readline()
    yield started
    started.kill()
    started.communicate()


@pytest.fixture
def store(workspace):
    opened = Store.open(workspace, real_world())
    with opened.db.write() as tx:
        tx.run("version_put", ("default", "v", "{}", 0.0))
    yield opened
    opened.close()


@pytest.fixture
def coordinator(store):
    made = LocalCoordinator(store)
    yield made
    made.close()


def put(store, queue):
    now = store.world.clock.now()
    request = enqueue.Request("default", "f", "", "v", "{}", queue, 0, now, max_attempts=2)
    with store.db.write() as tx:
        return enqueue.put(tx, store.world, request)


def history(store, run_id):
    with store.db.read() as reader:
        events = [event for _, event in events_after(reader, run_id)]
    return [event for event in events if isinstance(event, ev.RunChanged)]


def end(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_name_tells_kind_and_process():
    name = owner_name("worker", real_world().ids)
    owner = parse_owner(name)
    assert (owner.kind, owner.pid, owner.started) == (
        "worker",
        os.getpid(),
        process_start(owner.pid),
    )
    assert name != owner_name("worker", real_world().ids)
    assert parse_owner("somebody") is None


def test_a_process_is_dead_when_it_ended_or_its_pid_means_another(process):
    ids = real_world().ids
    name = owner_name("kernel", ids, process.pid)
    assert not is_dead(name)
    assert is_dead(name.replace(process_start(process.pid), "1"))
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(name)  # although nobody has buried it
    process.wait()
    assert is_dead(name)


def test_nothing_is_said_about_other_machines():
    assert not is_dead("worker:another-machine:1:1:x")
    assert not is_dead("somebody")


def test_the_boot_is_told_apart():
    assert boot_id() == boot_id() != ""


def test_a_dead_kernel_fails_its_run(store, coordinator, process):
    owner = owner_name("kernel", store.world.ids, process.pid)
    run_id = put(store, f"kernel:{owner}")
    claim = coordinator.claim(owner, (), run_id)
    coordinator.start(run_id, claim.fence)
    assert coordinator.sweep() == []
    end(process)
    assert coordinator.sweep() == [run_id]
    last = history(store, run_id)[-1]
    assert (last.state, last.error.code) == (RunState.FAILED, "kernel-lost")


def test_a_run_that_waits_for_a_dead_kernel_fails_too(store, coordinator, process):
    owner = owner_name("kernel", store.world.ids, process.pid)
    run_id = put(store, f"kernel:{owner}")
    assert coordinator.sweep() == []
    end(process)
    assert coordinator.sweep() == [run_id]
    assert [change.state for change in history(store, run_id)] == ["queued", "claimed", "failed"]
    assert history(store, run_id)[-1].error.code == "kernel-lost"


def test_a_dead_worker_is_noticed_before_its_lease_has_passed(store, coordinator, process):
    owner = owner_name("worker", store.world.ids, process.pid)
    run_id = put(store, "default")
    coordinator.claim(owner, ["default"])
    end(process)
    assert coordinator.sweep() == [run_id]
    assert history(store, run_id)[-1].state is RunState.QUEUED


def test_a_restarted_machine_frees_every_run(store, coordinator):
    run_id = put(store, "default")
    coordinator.claim("worker:another-machine:1:1:x", ["default"])
    assert coordinator.sweep() == []
    after = LocalCoordinator(store, boot="after")
    assert after.sweep() == [run_id]
    after.close()


def test_a_coordinator_is_found_by_its_workspace(store, workspace):
    run_id = put(store, "default")
    inner = workspace / "inner"
    inner.mkdir()
    found = connect(str(inner))
    assert found.claim("worker:another-machine:1:1:x", ["default"]).run_id == run_id
    found.close()
