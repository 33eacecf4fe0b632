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


def mapped(body: Flow, **more: object) -> Flow:
    flow = Flow("mapped")
    flow.add("python", id="scale", code="def main():\n    return 8")
    flow.add("map", id="each", body=body, items=[4, 0], **more)
    flow.connect("scale.out", "each.scale")
    return flow


def divide(parameters: tuple[str, ...]) -> Flow:
    body = Flow("body", parameters={name: {} for name in parameters} | {"more": {"default": 5}})
    wired = (*parameters, "more")
    body.add("python", id="half", code=f"def main({', '.join(wired)}):\n    return scale / item")
    for name in wired:
        body.connect(f"params.{name}", f"half.{name}")
    return body


def fail(flow: Flow) -> str:
    with pytest.raises(FlowFailedError) as caught:
        flow.run(show=False)
    return caught.value.run.id


def test_a_step_within_a_map_has_its_item_and_what_all_items_share() -> None:
    lab = Lab()
    step = lab.runs.debug(fail(mapped(divide(("item", "index", "scale")), concurrency=1)))
    assert step.step == "each[1]/half"
    assert step.missing == {}
    assert dict(step) == {"item": 0, "index": 1, "scale": 8, "more": 5}
    assert "item = item 1 of" in repr(step)
    again = lab.runs.get(step.retry())
    assert again.retry_of == step.run_id
    lab_again = lab.runs.debug(step.run_id, "each[0]/half")
    assert lab_again["item"] == 4


def test_a_step_within_a_map_of_objects_has_their_entries() -> None:
    flow = Flow("rows")
    rows = [{"id": 1, "n": 2}, {"id": 2, "n": 0}]
    body = Flow("body", parameters={"n": {}, "unit": {}})
    body.add("python", id="half", code="def main(n, unit):\n    return unit / n")
    body.connect("params.n", "half.n")
    body.connect("params.unit", "half.unit")
    flow.add("map", id="each", body=body, items=rows, unit=1, concurrency=1)
    assert dict(Lab().runs.debug(fail(flow))) == {"n": 0, "unit": 1}


def test_a_step_within_a_flow_within_a_map_has_what_was_passed_on() -> None:
    inner = divide(("item", "scale"))
    middle = Flow("middle", parameters={"item": {}, "scale": {}})
    middle.add("subflow", id="sub", body=inner)
    middle.connect("params.item", "sub.item")
    middle.connect("params.scale", "sub.scale")
    step = Lab().runs.debug(fail(mapped(middle, concurrency=1)))
    assert step.step == "each[1]/sub/half"
    assert dict(step) == {"item": 0, "scale": 8, "more": 5}
