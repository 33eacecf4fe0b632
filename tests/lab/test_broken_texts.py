"""Texts that UTF-8 does not hold, as file names and models make them, are no reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from iaiflow_lab import Context, Flow, Skip, node
from iaiflow_lab.lab.failure import FlowFailedError
from iaiflow_lab.model import event as ev
from iaiflow_lab.service import history, open_session

HALF = "half \ud800 of a pair"
SHOWN = "half ? of a pair"


@node
def half() -> str:
    return HALF


@node
def half_key() -> dict[str, int]:
    return {HALF: 1}


@node
def says(*, ctx: Context) -> int:
    ctx.log(HALF)
    ctx.progress(1, 2, HALF)
    print(HALF)
    return 1


@node
def fails() -> int:
    raise ValueError(HALF)


@node
def skips() -> int | Skip:
    return Skip(HALF)


def flow_of(type_name: str) -> Flow:
    flow = Flow("Broken")
    flow.add(type_name, id="a")
    return flow


@pytest.mark.parametrize(("made", "value"), [(half, HALF), (half_key, {HALF: 1})])
def test_a_value_with_a_broken_text_stays_as_it_is(here: Path, made: object, value: object) -> None:
    run = flow_of(f"cell.{made.target.__name__}").run()  # type: ignore[attr-defined]

    assert run["a"].value == value
    with open_session(here) as session:
        ref = history.get(session, run.id).steps[0].outputs["out"]
    assert ref.encoding == "live"
    assert "\ud800" not in ref.preview


def test_a_broken_text_is_said_and_recorded(here: Path) -> None:
    run = flow_of("cell.says").run()

    assert run.state == "completed"
    with open_session(here) as session:
        logs = [event.text for _, event in history.logs(session, run.id)]
    assert SHOWN in "".join(logs)


def test_a_skip_for_a_broken_reason_is_recorded(here: Path) -> None:
    run = flow_of("cell.skips").run()

    with open_session(here) as session:
        assert history.get(session, run.id).steps[0].reason == SHOWN


def test_an_error_with_a_broken_text_is_told_and_recorded(here: Path) -> None:
    with pytest.raises(FlowFailedError) as caught:
        flow_of("cell.fails").run()

    with open_session(here) as session:
        error = history.get(session, caught.value.run.id).error
    assert error is not None
    assert SHOWN in error.message


def test_a_display_that_json_does_not_hold_is_recorded() -> None:
    shown = ev.StepDisplay(at=1.0, step="a", data={"x": {1, 2}, "y": [float("nan"), HALF, {}]})

    data = ev.decode(ev.encode(shown)).data  # type: ignore[union-attr]

    assert data["y"][1:] == [SHOWN, {}]
    assert "1" in str(data["x"])
