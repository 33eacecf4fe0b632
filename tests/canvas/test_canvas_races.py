"""What happens at the same time: each interleaving is forced, none is left to chance."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab import Context, Flow, node
from iaiflow_lab.canvas import keeping, previewer
from iaiflow_lab.canvas.outbox import OUTBOX
from iaiflow_lab.canvas.session import Session, sessions
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.interactive import going
from iaiflow_lab.interactive.going import Going
from iaiflow_lab.model import file
from iaiflow_lab.service import history, open_session

Make = Callable[..., Any]
PATIENCE = 60.0


class Gate:
    """Holds whoever comes until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


@pytest.fixture
def drawn(here: Path) -> Flow:
    @node("cell.one")
    def one(x: int = 1) -> int:
        return x

    flow = Flow("Drawn")
    flow.add("cell.one", id="a")
    flow.save("drawn.flow.json")
    return flow


def subject(flow: Flow) -> Subject:
    return Subject("file", flow.build, file=flow.path, owner=flow, adopt=flow.adopt)


def aside(function: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def ended(mirror: Any) -> bool:
    return mirror.run["ended_at"] is not None


def agree(one: Any, two: Any) -> None:
    """Wait until two browsers know the same of the nodes, whichever has heard more by now."""
    deadline = time.monotonic() + PATIENCE
    while one.mirror.nodes != two.mirror.nodes:
        assert time.monotonic() < deadline, (one.mirror.nodes, two.mirror.nodes)
        for each in (one, two):
            each.ask("steps")  # takes what has come until it is answered


def test_whoever_hears_of_the_end_may_start_the_next_run(
    canvas: Make, drawn: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = canvas(subject(drawn))
    one.open()
    board, is_heard = one.session.desk.board, threading.Event()
    goes_on: list[Any] = []

    def end(ending: Any) -> None:
        goes_on.append(board.going)
        is_heard.set()

    monkeypatch.setattr(board.fold_state, "end", end)
    monkeypatch.setattr(OUTBOX, "wake", board.fold)  # at the worst moment: at once

    one.ask("run", text=file.dump(drawn.build()), mode="all")
    assert is_heard.wait(PATIENCE)
    assert goes_on == [None]


def test_a_cell_that_starts_meanwhile_does_not_take_the_place_of_a_canvass_run(
    canvas: Make, drawn: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = canvas(subject(drawn))
    one.open()
    find_place, inner = going.find_place, []

    def find(request: Any) -> Any:
        if not inner:
            inner.append(None)
            cell = aside(lambda: inner.append(drawn.run(show=False).id))
            cell.join(PATIENCE)
        return find_place(request)

    monkeypatch.setattr(going, "find_place", find)
    run_id = one.ask("run", text=file.dump(drawn.build()), mode="all")["run_id"]

    run = one.until(ended).run
    assert (run["run_id"], run["state"]) == (run_id, "completed")
    assert inner[1] not in (None, run_id)


def test_of_two_canvases_that_start_at_once_one_is_refused(
    canvas: Make, drawn: Flow, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    one, two = canvas(subject(drawn)), canvas(subject(drawn))
    one.open()
    two.open()
    find_place = going.find_place
    monkeypatch.setattr(going, "find_place", lambda request: (gate(), find_place(request))[1])
    text = file.dump(drawn.build())

    first = aside(lambda: one.ask("run", text=text, mode="all"))
    assert gate.reached.wait(PATIENCE)
    assert two.refusal("run", text=text, mode="all")["code"] == "already-running"
    gate.opened.set()
    first.join(PATIENCE)

    first_run = one.until(ended).run
    assert first_run == two.until(ended).run
    two.ask("run", text=text, mode="all")
    assert two.until(lambda state: ended(state) and state.run != first_run)


def test_a_preview_that_takes_long_does_not_come_back_after_a_failure(
    canvas: Make, here: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    calls = []

    @node("cell.counted")
    def counted() -> int:
        calls.append(None)
        return len(calls)

    @node("cell.first_only")
    def first_only(number: int) -> str:
        if number > 1:
            raise ValueError("no more")
        return "slow"

    flow = Flow("Drawn")
    flow.add("cell.first_only", id="b", number=flow.add("cell.counted", id="a"))
    flow.save("drawn.flow.json")
    previews = previewer.previews

    def previews_late(values: Any) -> Any:
        if values["out"][0] == "slow":
            gate()
        return previews(values)

    monkeypatch.setattr(previewer, "previews", previews_late)
    one = canvas(subject(flow))
    one.open()
    text = file.dump(flow.build())
    one.ask("run", text=text, mode="all")
    first_run = one.until(ended).run
    assert gate.reached.wait(PATIENCE)
    one.ask("run", text=text, mode="all")
    one.until(lambda state: ended(state) and state.run != first_run)
    gate.opened.set()
    one.until(lambda state: state.nodes["a"]["outputs"].get("out", {}).get("text") == "2")
    assert one.mirror.nodes["b"]["state"] == "failed"
    assert one.mirror.nodes["b"]["outputs"] == {}


def test_a_stop_while_a_run_is_started_ends_it(
    canvas: Make, drawn: Flow, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    one, two = canvas(subject(drawn)), canvas(subject(drawn))
    one.open()
    two.open()
    start = going.start
    monkeypatch.setattr(going, "start", lambda setup: (gate(), start(setup))[1])

    first = aside(lambda: one.ask("run", text=file.dump(drawn.build()), mode="all"))
    assert gate.reached.wait(PATIENCE)
    two.ask("stop")
    gate.opened.set()
    first.join(PATIENCE)

    assert two.until(ended).run["state"] == "cancelled"


def test_what_a_left_node_says_later_is_not_told_of_the_next_run(
    canvas: Make, here: Path, gate: Gate
) -> None:
    said = threading.Event()
    first = [True]

    @node("cell.stuck")
    def stuck(*, ctx: Context) -> None:
        if first.pop() if first else False:
            with suppress(BaseException):  # it is asked to stop
                gate()
            ctx.log("too late")
            said.set()

    flow = Flow("Stuck")
    flow.add("cell.stuck", id="a")
    flow.save("stuck.flow.json")
    one = canvas(subject(flow))
    one.open()
    text = file.dump(flow.build())
    one.ask("run", text=text, mode="all")
    assert gate.reached.wait(PATIENCE)
    one.ask("stop")
    one.ask("stop")
    assert one.until(ended).run["error"]["code"] == "still-running"

    mirror = one.run(text)
    gate.opened.set()
    assert said.wait(PATIENCE)

    one.ask("steps")  # what was noted until now is taken into account
    assert mirror.run["state"] == "completed"
    assert one.snapshot().nodes["a"]["log"] == ""


def test_an_interrupt_while_a_run_is_started_leaves_nothing_behind(
    canvas: Make, drawn: Flow, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = canvas(subject(drawn))
    one.open()
    find_place = going.find_place

    def find(request: Any) -> Any:
        place = find_place(request)
        signal.raise_signal(signal.SIGINT)  # as the kernel's interrupt, on its main thread
        return place

    monkeypatch.setattr(going, "find_place", find)
    text = file.dump(drawn.build())
    run_id = one.ask("run", text=text, mode="all")["run_id"]

    assert one.until(ended).run["state"] == "completed"
    with open_session(here) as session:
        assert history.get(session, run_id).state == "completed"


def test_a_second_interrupt_while_a_run_is_started_ends_it(
    canvas: Make, drawn: Flow, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = canvas(subject(drawn))
    one.open()
    announce = Going._announce

    def interrupted(self: Going, sight: Any) -> None:
        announce(self, sight)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    text = file.dump(drawn.build())
    with monkeypatch.context() as patched:
        patched.setattr(Going, "_announce", interrupted)
        with pytest.raises(KeyboardInterrupt):
            one.ask("run", text=text, mode="all")

    with open_session(here) as session:
        assert [run.state for run in history.list_runs(session)] == ["cancelled"]
    assert one.run(text).run["state"] == "completed"


def test_edits_at_the_same_time_get_numbers_of_their_own(
    canvas: Make, drawn: Flow, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    one, two, three = (canvas(subject(drawn)) for _ in range(3))
    for each in (one, two, three):
        each.open()
    problems, slow = keeping.problems, [True]

    def checked(*given: Any) -> Any:
        if slow and slow.pop():
            gate()
        return problems(*given)

    monkeypatch.setattr(keeping, "problems", checked)
    drawn.add("cell.one", id="b")
    first, second = file.dump(drawn.build()), ""
    replies: list[Any] = []
    editing = aside(lambda: replies.append(one.ask("edit", text=first, base=1)))
    assert gate.reached.wait(PATIENCE)
    second = first.replace('"Drawn"', '"Drawn anew"')
    assert two.ask("edit", text=second, base=2)["revision"] == 3
    gate.opened.set()
    editing.join(PATIENCE)

    assert [reply["revision"] for reply in replies] == [2]
    assert three.pushed("flow") == {"text": second, "revision": 3}
    assert one.refusal("edit", text=first, base=2)["code"] == "conflict"
    assert file.dump(drawn.build()) == second == Path("drawn.flow.json").read_text()


def test_a_canvas_that_closes_while_its_run_goes_on_leaves_it_to_the_others(
    canvas: Make, here: Path, gate: Gate
) -> None:
    @node("cell.held")
    def held() -> int:
        gate()
        return 1

    flow = Flow("Held")
    flow.add("cell.held", id="a")
    flow.save("held.flow.json")
    one, two = canvas(subject(flow)), canvas(subject(flow))
    one.open()
    two.open()
    one.ask("run", text=file.dump(flow.build()), mode="all")
    assert gate.reached.wait(PATIENCE)

    one.session.close()
    three = canvas(subject(flow))
    three.open()
    gate.opened.set()

    for each in (two, three):
        assert each.until(ended).run["state"] == "completed"
        each.until(lambda m: m.nodes["a"]["outputs"] != {})
    agree(two, three)


@pytest.mark.parametrize("paths", [("x.flow.json", "x.flow.json"), ("x.flow.json", "y.flow.json")])
def test_two_canvases_that_reload_at_once_find_their_runs(
    canvas: Make,
    flow_text: Make,
    paths: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    gate: Gate,
) -> None:
    @node("cell.held")
    def held() -> int:
        print("here")
        gate()
        return 1

    text = flow_text({"a": {"type": "cell.held"}})
    old = [canvas() for _ in paths]
    for number, (each, path) in enumerate(zip(old, paths, strict=True)):
        each.open(text, path, client=f"tab-{number}")
    by_path = dict(zip(paths, old, strict=True))
    runs = {path: each.ask("run", text=text, mode="all") for path, each in by_path.items()}
    for each in old:
        each.until(lambda m: "a" in m.nodes and m.nodes["a"]["log"])

    together = threading.Barrier(len(paths))
    replace = Session._replace_earlier

    def replaced(session: Session) -> None:
        together.wait(PATIENCE)
        replace(session)
        together.wait(PATIENCE)

    monkeypatch.setattr(Session, "_replace_earlier", replaced)
    new = [canvas() for _ in paths]
    threads = [
        aside(lambda each=each, n=n: each.open(text, paths[n], client=f"tab-{n}"))
        for n, each in enumerate(new)
    ]
    for thread in threads:
        thread.join(PATIENCE)
    states = [each.mirror.nodes["a"]["state"] for each in new]
    gate.opened.set()

    assert states == ["running"] * len(paths)
    for each, path in zip(new, paths, strict=True):
        mirror = each.until(lambda m: ended(m) and m.nodes["a"]["outputs"] != {})
        assert (mirror.run["run_id"], mirror.run["state"]) == (runs[path]["run_id"], "completed")
        assert mirror.nodes["a"]["log"] == "here\n"
    assert {session._client for session in sessions()} == {"tab-0", "tab-1"}
    assert len(sessions()) == len(paths)
