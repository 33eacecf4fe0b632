"""Little disk or memory: queued runs wait, people see why, and the ballast is given up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from iaiflow_lab.errors import StoreError, UnavailableError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import Session, history, open_session, runs, servers, system
from iaiflow_lab.service.keeper import Keeper
from iaiflow_lab.service.room_watch import RoomWatch, check_drained
from iaiflow_lab.settings import make_state_dir
from iaiflow_lab.store.ballast import BALLAST_SIZE
from iaiflow_lab.store.database import Database

FLOW = from_data({"format": "iaiflow/1", "name": "Echo", "nodes": {"a": {"type": "echo"}}})
OWNER = "worker:elsewhere:1:1:x"
MB = 1_000_000


@dataclass
class Readings:
    """A machine whose readings a test sets."""

    disk: int = 1_000 * MB
    memory: int = 1_000 * MB

    def free_disk(self, folder: Path) -> int:
        assert folder.exists()
        return self.disk

    def free_memory(self) -> int:
        return self.memory


@pytest.fixture
def machine() -> Readings:
    return Readings()


@pytest.fixture
def life(workspace, simulate, machine) -> Iterator[tuple[Session, object]]:
    """Return a session on that machine, and its clock."""
    world = simulate(1)
    with open_session(workspace, replace(world.world, machine=machine)) as session:
        yield session, world.clock


@pytest.mark.parametrize(
    ("what", "sentence"), [("disk", "The disk is nearly full: 99 MB free"), ("memory", "Memory")]
)
def test_queued_runs_wait_for_room_and_say_so(life, machine, types, what, sentence):
    session, clock = life
    run_id = runs.start(session, FLOW, {}, types)
    setattr(machine, what, 99 * MB)
    assert session.coordinator.claim(OWNER, ["default"]) is None
    assert history.get(session, run_id).reason.startswith(sentence)
    assert history.list_runs(session)[0].reason.startswith(sentence)
    shortage = system.overview(session)["shortage"]
    assert (shortage["what"], shortage["free"]) == (what, 99 * MB)
    assert shortage["message"].startswith(sentence)
    later = runs.start(session, FLOW, {}, types, runs.Options(delay=60))
    assert history.get(session, later).reason == ""
    setattr(machine, what, 500 * MB)
    clock.advance(1)
    assert session.coordinator.claim(OWNER, ["default"]).run_id == run_id
    assert system.overview(session)["shortage"] is None
    assert history.get(session, run_id).reason == ""


def test_who_drains_says_that_runs_had_no_room(life, machine, types):
    session, clock = life
    runs.start(session, FLOW, {}, types, runs.Options(delay=60))
    machine.memory = 0
    check_drained(session, ["default"])
    clock.advance(61)
    check_drained(session, ["other"])
    with pytest.raises(UnavailableError, match="Memory is short"):
        check_drained(session, ["other", "default"])
    machine.memory = 500 * MB
    clock.advance(1)
    check_drained(session, ["default"])


def test_a_run_that_somebody_asks_for_by_name_begins(life, machine, types):
    session, _ = life
    run_id = runs.start(session, FLOW, {}, types)
    machine.disk = 0
    assert session.coordinator.claim(OWNER, ["default"], run_id).run_id == run_id


def test_zero_is_no_limit(workspace, simulate, machine, types):
    text = "min_free_disk_mb = 0\nmin_free_memory_mb = 0"
    (make_state_dir(workspace) / "config.toml").write_text(text)
    machine.disk = machine.memory = 0
    with open_session(workspace, replace(simulate(1).world, machine=machine)) as session:
        run_id = runs.start(session, FLOW, {}, types)
        RoomWatch(session.store, pytest.fail).look()
        assert session.coordinator.claim(OWNER, ["default"]).run_id == run_id
        assert not session.store.ballast.is_held


def test_changes_are_told_once_and_the_ballast_follows(life, machine):
    session, clock = life
    told: list[str] = []
    watch = RoomWatch(session.store, told.append)

    def look(disk: int) -> bool:
        machine.disk = disk
        clock.advance(1)
        watch.look()
        watch.look()
        return session.store.ballast.is_held

    assert look(1_000 * MB)
    assert told == []
    assert look(100 * MB), "nearly full is not full"
    assert not look(1 * MB)
    assert [line.split(":")[0] for line in told] == ["The disk is nearly full", "The disk is full"]
    assert not look(210 * MB), "with the ballast it would be short again"
    assert told[2:] == ["There is room again: queued runs begin."]
    assert look(200 * MB + BALLAST_SIZE)
    assert len(told) == 3


def test_the_ballast_is_really_on_the_disk(life):
    session, _ = life
    assert session.store.ballast.hold()
    status = (session.store.state / "ballast").stat()
    assert status.st_blocks * 512 >= status.st_size == BALLAST_SIZE
    assert session.store.ballast.release()
    assert not session.store.ballast.release()


def test_who_opens_a_workspace_on_a_full_disk_gives_the_ballast_up(workspace, simulate, machine):
    world = replace(simulate(1).world, machine=machine)
    with open_session(workspace, world) as session:
        session.store.ballast.hold()
    for disk, stays in ((100 * MB, True), (1 * MB, False), (1 * MB, False)):
        machine.disk = disk
        with open_session(workspace, world) as session:
            assert session.store.ballast.is_held is stays


def test_what_happens_is_recorded_in_the_room_of_the_ballast(life, types, monkeypatch):
    session, _ = life
    session.store.ballast.hold()
    run_id = runs.start(session, FLOW, {}, types)
    claim = session.coordinator.claim(OWNER, ["default"])
    write = Database.write

    def refuse(db: Database, *rest):
        if session.store.ballast.is_held:
            raise StoreError("The disk is full.", code="disk-full")
        return write(db, *rest)

    monkeypatch.setattr(Database, "write", refuse)
    session.coordinator.start(run_id, claim.fence)
    line = ev.StepLog(at=1.0, step="a", stream="stdout", text="still")
    session.coordinator.append(run_id, claim.fence, [line])
    session.coordinator.settle(run_id, claim.fence, Settlement(RunState.COMPLETED))
    assert history.get(session, run_id).state is RunState.COMPLETED
    assert [line.text for _, line in history.logs(session, run_id)] == ["still"]


def test_a_keeper_looks_before_it_says_that_it_has_begun(workspace, simulate, machine):
    machine.memory = 0
    told: list[str] = []
    world = replace(simulate(1).world, machine=machine)
    keeper = Keeper(lambda: open_session(workspace, world), told.append, cleans=True, address="")
    keeper.start()
    assert told[0].startswith("Memory is short: 0 MB free, 100 MB needed")
    with open_session(workspace, world) as session:
        note = system.overview(session)["served_by"]
        assert note.startswith("Served by `iaiflow serve --no-clock`")
        keeper.stop()
        assert system.overview(session)["served_by"] == "Nothing serves this workspace."


def test_a_keeper_that_cannot_begin_leaves_no_thread(workspace, monkeypatch):
    def refuse(*_):
        raise StoreError("Another process holds the database.")

    monkeypatch.setattr(servers, "register", refuse)
    keeper = Keeper(lambda: open_session(workspace), [].append, address="unix:/nowhere")
    with pytest.raises(StoreError):
        keeper.start()
    assert [thread for thread in threading.enumerate() if thread.name == "keeper"] == []


def test_a_defect_does_not_end_a_keeper(workspace, monkeypatch):
    told: SimpleQueue[str] = SimpleQueue()

    def fail(_):
        raise ValueError("odd")

    monkeypatch.setattr(RoomWatch, "look", fail)
    keeper = Keeper(lambda: open_session(workspace), told.put)
    keeper.start()
    try:
        found = [told.get(timeout=60) for _ in range(3)]
    finally:
        keeper.stop()
    assert found == ["The keeper met a defect, ValueError: odd"] * 3
