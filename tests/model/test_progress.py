"""What people see of a run is folded from its events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.progress import RunProgress
from iaiflow_lab.model.run import RunState, StepState


def started(step, at=1.0):
    return ev.StepStarted(at=at, step=step, node=step, type="t")


def finished(step, state=StepState.COMPLETED, at=2.0, **more):
    return ev.StepFinished(at=at, step=step, node=step, type="t", state=state, **more)


def fold(*events, nodes=()):
    progress = RunProgress(nodes)
    for event in events:
        progress.apply(event)
    return progress


def test_nodes_are_pending_before_anything_has_happened():
    progress = fold(nodes=["a", "b"])
    assert [(line.path, line.state) for line in progress.lines.values()] == [
        ("a", StepState.PENDING),
        ("b", StepState.PENDING),
    ]
    assert not progress.has_ended


def test_a_step_runs_and_completes():
    progress = fold(
        started("a"),
        finished("a", outputs={"out": ev.OutputRef("json", inline=3, preview="3")},
                 usage=ev.Usage(rows=7)),
    )  # fmt: skip
    line = progress.lines["a"]
    assert (line.state, line.started_at, line.ended_at) == (StepState.COMPLETED, 1.0, 2.0)
    assert (line.rows, line.text) == (7, "3")


def test_items_of_a_map_share_their_lines():
    progress = fold(
        started("each"),
        ev.StepExpanded(at=1, step="each", node="each", items=3),
        started("each[0]/clean"),
        started("each[1]/clean"),
        finished("each[0]/clean", usage=ev.Usage(rows=2)),
        finished("each[1]/clean", usage=ev.Usage(rows=3)),
        nodes=["each", "after"],
    )
    assert list(progress.lines) == ["each", "each/clean", "after"]
    line = progress.lines["each/clean"]
    assert (line.settled, line.expected, line.rows, line.depth) == (2, 3, 5, 1)
    assert line.state is StepState.RUNNING, "one item is still to come"
    progress.apply(finished("each[2]/clean", StepState.FAILED))
    assert line.state is StepState.FAILED


def test_maps_in_maps_expect_the_items_of_all_expansions():
    progress = fold(
        ev.StepExpanded(at=1, step="o", node="o", items=2),
        ev.StepExpanded(at=1, step="o[0]/i", node="i", items=2),
        ev.StepExpanded(at=1, step="o[1]/i", node="i", items=5),
        started("o[1]/i[4]/x"),
    )
    assert progress.lines["o/i/x"].expected == 7


def test_the_last_thing_said_is_shown():
    progress = fold(
        started("a"),
        ev.StepLog(at=1, step="a", stream="stdout", text="one\ntwo\n"),
        ev.StepLog(at=1, step="a", stream="stdout", text="\n"),
    )
    assert progress.lines["a"].text == "two"
    progress.apply(ev.StepProgress(at=1, step="a", done=3, total=4))
    assert (progress.lines["a"].share, progress.lines["a"].text) == (0.75, "3/4")
    progress.apply(finished("a", StepState.FAILED, error=ev.ErrorInfo("x", "no luck")))
    assert (progress.lines["a"].share, progress.lines["a"].text) == (None, "no luck")


def test_a_run_that_goes_back_to_the_queue_forgets_what_was_not_recorded():
    progress = fold(
        started("a"),
        finished("a"),
        started("b"),
        ev.RunChanged(at=3, state=RunState.QUEUED, reason="The worker was lost."),
    )
    assert progress.lines["a"].state is StepState.COMPLETED
    assert progress.lines["b"].state is StepState.PENDING
    assert progress.reason == "The worker was lost."


def test_no_step_runs_on_when_its_run_has_ended():
    progress = fold(
        started("a"),
        finished("a"),
        started("b"),
        ev.RunChanged(at=3, state=RunState.CANCELLED, reason="Cancelled on request."),
    )
    states = {name: line.state for name, line in progress.lines.items()}
    assert states == {"a": StepState.COMPLETED, "b": StepState.CANCELLED}


@given(st.lists(st.sampled_from(list(StepState)), min_size=1, max_size=5))
def test_one_state_stands_for_all(states):
    progress = RunProgress()
    for item, state in enumerate(states):
        progress.apply(started(f"m[{item}]/x"))
        if state in {StepState.PENDING, StepState.RUNNING, StepState.RETRYING}:
            continue
        progress.apply(finished(f"m[{item}]/x", state))
    line = progress.lines["m/x"]
    if StepState.FAILED in states:
        assert line.state is StepState.FAILED
    if set(states) == {StepState.COMPLETED}:
        assert line.state is StepState.COMPLETED
    assert line.settled <= len(states)
