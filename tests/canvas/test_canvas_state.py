"""What browsers know follows what happens: merged, numbered without gaps, and not too often."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab import Context, node
from iaiflow_lab.canvas.board import Board
from iaiflow_lab.canvas.channel import Channel
from iaiflow_lab.canvas.fold import Fold
from iaiflow_lab.canvas.outbox import Outbox
from iaiflow_lab.canvas.presence import PATIENCE, Cells, Presence
from iaiflow_lab.canvas.previews import previews
from iaiflow_lab.engine.setup import Sight
from iaiflow_lab.interactive.audience import Beginning, Ending
from iaiflow_lab.interactive.places import Request
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.sdk.catalog import Catalog

STEPS = ("a", "b", "each", "each[0]/x", "each[1]/x", "each[1]/y", "sub/z")
_at = st.floats(0, 1e9)
_step = st.sampled_from(STEPS)
_text = st.text(alphabet="ab\n ", max_size=12)


def _event(step: str, at: float) -> st.SearchStrategy[Any]:
    error = ev.ErrorInfo(code="E", message="it broke")
    said = {"step": step, "at": at}
    called = {**said, "node": "n", "type": "t"}
    return st.one_of(
        st.builds(lambda n: ev.StepStarted(**called, attempt=n), st.integers(1, 3)),
        st.builds(
            lambda state, source: ev.StepFinished(
                **called,
                state=state,
                source=source,
                reason="why",
                error=error if state is StepState.FAILED else None,
                outputs={"out": ev.OutputRef("live", rows=3)},
            ),
            st.sampled_from([StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED]),
            st.sampled_from(["executed", "cache", "pin"]),
        ),
        st.just(ev.StepRetrying(**said, node="n", attempt=1, due=at, error=error)),
        st.builds(lambda n: ev.StepExpanded(**said, node="n", items=n, nodes=2), st.integers(0, 3)),
        st.builds(lambda n: ev.StepProgress(**said, done=n, total=9), st.integers(0, 9)),
        st.builds(lambda text: ev.StepLog(**said, stream="stdout", text=text), _text),
        st.builds(
            lambda n: ev.StepLog(**said, stream="stdout", text="line\n" * n),
            st.integers(900, 2_500),
        ),
        st.builds(
            lambda size: ev.StepDisplay(**said, data={"text/plain": "x" * size}),
            st.sampled_from([3, 90_000, 400_000, 900_000]),
        ),
        st.builds(lambda text: ev.StepOutput(**said, port="out", preview=text), _text),
    )


_events = st.tuples(_step, _at).flatmap(lambda pair: _event(*pair))
_beginning = Beginning(
    Request(Flow("f"), "f", {}, Path()), "run_1", "", 1.0, Sight(), lambda: None, lambda: None
)
_actions = st.lists(
    st.one_of(
        _events,
        st.sampled_from(["send", "send", "snapshot", "begin", "end", "preview", "stale"]),
    ),
    max_size=60,
)


class Line:
    """A browser at the end of a channel."""

    def __init__(self, mirror: Any) -> None:
        self.mirror = mirror
        self.messages: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], buffers: Any = ()) -> None:
        del buffers
        self.messages.append(message)
        self.mirror.take(message)


class Bench:
    """One fold and two browsers: one gets what changed, the other now and then everything."""

    def __init__(self, mirror: Any) -> None:
        self.fold = Fold(self.touched, lambda *_: None)
        self.lock = threading.RLock()
        self.lines = [Line(mirror()), Line(mirror())]
        self.channels: list[Channel] = []
        self.channels = [self.joined(line) for line in self.lines]

    def joined(self, line: Line) -> Channel:
        made = Channel(line, self.lock, self.fold, lambda: None)
        made.snapshot()
        return made

    def told_anew(self, mirror: Any) -> Line:
        line = Line(mirror)
        channel = self.joined(line)
        while channel.is_behind:
            channel.flush()
        return line

    def touched(self, path: str) -> None:
        for channel in self.channels:
            channel.touch(path)

    def send(self) -> None:
        self.channels[0].flush()

    def snapshot(self) -> None:
        self.channels[1].snapshot()

    def begin(self) -> None:
        for channel in self.channels:
            channel.reset()
        self.fold.begin(_beginning, ["a"])

    def end(self) -> None:
        self.fold.end(Ending(RunState.COMPLETED, None, 2.0))

    def preview(self) -> None:
        self.change("outputs", {"out": {"tick": self.fold.tick}})

    def stale(self) -> None:
        self.change("stale", value=True)

    def change(self, field: str, value: Any) -> None:
        self.fold.tick += 1
        self.fold.line("b").fields.set(field, value, self.fold.tick)
        self.touched("b")

    def do(self, action: Any) -> None:
        if isinstance(action, str):
            getattr(self, action)()
        else:
            self.fold.apply(action)

    def settle(self) -> None:
        for channel in self.channels:
            while channel.is_behind:
                channel.flush()


@given(actions=_actions)
def test_all_deltas_together_say_what_a_snapshot_says(mirror: Any, actions: list[Any]) -> None:
    bench = Bench(mirror)

    for action in actions:
        bench.do(action)
    bench.settle()

    whole = bench.told_anew(mirror())
    for line in bench.lines:
        assert line.mirror.run == whole.mirror.run
        assert line.mirror.known() == whole.mirror.known()
        numbers = [message["seq"] for message in line.messages if "events" in message]
        assert numbers == list(range(1, len(numbers) + 1))


_BIG = "y" * 100_000


def _speak(bench: Bench, step: str) -> None:
    """Let a node fill all that a canvas keeps of it."""
    said = {"step": step, "at": 1.0}
    bench.fold.apply(ev.StepStarted(**said, node=step, type="t"))
    bench.fold.apply(ev.StepLog(**said, stream="stdout", text=f"{step}{'x' * 240}\n" * 2_000))
    for _ in range(5):
        bench.fold.apply(ev.StepDisplay(**said, data={"text/html": _BIG}))
    done = StepState.COMPLETED
    bench.fold.apply(ev.StepFinished(**said, node=step, type="t", state=done))
    shown = previews({f"p{port}": ("z" * 4_000, "text") for port in range(100)})
    bench.fold.line(step).fields.set("outputs", shown, bench.fold.tick)


def _length(message: Any) -> int:
    return len(json.dumps(message, ensure_ascii=False).encode())


def test_a_thousand_nodes_with_much_to_show_come_in_messages_of_bounded_size(
    mirror: Any, soak: Callable[[int, int], int]
) -> None:
    bench = Bench(mirror)
    names = [f"n{number}" for number in range(soak(100, 1_000))]
    for name in names:
        _speak(bench, name)

    line = Line(mirror())
    channel = bench.joined(line)
    first = dict(line.mirror.nodes)
    while channel.is_behind:
        channel.flush()
        assert _length(line.messages[-1]) <= 1_500_000
        line.messages.pop()

    assert len(first) == len(names)
    assert {state["state"] for state in first.values()} == {"completed"}
    for name in names:
        assert line.mirror.nodes[name] == bench.fold.line(name).snapshot()


def test_the_snapshot_of_ten_thousand_nodes_is_of_bounded_size(mirror: Any) -> None:
    bench = Bench(mirror)
    for number in range(10_000):
        step = f"node_{number}"
        bench.fold.apply(ev.StepStarted(at=1.0, step=step, node=step, type="t"))

    line = bench.told_anew(mirror())

    assert max(map(_length, line.messages)) <= 1_500_000
    assert len(line.mirror.nodes) == 10_000


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        self.time += seconds


class Quiet:
    """A source of nothing."""

    def fold(self) -> None:
        pass


class Behind:
    """A canvas that is always behind."""

    def __init__(self, clock: Clock) -> None:
        self.sent_at: list[float] = []
        self._clock = clock
        self.is_behind = True

    def flush(self) -> None:
        self.sent_at.append(self._clock.time)


@given(canvases=st.integers(1, 6), quiet=st.lists(st.floats(0, 0.2), min_size=1, max_size=20))
def test_a_kernel_never_sends_more_than_thirty_messages_a_second(
    canvases: int, quiet: list[float]
) -> None:
    clock = Clock()
    outbox = Outbox(30, clock.now, clock.pause)
    served = [Behind(clock) for _ in range(canvases)]
    outbox._destinations += served

    for seconds in quiet:
        clock.time += seconds
        before = clock.time
        outbox.serve()
        assert seconds < 1 / 30 or before in [at for each in served for at in each.sent_at]

    sent = sorted(at for each in served for at in each.sent_at)
    assert len(sent) == canvases * len(quiet)
    for start in sent:
        assert sum(start <= at < start + 1 - 1e-6 for at in sent) <= 30
    counts = [len(each.sent_at) for each in served]
    assert max(counts) == min(counts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_tab_that_is_gone_gives_its_share_to_the_others(mirror: Any, clock: Clock) -> None:
    bench = Bench(mirror)
    outbox = Outbox(30, clock.now, clock.pause)
    for channel in bench.channels:
        channel.presence = Presence(clock.now, Cells(clock.now))
    outbox._destinations += bench.channels
    there, gone = bench.channels
    counts: list[tuple[int, int]] = []

    for second in range(200):
        before = there.seq, gone.seq
        until = clock.time + 1
        while clock.time < until:
            bench.fold.apply(ev.StepLog(at=1.0, step="a", stream="stdout", text=f"{second}"))
            outbox.serve()
        there.presence.hear()
        counts.append((there.seq - before[0], gone.seq - before[1]))

    assert all(14 <= count <= 16 for count in counts[10])
    assert counts[-1][0] >= 29
    assert sum(count for _, count in counts[-100:]) <= 11
    assert gone.presence.hear()
    assert not gone.presence.hear()


def test_nobody_is_gone_who_cannot_be_heard_or_was_told_nothing(clock: Clock) -> None:
    cells = Cells(clock.now)
    quiet, told = Presence(clock.now, cells), Presence(clock.now, cells)
    told.hear()  # on the main thread, where cells are executed
    cells.begin()
    told.sent()
    clock.time += 10_000
    assert not told.is_silent
    cells.end()
    clock.time += PATIENCE - 1
    assert not told.is_silent
    clock.time += 2
    assert told.is_silent
    assert not quiet.is_silent


def test_a_tab_that_comes_back_gets_everything(
    canvas: Callable[..., Any], flow_text: Callable[..., str], clock: Clock
) -> None:
    @node("cell.one")
    def one_node() -> int:
        return 1

    text = flow_text({"a": {"type": "cell.one"}})
    one, two = canvas(), canvas()
    one.open(text)
    two.open(text)
    two.session._desk.channel.presence = presence = Presence(clock.now)
    presence.sent()
    clock.time += PATIENCE + 1  # and a turn now and then has just been used
    presence.sent()
    one.run(text)
    one.until(lambda m: m.nodes["a"]["outputs"] != {})
    two.messages.clear()

    two.ask("here")

    assert ["seq" in message for message in two.messages] == [True, False]
    assert "snapshot" in two.messages[0]
    assert two.mirror.nodes == one.mirror.nodes
    assert two.mirror.run == one.mirror.run


def test_what_cannot_be_folded_in_time_is_bounded_and_never_waited_for(here: Path) -> None:
    board = Board(lambda: Catalog(None), here)
    said = {"at": 1.0, "step": "a"}

    def flood() -> None:
        board.take(ev.StepStarted(**said, node="a", type="t"))
        for number in range(150_000):
            board.take(ev.StepLog(**said, stream="log", text=f"line {number}"))
        done = StepState.COMPLETED
        board.take(ev.StepFinished(**said, node="a", type="t", state=done))

    with board.lock:  # nobody can fold
        flooding = threading.Thread(target=flood)
        flooding.start()
        flooding.join(60)
        assert not flooding.is_alive()
        board.fold()
        state = board.fold_state.line("a").snapshot()

    assert state["state"] == "completed"
    assert "left out" in state["log"].splitlines()[-1]
    assert "line 149999" not in state["log"]


def test_much_that_is_said_at_once_comes_in_few_messages(
    canvas: Callable[..., Any], flow_text: Callable[..., str]
) -> None:
    @node("cell.chatty")
    def chatty(*, ctx: Context) -> int:
        for number in range(20_000):
            ctx.log(f"line {number}")
            ctx.progress(number, 20_000)
        return number

    one = canvas()
    text = flow_text({"a": {"type": "cell.chatty"}})
    one.open(text)

    mirror = one.run(text)
    mirror = one.until(lambda m: m.nodes["a"]["outputs"] != {})

    told = [message for message in one.messages if "events" in message]
    took = mirror.run["ended_at"] - mirror.run["started_at"]
    assert len(told) <= 30 * (took + 1) + 5
    assert mirror.nodes["a"]["log"].count("\n") == 2_000
    assert mirror.nodes["a"]["text"] == "19999/20000"
    assert one.ask("logs", path="a", offset=0, limit=5)["total"] == 20_000
    assert one.snapshot().nodes["a"]["log"] == mirror.nodes["a"]["log"]


def test_a_value_that_passes_by_is_shown_as_json() -> None:
    fold = Fold(lambda path: None, lambda event, step: None)
    said = {"at": 1.0, "step": "a", "port": "trace"}
    fold.apply(ev.StepStarted(at=1.0, step="a", node="a", type="agent"))
    fold.apply(ev.StepOutput(**said, preview="thinking", value={"turns": [1]}))
    shown = fold.line("a").fields.values["outputs"]["trace"]
    assert shown == {"kind": "json", "type": "json", "text": '{"turns":[1]}', "cut": False}
    fold.apply(ev.StepOutput(**said, preview="calling sql"))  # what the journal has of it
    fields = fold.line("a").fields.values
    assert fields["outputs"]["trace"] == shown
    assert fields["text"] == "calling sql"


def test_what_passed_by_stays_in_sight_when_its_step_fails(canvas, flow_text) -> None:
    @node("cell.watched")
    def watched(*, ctx: Context) -> int:
        said = {"at": ctx.now(), "step": ctx.step, "port": "trace", "preview": "thinking"}
        ctx.record(ev.StepOutput(**said, value={"turns": [1]}))
        raise ValueError("No more.")

    one = canvas()
    text = flow_text({"a": {"type": "cell.watched"}})
    one.open(text)
    one.ask("run", text=text, mode="all")
    seen = one.until(lambda known: known.run["state"] == "failed")
    assert seen.nodes["a"]["state"] == "failed"
    assert seen.nodes["a"]["outputs"]["trace"]["text"] == '{"turns":[1]}'
