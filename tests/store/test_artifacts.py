from __future__ import annotations

import os

import pytest

from iaiflow_lab.errors import InputError, NotFoundError, StoreError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import StepState
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.local import LocalCoordinator
from iaiflow_lab.settings import Settings
from iaiflow_lab.store.artifacts import GRACE_S
from iaiflow_lab.store.store import Store


@pytest.fixture(params=["batched", "full"])
def setting(request, workspace, simulate):
    simulated = simulate(3)
    store = Store.open(workspace, simulated.world, Settings(durability=request.param))
    yield store, simulated.clock
    store.close()


def test_bytes_come_back_and_lie_where_their_hash_says(setting):
    store, _ = setting
    digest = store.artifacts.put(b"hello")
    assert store.artifacts.put(memoryview(b"hello")) == digest
    assert store.artifacts.get(digest) == b"hello"
    assert store.artifacts.path(digest) == store.state / "artifacts" / digest[:2] / digest[2:]
    assert not list((store.state / "artifacts" / "tmp").iterdir())


def test_what_is_missing_is_a_sentence(setting):
    store, _ = setting
    assert store.artifacts.path("0" * 64) is None
    with pytest.raises(NotFoundError, match="not in this workspace"):
        store.artifacts.get("0" * 64)


@pytest.mark.parametrize("digest", ["", "abc", "../" * 21 + "x", "A" * 64, "g" * 64])
def test_only_hashes_name_artifacts(setting, digest):
    with pytest.raises(InputError, match="no artifact"):
        setting[0].artifacts.get(digest)


def test_damage_is_found(setting):
    store, _ = setting
    digest = store.artifacts.put(b"hello")
    assert store.artifacts.verify(digest)
    store.artifacts.path(digest).write_bytes(b"jello")
    assert not store.artifacts.verify(digest)


def test_links_are_not_followed(setting):
    store, _ = setting
    digest = store.artifacts.put(b"hello")
    path = store.artifacts.path(digest)
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(StoreError, match="symbolic link"):
        store.artifacts.get(digest)
    with pytest.raises(StoreError, match="symbolic link"):
        store.artifacts.put(b"hello")


def test_what_nobody_needs_goes_after_an_hour(setting):
    store, clock = setting
    digest = store.artifacts.put(b"hello")
    assert store.artifacts.collect().count == 0
    clock.advance(GRACE_S - 1)
    store.artifacts.put(b"hello")  # wanted again: another hour
    clock.advance(GRACE_S - 1)
    assert store.artifacts.collect().count == 0
    clock.advance(2)
    found = store.artifacts.collect()
    assert (found.count, found.bytes) == (1, 5)
    assert store.artifacts.path(digest) is None


def test_what_a_run_or_the_cache_needs_stays(setting):
    store, clock = setting
    ref = {name: output(store, name) for name in ("out", "file", "once", "cached", "fleeting")}
    with store.db.write() as tx:
        tx.run("version_put", ("default", "v", "{}", 0.0))
        request = enqueue.Request("default", "f", "", "v", "{}", "q", 0, clock.now(), 1)
        run_id = enqueue.put(tx, store.world, request)
    coordinator = LocalCoordinator(store)
    claim = coordinator.claim("worker:x:1:1:x", ["q"])
    made = ev.ArtifactMade(at=1, step="a", name="report", artifact=ref["file"].artifact, size=4)
    once = ev.SubstepRecorded(at=1, step="a", key="k", output=ref["once"])
    done = ev.StepFinished(
        at=1,
        step="a",
        node="a",
        type="t",
        state=StepState.COMPLETED,
        outputs={"out": ref["out"], "small": ev.OutputRef("json", inline=1)},
    )
    coordinator.append(run_id, claim.fence, [made, once, done])
    coordinator.cache.put("k", {"out": ref["cached"]}, None)
    coordinator.cache.put("l", {"out": ref["fleeting"]}, 60.0)
    clock.advance(GRACE_S + 1)
    assert store.artifacts.collect().count == 1
    kept = [name for name in ref if store.artifacts.path(ref[name].artifact)]
    assert kept == ["out", "file", "once", "cached"]
    coordinator.close()


def output(store, name):
    data = name.encode()
    return ev.OutputRef("bytes", artifact=store.artifacts.put(data), size=len(data))


def test_leftovers_of_writers_that_died_are_removed(setting):
    store, clock = setting
    store.artifacts.put(b"x")
    left = store.state / "artifacts" / "tmp" / "left"
    left.write_bytes(b"half")
    os.utime(left, (clock.now(), clock.now()))
    clock.advance(GRACE_S + 1)
    store.artifacts.collect()
    assert not left.exists()


def test_a_place_that_cannot_be_written_is_a_sentence(setting):
    store, _ = setting
    (store.state / "artifacts").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        store.artifacts.put(b"hello")


def test_cached_outputs_expire(setting):
    store, clock = setting
    cache = store.cache()
    outputs = {"out": ev.OutputRef("json", inline=[1])}
    cache.put("forever", outputs, None)
    cache.put("brief", outputs, 10.0)
    assert cache.get_many(["forever", "brief", "unknown"]) == {
        "forever": outputs,
        "brief": outputs,
    }
    clock.advance(11)
    assert cache.get_many(["forever", "brief"]) == {"forever": outputs}
    assert store.cache("other").get_many(["forever"]) == {}


def test_others_have_half_of_the_time_while_it_is_collected(setting, monkeypatch):
    store, clock = setting
    for number in range(201):
        store.artifacts.put(b"%d" % number)
    clock.advance(GRACE_S + 1)
    rests = []
    monkeypatch.setattr(clock, "sleep", rests.append)
    monkeypatch.setattr(store.world.faults, "reach", lambda _: clock.advance(0.25))
    assert store.artifacts.collect().count == 201
    assert rests == pytest.approx([0.25, 0.25])
