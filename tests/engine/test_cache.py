"""Unchanged steps do not run again; changed ones do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from harness import Lab, MemoryCache, MemoryJournal, chain, flow

from iaiflow_lab.engine.live_cache import LiveCache
from iaiflow_lab.engine.setup import Targets
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Expand

FACTOR = 2
LOCK = threading.Lock()


def helper(value: int) -> int:
    return value


@node("t.one")
async def one(*, start: int = 1) -> int:
    return start


@node("t.times")
def times(value: int) -> int:
    return value * FACTOR


@node("t.helped")
def helped(value: int) -> int:
    return helper(value)


@node("t.locked")
def locked(value: int) -> int:
    with LOCK:
        return value


@node("t.read", effects="read")
def read() -> int:
    return 1


@node("t.print", effects="read", fingerprint=lambda ctx, *, path: f"{path}:{STATE['mtime']}")
def with_fingerprint(*, path: str) -> int:
    return 1


@node("t.write", effects="write")
def write() -> int:
    return 1


@node("t.param")
def param(ctx: Context) -> int:
    return ctx.params["x"]


STATE = {"mtime": 1}


@pytest.fixture(params=["live", "stored"])
def caching(request: pytest.FixtureRequest, lab: Lab) -> Any:
    """Return a function that runs a flow with the cache and says where outcomes came from."""
    lab.add(one, times, helped, locked, read, with_fingerprint, write, param)
    kept = {"live_cache": LiveCache()} if request.param == "live" else {"cache": MemoryCache()}

    def run(made: Flow, inputs: Any = None, **rest: Any) -> dict[str, str]:
        lab.journal = MemoryJournal()
        result = lab.run(made, inputs, **kept, **rest)
        assert result.state == "completed"
        run.outputs = result.outputs
        return lab.sources()

    run.lab = lab
    run.kept = kept
    return run


def pair(second: str = "t.times", **config: Any) -> Flow:
    return flow({"a": Node("t.one", config), "b": second}, "a -> b.value")


def test_unchanged(caching: Any) -> None:
    assert caching(pair()) == {"a": "executed", "b": "executed"}
    assert caching(pair()) == {"a": "cache", "b": "cache"}
    assert caching.outputs == {"b": 2}


def test_ids_are_no_part_of_the_meaning(caching: Any) -> None:
    caching(pair())
    renamed = flow({"x": "t.one", "y": "t.times"}, "x -> y.value")
    assert caching(renamed) == {"x": "cache", "y": "cache"}


def test_config_and_what_is_behind_it(caching: Any) -> None:
    caching(pair())
    assert caching(pair(start=5)) == {"a": "executed", "b": "executed"}
    assert caching(pair()) == {"a": "cache", "b": "cache"}


def test_a_global_constant(caching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    caching(pair())
    monkeypatch.setitem(globals(), "FACTOR", 3)
    assert caching(pair()) == {"a": "cache", "b": "executed"}
    assert caching.outputs == {"b": 3}


def test_a_helper_function(caching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(value: int) -> int:
        return -value

    caching(pair("t.helped"))
    monkeypatch.setitem(globals(), "helper", other)
    assert caching(pair("t.helped")) == {"a": "cache", "b": "executed"}


def test_code(caching: Any) -> None:
    caching(pair())

    @node("t.times")
    def changed(value: int) -> int:
        return value * 10

    caching.lab.add(changed)
    assert caching(pair()) == {"a": "cache", "b": "executed"}


def test_what_cannot_be_hashed_runs_again_with_all_behind_it(caching: Any) -> None:
    made = flow({"a": "t.one", "b": "t.locked", "c": "t.times"}, "a -> b.value", "b -> c.value")
    caching(made)
    assert caching(made) == {"a": "cache", "b": "executed", "c": "executed"}


def test_parameters(caching: Any) -> None:
    made = flow({"b": "t.times"}, "params.n -> b.value")
    caching(made, {"n": 1})
    assert caching(made, {"n": 2}) == {"b": "executed"}
    assert caching(made, {"n": 1}) == {"b": "cache"}


def test_parameters_that_a_context_shows(caching: Any) -> None:
    made = flow({"p": "t.param"})
    caching(made, {"x": 1})
    assert caching(made, {"x": 2}) == {"p": "executed"}
    assert caching(made, {"x": 1}) == {"p": "cache"}


def test_effects(caching: Any) -> None:
    made = flow({"r": "t.read", "f": Node("t.print", {"path": "x"}), "w": "t.write"})
    caching(made)
    assert caching(made) == {"r": "executed", "f": "cache", "w": "executed"}
    STATE["mtime"] += 1
    assert caching(made)["f"] == "executed"


def test_off_and_fresh(caching: Any) -> None:
    off = flow({"a": Node("t.one", cache="off")})
    caching(off)
    assert caching(off) == {"a": "executed"}
    caching(pair())
    assert caching(pair(), targets=Targets(start=("b",))) == {"a": "cache", "b": "executed"}


def test_for_some_seconds(caching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = flow({"a": Node("t.one", cache=60)})
    caching(made)
    assert caching(made) == {"a": "cache"}
    if "cache" in caching.kept:
        assert list(caching.kept["cache"].ttl.values()) == [60]
        return
    now = caching.lab.world.clock.now() + 61
    monkeypatch.setattr(type(caching.lab.world.clock), "now", lambda _: now)
    assert caching(made) == {"a": "executed"}


def test_items_of_a_map(caching: Any) -> None:
    @node("t.each")
    def each(values: list[int]) -> Expand:
        body = flow({"t": "t.times"}, "params.item -> t.value", parameters={"item": {}})
        return Expand(
            body, [{"item": v} for v in values], lambda found: {"out": [f["t"] for f in found]}
        )

    caching.lab.add(each)
    made = flow({"m": "t.each"}, "params.all -> m.values")
    caching(made, {"all": [1, 2]})
    assert caching(made, {"all": [1, 3]}) == {
        "m": "executed",
        "m[0]/t": "cache",
        "m[1]/t": "executed",
    }


def test_what_failed_is_not_kept(lab: Lab) -> None:
    calls: list[int] = []

    @node("t.flaky")
    def flaky() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        return 1

    lab.add(flaky)
    cache = LiveCache()
    assert lab.run(flow({"a": "t.flaky"}), live_cache=cache).state == "failed"
    lab.journal = MemoryJournal()
    assert lab.run(flow({"a": "t.flaky"}), live_cache=cache).state == "completed"


def test_the_least_recently_used_go_first() -> None:
    cache = LiveCache(entries=2)
    for key in "ab":
        cache.put(key, {"out": key})
    cache.get("a", 0)
    cache.put("c", {"out": "c"})
    assert [cache.get(key, 0) is not None for key in "abc"] == [True, False, True]
    cache = LiveCache(size=10)
    cache.put("x", {"out": b"12345678"})
    cache.put("y", {"out": b"12345678"})
    assert len(cache) == 1


def test_pins_stand_in_for_calls_when_a_person_runs(caching: Any) -> None:
    made = flow({"a": Node("t.one", pin={"out": 21}), "b": "t.times"}, "a -> b.value")
    assert caching(made, interactive=True) == {"a": "pin", "b": "executed"}
    assert caching.outputs == {"b": 42}
    assert caching(made)["a"] != "pin"
    assert caching.outputs == {"b": 2}


def test_run_to_here(lab: Lab) -> None:
    lab.add(one, times)
    made = flow({"a": "t.one", "b": "t.times", "c": "t.times"}, "a -> b.value", "b -> c.value")
    result = lab.run(made, targets=Targets(until=("b",)))
    assert set(lab.states()) == {"a", "b"}
    assert result.outputs == {"b": 2}


def test_run_from_here_and_only_this_keep_earlier_values(lab: Lab) -> None:
    lab.add(one, times)
    made = flow({"a": "t.one", "b": "t.times", "c": "t.times"}, "a -> b.value", "b -> c.value")
    previous = {"a": {"out": 50}, "b": {"out": 0}, "c": {"out": 0}}
    result = lab.run(made, targets=Targets(start=("b",)), previous=previous)
    assert set(lab.states()) == {"b", "c"}
    assert result.outputs == {"c": 200}
    lab.journal = MemoryJournal()
    result = lab.run(made, targets=Targets(start=("b",), until=("b",)), previous=previous)
    assert set(lab.states()) == {"b"}
    assert result.outputs == {"b": 100}


def test_keys_of_a_long_chain_are_quick_to_find(lab: Lab) -> None:
    @node("t.plus")
    async def plus(value: int = 0) -> int:
        return value + 1

    lab.add(plus)
    cache = LiveCache()
    for _ in range(2):
        lab.journal = MemoryJournal()
        lab.run(chain("t.plus", 2000), live_cache=cache, interactive=True)
    assert set(lab.sources().values()) == {"cache"}
