"""A failed step's recorded inputs, looked at from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from iaiflow_lab import Flow, Lab
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.lab.failure import FlowFailedError


@pytest.fixture(autouse=True)
def _in_a_workspace(here: Path) -> None:
    """Every test here has one."""


def failed_run() -> str:
    flow = Flow("halves", parameters={"total": {"type": "integer", "default": 7}})
    flow.add("python", id="count", code="def main():\n    return 0")
    flow.add("python", id="live", code="def main():\n    return {1, 2}")
    flow.add("python", id="share", code="def main(total, count, odd):\n    return total / count")
    flow.connect("params.total", "share.total")
    flow.connect("count.out", "share.count")
    flow.connect("live.out", "share.odd")
    with pytest.raises(FlowFailedError) as caught:
        flow.run(show=False)
    return caught.value.run.id


def test_the_inputs_of_a_failed_step_come_back_by_name() -> None:
    step = Lab().runs.debug(failed_run())
    assert (step.step, dict(step)) == ("share", {"total": 7, "count": 0})
    assert (list(step.missing), "odd" in step, len(step)) == (["odd"], False, 2)
    assert "division by zero" in repr(step)
    assert "total = 7" in repr(step)
    assert "def main(total, count, odd)" in step.config["code"]
    with pytest.raises(NotFoundError, match="stayed in its process"):
        step["odd"]
    with pytest.raises(NotFoundError, match=r"was given no 'totl'.*total"):
        step["totl"]


def test_a_step_is_run_again_from_there() -> None:
    lab = Lab()
    step = lab.runs.debug(failed_run())
    again = lab.runs.get(step.retry())
    assert (again.retry_of, again.state) == (step.run_id, "queued")
