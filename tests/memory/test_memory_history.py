"""Time on two axes, against a model that keeps every state of every memory as a plain list."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from memory_clock import START, Hand

from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import BadInput, Conflict, NotFound
from iaiflow_memory.ids import new_id
from iaiflow_memory.model import AsOf, Item, New, Query, Scope, Undone

HERE = Scope(project="p", thread="t")
#: Moments on the axis of what is so: around the present of the clock.
MOMENTS = st.integers(-5, 30).map(lambda step: START + 10.0 * step)
IDS = st.sampled_from(["ann", "bob", "cid"])
TEXTS = st.sampled_from([f"state number {number}" for number in range(6)])


@dataclass
class Model:
    """What is so when, for each memory, and how that was at each moment of recording."""

    #: (text, from, to) by memory; a memory that was forgotten has none.
    now: dict[str, list[tuple[str, float, float]]] = field(default_factory=dict)
    past: list[tuple[float, dict[str, list[tuple[str, float, float]]]]] = field(
        default_factory=list
    )

    def note(self, moment: float) -> None:
        self.past.append((moment, {memory: list(spans) for memory, spans in self.now.items()}))

    def at(self, recorded: float) -> dict[str, list[tuple[str, float, float]]]:
        states = [state for moment, state in self.past if moment <= recorded]
        return states[-1] if states else {}

    def put(self, memory: str, text: str, start: float, end: float) -> None:
        left = []
        for old, old_start, old_end in self.now.get(memory, []):
            if old_end <= start or end <= old_start:
                left.append((old, old_start, old_end))
                continue
            left += [(old, old_start, start)] if old_start < start else []
            left += [(old, end, old_end)] if end < old_end else []
        self.now[memory] = [*left, (text, start, end)]


class TwoAxes(RuleBasedStateMachine):
    """Changes memories at random; whatever is asked of any moment is as in the model."""

    @initialize()
    def begin(self) -> None:
        self.clock = Hand()
        self.folder = Path(tempfile.mkdtemp(prefix="iai-"))
        self.engine = Engine(self.folder / "memory.duckdb", clock=self.clock)
        self.model = Model()

    @rule(seconds=st.sampled_from([0.0, 1.0, 10.0, -3.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.time += seconds

    @rule(memory=IDS, text=TEXTS, start=MOMENTS, length=st.sampled_from([10.0, 50.0, math.inf]))
    def add(self, memory: str, text: str, start: float, length: float) -> None:
        if memory in self.model.now:
            return
        new = New(text, id=memory, valid_from=start, valid_to=start + length, once=False)
        (added,) = self.engine.add(HERE, [new])
        assert added.is_new
        self.model.put(memory, text, start, start + length)
        self.model.note(self._recorded(memory))

    @rule(memory=IDS, text=TEXTS, start=MOMENTS, length=st.sampled_from([10.0, 30.0, math.inf]))
    def supersede(self, memory: str, text: str, start: float, length: float) -> None:
        changes = {"text": text, "valid_from": start, "valid_to": start + length}
        if not self.model.now.get(memory):
            with pytest.raises(NotFound):
                self.engine.supersede(memory, changes)
            return
        before = len(self.engine.history(memory))
        self.engine.supersede(memory, changes)
        self.model.put(memory, text, start, start + length)
        if len(self.engine.history(memory)) > before:
            self.model.note(self._recorded(memory))

    @rule(memory=IDS)
    def forget(self, memory: str) -> None:
        if memory not in self.model.now:
            with pytest.raises(NotFound):
                self.engine.forget(memory)
            return
        assert self.engine.forget(memory) == bool(self.model.now[memory])
        if self.model.now[memory]:
            self.model.now[memory] = []
            closed = [one.recorded_to for one in self.engine.history(memory)]
            self.model.note(max(moment for moment in closed if moment < math.inf))

    @rule(memory=IDS, valid=MOMENTS, back=st.integers(0, 8))
    def ask(self, memory: str, valid: float, back: int) -> None:
        past = self.model.past
        recorded = past[max(0, len(past) - 1 - back)][0] if past else START
        self._compare(memory, valid, recorded)
        self._compare(memory, valid, recorded - 1e-7)

    @invariant()
    def no_two_versions_are_so_at_once(self) -> None:
        if not hasattr(self, "engine"):
            return
        for memory in self.model.now:
            stands = [
                (one.valid_from, one.valid_to)
                for one in self.engine.history(memory)
                if one.recorded_to == math.inf
            ]
            assert sorted(stands) == sorted(span[1:] for span in self.model.now[memory])

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.close()
            shutil.rmtree(self.folder)

    def _recorded(self, memory: str) -> float:
        return max(one.recorded_from for one in self.engine.history(memory))

    def _compare(self, memory: str, valid: float, recorded: float) -> None:
        expected = [
            text
            for text, start, end in self.model.at(recorded).get(memory, [])
            if start <= valid < end
        ]
        try:
            found = [self.engine.get(memory, AsOf(valid, recorded)).body]
        except NotFound:
            found = []
        assert found == expected


TestTwoAxes = pytest.mark.slow(TwoAxes.TestCase)
TestTwoAxes.settings = settings(
    max_examples=settings.default.max_examples // 7, stateful_step_count=20
)


def test_what_was_so_before_a_change_is_so_still(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    clock.time += 100
    engine.supersede("ann", {"text": "Ann lives in Hanoi"})
    assert engine.get("ann").body == "Ann lives in Hanoi"
    assert engine.get("ann", AsOf(valid=START + 50)).body == "Ann lives in Hue"
    assert engine.get("ann", AsOf(recorded=START + 50)).body == "Ann lives in Hue"
    assert [one.version for one in engine.history("ann")] == [1, 2, 3]


@pytest.mark.parametrize("end", ["valid_to", "expires_at"])
def test_the_past_answers_as_it_did_then(engine, clock, end):
    engine.add(HERE, [New("The door code is 4711", id="code", **{end: START + 60})])
    engine.add(HERE, [New("Ann moves to Hanoi", id="ann", valid_from=START + 60)])
    clock.time += 10
    then = AsOf(recorded=clock.time)
    asked = Query("door code, Hanoi")
    found = [hit.item.id for hit in engine.search(asked)]
    assert found == ["code"]
    clock.time += 100
    assert [hit.item.id for hit in engine.search(asked)] == ["ann"]
    assert [hit.item.id for hit in engine.search(replace(asked, as_of=then))] == found
    assert engine.get("code", then).body == "The door code is 4711"


def test_a_correction_leaves_nothing_of_the_mistake_but_the_history(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    clock.time += 100
    engine.supersede("ann", {"text": "Ann lives in Hoi An", "valid_from": START})
    assert engine.get("ann", AsOf(valid=START + 50)).body == "Ann lives in Hoi An"
    assert engine.get("ann", AsOf(START + 50, START + 50)).body == "Ann lives in Hue"


def test_a_change_that_was_made_is_not_made_again(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    clock.time += 100
    first = engine.supersede("ann", {"text": "Ann lives in Hanoi"})
    clock.time += 100
    assert engine.supersede("ann", {"text": "Ann lives in Hanoi"}) == first
    assert len(engine.history("ann")) == 3


def test_a_version_that_stands_no_longer_is_not_changed(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    first = engine.get("ann")
    clock.time += 100
    second = engine.supersede("ann", {"text": "Ann lives in Hanoi"}, of=first.n)
    before = engine.history("ann")
    for changes in ({"text": "Ann lives in Hoi An"}, {"tags": ["home"]}):
        with pytest.raises(Conflict, match="'ann' was changed meanwhile"):
            engine.supersede("ann", changes, of=first.n)
    with pytest.raises(Conflict):
        engine.forget("ann", of=first.n)
    assert engine.history("ann") == before
    assert engine.supersede("ann", {"tags": ["home"]}, of=second.n).body == "Ann lives in Hanoi"
    assert engine.forget("ann", of=engine.get("ann").n)
    assert not engine.forget("ann", of=second.n)
    with pytest.raises(NotFound, match="forgotten"):
        engine.supersede("ann", {"text": "x"}, of=second.n)


def test_a_change_that_is_asked_for_again_under_its_key_is_made_once(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann"), New("Bob lives in Hue", id="bob")])
    first, key = engine.get("ann").n, new_id(clock.now())
    done = engine.supersede("ann", {"text": "Ann lives in Hanoi"}, of=first, key=key)
    assert engine.supersede("ann", {"text": "Ann lives in Hanoi"}, of=first, key=key) == done
    with pytest.raises(Conflict):  # another caller, who says the same
        engine.supersede("ann", {"text": "Ann lives in Hanoi"}, of=first, key=new_id(clock.now()))
    with pytest.raises(NotFound):  # a key stands for one memory
        engine.supersede("bob", {"text": "Bob lives in Hanoi"}, of=first, key=key)
    engine.supersede("ann", {"text": "Ann lives in Hoi An"}, of=done.n)
    again = engine.supersede("ann", {"text": "Ann lives in Hanoi"}, of=first, key=key)
    assert (again.n, again.body) == (done.n, "Ann lives in Hanoi")
    assert engine.get("ann").body == "Ann lives in Hoi An"
    with pytest.raises(BadInput, match="key"):
        engine.supersede("ann", {"text": "x"}, of=engine.get("ann").n, key=key * 1_000)
    assert engine.get("ann").body == "Ann lives in Hoi An"


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=30))
def test_no_change_is_lost_of_those_who_read_and_change(steps):
    """Three add one to a number, each at its own pace: what was not refused has been counted."""
    folder = Path(tempfile.mkdtemp(prefix="iai-"))
    engine = Engine(folder / "memory.duckdb", clock=Hand())
    engine.add(HERE, [New(id="number", value=0)])
    read = [engine.get("number")] * 3
    count = 0
    for who, is_reading in steps:
        if is_reading:
            read[who] = engine.get("number")
            continue
        try:
            engine.supersede("number", {"value": read[who].value + 1}, of=read[who].n)
            count += 1
        except Conflict:
            assert read[who].value < count
    assert engine.get("number").value == count
    engine.close()
    shutil.rmtree(folder)


def test_what_is_about_a_memory_changes_without_a_new_beginning(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    clock.time += 100
    changed = engine.supersede("ann", {"importance": 1, "tags": ["home", "ann"]})
    assert (changed.importance, changed.tags, changed.valid_from) == (1.0, ("ann", "home"), START)


def test_forgetting_closes_what_stands_and_keeps_the_past(engine, clock):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    clock.time += 100
    assert engine.forget("ann")
    assert not engine.forget("ann")
    with pytest.raises(NotFound, match="forgotten"):
        engine.get("ann")
    with pytest.raises(NotFound, match="forgotten"):
        engine.supersede("ann", {"text": "Ann is back"})
    assert engine.get("ann", AsOf(recorded=START + 1)).body == "Ann lives in Hue"


def test_what_has_expired_is_not_there(engine, clock):
    engine.add(HERE, [New("The door code is 4711", id="code", expires_at=START + 60)])
    assert engine.get("code").expires_at == START + 60
    clock.time += 60
    with pytest.raises(NotFound, match="expired"):
        engine.get("code")
    with pytest.raises(NotFound, match="expired"):
        engine.supersede("code", {"text": "The door code is 4712"})
    engine.supersede("code", {"text": "The door code is 4712", "expires_at": START + 600})
    assert engine.get("code").body == "The door code is 4712"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"colour": "red"}, "'colour' cannot be changed"),
        ({"importance": 2}, "from 0 to 1"),
        ({"kind": "vague"}, "not a kind"),
        ({"tags": None}, "no list of labels"),
        ({"tags": 3}, "no list of labels"),
        ({"valid_from": START + 5, "valid_to": START}, "cannot end"),
        ({"valid_from": "soon"}, "not a moment"),
        ({"text": "x" * 1_000_001}, "too many"),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(engine, changes, match):
    engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    before: list[Item] = engine.history("ann")
    with pytest.raises(BadInput, match=match):
        engine.supersede("ann", changes)
    assert engine.history("ann") == before


def test_a_batch_is_taken_back_whole(engine, clock):
    first, _ = engine.add(HERE, [New("one thing", id="one"), New("another matter", id="two")])
    engine.undo(first.batch)
    for memory in ("one", "two"):
        with pytest.raises(NotFound):
            engine.get(memory)
    assert engine.undo(first.batch).closed == 0
    assert engine.stats().memories == 0


def test_taking_back_a_change_lets_the_former_version_stand_again(engine, clock):
    (added,) = engine.add(HERE, [New("Ann lives in Hue", id="ann")])
    clock.time += 100
    engine.supersede("ann", {"text": "Ann lives in Hanoi"})
    with pytest.raises(BadInput, match="changed since"):
        engine.undo(added.batch)
    undone = engine.undo(added.batch + 1)
    assert (undone.closed, undone.restored) == (2, 1)
    assert engine.get("ann").body == "Ann lives in Hue"
    assert engine.undo(added.batch + 1) == Undone(undone.batch, 0, 0)
    engine.undo(undone.batch)
    assert engine.get("ann").body == "Ann lives in Hanoi"


def test_a_batch_that_is_none_cannot_be_taken_back(engine):
    with pytest.raises(NotFound, match="no batch 77"):
        engine.undo(77)
