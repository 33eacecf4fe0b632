"""What is removed, what stays, and what is left when a process ends in the middle."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from iaiflow_lab.errors import ConflictError, InputError, NotFoundError, StoreError
from iaiflow_lab.lab.workspace import Lab
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import Session, history, open_session, retention, runs, storage
from iaiflow_lab.service.feed import Removed
from iaiflow_lab.settings import make_state_dir

FLOW = from_data({"format": "iaiflow/1", "name": "Echo", "nodes": {"a": {"type": "echo"}}})
DAY = 86_400.0
#: Every table that has something of a run.
TABLES = ("runs", "events", "metrics", "steps", "substeps", "waits", "signals", "run_artifacts")


@pytest.fixture
def life(workspace, simulate):
    """Return a session and the world that it is in."""
    (make_state_dir(workspace) / "config.toml").write_text("keep_days = 30")
    world = simulate(1)
    with open_session(workspace, world.world) as session:
        yield session, world


def execute(session: Session, types, *values: bytes, end: RunState | None = RunState.COMPLETED):
    """Make a run that stores these values; returns its id."""
    run_id = runs.start(session, FLOW, {}, types)
    finish(session, *values, end=end)
    return run_id


def finish(session: Session, *values: bytes, end: RunState | None = RunState.COMPLETED) -> None:
    coordinator = session.coordinator
    claim = coordinator.claim("worker:elsewhere:1:1:x", ["default"])
    coordinator.start(claim.run_id, claim.fence)
    events: list[ev.Event] = [ev.StepMetric(at=1.0, step="s0", name="tokens", value=1)]
    for number, value in enumerate(values):
        digest = coordinator.artifacts.put(value)
        step, output = f"s{number}", ev.OutputRef("bytes", artifact=digest, size=len(value))
        done = {"at": 2.0, "step": step, "node": step, "type": "echo"}
        events.append(ev.SubstepRecorded(at=1.0, step=step, key="k", output=output))
        events.append(ev.StepFinished(**done, state=StepState.COMPLETED, outputs={"out": output}))
    coordinator.append(claim.run_id, claim.fence, events)
    folder = session.store.run_dir(claim.run_id)
    folder.mkdir(parents=True)
    (folder / "out.ipynb").write_text("a notebook")
    if end is not None:
        coordinator.settle(claim.run_id, claim.fence, Settlement(end))


def rows(session: Session, table: str) -> int:
    connection = session.store.db.connection()
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def assert_nothing_is_left(session: Session) -> None:
    assert {table: rows(session, table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert rows(session, "flow_versions") == rows(session, "artifacts") == 0
    assert list((session.store.state / "runs").iterdir()) == []
    stored = session.store.state / "artifacts"
    assert [path for path in stored.rglob("*") if path.is_file()] == []


def test_a_run_goes_with_all_that_only_it_needs(life, types):
    session, world = life
    first = execute(session, types, b"only of the first", b"of both")
    second = execute(session, types, b"of both")
    world.clock.advance(2 * 3_600)
    removal = retention.remove(session, retention.chosen(session, [first[:20]]))
    assert (removal.runs, removal.artifacts) == (1, 1)
    assert removal.bytes == len("a notebook") + len(b"only of the first")
    assert [run.id for run in history.list_runs(session)] == [second]
    with pytest.raises(NotFoundError):
        history.get(session, first)
    assert session.store.run_dir(second).exists()
    kept = history.get(session, second).steps[0].outputs["out"].artifact
    assert session.store.artifacts.get(kept) == b"of both"
    retention.remove(session, [second])
    assert_nothing_is_left(session)


def test_old_runs_go_by_themselves(life, types):
    session, world = life
    execute(session, types, b"old")
    world.clock.advance(20 * DAY)
    young = execute(session, types, b"young", end=RunState.FAILED)
    world.clock.advance(9 * DAY)
    assert retention.clean(session).runs == 0
    world.clock.advance(2 * DAY)
    removal = retention.clean(session)
    assert removal.sentence == "Removed 1 run and 1 artifact (0.0 MB)."
    assert [run.id for run in history.list_runs(session)] == [young]


def test_cached_outputs_go_with_the_runs_of_their_time(life, types, monkeypatch):
    session, world = life
    monkeypatch.setattr(retention, "_ROWS_AT_ONCE", 2)
    digest = session.store.artifacts.put(b"cached")
    cache = session.store.cache(session.project)
    output = ev.OutputRef("bytes", artifact=digest, size=6)
    for key in "abcde":
        cache.put(key, {"out": output}, None)
    world.clock.advance(29 * DAY)
    cache.put("young", {}, None)
    assert retention.clean(session).artifacts == 0
    world.clock.advance(2 * DAY)
    assert retention.clean(session).artifacts == 1
    assert set(cache.get_many([*"abcde", "young"])) == {"young"}


def test_without_the_setting_all_is_kept(life, types):
    session, world = life
    execute(session, types)
    world.clock.advance(1_000 * DAY)
    session.store.settings = replace(session.store.settings, keep_days=None)
    assert retention.clean(session).runs == 0
    assert len(retention.expired(session, 999 * DAY)) == 1


def test_what_is_on_its_way_stays(life, types):
    session, world = life
    failed = execute(session, types, end=RunState.FAILED)
    world.clock.advance(1)
    again = runs.retry(session, failed, types)
    world.clock.advance(100 * DAY)
    for run_id, why in ((failed, f"repeated by {again}"), (again, "is queued")):
        with pytest.raises(ConflictError, match=why):
            retention.chosen(session, [run_id])
    assert retention.expired(session, 0) == []
    assert retention.remove(session, [failed, again]).runs == 0
    finish(session)
    world.clock.advance(1)
    assert retention.expired(session, 0) == [failed, again]
    assert retention.remove(session, [failed, again]).runs == 2


def test_what_is_wanted_has_to_be_clear(life):
    session, _ = life
    for refs, time in (((), ""), (["run_1"], "30d"), ((), "soon")):
        with pytest.raises(InputError):
            retention.chosen(session, refs, time)
    with pytest.raises(NotFoundError):
        retention.chosen(session, ["run_unknown"])


def test_a_long_journal_goes_in_small_transactions(life, types, monkeypatch):
    session, world = life
    run_id = runs.start(session, FLOW, {}, types)
    claim = session.coordinator.claim("worker:elsewhere:1:1:x", ["default"])
    lines = [ev.StepLog(at=1.0, step="a", stream="stdout", text="x")] * 2_500
    session.coordinator.start(run_id, claim.fence)
    session.coordinator.append(run_id, claim.fence, lines)
    session.coordinator.settle(run_id, claim.fence, Settlement(RunState.COMPLETED))
    left: list[int] = []
    monkeypatch.setattr(world.faults, "reach", lambda point: left.append(rows(session, "events")))
    assert retention.remove(session, [run_id]).runs == 1
    gone = [before - after for before, after in pairwise(left)]
    assert 0 < max(gone) <= 1_000
    assert left[-1] == 0


@pytest.mark.parametrize(
    "point", ["remove.after_condemn", "remove.before_commit", "collect.before_commit"]
)
def test_a_process_that_ends_in_the_middle_leaves_nothing(life, types, crash, point):
    session, world = life
    run_ids = [execute(session, types, b"one", bytes(2)), execute(session, types, b"two")]
    world.clock.advance(2 * 3_600)
    world.faults.armed = point
    with pytest.raises(crash):
        retention.remove(session, run_ids)
    assert history.list_runs(session) == [], "nobody sees half of a run"
    retention.clean(session)
    assert_nothing_is_left(session)


def test_who_is_asked_to_end_leaves_the_rest_to_the_next(life, types):
    session, world = life
    run_id = execute(session, types, b"one")
    world.clock.advance(2 * 3_600)
    retention.remove(session, [run_id])
    session.store.artifacts.put(b"two")
    world.clock.advance(2 * 3_600)
    again = execute(session, types)
    assert retention.remove(session, [again], lambda: True) == retention.Removal(0, 0, 0)
    assert (rows(session, "artifacts"), rows(session, "runs")) == (1, 1)
    assert retention.remove(session, [again]).artifacts == 1
    assert_nothing_is_left(session)


def test_what_is_removed_before_it_is_repeated_is_not_repeated(life, types, monkeypatch):
    session, _ = life
    run_id = execute(session, types, b"one", end=RunState.FAILED)
    pin = runs.pin

    def remove_first(*what):
        retention.remove(session, [run_id])
        return pin(*what)

    monkeypatch.setattr(runs, "pin", remove_first)
    with pytest.raises(NotFoundError, match=run_id):
        runs.retry(session, run_id, types)
    assert rows(session, "runs") == 0


def test_a_folder_may_go_while_it_is_measured(workspace, monkeypatch):
    for name in ("a", "b"):
        (workspace / "runs" / name).mkdir(parents=True)
        (workspace / "runs" / name / "file").write_text("12345")
    scan = os.scandir

    def vanishing(place):
        if str(place).endswith("a"):
            raise FileNotFoundError(place)
        return scan(place)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert retention.size_of(workspace / "runs") == 5
    assert retention.size_of(workspace / "none") == 0


def test_a_folder_that_cannot_go_hinders_no_other(life, types, workspace):
    session, world = life
    run_ids = [execute(session, types, b"one"), execute(session, types, b"two")]
    world.clock.advance(2 * 3_600)
    folder = session.store.run_dir(min(run_ids))
    folder.rename(workspace / "elsewhere")
    folder.symlink_to(workspace / "elsewhere")
    with pytest.raises(StoreError, match="A run's folder cannot be removed") as refusal:
        retention.remove(session, run_ids)
    assert refusal.value.where == str(folder)
    assert history.list_runs(session) == []
    assert rows(session, "runs") == 1
    assert (workspace / "elsewhere" / "out.ipynb").exists(), "no link is followed"
    folder.unlink()
    assert retention.clean(session).runs == 1
    assert_nothing_is_left(session)


def test_two_who_clean_at_once_leave_nothing_of_a_folder(life, types, monkeypatch):
    session, _ = life
    run_id = execute(session, types)
    folder = session.store.run_dir(run_id)
    rmtree, tries = shutil.rmtree, []

    def meets_another(path):
        tries.append(path)
        if len(tries) == 1:  # somebody else has removed one file, and this one stops at it
            raise FileNotFoundError(2, "No such file or directory", "out.ipynb")
        rmtree(path)

    monkeypatch.setattr(shutil, "rmtree", meets_another)
    assert retention.remove(session, [run_id]).bytes == len("a notebook")
    assert tries == [folder, folder]
    assert_nothing_is_left(session)


def test_what_is_removed_is_told_once_for_some_time(life, types):
    session, world = life
    followed = Removed(world.clock.now())
    one, two, three = (execute(session, types) for _ in range(3))
    assert followed.look(session) == []
    retention.remove(session, [one, two])
    assert set(followed.look(session)) == {one, two}
    assert followed.look(session) == []
    assert set(Removed(0).look(session)) == {one, two}
    world.clock.advance(retention.TOLD_S + 1)
    retention.remove(session, [three])
    assert followed.look(session) == Removed(0).look(session) == [three]


def test_what_the_workspace_takes_is_told(life, types):
    session, _ = life
    session.store.ballast.hold()
    execute(session, types, b"12345")
    found = storage.measure(session)
    assert (found.artifacts, found.artifact_count, found.runs) == (5, 1, len("a notebook"))
    assert found.database > 0
    assert found.free > 0
    assert (found.ballast, found.keep_days) == (16_000_000, 30)


def test_python_has_the_same_verbs(workspace, types):
    with open_session(workspace) as session:
        run_ids = [execute(session, types, b"12345") for _ in range(2)]
    lab = Lab(workspace)
    assert lab.runs.remove(run_ids[0]).runs == 1
    assert lab.runs.remove(older_than="30d").runs == 0
    assert lab.clean().runs == 0
    assert [run.id for run in lab.runs.ls()] == run_ids[1:]
    assert lab.storage().artifact_count == 1
